#include "unit.h"

#include <stdio.h>

#include "lead/binding.h"
#include "lead/record.h"

static const struct lead_limits limits = {.extra_fields = 100,
					  .extra_name_bytes = 128,
					  .extra_value_bytes = 65536,
					  .list_items = 50,
					  .raw_bytes = 1024,
					  .record_bytes = 262144};
static const struct expr_limits expr_limits = {.memory_bytes = 1 << 20, .steps = 20000};
static struct arena arena;
static struct error error;

static int open_arena(void **state)
{
	(void)state;
	field_setup();
	arena_init(&arena, 4096, 0);
	return 0;
}

static int close_arena(void **state)
{
	(void)state;
	arena_fini(&arena);
	return 0;
}

/* A record that has every field, and every list of objects. */
static const struct json *full_record(void)
{
	struct lead *lead = lead_new(&arena, &limits);
	struct lead_pair evidence = {.name = LG_SLICE("form"), .value = LG_SLICE("f1")};
	struct lead_reason reason = {.rule = LG_SLICE("r"),
				     .axis = LG_SLICE("score"),
				     .from = LG_SLICE("0"),
				     .to = LG_SLICE("5"),
				     .at = LG_SLICE("2026-01-02T03:04:05.678Z"),
				     .points = 5};
	struct lg_consent consent = {.size = sizeof(consent),
				     .state = LG_CONSENT_GRANTED,
				     .purpose = LG_SLICE("marketing"),
				     .channels = LG_SLICE("email,sms"),
				     .basis = LG_SLICE("consent"),
				     .text = LG_SLICE("I agree"),
				     .version = LG_SLICE("1"),
				     .method = LG_SLICE("checkbox"),
				     .at = 1767323045678};
	struct lg_slice odd = LG_SLICE("odd name"), value = LG_SLICE("v");
	struct buffer out;
	const struct json *json;

	assert_non_null(lead);
	for (int i = 0; i < LG_FIELD_COUNT; i++) {
		enum field_type type = field_table[i].type;
		if (type == FIELD_LIST)
			lead_add(lead, i, value);
		else
			lead_set(lead, i,
				 type == FIELD_BOOLEAN	 ? LG_SLICE("true")
				 : type == FIELD_INTEGER ? LG_SLICE("120")
							 : value);
	}
	assert_true(lead_add_profile(lead, LG_SLICE("linkedin"), value, value));
	assert_true(lead_add_consent(lead, &consent));
	lead->consents->evidence = &evidence;
	lead->consents->text_sha256 = value;
	lead->reasons = &reason;
	assert_true(lead_suggest(lead, value, value, value));
	assert_true(lead_keep_raw(lead, LG_PHONE, value));
	assert_true(lead_add_extra(lead, odd, LG_SLICE("12")));
	buffer_init(&out, SIZE_MAX);
	record_encode(lead, &out);
	assert_false(out.failed);
	json = json_parse(&arena, buffer_slice(&out), &error);
	buffer_fini(&out);
	if (!json)
		fail_msg("%s", error.text);
	return json;
}

static void assert_known(const char *path)
{
	if (!binding_check(slice_from(path), &error))
		fail_msg("%s: %s", path, error.text);
}

/* Whatever stands in a record, its path is known. */
static void walk(const struct json *json, const char *path, int *leaves)
{
	char below[512];
	int item = 0;

	if (json->kind != JSON_OBJECT && json->kind != JSON_ARRAY) {
		assert_known(path);
		++*leaves;
		return;
	}
	for (const struct json *child = json->first; child; child = child->next) {
		if (json->kind == JSON_ARRAY)
			snprintf(below, sizeof(below), "%s[%d]", path, ++item);
		else if (!*path)
			snprintf(below, sizeof(below), "%.*s", SLICE_ARGS(child->name));
		else
			snprintf(below, sizeof(below), "%s['%.*s']", path, SLICE_ARGS(child->name));
		walk(child, below, leaves);
	}
}

static void knows_every_path_of_a_record(void **state)
{
	int leaves = 0;

	(void)state;
	walk(full_record(), "", &leaves);
	assert_in_range(leaves, LG_FIELD_COUNT, 1000);
}

static void names_what_is_misspelt(void **state)
{
	(void)state;
	assert_true(binding_check(LG_SLICE("person.country == 'US' and "
					   "(organization.employees or 0) >= 50"),
				  &error));
	assert_false(binding_check(LG_SLICE("statsu.intent == 'hard'"), &error));
	assert_string_equal(error.text, "1:1: unknown name 'statsu'; did you mean 'status'?");
	assert_false(binding_check(LG_SLICE("gclid"), &error));
	assert_string_equal(error.text,
			    "1:1: unknown name 'gclid'; did you mean 'attribution.first.gclid'?");
	assert_false(binding_check(LG_SLICE("consent[1].stat"), &error));
	assert_false(binding_check(LG_SLICE("inquiry.products.first"), &error));
}

static void assert_yes(struct expr_state *state, const struct json *json, const char *text)
{
	struct expr_reader reader = binding_reader(json);
	struct expr *expr = expr_new(state, slice_from(text), &error);
	bool yes = false;

	if (!expr || !expr_test(expr, &reader, &yes, &error))
		fail_msg("%s: %s", text, error.text);
	if (!yes)
		fail_msg("%s: no", text);
}

static void expressions_read_a_record(void **unused)
{
	static const char *const texts[] = {
		"organization.employees == 120 and is_test == true",
		"person.profiles[1].network == 'linkedin' and #person.profiles == 1",
		"any_where(consent, 'purpose', 'marketing', 'state', 'granted')",
		"contains(consent[1].channels, 'sms') and not contains(consent[1].channels, 'fax')",
		"extra['odd name'] == '12' and number(extra['odd name']) == 12",
		"raw['person.phone'] == 'v'",
		"status.reasons[1].points == 5 and status.score > 100",
		"consent[1].evidence.form == 'f1'",
		"referral.nothing == nil and nothing.at.all == nil",
	};
	struct expr_state *state = expr_state_new(&expr_limits);
	const struct json *json = full_record();

	(void)unused;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_yes(state, json, texts[i]);
	expr_state_free(&state);
}

static void any_json_is_read(void **unused)
{
	static const char *const texts[] = {
		"id == '12345678901234567890' and small == -42 and exact == 9223372036854775807",
		"price == 1.1 and large == 1e300 and none == nil and no == false",
		"list[1][2] == 'b' and list[2] == nil and list[3].x == 1 and #list == 3",
		"none.of.this == nil and price > 1",
	};
	struct expr_state *state = expr_state_new(&expr_limits);
	const struct json *json = json_parse(
		&arena,
		LG_SLICE("{\"id\":12345678901234567890,\"small\":-42,\"exact\":9223372036854775807,"
			 "\"price\":1.10,\"large\":1e300,\"none\":null,\"no\":false,"
			 "\"list\":[[\"a\",\"b\"],null,{\"x\":1}]}"),
		&error);

	(void)unused;
	assert_non_null(json);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_yes(state, json, texts[i]);
	expr_state_free(&state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, open_arena, close_arena)
		CASE(knows_every_path_of_a_record),
		CASE(names_what_is_misspelt),
		CASE(expressions_read_a_record),
		CASE(any_json_is_read),
	};
	return RUN(tests);
}
