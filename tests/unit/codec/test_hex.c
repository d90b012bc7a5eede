#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec/hex.h"

static void encodes(void **state)
{
	char out[9];

	(void)state;
	hex_encode(LG_SLICE("\x00\x7f\x80\xff"), out);
	assert_string_equal(out, "007f80ff");
	hex_encode(LG_SLICE(""), out);
	assert_string_equal(out, "");
}

static void decodes_either_case(void **state)
{
	uint8_t out[4];

	(void)state;
	assert_int_equal(hex_decode(LG_SLICE("007F80fF"), out, 4), 4);
	assert_memory_equal(out, "\x00\x7f\x80\xff", 4);
	assert_int_equal(hex_decode(LG_SLICE(""), out, 0), 0);
	assert_int_equal(hex_decode(LG_SLICE("007F80fF"), out, 3), -1);
	assert_int_equal(hex_decode(LG_SLICE("0"), out, 4), -1);
	assert_int_equal(hex_decode(LG_SLICE("0g"), out, 4), -1);
	assert_int_equal(hex_decode(LG_SLICE("g0"), out, 4), -1);
	assert_int_equal(hex_decode(LG_SLICE("0x00"), out, 4), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodes),
		cmocka_unit_test(decodes_either_case),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
