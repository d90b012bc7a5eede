#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conn/proxy_header.h"

#include <stdio.h>

#define LIMIT 512
#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V2(rest) (LG_SLICE(SIGNATURE rest))
#define FOUR "\xc0\x00\x02\x07\x7f\x00\x00\x01\x10\x00\x01\xbb"
#define SIX                                                                            \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0" \
	"\0\0\x08\x10\x00\x01\xbb"

/* What a header of the length of `bytes`, or less, says; "-" is no source and
 * NULL a broken one. */
struct row {
	struct lg_slice bytes;
	const char *source;
};

static const struct row rows[] = {
	{LG_SLICE("PROXY TCP4 192.0.2.7 127.0.0.1 4096 443\r\n"), "192.0.2.7"},
	{LG_SLICE("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"), "255.255.255.255"},
	{LG_SLICE("PROXY TCP4 192.0.2.7 127.0.0.1 0 0\r\nGET / HTTP/1.1\r\n"), "192.0.2.7"},
	{LG_SLICE("PROXY TCP6 2001:db8::7 2001:db8::8 4096 443\r\n"), "2001:db8::7"},
	{LG_SLICE("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	{LG_SLICE("PROXY TCP6 ::ffff:192.0.2.7 ::1 4096 443\r\n"), "192.0.2.7"},
	{LG_SLICE("PROXY UNKNOWN\r\n"), "-"},
	{LG_SLICE("PROXY UNKNOWN whatever it says 1 2 3\r\n"), "-"},
	{LG_SLICE("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	 "-"},
	{LG_SLICE("PROXY\r\n"), NULL},
	{LG_SLICE("PROXY \r\n"), NULL},
	{LG_SLICE("PROXY  TCP4 192.0.2.7 127.0.0.1 4096 443\r\n"), NULL},
	{LG_SLICE("proxy TCP4 192.0.2.7 127.0.0.1 4096 443\r\n"), NULL},
	{LG_SLICE("PROXY tcp4 192.0.2.7 127.0.0.1 4096 443\r\n"), NULL},
	{LG_SLICE("PROXY TCP5 192.0.2.7 127.0.0.1 4096 443\r\n"), NULL},
	{LG_SLICE("PROXY UDP4 192.0.2.7 127.0.0.1 4096 443\r\n"), NULL},
	{LG_SLICE("PROXY UNKNOWNS\r\n"), NULL},
	{LG_SLICE("PROXY TCP4 192.0.2.7 127.0.0.1 4096 443\n"), NULL},
	{LG_SLICE("PROXY TCP4 192.0.2.7 127.0.0.1 4096 443 \r\n"), NULL},
	{LG_SLICE("PROXY TCP4 192.0.2.7 127.0.0.1 4096 443 1\r\n"), NULL},
	{LG_SLICE("PROXY TCP4 192.0.2.7  127.0.0.1 4096 443\r\n"), NULL},
	{LG_SLICE("PROXY TCP4 192.0.2.7 127.0.0.1 4096\r\n"), NULL},
	{LG_SLICE("PROXY TCP4 192.0.2.7 127.0.0.1\r\n"), NULL},
	{LG_SLICE("PROXY TCP4 192.0.2.7\r\n"), NULL},
	{LG_SLICE("PROXY TCP4\r\n"), NULL},
	{LG_SLICE("PROXY TCP4 192.0.2.7 127.0.0.1 65536 443\r\n"), NULL},
	{LG_SLICE("PROXY TCP4 192.0.2.7 127.0.0.1 04096 443\r\n"), NULL},
	{LG_SLICE("PROXY TCP4 192.0.2.7 127.0.0.1 -1 443\r\n"), NULL},
	{LG_SLICE("PROXY TCP4 192.0.2.7 127.0.0.1 +1 443\r\n"), NULL},
	{LG_SLICE("PROXY TCP4 192.0.2.7 127.0.0.1 4096 443x\r\n"), NULL},
	{LG_SLICE("PROXY TCP4 192.0.2.007 127.0.0.1 4096 443\r\n"), NULL},
	{LG_SLICE("PROXY TCP4 192.0.2.256 127.0.0.1 4096 443\r\n"), NULL},
	{LG_SLICE("PROXY TCP4 192.0.2 127.0.0.1 4096 443\r\n"), NULL},
	{LG_SLICE("PROXY TCP4 2001:db8::7 127.0.0.1 4096 443\r\n"), NULL},
	{LG_SLICE("PROXY TCP4 192.0.2.7 ::1 4096 443\r\n"), NULL},
	{LG_SLICE("PROXY TCP6 192.0.2.7 ::1 4096 443\r\n"), NULL},
	{LG_SLICE("PROXY TCP6 [2001:db8::7] ::1 4096 443\r\n"), NULL},
	{LG_SLICE("PROXY TCP4 192.0.2.7\0 127.0.0.1 4096 443\r\n"), NULL},
	{LG_SLICE("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535 \r\n"),
	 NULL},
	{LG_SLICE("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), NULL},
	{LG_SLICE("\x16\x03\x01"), NULL},
	{LG_SLICE("\r\n\r\n\r\n"), NULL},
	{V2("\x21\x11\0\x0c" FOUR), "192.0.2.7"},
	{V2("\x21\x11\0\x0c" FOUR "GET"), "192.0.2.7"},
	{V2("\x21\x11\0\x13" FOUR "\x04\0\x04more"), "192.0.2.7"}, /* PP2_TYPE_NOOP */
	{V2("\x21\x11\0\x0f" FOUR "\xff\xff\xff"), "192.0.2.7"},   /* TLVs are skipped */
	{V2("\x21\x21\0\x24" SIX), "2001:db8::7"},
	{V2("\x20\0\0\0"), "-"}, /* LOCAL */
	{V2("\x20\x11\0\x0c" FOUR), "-"},
	{V2("\x20\xee\0\x01x"), "-"},
	{V2("\x21\0\0\0"), "-"}, /* PROXY of a family that is not said */
	{V2("\x21\0\0\x03xyz"), "-"},
	{V2("\x11\x11\0\x0c" FOUR), NULL}, /* version 1 in the form of 2 */
	{V2("\x31\x11\0\x0c" FOUR), NULL},
	{V2("\x22\x11\0\x0c" FOUR), NULL}, /* an unknown command */
	{V2("\x2f\x11\0\x0c" FOUR), NULL},
	{V2("\x21\x12\0\x0c" FOUR), NULL}, /* datagrams */
	{V2("\x21\x22\0\x24" SIX), NULL},
	{V2("\x21\x32\0\xd8"), NULL},
	{V2("\x21\x10\0\x0c" FOUR), NULL}, /* no protocol */
	{V2("\x21\x41\0\x0c" FOUR), NULL}, /* an unknown family */
	{V2("\x21\x11\0\x0b\xc0\x00\x02\x07\x7f\x00\x00\x01\x10\x00\x01"), NULL},
	{V2("\x21\x21\0\x0c" FOUR), NULL},
	{V2("\x21\x31\0\x0c" FOUR), NULL},
	{V2("\x21\x11\xff\xff" FOUR), NULL}, /* over the limit */
	{V2("\x21\x11\x01\xf1" FOUR), NULL}, /* by one */
	{LG_SLICE("\r\n\r\n\0\r\nQUIT\r"), NULL},
};

static enum proxy_result parse(enum proxy_versions versions, struct lg_slice bytes,
			       struct proxy_header *header)
{
	return proxy_header_parse(versions, LIMIT, bytes, header);
}

static void expect(const struct row *row, const struct proxy_header *header)
{
	char text[ADDRESS_TEXT_BYTES];

	assert_int_equal(header->has_source, strcmp(row->source, "-") != 0);
	if (!header->has_source)
		return;
	address_format(&header->source, text);
	assert_string_equal(text, row->source);
}

/* Datagrams over a stream need not come whole to be refused. */
static void reads_each_form(void **state)
{
	struct proxy_header header;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum proxy_result result = parse(PROXY_ANY, rows[i].bytes, &header);

		if (!rows[i].source && result == PROXY_MORE)
			continue; /* its length is not there yet: judged below */
		if (result != (rows[i].source ? PROXY_WHOLE : PROXY_BROKEN))
			fail_msg("row %zu: %d", i, result);
		if (rows[i].source)
			expect(&rows[i], &header);
		else
			assert_non_null(header.problem);
	}
}

/* A result for some bytes is the result for all that begin with them, so it is
 * the same wherever the kernel cuts. */
static void says_the_same_at_every_split(void **state)
{
	struct proxy_header header, whole;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum proxy_result result = parse(PROXY_ANY, rows[i].bytes, &whole);

		for (size_t length = 0; length < rows[i].bytes.length; length++) {
			enum proxy_result early = parse(
				PROXY_ANY, slice_cut(rows[i].bytes, 0, length), &header);
			if (early == PROXY_MORE)
				continue;
			assert_int_equal(early, result);
			if (early == PROXY_WHOLE) {
				assert_int_equal(header.length, whole.length);
				assert_true(length >= header.length);
				expect(&rows[i], &header);
			}
		}
		if (result == PROXY_WHOLE)
			assert_int_equal(parse(PROXY_ANY,
					       slice_cut(rows[i].bytes, 0, whole.length - 1),
					       &header),
					 PROXY_MORE);
	}
}

static void takes_no_other_version(void **state)
{
	struct proxy_header header;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool is_v2 = slice_starts(rows[i].bytes, "\r\n");

		if (!rows[i].source)
			continue;
		assert_int_equal(parse(PROXY_V1, rows[i].bytes, &header),
				 is_v2 ? PROXY_BROKEN : PROXY_WHOLE);
		assert_int_equal(parse(PROXY_V2, rows[i].bytes, &header),
				 is_v2 ? PROXY_WHOLE : PROXY_BROKEN);
		assert_int_equal(
			parse(is_v2 ? PROXY_V1 : PROXY_V2, slice_cut(rows[i].bytes, 0, 1), &header),
			PROXY_BROKEN);
	}
}

static void is_bound(void **state)
{
	char bytes[LIMIT + 1] = SIGNATURE "\x20";
	struct proxy_header header;

	(void)state;
	bytes[14] = 1;
	bytes[15] = (char)(LIMIT - 16 - 256);
	assert_int_equal(parse(PROXY_V2, slice_of(bytes, LIMIT), &header), PROXY_WHOLE);
	assert_int_equal(header.length, LIMIT);
	bytes[15]++;
	assert_int_equal(parse(PROXY_V2, slice_of(bytes, 16), &header), PROXY_BROKEN);
	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes, "PROXY ", 6);
	assert_int_equal(parse(PROXY_V1, slice_of(bytes, 106), &header), PROXY_MORE);
	assert_int_equal(parse(PROXY_V1, slice_of(bytes, 107), &header), PROXY_BROKEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_each_form),
		cmocka_unit_test(says_the_same_at_every_split),
		cmocka_unit_test(takes_no_other_version),
		cmocka_unit_test(is_bound),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
