/* What a plugin may ask and say, and what it may not. The plugin is the test:
 * each runs inside `receive` or `reply` of one request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <leadgate/source.h>

#include "fixture.h"

static struct fixture fixture;
static void (*inside)(struct lg_request *request, struct lg_reply *reply);
static bool in_reply;
static uint32_t flags; /* of the plugin */

static int32_t receive(void *instance, struct lg_request *request)
{
	struct lg_lead *lead = lg_lead(request);

	(void)instance;
	lg_lead_set(lead, LG_EMAIL, LG_SLICE("ada@example.com"));
	if (!in_reply)
		inside(request, NULL);
	return LG_OK;
}

static int32_t reply(void *instance, struct lg_request *request, struct lg_reply *answer)
{
	(void)instance;
	if (in_reply)
		inside(request, answer);
	return LG_OK;
}

static void run(void (*test)(struct lg_request *, struct lg_reply *), bool at_reply)
{
	struct http_header headers[] = {
		{LG_SLICE("X-Sign"), LG_SLICE("one")},
		{LG_SLICE("x-sign"), LG_SLICE("two")},
		{LG_SLICE("User-Agent"), LG_SLICE("Test/1")},
	};

	fixture_init(&fixture, receive, reply);
	fixture.library.plugin.flags = flags;
	inside = test;
	in_reply = at_reply;
	assert_int_equal(fixture_send(&fixture, "a=1&b=two", headers, 3)->status, 202);
	assert_int_equal(pthread_mutex_trylock(&fixture.source.serial), 0);
	fixture_fini(&fixture);
}

static void ask_request(struct lg_request *request, struct lg_reply *answer)
{
	struct lg_request_info info;
	struct lg_slice value;

	(void)answer;
	assert_int_equal(lg_request_info(request, &info), LG_OK);
	assert_true(slice_is(info.method, "POST"));
	assert_true(slice_is(info.target, "/f?a=b"));
	assert_true(slice_is(info.query, "a=b"));
	assert_true(slice_is(info.body, "a=1&b=two"));
	assert_true(slice_is(info.client_address, "192.0.2.1"));
	assert_true(info.received_at > 0);
	/* An older plugin knows a shorter struct; beyond it nothing is written. */
	memset(&info, 0, sizeof(info));
	info.size = offsetof(struct lg_request_info, target);
	assert_int_equal(request->services->request_info(request, &info), LG_OK);
	assert_true(slice_is(info.method, "POST"));
	assert_null(info.target.data);
	info.size = 1;
	assert_int_equal(request->services->request_info(request, &info), LG_FAIL);

	assert_true(LG_HAS(request->services, public_url));
	assert_int_equal(lg_public_url(request, 0, &value), LG_OK);
	assert_true(slice_is(value, "https://forms.example/f?a=b"));
	assert_int_equal(lg_public_url(request, 1, &value), LG_OK);
	assert_true(slice_is(value, "http://test/f?a=b"));
	assert_int_equal(lg_public_url(request, 2, &value), LG_FAIL);

	assert_int_equal(lg_header(request, "X-SIGN", 0, &value), LG_OK);
	assert_true(slice_is(value, "one"));
	assert_int_equal(lg_header(request, "X-Sign", 1, &value), LG_OK);
	assert_true(slice_is(value, "two"));
	assert_int_equal(lg_header(request, "X-Sign", 2, &value), LG_FAIL);
	assert_non_null(lg_allocate(request, 100));
}

static void read_bodies(struct lg_request *request, struct lg_reply *answer)
{
	char problem[200] = "";
	struct lg_text text = {problem, sizeof(problem)};
	const struct lg_json *root;
	struct lg_form *form;
	struct lg_pair pair;

	(void)answer;
	assert_int_equal(lg_form(request, LG_SLICE("a=1&b=t%20wo"), &form), LG_OK);
	assert_int_equal(lg_form_count(request, form), 2);
	assert_int_equal(lg_form_pair(request, form, 1, &pair), LG_OK);
	assert_true(slice_is(pair.value, "t wo"));
	assert_int_equal(lg_form_pair(request, form, 2, &pair), LG_FAIL);
	assert_int_equal(lg_form(request, LG_SLICE("a&b&c&d&e&f&g&h&i&j&k"), &form), LG_FAIL);

	assert_int_equal(lg_json(request, LG_SLICE("{\"id\":12345678901234567890}"), &root, text),
			 LG_OK);
	assert_true(slice_is(lg_json_text(request, lg_json_member(request, root, LG_SLICE("id"))),
			     "12345678901234567890"));
	assert_int_equal(lg_json(request, LG_SLICE("{\"id\":"), &root, text), LG_FAIL);
	assert_true(strlen(problem) > 0);
	/* Without data it is absent, whatever its length says. */
	assert_int_equal(lg_form(request, slice_of(NULL, 5), &form), LG_OK);
	assert_int_equal(lg_form_count(request, form), 0);
	assert_int_equal(lg_json(request, slice_of(NULL, 5), &root, text), LG_FAIL);
	/* A plugin that wants no explanation. */
	assert_int_equal(lg_json(request, LG_SLICE("{"), &root, (struct lg_text){NULL, 0}),
			 LG_FAIL);
}

static void read_multipart(struct lg_request *request, struct lg_reply *answer)
{
	static const char body[] = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n"
				   "--b\r\nContent-Disposition: form-data; name=\"f\"; "
				   "filename=\"x\"\r\nContent-Type: t/p\r\n\r\n\xff\r\n--b--";
	char problem[200] = "";
	struct lg_text text = {problem, sizeof(problem)};
	struct lg_slice type = LG_SLICE("multipart/form-data; boundary=b"), value;
	struct lg_form *form;
	struct lg_part part;
	struct lg_pair pair;

	(void)answer;
	assert_int_equal(lg_multipart(request, type, slice_from(body), &form, text), LG_OK);
	assert_int_equal(lg_form_count(request, form), 2);
	assert_int_equal(lg_form_pair(request, form, 1, &pair), LG_OK);
	assert_true(slice_is(pair.name, "f") && slice_is(pair.value, "\xff"));
	assert_int_equal(lg_part(request, form, 0, &part), LG_OK);
	assert_true(slice_is(part.value, "1") && !part.filename.data && !part.type.data);
	assert_int_equal(lg_part(request, form, 1, &part), LG_OK);
	assert_true(slice_is(part.filename, "x") && slice_is(part.type, "t/p"));
	assert_int_equal(lg_part(request, form, 2, &part), LG_FAIL);
	assert_int_equal(lg_multipart(request, type, LG_SLICE("--b"), &form, text), LG_FAIL);
	assert_non_null(strstr(problem, "boundary"));
	assert_int_equal(lg_form(request, LG_SLICE("a=1"), &form), LG_OK);
	assert_int_equal(lg_part(request, form, 0, &part), LG_FAIL);

	assert_int_equal(lg_to_utf8(request, LG_SLICE("latin1"), LG_SLICE("\xeb"), &value), LG_OK);
	assert_true(slice_is(value, "\xc3\xab"));
	assert_int_equal(lg_to_utf8(request, LG_SLICE("utf-7"), LG_SLICE("a"), &value), LG_FAIL);
	assert_int_equal(lg_form_in(request, LG_SLICE("a=%eb"), LG_SLICE("latin1"), &form), LG_OK);
	assert_int_equal(lg_form_pair(request, form, 0, &pair), LG_OK);
	assert_true(slice_is(pair.value, "\xc3\xab"));
	assert_int_equal(lg_form_in(request, LG_SLICE("a"), LG_SLICE("utf-7"), &form), LG_FAIL);
	assert_int_equal(lg_multipart(request, slice_of(NULL, 5), slice_of(NULL, 5), &form, text),
			 LG_FAIL);
	assert_int_equal(lg_to_utf8(request, slice_of(NULL, 5), LG_SLICE("a"), &value), LG_FAIL);
	lg_to_utf8(request, LG_SLICE("latin1"), slice_of(NULL, 5), &value);
	assert_int_equal(value.length, 0);
	assert_int_equal(lg_form_in(request, LG_SLICE("a"), slice_of(NULL, 5), &form), LG_FAIL);
	assert_int_equal(lg_form_in(request, slice_of(NULL, 5), LG_SLICE("latin1"), &form), LG_OK);
}

static void read_csv(struct lg_request *request, struct lg_reply *answer)
{
	static const char file[] = "sep=;\r\na;\"b\"\"c\"\r\n\r\nZo\xeb;\"open";
	struct lg_csv_dialect dialect = {
		.size = sizeof(dialect), .max_record = 100, .max_columns = 5};
	char problem[200] = "";
	struct lg_text text = {problem, sizeof(problem)};
	struct lg_csv_place place = {0};
	struct lg_slice rest;
	struct lg_csv_row row;
	struct lg_csv *csv;

	(void)answer;
	assert_int_equal(lg_csv_open(request, slice_from(file), &dialect, &csv, text), LG_OK);
	assert_true(slice_is(dialect.charset, "windows-1252"));
	assert_true(slice_is(dialect.delimiter, ";") && dialect.says_delimiter == 1);
	assert_int_equal(dialect.start, 7);
	assert_int_equal(dialect.line, 2);
	place.line = dialect.line;
	rest = slice_cut(slice_from(file), (size_t)dialect.start, SIZE_MAX);
	lg_csv_feed(request, csv, slice_cut(rest, 0, 12), 0, &place);
	assert_int_equal(lg_csv_next(request, csv, &row), LG_OK);
	assert_int_equal(row.field_count, 2);
	assert_true(slice_is(row.fields[1], "b\"c") && slice_is(row.text, "a;\"b\"\"c\""));
	assert_int_equal(row.next.line, 3);
	assert_int_equal(row.end, 10);
	assert_int_equal(lg_csv_next(request, csv, &row), LG_OK);
	assert_true(row.field_count == 0 && !row.problem.data);
	assert_int_equal(lg_csv_next(request, csv, &row), LG_LATER);
	lg_csv_feed(request, csv, slice_cut(rest, row.end, SIZE_MAX), 1, &row.next);
	assert_int_equal(lg_csv_next(request, csv, &row), LG_OK);
	assert_true(row.place.line == 4 && row.field_count == 0);
	assert_non_null(strstr(row.problem.data, "not closed"));
	assert_true(slice_is(row.text, "\"Zo\xef\xbf\xbd;\"\"open\""));
	assert_int_equal(lg_csv_next(request, csv, &row), LG_LATER);

	dialect.charset = dialect.delimiter = slice_of(NULL, 1);
	assert_int_equal(lg_csv_open(request, slice_of(NULL, 5), &dialect, &csv, text), LG_OK);
	lg_csv_feed(request, csv, slice_of(NULL, 5), 1, &place);
	assert_int_equal(lg_csv_next(request, csv, &row), LG_LATER);

	dialect.delimiter = LG_SLICE("x");
	assert_int_equal(lg_csv_open(request, LG_SLICE("a"), &dialect, &csv, text), LG_FAIL);
	assert_non_null(strstr(problem, "delimiter"));
	dialect.delimiter = LG_SLICE(",");
	dialect.max_columns = LG_CSV_COLUMNS_MAX + 1;
	assert_int_equal(lg_csv_open(request, LG_SLICE("a"), &dialect, &csv, text), LG_FAIL);
	dialect.size = 1;
	assert_int_equal(lg_csv_open(request, LG_SLICE("a"), &dialect, &csv, text), LG_FAIL);
}

static void build_leads(struct lg_request *request, struct lg_reply *answer)
{
	struct lg_consent consent = {.size = sizeof(consent), .state = 99};
	struct lg_lead *lead = lg_lead(request);

	(void)answer;
	assert_int_equal(lg_lead_set(lead, LG_EMAIL, LG_SLICE("b@example.com")), LG_OK);
	assert_int_equal(lg_lead_set(lead, LG_STAGE, LG_SLICE("qualified")), LG_FAIL);
	assert_int_equal(lg_lead_set(lead, LG_ID, LG_SLICE("mine")), LG_FAIL);
	assert_int_equal(lg_lead_set(lead, -1, LG_SLICE("x")), LG_FAIL);
	assert_int_equal(lg_lead_set(lead, LG_FIELD_COUNT, LG_SLICE("x")), LG_FAIL);
	assert_int_equal(lg_lead_set(lead, INT32_MAX, LG_SLICE("x")), LG_FAIL);
	assert_int_equal(lg_lead_set(lead, LG_PRODUCTS, LG_SLICE("x")), LG_FAIL);
	assert_int_equal(lg_lead_add(lead, LG_PRODUCTS, LG_SLICE("x")), LG_OK);
	assert_int_equal(lg_lead_add(lead, LG_EMAIL, LG_SLICE("x")), LG_FAIL);
	assert_int_equal(lg_lead_add(lead, LG_SCREENING_RULES, LG_SLICE("x")), LG_FAIL);
	assert_int_equal(lg_lead_profile(lead, LG_SLICE("linkedin"), (struct lg_slice){0},
					 (struct lg_slice){0}),
			 LG_FAIL);
	assert_int_equal(lg_lead_consent(lead, &consent), LG_FAIL);
	consent.state = LG_CONSENT_GRANTED;
	consent.purpose = LG_SLICE("marketing");
	assert_int_equal(lg_lead_consent(lead, &consent), LG_OK);
	assert_int_equal(lg_lead_key(lead, LG_KEY_PROVIDER, LG_SLICE("")), LG_FAIL);
	/* Without data it is absent, whatever its length says. */
	assert_int_equal(lg_lead_set(lead, LG_PHONE, slice_of(NULL, 5)), LG_OK);
	assert_int_equal(lg_lead_add(lead, LG_PRODUCTS, slice_of(NULL, 5)), LG_OK);
	assert_int_equal(lg_lead_profile(lead, LG_SLICE("x"), slice_of(NULL, 5), slice_of(NULL, 5)),
			 LG_FAIL);
	assert_int_equal(lg_lead_key(lead, LG_KEY_PROVIDER, slice_of(NULL, 5)), LG_FAIL);
	lg_lead_extra(lead, LG_SLICE("odd"), slice_of(NULL, 5));
	assert_int_equal(lg_lead_key(lead, LG_KEY_PROVIDER, LG_SLICE("k")), LG_OK);
	assert_int_equal(lg_field_named(request, LG_SLICE("e-mail")), LG_EMAIL);
	assert_int_equal(lg_field_named(request, LG_SLICE("no such field")), LG_FAIL);
	assert_int_equal(lg_field_named(request, slice_of(NULL, 5)), LG_FAIL);
	assert_non_null(lg_lead(request));
	assert_null(lg_lead(request)); /* the source takes three */
	assert_int_equal(lg_ignore(request, LG_SLICE("too many")), LG_FAIL);
}

static void ask_results(struct lg_request *request, struct lg_reply *answer)
{
	struct lg_result result = {0};

	assert_int_equal(lg_result_count(request), 1);
	assert_int_equal(lg_result(request, 0, &result), LG_OK);
	assert_int_equal(result.verdict, LG_ACCEPTED);
	assert_int_equal(result.status, 202);
	assert_int_equal(result.receipt.length, 36);
	assert_null(result.reason.data);
	assert_int_equal(lg_result(request, 1, &result), LG_FAIL);
	assert_int_equal(lg_reply_status(answer, 202), LG_OK);
}

static void make_reply(struct lg_request *request, struct lg_reply *answer)
{
	static const char *const no_types[] = {"text",	 "text/",    "/plain", "no type/",
					       "x/",	 "a b/c d",  "a/b/c",  "a\xff/b",
					       "a/\xff", "a/b; \xff"};

	assert_int_equal(lg_reply_status(answer, 199), LG_FAIL);
	assert_int_equal(lg_reply_status(answer, 600), LG_FAIL);
	assert_int_equal(lg_reply_header(answer, "X-A", LG_SLICE("v")), LG_OK);
	assert_int_equal(lg_reply_header(answer, "X-A", LG_SLICE("v\r\nX-B: w")), LG_FAIL);
	assert_int_equal(lg_reply_header(answer, "X A", LG_SLICE("v")), LG_FAIL);
	assert_int_equal(lg_reply_header(answer, "", LG_SLICE("v")), LG_FAIL);
	assert_int_equal(lg_reply_header(answer, "content-LENGTH", LG_SLICE("1")), LG_FAIL);
	assert_int_equal(lg_reply_header(answer, "Transfer-Encoding", LG_SLICE("chunked")),
			 LG_FAIL);
	assert_int_equal(lg_reply_header(answer, "TE", LG_SLICE("trailers")), LG_FAIL);
	assert_int_equal(lg_reply_header(answer, "Proxy-Connection", LG_SLICE("close")), LG_FAIL);
	assert_int_equal(lg_answer_header(request, "te", LG_SLICE("trailers")), LG_FAIL);
	assert_int_equal(lg_reply_body(answer, "text", LG_SLICE("x")), LG_FAIL);
	for (size_t i = 0; i < sizeof(no_types) / sizeof(no_types[0]); i++)
		if (lg_reply_body(answer, no_types[i], LG_SLICE("x")) != LG_FAIL)
			fail_msg("\"%s\" was taken for a media type", no_types[i]);
	assert_int_equal(lg_reply_body(answer, "text/plain", slice_of(NULL, 5)), LG_OK);
	assert_int_equal(lg_reply_body(answer, "text/plain", LG_SLICE("x")), LG_OK);
	/* The last one counts, so that there is one. */
	assert_int_equal(lg_reply_header(answer, "content-type", LG_SLICE("a/b")), LG_OK);
	assert_int_equal(lg_reply_body(answer, "text/html; charset=\"utf-8\"", LG_SLICE("x")),
			 LG_OK);
	assert_int_equal(lg_answer_header(request, "Content-Type", LG_SLICE("a/b")), LG_FAIL);
	assert_int_equal(lg_answer_header(request, "X-N", slice_of(NULL, 5)), LG_OK);
	for (int i = 0; i < 30; i++)
		assert_int_equal(lg_reply_header(answer, "X-N", slice_of(NULL, 5)), LG_OK);
	assert_int_equal(lg_reply_header(answer, "X-N", LG_SLICE("")), LG_FAIL);
}

static void test_request_is_shown(void **state)
{
	(void)state;
	run(ask_request, false);
}

static void test_bodies_are_read(void **state)
{
	(void)state;
	run(read_bodies, false);
}

static void test_multipart_and_charsets_are_read(void **state)
{
	(void)state;
	run(read_multipart, false);
}

static void test_delimited_text_is_read(void **state)
{
	(void)state;
	run(read_csv, false);
}

static void test_leads_are_bounded_and_closed(void **state)
{
	(void)state;
	run(build_leads, false);
}

static void test_results_are_shown(void **state)
{
	(void)state;
	run(ask_results, true);
}

static void test_reply_cannot_break_framing(void **state)
{
	(void)state;
	run(make_reply, true);
	assert_string_equal(fixture.answer.type, "text/html; charset=\"utf-8\"");
	assert_int_equal(fixture.answer.types, 1);
}

/* While the plugin runs its lock is held, so another loop would wait. */
static void ask_lock(struct lg_request *request, struct lg_reply *answer)
{
	(void)request;
	(void)answer;
	assert_int_not_equal(pthread_mutex_trylock(&fixture.source.serial), 0);
}

static void test_serial_plugin_is_locked(void **state)
{
	(void)state;
	flags = LG_SERIAL;
	run(ask_lock, false);
	run(ask_lock, true);
	flags = 0;
}

static void test_every_service_is_there(void **state)
{
	struct lg_services services = {0};

	(void)state;
	fixture_init(&fixture, receive, NULL);
	services = fixture.services;
	fixture_fini(&fixture);
	assert_non_null(services.request_info);
	assert_non_null(services.json_kind);
	assert_non_null(services.lead_trap);
	assert_non_null(services.reply_body);
	assert_non_null(services.hmac);
	assert_non_null(services.refusal);
	assert_int_equal(services.size, sizeof(services));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_is_shown),
		cmocka_unit_test(test_bodies_are_read),
		cmocka_unit_test(test_multipart_and_charsets_are_read),
		cmocka_unit_test(test_delimited_text_is_read),
		cmocka_unit_test(test_leads_are_bounded_and_closed),
		cmocka_unit_test(test_results_are_shown),
		cmocka_unit_test(test_reply_cannot_break_framing),
		cmocka_unit_test(test_serial_plugin_is_locked),
		cmocka_unit_test(test_every_service_is_there),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
