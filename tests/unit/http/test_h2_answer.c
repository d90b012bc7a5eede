/* What an answer says over HTTP/2, as its peer reads it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"
#include "http/h2_frame.h"

#include <nghttp2/nghttp2.h>

/* No settings, and a GET of http://a/broken. */
static const char request[] = H2_PREFACE "\0\0\0\x04\0\0\0\0\0"
					 "\0\0\x0e\x01\x05\0\0\0\x01"
					 "\x82\x86\x41\x01"
					 "a"
					 "\x04\x07/broken";

/* No settings, and GETs of http://a/reset and, on the next stream, http://a/x. */
static const char two_requests[] = H2_PREFACE "\0\0\0\x04\0\0\0\0\0"
					      "\0\0\x0d\x01\x05\0\0\0\x01"
					      "\x82\x86\x41\x01"
					      "a"
					      "\x04\x06/reset"
					      "\0\0\x09\x01\x05\0\0\0\x03"
					      "\x82\x86\x41\x01"
					      "a"
					      "\x04\x02/x";

/* The payload of the first frame of a type. */
static struct lg_slice payload_of(struct lg_slice bytes, int type)
{
	while (bytes.length >= H2_FRAME_HEADER_LENGTH) {
		const unsigned char *b = (const unsigned char *)bytes.data;
		size_t length = (size_t)b[0] << 16 | (size_t)b[1] << 8 | b[2];

		if (b[3] == type)
			return slice_cut(bytes, H2_FRAME_HEADER_LENGTH, length);
		bytes = slice_cut(bytes, H2_FRAME_HEADER_LENGTH + length, SIZE_MAX);
	}
	return slice_of(NULL, 0);
}

/* The names of a header block, each with a line end behind it. */
static void read_names(struct lg_slice block, struct buffer *names)
{
	const uint8_t *bytes = (const uint8_t *)block.data;
	nghttp2_hd_inflater *inflater;
	size_t left = block.length;
	int flags = 0;

	assert_int_equal(nghttp2_hd_inflate_new(&inflater), 0);
	while (!(flags & NGHTTP2_HD_INFLATE_FINAL)) {
		nghttp2_nv field;
		ssize_t taken = nghttp2_hd_inflate_hd2(inflater, &field, &flags, bytes, left, 1);

		assert_true(taken >= 0);
		bytes += taken;
		left -= (size_t)taken;
		if (!(flags & NGHTTP2_HD_INFLATE_EMIT))
			continue;
		buffer_add(names, (const char *)field.name, field.namelen);
		buffer_add_byte(names, '\n');
	}
	nghttp2_hd_inflate_del(inflater);
}

/* A peer resets a stream whose answer has a header of the connection, and sends its request
 * again though the lead is stored. */
static void has_no_headers_of_the_connection(void **state)
{
	struct http_limits limits = fixture_limits();
	struct fixture *fixture = fixture_start(&limits, 1, NULL);
	struct client client;
	struct buffer names;

	(void)state;
	assert_non_null(fixture);
	buffer_init(&names, SIZE_MAX);
	client_connect(&client, fixture);
	client_send(&client, request, sizeof(request) - 1);
	client_expect(&client, "GET /broken - a 127.0.0.1 0 \n", 1);
	read_names(payload_of(buffer_slice(&client.got), NGHTTP2_HEADERS), &names);
	assert_true(slice_is(buffer_slice(&names), ":status\ndate\ncontent-type\nx-behind\n"
						   "content-length\n"));
	buffer_fini(&names);
	client_close(&client);
	fixture_stop(fixture);
}

static void sends_no_content_with_205(void **state)
{
	struct http_limits limits = fixture_limits();
	struct fixture *fixture = fixture_start(&limits, 1, NULL);
	struct client client;

	(void)state;
	assert_non_null(fixture);
	client_connect(&client, fixture);
	client_send(&client, two_requests, sizeof(two_requests) - 1);
	client_expect(&client, "GET /x - a 127.0.0.1 0 \n", 1);
	assert_true(slice_starts(payload_of(buffer_slice(&client.got), NGHTTP2_DATA), "GET /x"));
	assert_false(client_has(&client, "GET /reset"));
	client_close(&client);
	fixture_stop(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_no_headers_of_the_connection),
		cmocka_unit_test(sends_no_content_with_205),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
