/* From a lead as Graph gives it to a lead of ours. */
#include "meta.h"

#define TEST_PREFIX "<test lead:"

/* Names of questions that the table of fields does not have, or would take for another;
 * Meta's names of its standard questions. */
static const struct {
	const char *name;
	int32_t field;
} questions[] = {
	{"post_code", LG_POSTAL_CODE},
	{"work_email", LG_EMAIL},
	{"work_phone_number", LG_PHONE},
};

/* Of what the lead says beside its answers, and whom it is kept for. */
static const char *const origins[] = {
	"form_id",     "ad_id",		"ad_name",  "adset_id",	    "adset_name",
	"campaign_id", "campaign_name", "platform", "partner_name", "retailer_item_id",
};

static int32_t field_of(const struct settings *settings, struct lg_request *request,
			struct lg_slice name)
{
	for (size_t i = 0; i < settings->fields.count; i++)
		if (lg_slice_same(settings->fields.entries[i].name, name))
			return settings->fields.entries[i].field;
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		if (lg_slice_is(name, questions[i].name))
			return questions[i].field;
	return lg_field_named(request, name);
}

struct answers {
	struct lg_lead *lead;
	bool is_test;
	bool taken[LG_FIELD_COUNT]; /* fields that have their value */
};

static bool starts(struct lg_slice text, const char *prefix)
{
	return lg_slice_is(lg_slice_cut(text, 0, strlen(prefix)), prefix);
}

/* What Meta's testing tool fills in. The prefix is no HTML, though it looks so. */
static bool is_test_value(struct lg_slice value)
{
	return starts(value, TEST_PREFIX) || lg_slice_is(value, "test@meta.com") ||
	       lg_slice_is(value, "test@fb.com");
}

/* A field with one value keeps the first. LG_FAIL: it has one, or is a list, or none. */
static int32_t set_once(struct answers *answers, int32_t field, struct lg_slice value)
{
	if (field < 0 || field >= LG_FIELD_COUNT || answers->taken[field] ||
	    lg_lead_set(answers->lead, field, value) != LG_OK)
		return LG_FAIL;
	answers->taken[field] = true;
	return LG_OK;
}

/* Where more than one value has room: a second address, such as the one at work, stands
 * beside the first. */
static int32_t list_of(int32_t field)
{
	return field == LG_EMAIL ? LG_OTHER_EMAILS : field == LG_PHONE ? LG_OTHER_PHONES : field;
}

/* No answer is dropped that says something: of several choices, or of two questions for one field, what has
 * no room there is kept by the question's name. */
static void take_value(struct answers *answers, int32_t field, struct lg_slice name,
		       struct lg_slice value)
{
	answers->is_test = answers->is_test || is_test_value(value);
	if (set_once(answers, field, value) != LG_OK &&
	    (field < 0 || lg_lead_add(answers->lead, list_of(field), value) != LG_OK))
		lg_lead_extra(answers->lead, name, value);
}

static void take_answer(const struct settings *settings, struct lg_request *request,
			struct answers *answers, const struct lg_json *answer)
{
	struct lg_slice name = text_of(request, answer, "name");
	const struct lg_json *values = member(request, answer, "values");
	int32_t field = field_of(settings, request, name);

	if (!name.length)
		return;
	for (const struct lg_json *v = lg_json_first(request, values); v;
	     v = lg_json_next(request, v))
		if (lg_slice_trim(lg_json_text(request, v)).length)
			take_value(answers, field, name, lg_json_text(request, v));
}

/* ---- consent ------------------------------------------------------------------------------- */

static struct lg_slice purpose_of(const struct settings *settings, struct lg_slice key)
{
	for (size_t i = 0; i < settings->consents.count; i++)
		if (lg_slice_equal(settings->consents.pairs[i].name, key))
			return settings->consents.pairs[i].value;
	return key;
}

/* is_checked is "1" or ""; whatever else is said is no yes. */
static void take_consent(const struct settings *settings, struct lg_request *request,
			 struct lg_lead *lead, const struct lg_json *box)
{
	struct lg_slice key = text_of(request, box, "checkbox_key");
	const struct lg_json *checked = member(request, box, "is_checked");
	bool yes = checked && (lg_json_kind(request, checked) == LG_JSON_TRUE ||
			       lg_slice_is(text_of(request, box, "is_checked"), "1"));
	struct lg_consent consent = {
		.size = sizeof(consent),
		.state = yes ? LG_CONSENT_GRANTED : LG_CONSENT_DENIED,
		.purpose = purpose_of(settings, key),
		.basis = LG_SLICE("consent"),
		.method = LG_SLICE("checkbox"),
	};

	/* What no consent has room for is kept in Meta's own words. */
	if (key.length && lg_lead_consent(lead, &consent) != LG_OK) {
		lg_lead_extra(lead, LG_SLICE("checkbox_key"), key);
		lg_lead_extra(lead, LG_SLICE("is_checked"), yes ? LG_SLICE("1") : LG_SLICE(""));
	}
}

/* ---- the lead ------------------------------------------------------------------------------- */

static int32_t set_identity(struct lg_request *request, struct lg_lead *lead,
			    const struct lg_json *root)
{
	struct lg_slice id = text_of(request, root, "id");
	int64_t at;

	if (!is_id(id) || lg_lead_key(lead, LG_KEY_PROVIDER, id) != LG_OK ||
	    lg_lead_set(lead, LG_EXTERNAL_ID, id) != LG_OK)
		return LG_FAIL;
	if (lg_time(request, text_of(request, root, "created_time"), &at) == LG_OK)
		lg_lead_set(lead, LG_OCCURRED_AT, lg_time_text(request, at));
	return LG_OK;
}

/* An advertisement is where the person came from; an organic form has none. What the
 * form's tracking parameters say of it is more exact, and stays. */
static void set_attribution(struct lg_request *request, struct answers *answers,
			    const struct lg_json *root)
{
	bool instagram = lg_slice_is(text_of(request, root, "platform"), "ig");
	bool paid = text_of(request, root, "ad_id").length > 0;

	set_once(answers, LG_UTM_SOURCE, instagram ? LG_SLICE("instagram") : LG_SLICE("facebook"));
	if (!paid)
		return;
	set_once(answers, LG_UTM_MEDIUM, LG_SLICE("paid_social"));
	set_once(answers, LG_UTM_CAMPAIGN, text_of(request, root, "campaign_name"));
	set_once(answers, LG_UTM_CONTENT, text_of(request, root, "ad_name"));
}

static void keep_origin(struct lg_request *request, struct lg_lead *lead,
			const struct lg_json *root)
{
	for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
		struct lg_slice value = text_of(request, root, origins[i]);
		if (value.length)
			lg_lead_extra(lead, lg_slice_from(origins[i]), value);
	}
}

int32_t answers_add(const struct settings *settings, struct lg_request *request,
		    const struct lg_json *root)
{
	struct answers answers = {.lead = lg_lead(request)};

	if (!answers.lead || set_identity(request, answers.lead, root) != LG_OK)
		return LG_FAIL;
	for (const struct lg_json *a = lg_json_first(request, member(request, root, "field_data"));
	     a; a = lg_json_next(request, a))
		take_answer(settings, request, &answers, a);
	for (const struct lg_json *box =
		     lg_json_first(request, member(request, root, "custom_disclaimer_responses"));
	     box; box = lg_json_next(request, box))
		take_consent(settings, request, answers.lead, box);
	if (answers.is_test)
		lg_lead_set(answers.lead, LG_IS_TEST, LG_SLICE("true"));
	keep_origin(request, answers.lead, root);
	set_attribution(request, &answers, root);
	return LG_OK;
}
