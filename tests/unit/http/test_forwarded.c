#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/forwarded.h"

static const struct address_prefix *trusted(void)
{
	static struct address_prefix prefixes[2];

	assert_true(address_prefix_parse(LG_SLICE("127.0.0.0/8"), &prefixes[0]));
	assert_true(address_prefix_parse(LG_SLICE("2001:db8::/32"), &prefixes[1]));
	return prefixes;
}

/* What a peer's header makes of a request that came as http://a. */
static void expect_from(const char *peer_text, enum forwarded_header kind,
			const struct http_header *headers, size_t count, const char *client,
			const char *scheme, const char *host)
{
	struct forwarded_trust trust = {trusted(), 2, kind};
	struct http_request request = {.headers = (struct http_header *)(uintptr_t)headers,
				       .header_count = count,
				       .scheme = LG_SLICE("http"),
				       .host = LG_SLICE("a")};
	struct address peer;

	arena_init(&request.arena, 512, 0);
	request.client_address = slice_from(peer_text);
	assert_true(address_parse(slice_from(peer_text), &peer));
	forwarded_apply(&trust, &peer, &request);
	if (!slice_is(request.client_address, client))
		fail_msg("got %.*s, not %s", SLICE_ARGS(request.client_address), client);
	assert_true(slice_is(request.scheme, scheme));
	assert_true(slice_is(request.host, host));
	arena_fini(&request.arena);
}

static void expect_client(const char *peer, const char *value, const char *client)
{
	struct http_header header = {LG_SLICE("x-forwarded-for"), slice_from(value)};

	expect_from(peer, FORWARDED_X_FORWARDED_FOR, &header, 1, client, "http", "a");
}

static void takes_the_rightmost_untrusted_address(void **state)
{
	(void)state;
	expect_client("127.0.0.1", "192.0.2.7", "192.0.2.7");
	expect_client("127.0.0.1", "192.0.2.7, 127.0.0.2", "192.0.2.7");
	expect_client("127.0.0.1", "198.51.100.1, 192.0.2.7", "192.0.2.7");
	expect_client("127.0.0.1", "198.51.100.1,192.0.2.7 ,2001:db8::5, 127.9.9.9", "192.0.2.7");
	expect_client("127.0.0.1", "127.0.0.3", "127.0.0.3");
	expect_client("127.0.0.1", "192.0.2.7:1234", "192.0.2.7");
	expect_client("127.0.0.1", "2001:db9::1", "2001:db9::1");
	expect_client("127.0.0.1", "[2001:db9::1]:80", "2001:db9::1");
	expect_client("2001:db8::1", "192.0.2.7", "192.0.2.7");
	expect_client("127.0.0.1", "::ffff:192.0.2.7", "192.0.2.7");
}

static void believes_no_stranger(void **state)
{
	(void)state;
	expect_client("192.0.2.1", "198.51.100.1", "192.0.2.1");
	expect_client("2001:db9::1", "198.51.100.1", "2001:db9::1");
}

static void stops_at_what_it_cannot_read(void **state)
{
	(void)state;
	expect_client("127.0.0.1", "", "127.0.0.1");
	expect_client("127.0.0.1", "unknown", "127.0.0.1");
	expect_client("127.0.0.1", "192.0.2.7, unknown", "127.0.0.1");
	expect_client("127.0.0.1", "192.0.2.7, 999.0.0.1, 127.0.0.2", "127.0.0.2");
	expect_client("127.0.0.1", "192.0.2.7, [::1", "127.0.0.1");
	expect_client("127.0.0.1", "192.0.2.7,", "127.0.0.1");
}

static void reads_lines_from_the_last_on(void **state)
{
	const struct http_header headers[] = {
		{LG_SLICE("X-Forwarded-For"), LG_SLICE("198.51.100.1")},
		{LG_SLICE("Other"), LG_SLICE("198.51.100.3")},
		{LG_SLICE("X-Forwarded-For"), LG_SLICE("192.0.2.7, 127.0.0.2")},
	};

	(void)state;
	expect_from("127.0.0.1", FORWARDED_X_FORWARDED_FOR, headers, 3, "192.0.2.7", "http", "a");
}

static void tells_what_the_proxy_was_asked_for(void **state)
{
	const struct http_header headers[] = {
		{LG_SLICE("X-Forwarded-Proto"), LG_SLICE("https")},
		{LG_SLICE("X-Forwarded-Host"), LG_SLICE("forms.example")},
		{LG_SLICE("Forwarded"), LG_SLICE("for=192.0.2.9;proto=http;host=evil")},
	};
	const struct http_header odd[] = {
		{LG_SLICE("X-Forwarded-Proto"), LG_SLICE("gopher")},
		{LG_SLICE("X-Forwarded-Host"), LG_SLICE("a b")},
	};

	(void)state;
	expect_from("127.0.0.1", FORWARDED_X_FORWARDED_FOR, headers, 3, "127.0.0.1", "https",
		    "forms.example");
	expect_from("192.0.2.1", FORWARDED_X_FORWARDED_FOR, headers, 3, "192.0.2.1", "http", "a");
	expect_from("127.0.0.1", FORWARDED_X_FORWARDED_FOR, odd, 2, "127.0.0.1", "http", "a");
}

static void reads_the_standard_header(void **state)
{
	const struct http_header headers[] = {
		{LG_SLICE("Forwarded"),
		 LG_SLICE("for=198.51.100.1, For=\"[2001:db9::7]:4711\" ; Proto=https;"
			  "host=\"forms.example:443\"")},
		{LG_SLICE("X-Forwarded-For"), LG_SLICE("203.0.113.1")},
	};
	const struct http_header hidden = {LG_SLICE("Forwarded"),
					   LG_SLICE("for=192.0.2.1, for=_hidden")};

	(void)state;
	expect_from("127.0.0.1", FORWARDED_FORWARDED, headers, 2, "2001:db9::7", "https",
		    "forms.example:443");
	expect_from("127.0.0.1", FORWARDED_FORWARDED, &hidden, 1, "127.0.0.1", "http", "a");
	expect_from("127.0.0.1", FORWARDED_FORWARDED, headers + 1, 1, "127.0.0.1", "http", "a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_rightmost_untrusted_address),
		cmocka_unit_test(believes_no_stranger),
		cmocka_unit_test(stops_at_what_it_cannot_read),
		cmocka_unit_test(reads_lines_from_the_last_on),
		cmocka_unit_test(tells_what_the_proxy_was_asked_for),
		cmocka_unit_test(reads_the_standard_header),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
