#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "message.h"
#include "requests.h"

/* What comes after a request, and is not its own. */
#define NEXT "GET /next"

static void expect_part(struct lg_slice head, struct h1_part part, const char *expected)
{
	struct lg_slice text = slice_of(head.data + part.at, part.length);

	if (!slice_is(text, expected))
		fail_msg("got \"%.*s\", not \"%s\", in:\n%.*s", SLICE_ARGS(text), expected,
			 SLICE_ARGS(head));
}

static void refuses_bad_requests(void **state)
{
	(void)state;
	assert_true(bad_request_count >= 60);
	for (size_t i = 0; i < bad_request_count; i++) {
		const struct bad_request *bad = &bad_requests[i];
		struct message message;

		message_init(&message);
		message_feed(&message, slice_of(bad->raw, bad->length));
		if (message.result != H1_REFUSED ||
		    http_refusal_status(message.refusal) != bad->status ||
		    strcmp(http_refusal_label(message.refusal), bad->label) != 0)
			fail_msg("result %d, %d %s, not %d %s, for:\n%.*s", message.result,
				 http_refusal_status(message.refusal),
				 http_refusal_label(message.refusal), bad->status, bad->label,
				 (int)bad->length, bad->raw);
		message_fini(&message);
	}
}

static void reads_good_requests(void **state)
{
	(void)state;
	assert_true(good_request_count >= 40);
	for (size_t i = 0; i < good_request_count; i++) {
		const struct good_request *good = &good_requests[i];
		struct lg_slice raw = slice_of(good->raw, good->length);
		struct message message;
		const struct h1_parser *parser = &message.parser;

		message_init(&message);
		if (message_feed(&message, raw) != H1_WHOLE)
			fail_msg("result %d %s for:\n%s", message.result,
				 http_refusal_label(message.refusal), good->raw);
		assert_int_equal(message.seen, good->length);
		expect_part(raw, parser->method, good->method);
		expect_part(raw, parser->path, good->path);
		expect_part(raw, parser->query, good->query ? good->query : "");
		assert_int_equal(parser->has_query, good->query != NULL);
		expect_part(raw, parser->host, good->host);
		assert_true(slice_is(buffer_slice(&message.body), good->body));
		assert_int_equal(h1_parser_persists(parser), good->persists);
		message_fini(&message);
	}
}

/* One call on a prefix, and a byte at a time up to it, come to the same. Input
 * is copied to memory of its very size, so that sanitizers see a read beyond. */
static void check_every_prefix(const char *raw, size_t length)
{
	struct message by_bytes;

	message_init(&by_bytes);
	for (size_t end = 1; end <= length; end++) {
		char *copy = test_malloc(end);
		struct message at_once;

		memcpy(copy, raw, end);
		message_init(&at_once);
		message_feed(&at_once, slice_of(copy, end));
		message_feed(&by_bytes, slice_of(copy, end));
		if (!message_equal(&at_once, &by_bytes))
			fail_msg("%d %s at once, %d %s byte by byte, for %zu bytes of:\n%.*s",
				 at_once.result, http_refusal_label(at_once.refusal),
				 by_bytes.result, http_refusal_label(by_bytes.refusal), end,
				 (int)length, raw);
		message_fini(&at_once);
		test_free(copy);
	}
	message_fini(&by_bytes);
}

static void check_every_split(const char *raw, size_t length)
{
	struct message whole;

	message_init(&whole);
	message_feed(&whole, slice_of(raw, length));
	for (size_t at = 1; at < length; at++) {
		struct message split;

		message_init(&split);
		message_feed(&split, slice_of(raw, at));
		message_feed(&split, slice_of(raw, length));
		assert_true(message_equal(&whole, &split));
		message_fini(&split);
	}
	message_fini(&whole);
}

static void does_not_care_how_bytes_come(void **state)
{
	(void)state;
	for (size_t i = 0; i < bad_request_count; i++) {
		check_every_prefix(bad_requests[i].raw, bad_requests[i].length);
		check_every_split(bad_requests[i].raw, bad_requests[i].length);
	}
	for (size_t i = 0; i < good_request_count; i++) {
		check_every_prefix(good_requests[i].raw, good_requests[i].length);
		check_every_split(good_requests[i].raw, good_requests[i].length);
	}
}

static void no_prefix_of_a_good_request_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < good_request_count; i++) {
		const struct good_request *good = &good_requests[i];

		for (size_t end = 0; end < good->length; end++) {
			struct message message;
			message_init(&message);
			assert_int_equal(message_feed(&message, slice_of(good->raw, end)), H1_MORE);
			message_fini(&message);
		}
	}
}

static void leaves_what_comes_after(void **state)
{
	char raw[4096];

	(void)state;
	for (size_t i = 0; i < good_request_count; i++) {
		const struct good_request *good = &good_requests[i];
		struct message message;

		memcpy(raw, good->raw, good->length);
		memcpy(raw + good->length, NEXT, sizeof(NEXT));
		message_init(&message);
		message_feed(&message, slice_of(raw, good->length + sizeof(NEXT) - 1));
		assert_int_equal(message.result, H1_WHOLE);
		assert_int_equal(message.seen, good->length);
		message_fini(&message);
	}
}

/* The head may be as long as the limit, to the byte. */
static void counts_the_head_exactly(void **state)
{
	char raw[MESSAGE_HEAD_BYTES + 1];
	static const char start[] = "GET / HTTP/1.1\r\nHost: a\r\na: ";
	struct message message;

	(void)state;
	for (size_t length = MESSAGE_HEAD_BYTES; length <= MESSAGE_HEAD_BYTES + 1; length++) {
		memset(raw, 'x', length);
		memcpy(raw, start, sizeof(start) - 1);
		memcpy(raw + length - 4, "\r\n\r\n", 4);
		message_init(&message);
		message_feed(&message, slice_of(raw, length));
		assert_int_equal(message.result,
				 length == MESSAGE_HEAD_BYTES ? H1_WHOLE : H1_REFUSED);
		message_fini(&message);
	}
}

static void knows_when_a_request_has_begun(void **state)
{
	struct message message;

	(void)state;
	message_init(&message);
	assert_false(h1_parser_has_begun(&message.parser, 0));
	message_feed(&message, LG_SLICE("\r\n"));
	assert_false(h1_parser_has_begun(&message.parser, 2));
	message_feed(&message, LG_SLICE("\r\nG"));
	assert_true(h1_parser_has_begun(&message.parser, 3));
	message_fini(&message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_bad_requests),
		cmocka_unit_test(reads_good_requests),
		cmocka_unit_test(does_not_care_how_bytes_come),
		cmocka_unit_test(no_prefix_of_a_good_request_is_whole),
		cmocka_unit_test(leaves_what_comes_after),
		cmocka_unit_test(counts_the_head_exactly),
		cmocka_unit_test(knows_when_a_request_has_begun),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
