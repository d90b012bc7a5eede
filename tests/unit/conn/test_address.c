#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conn/address.h"

#include <netinet/in.h>
#include <sys/socket.h>

static void expect_text(const char *text, const char *expected)
{
	struct address address;
	char out[ADDRESS_TEXT_BYTES];

	assert_true(address_parse(slice_from(text), &address));
	address_format(&address, out);
	assert_string_equal(out, expected);
}

static void reads_and_writes(void **state)
{
	(void)state;
	expect_text("192.0.2.1", "192.0.2.1");
	expect_text("::ffff:192.0.2.1", "192.0.2.1");
	expect_text("2001:DB8:0::1", "2001:db8::1");
	expect_text("::", "::");
	expect_text("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

static void refuses_what_is_none(void **state)
{
	static const char *const none[] = {"",		 "1",		"192.0.2", "192.0.2.256",
					   "192.0.2.1 ", "[::1]",	"::1%lo",  "a.example",
					   "1::2::3",	 "192.0.2.1:80"};
	struct address address;

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_false(address_parse(slice_from(none[i]), &address));
	assert_false(address_parse(slice_of("::1\0", 4), &address));
	assert_false(address_parse(slice_of(NULL, 0), &address));
}

static void reads_sockets(void **state)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000201)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr other = {.sa_family = AF_UNIX};
	struct address address;
	char out[ADDRESS_TEXT_BYTES];

	(void)state;
	assert_true(address_from_socket((struct sockaddr *)&v4, &address));
	assert_true(address_is_v4(&address));
	address_format(&address, out);
	assert_string_equal(out, "192.0.2.1");
	assert_true(address_from_socket((struct sockaddr *)&v6, &address));
	assert_false(address_is_v4(&address));
	address_format(&address, out);
	assert_string_equal(out, "::1");
	assert_false(address_from_socket(&other, &address));
}

static bool is_in(const char *address_text, const char *prefix_text)
{
	struct address_prefix prefix;
	struct address address;

	assert_true(address_prefix_parse(slice_from(prefix_text), &prefix));
	assert_true(address_parse(slice_from(address_text), &address));
	return address_in_prefix(&address, &prefix);
}

static void matches_prefixes(void **state)
{
	(void)state;
	assert_true(is_in("10.1.2.3", "10.0.0.0/8"));
	assert_false(is_in("11.1.2.3", "10.0.0.0/8"));
	assert_true(is_in("192.0.2.127", "192.0.2.0/25"));
	assert_false(is_in("192.0.2.128", "192.0.2.0/25"));
	assert_true(is_in("192.0.2.1", "192.0.2.1"));
	assert_false(is_in("192.0.2.2", "192.0.2.1"));
	assert_true(is_in("192.0.2.1", "0.0.0.0/0"));
	assert_false(is_in("::1", "0.0.0.0/0"));
	assert_true(is_in("192.0.2.1", "::/0"));
	assert_true(is_in("2001:db8:ffff::1", "2001:db8::/32"));
	assert_false(is_in("2001:db9::1", "2001:db8::/32"));
	assert_true(is_in("2001:db8::1", "2001:db8::1/128"));
	assert_true(is_in("::ffff:10.1.2.3", "10.0.0.0/8"));
}

static void refuses_odd_prefixes(void **state)
{
	static const char *const none[] = {"10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/",
					   "10.0.0.0/-1", "10.0.0.0/x", "2001:db8::/129",
					   "/8",	  "10/8",	"2001:db8::1/64"};
	struct address_prefix prefix;

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_false(address_prefix_parse(slice_from(none[i]), &prefix));
}

static void knows_private_addresses(void **state)
{
	static const char *const yes[] = {
		"127.0.0.1",   "127.255.255.255", "10.0.0.1",	"172.16.0.1",	   "172.31.255.255",
		"192.168.1.1", "169.254.169.254", "100.64.0.1", "100.127.255.255", "::1",
		"fd00::1",     "fe80::1",	  "febf::1",	"::ffff:10.0.0.1"};
	static const char *const no[] = {
		"128.0.0.1",   "11.0.0.1",    "172.32.0.1", "172.15.255.255",
		"192.169.0.1", "100.128.0.1", "::2",	    "::",
		"fec0::1",     "2001:db8::1", "fe7f::1",    "8.8.8.8"};
	struct address address;

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		assert_true(address_parse(slice_from(yes[i]), &address));
		assert_true(address_is_private(&address));
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		assert_true(address_parse(slice_from(no[i]), &address));
		assert_false(address_is_private(&address));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_writes),	cmocka_unit_test(refuses_what_is_none),
		cmocka_unit_test(reads_sockets),	cmocka_unit_test(matches_prefixes),
		cmocka_unit_test(refuses_odd_prefixes), cmocka_unit_test(knows_private_addresses),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
