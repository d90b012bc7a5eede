#include "unit.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "client/private_address.h"

static void knows_private_addresses(void **state)
{
	static const char *const addresses[] = {
		"127.0.0.1",
		"127.255.255.254",
		"0.0.0.0",
		"0.1.2.3",
		"10.0.0.1",
		"10.255.255.255",
		"100.64.0.1",
		"100.127.255.255",
		"169.254.169.254",
		"172.16.0.1",
		"172.31.255.255",
		"192.0.0.8",
		"192.0.2.1",
		"192.168.1.1",
		"198.18.0.1",
		"198.19.255.255",
		"198.51.100.7",
		"203.0.113.9",
		"224.0.0.1",
		"239.1.1.1",
		"240.0.0.1",
		"255.255.255.255",
		"::",
		"::1",
		"::ffff:127.0.0.1",
		"::ffff:10.1.2.3",
		"::ffff:169.254.169.254",
		"::10.0.0.1",
		"::8.8.8.8",
		"64:ff9b::10.0.0.1",
		"64:ff9b:1::8.8.8.8",
		"100::1",
		"2001::1",
		"2001:db8::1",
		"2002:0a00:0001::1",
		"2002:7f00:1::",
		"3fff::1",
		"5f00::1",
		"fc00::1",
		"fd12:3456::1",
		"fe80::1",
		"febf::1",
		"fec0::1",
		"ff02::1",
		"",
		"localhost",
		"1.2.3",
		"8.8.8.8 ",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		if (!private_address_is_text(addresses[i]))
			fail_msg("%s: taken as public", addresses[i]);
}

static void knows_public_addresses(void **state)
{
	static const char *const addresses[] = {
		"1.1.1.1",	   "9.255.255.255",   "11.0.0.0",	  "100.63.255.255",
		"100.128.0.0",	   "126.255.255.255", "128.0.0.1",	  "169.253.255.255",
		"169.255.0.0",	   "172.15.255.255",  "172.32.0.0",	  "192.0.1.1",
		"192.167.255.255", "192.169.0.0",     "198.17.255.255",	  "198.20.0.0",
		"223.255.255.255", "::ffff:8.8.8.8",  "64:ff9b::8.8.8.8", "2002:0808:0808::1",
		"2001:200::1",	   "2606:4700::1111", "2a00:1450::1",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		if (private_address_is_text(addresses[i]))
			fail_msg("%s: taken as private", addresses[i]);
}

static void other_families_are_private(void **state)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/x"};

	(void)state;
	assert_true(private_address_is((const void *)&address));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_private_addresses),
		cmocka_unit_test(knows_public_addresses),
		cmocka_unit_test(other_families_are_private),
	};
	return RUN(tests);
}
