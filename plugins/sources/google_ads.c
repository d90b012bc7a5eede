/* google_ads: leads from the lead form assets of Google Ads.
 *
 * Google posts each lead as one JSON object with the key that the advertiser typed
 * beside the URL, and nothing is signed (developers.google.com/google-ads/webhook).
 * Its answers: 200 with {} is taken; 4xx with {"message"} is never sent again; 5xx
 * is sent again later. So a store without room must be heard as 5xx, and is.
 *
 *   sources:
 *     ads: { plugin: google_ads, path: /in/google, key: "${GOOGLE_KEY}" }
 */
#include <leadgate/source.h>
#include <leadgate/text.h>

#include <stdio.h>
#include <stdlib.h>

#define TEST_LEAD "TeSter-123-" /* how test leads of the console begin */

struct settings {
	struct lg_slice keys;
	struct lg_field_map fields;
	int32_t kind; /* position in LG_INQUIRY_KINDS */
};

static const struct lg_option options[] = {
	{.name = "key",
	 .type = LG_SECRET,
	 .flags = LG_REQUIRED,
	 .offset = offsetof(struct settings, keys),
	 .help = "the key that stands beside the URL at the vendor; several, with blanks between, "
		 "for several forms or while a key is changed"},
	{.name = "fields",
	 .type = LG_FIELD_MAP,
	 .offset = offsetof(struct settings, fields),
	 .help = "where answers to questions of one's own go: column_id to path in the record, "
		 "as in \"what_is_your_budget?: inquiry.subject\"; others are kept in extra"},
	{.name = "kind",
	 .type = LG_ENUM,
	 .offset = offsetof(struct settings, kind),
	 .fallback = "contact",
	 .choices = LG_INQUIRY_KINDS,
	 .help = "what the form asks for, written to inquiry.kind"},
};

/* The column_id of a question that Google knows (LeadFormFieldUserInputType of its
 * API); column_name is in the language of the visitor. */
static const struct {
	const char *column;
	int32_t field;
} columns[] = {
	{"FULL_NAME", LG_FULL_NAME},
	{"FIRST_NAME", LG_GIVEN_NAME},
	{"LAST_NAME", LG_FAMILY_NAME},
	{"EMAIL", LG_EMAIL},
	{"WORK_EMAIL", LG_EMAIL},
	{"PHONE_NUMBER", LG_PHONE},
	{"WORK_PHONE", LG_PHONE},
	{"STREET_ADDRESS", LG_STREET},
	{"CITY", LG_LOCALITY},
	{"REGION", LG_REGION},
	{"POSTAL_CODE", LG_POSTAL_CODE},
	{"COUNTRY", LG_COUNTRY},
	{"COMPANY_NAME", LG_ORGANIZATION_NAME},
	{"JOB_TITLE", LG_JOB_TITLE},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

struct filling {
	const struct settings *settings;
	struct lg_request *request;
	struct lg_lead *lead;
	bool taken[LG_FIELD_COUNT];
};

/* ---- settings -------------------------------------------------------------------- */

static int32_t check(const void *memory, struct lg_text problem)
{
	const struct settings *settings = memory;

	if (lg_slice_trim(settings->keys).length)
		return LG_OK;
	snprintf(problem.data, problem.capacity,
		 "key must not be empty: whoever knows the URL could send leads");
	return LG_FAIL;
}

static int32_t open_instance(struct lg_host *host, const void *settings, void **instance,
			     struct lg_text problem)
{
	(void)host;
	(void)problem;
	memcpy(instance, &settings, sizeof(settings));
	return LG_OK;
}

/* All keys are compared, so that the time does not tell which one it was. */
static bool knows_key(const struct settings *settings, struct lg_request *request,
		      struct lg_slice given)
{
	struct lg_slice rest = settings->keys, key;
	bool known = false;

	while ((key = lg_slice_word(&rest)).length)
		known |= lg_equal(request, key, given) == 1;
	return known && given.length;
}

/* ---- the lead ---------------------------------------------------------------------- */

/* The text of a member that is a text or a number, as it was written: ids have more
 * digits than a double holds. */
static struct lg_slice member(struct lg_request *request, const struct lg_json *object,
			      const char *name)
{
	const struct lg_json *value = lg_json_member(request, object, lg_slice_from(name));
	int32_t kind = value ? lg_json_kind(request, value) : LG_JSON_NULL;

	return kind == LG_JSON_STRING || kind == LG_JSON_NUMBER ? lg_json_text(request, value)
								: (struct lg_slice){NULL, 0};
}

static bool is_test(struct lg_request *request, const struct lg_json *root, struct lg_slice id)
{
	const struct lg_json *mark = lg_json_member(request, root, LG_SLICE("is_test"));
	struct lg_slice start = lg_slice_cut(id, 0, sizeof(TEST_LEAD) - 1);

	return (mark && lg_json_kind(request, mark) == LG_JSON_TRUE) ||
	       lg_slice_is(lg_slice_trim(member(request, root, "is_test")), "true") ||
	       lg_slice_equal(start, LG_SLICE(TEST_LEAD));
}

/* A field with one value keeps the first; `other` is the list for a second, 0: none. */
static bool set_once(struct filling *filling, int32_t field, int32_t other, struct lg_slice value)
{
	if (filling->taken[field])
		return other && lg_lead_add(filling->lead, other, value) == LG_OK;
	filling->taken[field] = lg_lead_set(filling->lead, field, value) == LG_OK;
	return filling->taken[field];
}

static int32_t list_beside(int32_t field)
{
	return field == LG_EMAIL ? LG_OTHER_EMAILS : field == LG_PHONE ? LG_OTHER_PHONES : 0;
}

static bool set_mapped(struct filling *filling, struct lg_slice column, struct lg_slice value)
{
	const struct lg_field_map *map = &filling->settings->fields;
	int32_t field = LG_FAIL;

	for (size_t i = 0; i < map->count && field < 0; i++)
		if (lg_slice_equal(map->entries[i].name, column))
			field = map->entries[i].field;
	if (field < 0)
		return false;
	return lg_lead_add(filling->lead, field, value) == LG_OK ||
	       (field < LG_FIELD_COUNT && set_once(filling, field, list_beside(field), value));
}

/* What nobody knows is kept by its column; beyond the limits of a lead it is not:
 * a lead with one answer less is better than none. */
static void put_answer(struct filling *filling, struct lg_slice column, struct lg_slice value)
{
	size_t row = 0;

	if (!column.length || !lg_slice_trim(value).length || set_mapped(filling, column, value))
		return;
	while (row < COLUMNS && !lg_slice_equal(column, lg_slice_from(columns[row].column)))
		row++;
	if (row == COLUMNS ||
	    !set_once(filling, columns[row].field, list_beside(columns[row].field), value))
		lg_lead_extra(filling->lead, column, value);
}

static int compare(struct lg_slice a, struct lg_slice b)
{
	size_t both = a.length < b.length ? a.length : b.length;
	int order = both ? memcmp(a.data, b.data, both) : 0;

	return order ? order : (a.length > b.length) - (a.length < b.length);
}

static int compare_answers(const void *a, const void *b)
{
	const struct lg_pair *p = a, *q = b;
	int order = compare(p->name, q->name);

	return order ? order : compare(p->value, q->value);
}

/* In the order of their columns, so that a lead whose answers come in another order
 * is the same lead, and an address of one's own goes before one at work. False: no
 * memory. */
static bool put_answers(struct filling *filling, const struct lg_json *root)
{
	struct lg_request *request = filling->request;
	const struct lg_json *list = lg_json_member(request, root, LG_SLICE("user_column_data"));
	const struct lg_json *part;
	struct lg_pair *answers;
	size_t count = 0;

	if (!list || lg_json_kind(request, list) != LG_JSON_ARRAY)
		return true;
	for (part = lg_json_first(request, list); part; part = lg_json_next(request, part))
		count++;
	answers = lg_allocate(request, (count + 1) * sizeof(*answers));
	if (!answers)
		return false;
	count = 0;
	for (part = lg_json_first(request, list); part; part = lg_json_next(request, part))
		answers[count++] = (struct lg_pair){member(request, part, "column_id"),
						    member(request, part, "string_value")};
	qsort(answers, count, sizeof(*answers), compare_answers);
	for (size_t i = 0; i < count; i++)
		put_answer(filling, answers[i].name, answers[i].value);
	return true;
}

/* Where it came from: whoever pays for the click wants to know. */
static void put_origin(struct filling *filling, const struct lg_json *root)
{
	static const char *const kept[] = {"form_id",	  "campaign_id",    "adgroup_id",
					   "creative_id", "asset_group_id", "lead_stage",
					   "lead_source"};
	struct lg_request *request = filling->request;
	struct lg_lead *lead = filling->lead;

	lg_lead_set(lead, LG_OCCURRED_AT, member(request, root, "lead_submit_time"));
	lg_lead_set(lead, LG_GCLID, member(request, root, "gcl_id"));
	lg_lead_set(lead, LG_UTM_SOURCE, LG_SLICE("google"));
	lg_lead_set(lead, LG_UTM_MEDIUM, LG_SLICE("cpc"));
	lg_lead_set(lead, LG_UTM_ID, member(request, root, "campaign_id"));
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		lg_lead_extra(lead, lg_slice_from(kept[i]), member(request, root, kept[i]));
}

static int32_t fill(struct filling *filling, const struct lg_json *root, struct lg_slice id)
{
	struct lg_lead *lead = filling->lead;

	if (lg_lead_key(lead, LG_KEY_PROVIDER, id) != LG_OK)
		return lg_refuse(filling->request, 503, LG_SLICE("The lead_id cannot be kept."));
	lg_lead_set(lead, LG_EXTERNAL_ID, id);
	lg_lead_set(lead, LG_INQUIRY_KIND, lg_choice(LG_INQUIRY_KINDS, filling->settings->kind));
	if (is_test(filling->request, root, id))
		lg_lead_set(lead, LG_IS_TEST, LG_SLICE("true"));
	put_origin(filling, root);
	return put_answers(filling, root) ? LG_OK
					  : lg_refuse(filling->request, 503,
						      LG_SLICE("There is no memory for the lead."));
}

static int32_t receive(void *instance, struct lg_request *request)
{
	struct filling filling = {.settings = instance, .request = request};
	char text[256] = "The body is no JSON.";
	struct lg_request_info info;
	const struct lg_json *root;
	struct lg_slice id;

	if (lg_request_info(request, &info) != LG_OK)
		return lg_refuse(request, 503, LG_SLICE("The request cannot be read."));
	if (lg_json(request, info.body, &root, (struct lg_text){text, sizeof(text)}) != LG_OK)
		return lg_refuse(request, 400, lg_slice_from(text));
	if (!knows_key(filling.settings, request, member(request, root, "google_key")))
		return lg_refuse(request, 403, LG_SLICE("The google_key is missing or wrong."));
	id = lg_slice_trim(member(request, root, "lead_id"));
	if (!id.length)
		return lg_refuse(request, 422, LG_SLICE("The lead has no lead_id."));
	filling.lead = lg_lead(request);
	if (!filling.lead)
		return lg_refuse(request, 503, LG_SLICE("There is no memory for the lead."));
	return fill(&filling, root, id);
}

/* ---- the answer --------------------------------------------------------------------- */

/* Refusals are sentences of the gateway or of this plugin. The one that quotes what
 * was sent, of JSON, quotes no more than 256 bytes. */
static size_t escape(struct lg_slice text, char *out)
{
	size_t used = 0;

	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];
		if (c == '"' || c == '\\')
			out[used++] = '\\';
		out[used++] = c < ' ' ? ' ' : (char)c;
	}
	return used;
}

static int32_t answer_refused(const struct lg_result *refusal, struct lg_request *request,
			      struct lg_reply *reply)
{
	static const char start[] = "{\"message\":\"", end[] = "\"}";
	char *body = lg_allocate(request, sizeof(start) + sizeof(end) + 2 * refusal->reason.length);
	size_t used = sizeof(start) - 1;

	if (!body || lg_reply_status(reply, refusal->status) != LG_OK)
		return LG_FAIL;
	memcpy(body, start, used);
	used += escape(refusal->reason, body + used);
	memcpy(body + used, end, sizeof(end) - 1);
	used += sizeof(end) - 1;
	return lg_reply_body(reply, "application/json", (struct lg_slice){body, used});
}

static int32_t reply_to(void *instance, struct lg_request *request, struct lg_reply *reply)
{
	struct lg_result refusal;

	(void)instance;
	if (lg_refusal(request, &refusal) == LG_OK)
		return answer_refused(&refusal, request, reply);
	return lg_reply_status(reply, 200) == LG_OK
		       ? lg_reply_body(reply, "application/json", LG_SLICE("{}"))
		       : LG_FAIL;
}

static const struct lg_source_operations operations = {
	.size = sizeof(operations),
	.check = check,
	.open = open_instance,
	.receive = receive,
	.reply = reply_to,
};

LG_SOURCE_PLUGIN(0, 4, "google_ads", .version = "0.1",
		 .summary = "Leads from the lead forms of Google Ads",
		 .flags = LG_HAS_AUTH | LG_ANSWERS_REFUSALS, .channel = "social", .methods = "POST",
		 .source = &operations, LG_OPTIONS(options, struct settings));
