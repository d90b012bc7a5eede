#include "lead/ip.h"

#include "unit.h"

static void addresses_have_one_form(void **state)
{
	static const struct {
		const char *input, *address;
	} rows[] = {
		{"192.0.2.1", "192.0.2.1"},
		{" 192.0.2.1 ", "192.0.2.1"},
		{"192.0.2.1:8080", "192.0.2.1"},
		{"::ffff:192.0.2.1", "192.0.2.1"},
		{"::FFFF:C000:0201", "192.0.2.1"},
		{"[::ffff:192.0.2.1]:443", "192.0.2.1"},
		{"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
		{"[2001:db8::1]:443", "2001:db8::1"},
		{"[2001:db8::1]", "2001:db8::1"},
		{"::1", "::1"},
		{"::", "::"},
		{"0.0.0.0", "0.0.0.0"},
		{"2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"},
		{"", NULL},
		{"192.0.2", NULL},
		{"192.0.2.256", NULL},
		{"192.0.2.1.", NULL},
		{".192.0.2.1", NULL},
		{"192.0.2.1.1", NULL},
		{"1..2.3", NULL},
		{"192.0.2.01", NULL},
		{"1", NULL},
		{"0x7f.1", NULL},
		{"2001:db8:::1", NULL},
		{"fe80::1%eth0", NULL},
		{"localhost", NULL},
		{"[]", NULL},
		{"192.0.2.1, 198.51.100.7", NULL},
		{"2001:db8::1::2", NULL},
		{"0000000000000000000000000000000000000000000000000000000", NULL},
	};
	char out[IP_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool good = ip_normalize(slice_from(rows[i].input), out);

		expect_slice(rows[i].input, good ? slice_from(out) : slice_of(NULL, 0),
			     rows[i].address);
	}
	assert_false(ip_normalize(slice_of("192.0.2.1\0junk", 14), out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_have_one_form),
	};

	return RUN(tests);
}
