#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/h1_answer.h"

#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

static void expect_answer(struct h1_answer answer, const char *expected)
{
	struct buffer out;

	buffer_init(&out, 4096);
	answer.date = LG_SLICE(DATE);
	h1_answer_write(&answer, &out);
	assert_false(out.failed);
	assert_true(slice_is(buffer_slice(&out), expected));
	buffer_fini(&out);
}

static void formats_dates(void **state)
{
	char date[H1_DATE_BYTES];

	(void)state;
	h1_date_format(INT64_C(784111777999), date);
	assert_string_equal(date, DATE);
	h1_date_format(0, date);
	assert_string_equal(date, "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
	h1_date_format(INT64_C(1709164800000), date);
	assert_string_equal(date, "Date: Thu, 29 Feb 2024 00:00:00 GMT\r\n");
}

static void writes_answers(void **state)
{
	struct http_header header = {LG_SLICE("Location"), LG_SLICE("/x")};
	struct http_response response = {202, NULL, 0, LG_SLICE("{}")};
	struct http_response moved = {303, &header, 1, LG_SLICE("")};
	struct http_response empty = {204, NULL, 0, LG_SLICE("")};

	(void)state;
	expect_answer((struct h1_answer){.response = &response},
		      "HTTP/1.1 202 Accepted\r\n" DATE "Content-Length: 2\r\n\r\n{}");
	expect_answer((struct h1_answer){.response = &response, .bodiless = true},
		      "HTTP/1.1 202 Accepted\r\n" DATE "Content-Length: 2\r\n\r\n");
	expect_answer((struct h1_answer){.response = &moved, .closes = true, .old = true},
		      "HTTP/1.1 303 See Other\r\n" DATE "Connection: close\r\nLocation: /x\r\n"
		      "Content-Length: 0\r\n\r\n");
	expect_answer((struct h1_answer){.response = &moved, .old = true},
		      "HTTP/1.1 303 See Other\r\n" DATE
		      "Connection: keep-alive\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n");
	expect_answer((struct h1_answer){.response = &empty},
		      "HTTP/1.1 204 No Content\r\n" DATE "\r\n");
}

static void never_breaks_the_framing(void **state)
{
	struct http_header headers[] = {
		{LG_SLICE("a b"), LG_SLICE("x")},
		{LG_SLICE(""), LG_SLICE("x")},
		{LG_SLICE("a"), LG_SLICE("x\r\nContent-Length: 9")},
		{LG_SLICE("a"), LG_SLICE("x\0y")},
		{LG_SLICE("ok"), LG_SLICE("x")},
	};
	struct http_response response = {200, headers, 5, LG_SLICE("")};
	struct http_response odd = {99, NULL, 0, LG_SLICE("")};

	(void)state;
	expect_answer((struct h1_answer){.response = &response},
		      "HTTP/1.1 200 OK\r\n" DATE "ok: x\r\nContent-Length: 0\r\n\r\n");
	expect_answer((struct h1_answer){.response = &odd},
		      "HTTP/1.1 500 Internal Server Error\r\n" DATE "Content-Length: 0\r\n\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_dates),
		cmocka_unit_test(writes_answers),
		cmocka_unit_test(never_breaks_the_framing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
