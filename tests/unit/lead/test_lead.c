#include "unit.h"

struct fixture {
	struct arena arena;
};

static int start(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	arena_init(&fixture->arena, 16 << 10, 0);
	*state = fixture;
	return 0;
}

static int stop(void **state)
{
	struct fixture *fixture = *state;

	arena_fini(&fixture->arena);
	free(fixture);
	return 0;
}

static struct lead *new_lead(void **state)
{
	struct fixture *fixture = *state;

	return unit_lead(&fixture->arena, "");
}

static void values_are_copied(void **state)
{
	struct lead *lead = new_lead(state);
	char text[] = "jane@example.com";

	assert_true(lead_set(lead, LG_EMAIL, slice_from(text)));
	text[0] = 'x';
	expect_slice("email", lead_get(lead, LG_EMAIL), "jane@example.com");
	assert_true(lead_set(lead, LG_EMAIL, slice_of(NULL, 0)));
	expect_slice("email", lead_get(lead, LG_EMAIL), NULL);
}

static void every_text_is_valid_utf8(void **state)
{
	struct lead *lead = new_lead(state);

	assert_true(lead_set(lead, LG_FULL_NAME, LG_SLICE("J\xffne")));
	expect_slice("value", lead_get(lead, LG_FULL_NAME), "J\xef\xbf\xbdne");
	assert_true(lead_keep_raw(lead, LG_PHONE, LG_SLICE("\xc3")));
	expect_slice("raw", lead_raw(lead, LG_PHONE)->value, "\xef\xbf\xbd");
	/* two names that JSON could not tell apart are one */
	assert_true(lead_add_extra(lead, LG_SLICE("a\xff"), LG_SLICE("1")));
	assert_true(lead_add_extra(lead, LG_SLICE("a\xfe"), LG_SLICE("\xfe\xfe")));
	expect_slice(
		"record", unit_json(lead),
		"{\"schema\":\"leadgate/lead/1\",\"person\":{\"full_name\":\"J\xef\xbf\xbdne\"},"
		"\"raw\":{\"person.phone\":\"\xef\xbf\xbd\"},\"extra\":{\"a\xef\xbf\xbd\":["
		"\"1\",\"\xef\xbf\xbd\xef\xbf\xbd\"]}}");
}

static void wrong_kinds_of_fields_are_refused(void **state)
{
	struct lead *lead = new_lead(state);

	assert_false(lead_set(lead, -1, LG_SLICE("x")));
	assert_false(lead_set(lead, LG_FIELD_COUNT, LG_SLICE("x")));
	assert_false(lead_set(lead, LG_PRODUCTS, LG_SLICE("x")));
	assert_false(lead_add(lead, LG_EMAIL, LG_SLICE("x")));
	assert_false(lead_add(lead, -7, LG_SLICE("x")));
	assert_false(lead_add(lead, LG_FIELD_COUNT + 1, LG_SLICE("x")));
}

static void input_is_cut_at_a_character(void **state)
{
	struct lead *lead = new_lead(state);
	size_t limit = field_table[LG_POSTAL_CODE].limit_bytes + (size_t)unit_limits.raw_bytes;
	char text[4096];

	memset(text, 'x', sizeof(text));
	assert_true(lead_set(lead, LG_POSTAL_CODE, slice_of(text, sizeof(text))));
	assert_int_equal(lead_get(lead, LG_POSTAL_CODE).length, limit);
	memcpy(text + limit - 1, "\xc3\xa9", 2);
	assert_true(lead_set(lead, LG_POSTAL_CODE, slice_of(text, sizeof(text))));
	assert_int_equal(lead_get(lead, LG_POSTAL_CODE).length, limit - 1);
}

static void lists_are_bounded(void **state)
{
	struct lead *lead = new_lead(state);
	struct lg_consent consent = {.size = sizeof(consent), .state = LG_CONSENT_GRANTED};

	for (int64_t i = 0; i < unit_limits.list_items; i++) {
		assert_true(lead_add(lead, LG_PRODUCTS, LG_SLICE("x")));
		assert_true(lead_add_profile(lead, LG_SLICE("n"), LG_SLICE("i"), LG_SLICE("")));
		assert_true(lead_add_consent(lead, &consent));
		assert_true(lead_suggest(lead, LG_SLICE("p"), LG_SLICE("v"), LG_SLICE("w")));
	}
	assert_false(lead_add(lead, LG_PRODUCTS, LG_SLICE("x")));
	assert_false(lead_add_profile(lead, LG_SLICE("n"), LG_SLICE("i"), LG_SLICE("")));
	assert_false(lead_add_consent(lead, &consent));
	assert_false(lead_suggest(lead, LG_SLICE("p"), LG_SLICE("v"), LG_SLICE("w")));
	for (int64_t i = 0; i < unit_limits.extra_fields; i++)
		assert_true(lead_add_extra(lead, LG_SLICE("n"), LG_SLICE("v")));
	assert_null(lead->cut_by);
	assert_false(lead_add_extra(lead, LG_SLICE("n"), LG_SLICE("v")));
	assert_string_equal(lead->cut_by, "max_extra_fields");
	assert_false(lead->arena->failed);
}

/* A list that was cut would refuse less than was refused, and half a word is another one. */
static void a_consent_is_whole_or_none(void **state)
{
	struct lead *lead = new_lead(state);
	static const size_t words[] = {
		offsetof(struct lg_consent, purpose), offsetof(struct lg_consent, channels),
		offsetof(struct lg_consent, basis), offsetof(struct lg_consent, version),
		offsetof(struct lg_consent, method)};
	char text[LG_CONSENT_WORD_MAX + 1];

	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct lg_consent consent = {.size = sizeof(consent), .state = LG_CONSENT_DENIED};
		struct lg_slice *word = (struct lg_slice *)(void *)((char *)&consent + words[i]);

		*word = slice_of(text, sizeof(text));
		assert_false(lead_add_consent(lead, &consent));
		assert_null(lead->consents);
		*word = slice_of(text, LG_CONSENT_WORD_MAX);
		assert_true(lead_add_consent(lead, &consent));
		lead->consents = NULL;
	}
	assert_false(lead->arena->failed);
}

static void extra_names_and_values_are_cut(void **state)
{
	struct lead *lead = new_lead(state);
	static char text[100 << 10];

	memset(text, 'x', sizeof(text));
	assert_true(
		lead_add_extra(lead, slice_of(text, sizeof(text)), slice_of(text, sizeof(text))));
	assert_int_equal(lead->extra->name.length, unit_limits.extra_name_bytes);
	assert_int_equal(lead->extra->value.length, unit_limits.extra_value_bytes);
	assert_string_equal(lead->cut_by, "max_extra_value");
	assert_int_equal(lead->cut_at, unit_limits.extra_value_bytes);
	assert_true(lead_add_extra(lead, LG_SLICE("absent"), slice_of(NULL, 0)));
	assert_int_equal(lead->extra_count, 1);
}

static void raw_keeps_the_first_text_and_all_of_a_list(void **state)
{
	struct lead *lead = new_lead(state);

	assert_true(lead_keep_raw(lead, LG_PHONE, LG_SLICE("first")));
	assert_true(lead_keep_raw(lead, LG_PHONE, LG_SLICE("second")));
	expect_slice("phone", lead_raw(lead, LG_PHONE)->value, "first");
	assert_true(lead_keep_raw(lead, LG_OTHER_PHONES, LG_SLICE("first")));
	assert_true(lead_keep_raw(lead, LG_OTHER_PHONES, LG_SLICE("second")));
	expect_slice("phones", lead_raw(lead, LG_OTHER_PHONES)->value, "first\nsecond");
	assert_null(lead_raw(lead, LG_EMAIL));
}

static void a_way_to_reach_the_person_is_an_address(void **state)
{
	static const struct {
		const char *lines;
		bool reachable;
	} rows[] = {
		{"person.full_name=Jane\ninquiry.message=hi", false},
		{"person.email=", false},
		{"raw.person.phone=call me", false},
		{"person.email=a@b.c", true},
		{"person.phone=+16502530000", true},
		{"person.other_emails=a@b.c", true},
		{"person.other_phones=+16502530000", true},
		{"profile=linkedin,jane,", true},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(lead_reachable(unit_lead(&fixture->arena, rows[i].lines)),
				 rows[i].reachable);
}

static void a_first_capture_is_new_and_cold(void **state)
{
	struct fixture *fixture = *state;
	struct lead *lead = unit_lead(&fixture->arena, "captured_at=2026-01-02T03:04:05.678Z\n"
						       "person.email=a@b.c");

	lead_status_new(lead);
	expect_slice("stage", lead_get(lead, LG_STAGE), "new");
	expect_slice("temperature", lead_get(lead, LG_TEMPERATURE), "cold");
	expect_slice("intent", lead_get(lead, LG_INTENT), "soft");
	expect_slice("role", lead_get(lead, LG_ROLE), "lead");
	expect_slice("qualification", lead_get(lead, LG_QUALIFICATION), "none");
	expect_slice("target", lead_get(lead, LG_TARGET), "unknown");
	expect_slice("score", lead_get(lead, LG_SCORE), "0");
	expect_slice("touches", lead_get(lead, LG_TOUCHES), "1");
	expect_slice("first_seen", lead_get(lead, LG_FIRST_SEEN), "2026-01-02T03:04:05.678Z");
	expect_slice("last_seen", lead_get(lead, LG_LAST_SEEN), "2026-01-02T03:04:05.678Z");
	expect_slice("first", lead_get(lead, LG_FIRST_ATTRIBUTED_AT), NULL);
	expect_slice("last", lead_get(lead, LG_ATTRIBUTED_AT), NULL);
}

static void intent_follows_the_kind_of_inquiry(void **state)
{
	static const struct {
		const char *kind, *intent;
	} rows[] = {
		{"quote", "hard"},   {"demo", "hard"},	     {"callback", "hard"},
		{"contact", "soft"}, {"newsletter", "soft"}, {"download", "soft"},
		{"event", "soft"},   {"referral", "soft"},   {"other", "soft"},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct lead *lead = unit_lead(&fixture->arena, "");

		lead_set(lead, LG_INQUIRY_KIND, slice_from(rows[i].kind));
		lead_status_new(lead);
		expect_slice(rows[i].kind, lead_get(lead, LG_INTENT), rows[i].intent);
	}
}

static void the_first_attribution_is_the_last(void **state)
{
	struct fixture *fixture = *state;
	struct lead *lead = unit_lead(&fixture->arena, "captured_at=2026-01-02T03:04:05.678Z\n"
						       "occurred_at=2026-01-01T00:00:00.000Z\n"
						       "attribution.last.utm_source=news\n"
						       "attribution.last.li_fat_id=7");

	lead_status_new(lead);
	expect_slice("at", lead_get(lead, LG_FIRST_ATTRIBUTED_AT), "2026-01-01T00:00:00.000Z");
	expect_slice("at", lead_get(lead, LG_ATTRIBUTED_AT), "2026-01-01T00:00:00.000Z");
	expect_slice("utm_source", lead_get(lead, LG_FIRST_UTM_SOURCE), "news");
	expect_slice("li_fat_id", lead_get(lead, LG_FIRST_LI_FAT_ID), "7");
	expect_slice("gclid", lead_get(lead, LG_FIRST_GCLID), NULL);
}

static void defaults_are_those_of_the_header(void **state)
{
	static const char *const fallbacks[] = {"100", "128", "64KiB", "50", "1024", "256KiB"};

	(void)state;
	assert_int_equal(lead_limit_option_count, COUNT(fallbacks));
	for (size_t i = 0; i < COUNT(fallbacks); i++) {
		assert_string_equal(lead_limit_options[i].fallback, fallbacks[i]);
		assert_int_equal(lead_limit_options[i].offset, i * sizeof(int64_t));
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(values_are_copied),
		CASE(every_text_is_valid_utf8),
		CASE(wrong_kinds_of_fields_are_refused),
		CASE(input_is_cut_at_a_character),
		CASE(lists_are_bounded),
		CASE(a_consent_is_whole_or_none),
		CASE(extra_names_and_values_are_cut),
		CASE(raw_keeps_the_first_text_and_all_of_a_list),
		CASE(a_way_to_reach_the_person_is_an_address),
		CASE(a_first_capture_is_new_and_cold),
		CASE(intent_follows_the_kind_of_inquiry),
		CASE(the_first_attribution_is_the_last),
		CASE(defaults_are_those_of_the_header),
	};

	field_setup();
	return RUN(tests);
}
