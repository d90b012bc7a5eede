/* What the files of the plugin share. Rules are from Meta's documents on webhooks, lead
 * ads and Graph API errors. */
#ifndef META_H
#define META_H

#include <leadgate/source.h>
#include <leadgate/text.h>

struct settings {
	struct lg_slice app_secret, verify_token, access_token, graph_url;
	struct lg_list forms;
	struct lg_field_map fields;
	struct lg_map consents;
	int64_t rate_pause, max_pages;
};

/* ---- webhook.c: what Meta sends ---- */

int32_t webhook_receive(void *instance, struct lg_request *request);
int32_t webhook_reply(void *instance, struct lg_request *request, struct lg_reply *reply);

/* ---- graph.c: what we ask Meta for ---- */

int32_t graph_claim(void *instance, struct lg_request *request, const struct lg_errand *errand,
		    struct lg_verdict *verdict);
int32_t graph_backfill(void *instance, struct lg_request *request, const struct lg_errand *errand,
		       struct lg_verdict *verdict);

/* ---- verdict.c: what an answer without a lead means ---- */

/* Judges an answer whose JSON has a member `error`, or that is no JSON (root NULL).
 * True: the object is not there for this token, which is as much as Graph says of a lead
 * that was deleted and of a permission that is missing; the verdict is not set then. */
bool verdict_of_error(const struct settings *settings, struct lg_request *request,
		      const struct lg_errand *errand, const struct lg_json *root,
		      struct lg_verdict *verdict);
void verdict_park(struct lg_verdict *verdict, struct lg_slice reason);
void verdict_dead(struct lg_verdict *verdict, struct lg_slice reason);

/* ---- answers.c: from Graph's lead to ours ---- */

/* Fields that are asked for: only those come back. */
#define META_FIELDS                                                                 \
	"id,created_time,form_id,ad_id,ad_name,adset_id,adset_name,campaign_id,"    \
	"campaign_name,is_organic,platform,field_data,custom_disclaimer_responses," \
	"partner_name,retailer_item_id"

/* Adds a lead; LG_FAIL when memory ran out or there are too many. */
int32_t answers_add(const struct settings *settings, struct lg_request *request,
		    const struct lg_json *lead);

/* ---- for all ---- */

static inline const struct lg_json *member(struct lg_request *request, const struct lg_json *value,
					   const char *name)
{
	return lg_json_member(request, value, lg_slice_from(name));
}

/* The text of a string or a number; absent: neither. Ids come as either. */
static inline struct lg_slice text_of(struct lg_request *request, const struct lg_json *value,
				      const char *name)
{
	const struct lg_json *found = member(request, value, name);
	int32_t kind = found ? lg_json_kind(request, found) : LG_JSON_NULL;
	struct lg_slice none = {NULL, 0};

	return kind == LG_JSON_STRING || kind == LG_JSON_NUMBER ? lg_json_text(request, found)
								: none;
}

/* A number of a few digits; 0: it is none. */
static inline int number_of(struct lg_slice text)
{
	int value = 0;

	if (text.length > 9)
		return 0;
	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return 0;
		value = value * 10 + (text.data[i] - '0');
	}
	return value;
}

/* Ids are decimal and longer than what a double holds: text, and nothing but digits,
 * for they become parts of URLs. */
#define META_ID_BYTES 40
static inline bool is_id(struct lg_slice text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
	return text.length > 0 && text.length <= META_ID_BYTES;
}

#endif
