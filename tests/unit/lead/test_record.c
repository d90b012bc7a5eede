#include "unit.h"

static const struct {
	const char *lines, *json;
} rows[] = {
	{"", "{\"schema\":\"leadgate/lead/1\"}"},
	{"id=x", "{\"schema\":\"leadgate/lead/1\",\"id\":\"x\"}"},
	{"person.email=a@b.c", "{\"schema\":\"leadgate/lead/1\",\"person\":{\"email\":\"a@b.c\"}}"},
	/* order is the table's, not that of setting */
	{"person.phone=+1\nid=x\nperson.full_name=Jane\nis_test=true",
	 "{\"schema\":\"leadgate/lead/1\",\"id\":\"x\",\"is_test\":true,\"person\":{\"full_name\":"
	 "\"Jane\",\"phone\":\"+1\"}}"},
	{"organization.employees=50\nstatus.score=-3\nsource.verified=false",
	 "{\"schema\":\"leadgate/lead/1\",\"source\":{\"verified\":false},\"organization\":{"
	 "\"employees\":50},\"status\":{\"score\":-3,\"reasons\":[]}}"},
	/* what is no number must not break the record */
	{"organization.employees=many\nstatus.score=01\nis_test=perhaps\nidentity.touches=",
	 "{\"schema\":\"leadgate/lead/1\"}"},
	{"organization.employees=9999999999999", "{\"schema\":\"leadgate/lead/1\"}"},
	{"attribution.first.gclid=1\nattribution.last.gclid=2\nclient.ip=::1",
	 "{\"schema\":\"leadgate/lead/1\",\"attribution\":{\"first\":{\"gclid\":\"1\"},\"last\":{"
	 "\"gclid\":\"2\"}},\"client\":{\"ip\":\"::1\"}}"},
	{"attribution.last.gclid=2",
	 "{\"schema\":\"leadgate/lead/1\",\"attribution\":{\"last\":{\"gclid\":\"2\"}}}"},
	{"attribution.first.gclid=2\nscreening.verdict=clean",
	 "{\"schema\":\"leadgate/lead/1\",\"attribution\":{\"first\":{\"gclid\":\"2\"}},"
	 "\"screening\":{\"verdict\":\"clean\"}}"},
	{"inquiry.products=a\ninquiry.products=b\nperson.email_flags=free",
	 "{\"schema\":\"leadgate/lead/1\",\"person\":{\"email_flags\":[\"free\"]},\"inquiry\":{"
	 "\"products\":[\"a\",\"b\"]}}"},
	{"profile=linkedin,jane,https://x.y/\nperson.country=US\nperson.other_emails=a@b.c",
	 "{\"schema\":\"leadgate/lead/"
	 "1\",\"person\":{\"country\":\"US\",\"profiles\":[{\"network\":"
	 "\"linkedin\",\"id\":\"jane\",\"url\":\"https://x.y/\"}],\"other_emails\":[\"a@b.c\"]}}"},
	{"consent=marketing|email,sms|granted|1700000000000|Yes please",
	 "{\"schema\":\"leadgate/lead/1\",\"consent\":[{\"purpose\":\"marketing\",\"channels\":["
	 "\"email\",\"sms\"],\"state\":\"granted\",\"text\":\"Yes please\",\"at\":"
	 "\"2023-11-14T22:13:20.000Z\"}]}"},
	{"consent=terms\nconsent=x||denied",
	 "{\"schema\":\"leadgate/lead/"
	 "1\",\"consent\":[{\"purpose\":\"terms\",\"state\":\"withdrawn\"},"
	 "{\"purpose\":\"x\",\"state\":\"denied\"}]}"},
	{"extra.a=1\nextra.b=2\nextra.a=3",
	 "{\"schema\":\"leadgate/lead/1\",\"extra\":{\"a\":[\"1\",\"3\"],\"b\":\"2\"}}"},
	{"extra.=empty name", "{\"schema\":\"leadgate/lead/1\",\"extra\":{\"\":\"empty name\"}}"},
	{"raw.person.phone=call me",
	 "{\"schema\":\"leadgate/lead/1\",\"raw\":{\"person.phone\":\"call me\"}}"},
	{"person.full_name=\"Jane\\ \x01\t\xc3\xa9",
	 "{\"schema\":\"leadgate/lead/1\",\"person\":{\"full_name\":\"\\\"Jane\\\\ "
	 "\\u0001\\t\xc3\xa9\"}}"},
	{"status.stage=new\nidentity.possible_duplicates=x",
	 "{\"schema\":\"leadgate/lead/1\",\"status\":{\"stage\":\"new\"},\"identity\":{"
	 "\"possible_duplicates\":[\"x\"]}}"},
};

static void records_are_written(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 16 << 10, 0);
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_slice(rows[i].lines, unit_json(unit_lead(&arena, rows[i].lines)),
			     rows[i].json);
	arena_fini(&arena);
}

static void reasons_and_suggestions_are_written(void **state)
{
	struct lead_reason reason = {.rule = LG_SLICE("big"),
				     .axis = LG_SLICE("score"),
				     .from = LG_SLICE("0"),
				     .to = LG_SLICE("10"),
				     .points = -10,
				     .at = LG_SLICE("t")};
	struct arena arena;
	struct lead *lead;

	(void)state;
	arena_init(&arena, 16 << 10, 0);
	lead = unit_lead(&arena, "status.score=10");
	lead->reasons = &reason;
	lead_suggest(lead, LG_SLICE("person.email"), LG_SLICE("a@b.c"), LG_SLICE("typo"));
	expect_slice(
		"lists", unit_json(lead),
		"{\"schema\":\"leadgate/lead/1\",\"status\":{\"score\":10,\"reasons\":[{\"rule\":"
		"\"big\",\"axis\":\"score\",\"from\":\"0\",\"to\":\"10\",\"points\":-10,\"at\":"
		"\"t\"}"
		"]},\"suggestions\":[{\"path\":\"person.email\",\"value\":\"a@b.c\",\"why\":"
		"\"typo\"}]}");
	arena_fini(&arena);
}

static void expect_same_again(struct arena *arena, struct lg_slice json)
{
	struct error error = {""};
	struct lead *lead = record_decode(arena, &unit_limits, json, &error);

	if (!lead)
		fail_msg("%s: %.*s", error.text, SLICE_ARGS(json));
	if (!slice_equal(unit_json(lead), json))
		fail_msg("%.*s became %.*s", SLICE_ARGS(json), SLICE_ARGS(unit_json(lead)));
}

static void records_are_read_again(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 16 << 10, 0);
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_same_again(&arena, unit_json(unit_lead(&arena, rows[i].lines)));
	expect_same_again(
		&arena,
		LG_SLICE("{\"schema\":\"leadgate/lead/1\",\"consent\":[{\"purpose\":\"p\","
			 "\"channels\":[],\"state\":\"pending\",\"basis\":\"b\",\"text\":\"t\","
			 "\"text_sha256\":\"s\",\"version\":\"v\",\"method\":\"m\",\"at\":\"a\","
			 "\"evidence\":{\"ip\":\"::1\"}}],\"status\":{\"reasons\":[{\"rule\":\"r\","
			 "\"axis\":\"a\",\"from\":\"f\",\"to\":\"t\",\"points\":5,\"at\":\"x\"}]}"
			 "}"));
	arena_fini(&arena);
}

/* xorshift: the same leads in every run. */
static uint64_t seed = 88172645463325252u;

static uint64_t draw(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

/* Valid UTF-8 of all lengths, with what JSON escapes. */
static struct lg_slice draw_text(struct arena *arena)
{
	static const char *const pieces[] = {"a",
					     "Z",
					     " ",
					     "\"",
					     "\\",
					     "/",
					     "\n",
					     "\x01",
					     "\x7f",
					     "{",
					     "}",
					     "\xc3\xa9",
					     "\xe2\x80\xa8",
					     "\xe2\x82\xac",
					     "\xf0\x9f\x98\x80",
					     ",",
					     ":",
					     "["};
	struct lg_slice text = LG_SLICE("");

	for (uint64_t left = draw(12); left > 0; left--)
		text = arena_printf(arena, "%.*s%s", SLICE_ARGS(text), pieces[draw(COUNT(pieces))]);
	return text;
}

static struct lead *draw_lead(struct arena *arena)
{
	struct lead *lead = unit_lead(arena, "");

	for (int field = 0; field < LG_FIELD_COUNT; field++) {
		enum field_type type = field_table[field].type;

		if (draw(3) > 0)
			continue;
		if (type == FIELD_LIST)
			for (uint64_t left = draw(4); left > 0; left--)
				lead_add(lead, field, draw_text(arena));
		else if (type == FIELD_INTEGER)
			lead_set(lead, field, arena_printf(arena, "%d", (int)draw(100000) - 50000));
		else if (type == FIELD_BOOLEAN)
			lead_set(lead, field, draw(2) ? LG_SLICE("true") : LG_SLICE("false"));
		else
			lead_set(lead, field, draw_text(arena));
		if (draw(3) == 0)
			lead_keep_raw(lead, field, draw_text(arena));
	}
	for (uint64_t left = draw(4); left > 0; left--) {
		struct lg_consent consent = {.size = sizeof(consent),
					     .state = 1 + (int32_t)draw(4),
					     .purpose = draw_text(arena),
					     .text = draw_text(arena),
					     .at = (int64_t)draw(1u << 30)};

		lead_add_consent(lead, &consent);
		lead_add_profile(lead, draw_text(arena), draw_text(arena), draw_text(arena));
		lead_add_extra(lead, draw_text(arena), draw_text(arena));
		lead_suggest(lead, draw_text(arena), draw_text(arena), draw_text(arena));
	}
	return lead;
}

static void any_record_survives(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct arena arena;

		arena_init(&arena, 64 << 10, 0);
		expect_same_again(&arena, unit_json(draw_lead(&arena)));
		arena_fini(&arena);
	}
}

#define HEAD "{\"schema\":\"leadgate/lead/1\","

static void foreign_records_are_refused(void **state)
{
	static const struct {
		const char *json, *why;
	} foreign[] = {
		{"", ""},
		{"{", ""},
		{"[]", "no object"},
		{"{}", "no object with a schema"},
		{"{\"id\":\"x\"}", "no object with a schema"},
		{"{\"schema\":\"leadgate/lead/2\"}", "schema other than"},
		{"{\"schema\":1}", "schema other than"},
		{HEAD "\"color\":\"red\"}", "color is not known"},
		{HEAD "\"person\":{\"color\":\"red\"}}", "color is not known"},
		{HEAD "\"person\":\"Jane\"}", "person is not known"},
		{HEAD "\"person.email\":\"a@b.c\"}", "is not known"},
		{HEAD "\"id\":7}", "id has the wrong type"},
		{HEAD "\"is_test\":\"true\"}", "is_test has the wrong type"},
		{HEAD "\"organization\":{\"employees\":\"50\"}}", "employees has the wrong type"},
		{HEAD "\"organization\":{\"employees\":1.5}}", "employees has the wrong type"},
		{HEAD "\"inquiry\":{\"products\":\"x\"}}", "products is no list"},
		{HEAD "\"inquiry\":{\"products\":[1]}}", "an item that is no text"},
		{HEAD "\"consent\":{}}", "consent is no list"},
		{HEAD "\"consent\":[1]}", "an item that is no object"},
		{HEAD "\"consent\":[{\"state\":\"maybe\"}]}", "no state of consent"},
		{HEAD "\"consent\":[{\"channels\":\"email\"}]}", "channels is no list"},
		{HEAD "\"consent\":[{\"channels\":[1]}]}", "an item that is no text"},
		{HEAD "\"consent\":[{\"evidence\":[]}]}", "evidence is no object"},
		{HEAD "\"consent\":[{\"color\":\"red\"}]}", "color is not known"},
		{HEAD "\"consent\":[{\"purpose\":1}]}", "purpose is no text"},
		{HEAD "\"status\":{\"reasons\":[{\"points\":\"5\"}]}}", "no whole number"},
		{HEAD "\"status\":{\"reasons\":[{\"points\":99999999999999999999}]}}",
		 "no whole number"},
		{HEAD "\"status\":{\"reasons\":[{\"x\":1}]}}", "x is not known"},
		{HEAD "\"suggestions\":[{\"x\":1}]}", "x is not known"},
		{HEAD "\"person\":{\"profiles\":[{\"x\":1}]}}", "x is not known"},
		{HEAD "\"extra\":{\"a\":1}}", "a is no text"},
		{HEAD "\"extra\":[]}", "extra is no object"},
		{HEAD "\"raw\":{\"a\":{}}}", "a is no text"},
		{HEAD
		 "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":1}",
		 "is not known"},
	};
	struct arena arena;

	(void)state;
	arena_init(&arena, 16 << 10, 0);
	for (size_t i = 0; i < COUNT(foreign); i++) {
		struct error error = {""};
		struct lead *lead = record_decode(&arena, &unit_limits, slice_from(foreign[i].json),
						  &error);

		if (lead || !strstr(error.text, foreign[i].why))
			fail_msg("%s: %s", foreign[i].json, error.text);
	}
	arena_fini(&arena);
}

static void records_are_bounded(void **state)
{
	struct lead_limits tight = unit_limits;
	struct arena arena;
	struct buffer out;
	struct lead *lead;
	size_t size;

	(void)state;
	arena_init(&arena, 16 << 10, 0);
	buffer_init(&out, 1 << 20);
	lead = unit_lead(&arena, "person.full_name=Jane Doe\nextra.a=b");
	lead->limits = &tight;
	record_encode(lead, &out);
	size = buffer_length(&out);
	assert_false(out.failed);
	tight.record_bytes = (int64_t)size;
	record_encode(lead, &out); /* behind the first: only its own size counts */
	assert_false(out.failed);
	tight.record_bytes--;
	buffer_clear(&out);
	record_encode(lead, &out);
	assert_true(out.failed);
	buffer_fini(&out);
	arena_fini(&arena);
}

static void failing_memory_is_reported(void **state)
{
	struct arena source;
	struct lg_slice json;
	int64_t n = 0;

	(void)state;
	arena_init(&source, 16 << 10, 0);
	json = unit_json(unit_lead(&source, "person.email=a@b.c\ninquiry.products=x\nextra.a=1\n"
					    "profile=n,i,u\nconsent=p|a,b,c|granted|1|t\n"
					    "raw.person.phone=x"));
	do {
		struct error error = {""};
		struct arena arena;
		struct buffer out;
		struct lead *lead;

		arena_init(&arena, 64, 0);
		buffer_init(&out, 1 << 20);
		alloc_fail_at(++n);
		lead = record_decode(&arena, &unit_limits, json, &error);
		if (lead)
			record_encode(lead, &out);
		else
			assert_true(error.text[0] != '\0');
		assert_int_equal(!lead || out.failed, alloc_failed());
		buffer_fini(&out);
		arena_fini(&arena);
	} while (alloc_failed());
	alloc_fail_at(0);
	assert_true(n > 10);
	arena_fini(&source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_written),
		cmocka_unit_test(reasons_and_suggestions_are_written),
		cmocka_unit_test(records_are_read_again),
		cmocka_unit_test(any_record_survives),
		cmocka_unit_test(foreign_records_are_refused),
		cmocka_unit_test(records_are_bounded),
		cmocka_unit_test(failing_memory_is_reported),
	};

	field_setup();
	return RUN(tests);
}
