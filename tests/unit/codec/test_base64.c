#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "codec/base64.h"

/* RFC 4648, section 10. */
static const struct {
	const char *plain, *encoded;
} vectors[] = {
	{"", ""},
	{"f", "Zg=="},
	{"fo", "Zm8="},
	{"foo", "Zm9v"},
	{"foob", "Zm9vYg=="},
	{"fooba", "Zm9vYmE="},
	{"foobar", "Zm9vYmFy"},
};

static void encodes_the_vectors_of_the_rfc(void **state)
{
	char out[16];

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct lg_slice plain = slice_from(vectors[i].plain);
		size_t length = strlen(vectors[i].encoded);
		size_t bare = strcspn(vectors[i].encoded, "=");

		assert_int_equal(base64_encode(plain, false, out, length), length);
		assert_memory_equal(out, vectors[i].encoded, length);
		assert_int_equal(base64_encode(plain, true, out, bare), bare);
		assert_memory_equal(out, vectors[i].encoded, bare);
		if (bare > 0) {
			assert_int_equal(base64_encode(plain, false, out, length - 1), -1);
			assert_int_equal(base64_encode(plain, true, out, bare - 1), -1);
		}
	}
	assert_int_equal(base64_encode(LG_SLICE("\xfb\xff"), false, out, 4), 4);
	assert_memory_equal(out, "+/8=", 4);
	assert_int_equal(base64_encode(LG_SLICE("\xfb\xff"), true, out, 4), 3);
	assert_memory_equal(out, "-_8", 3);
}

static void decodes_either_form(void **state)
{
	uint8_t out[16];

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		size_t length = strlen(vectors[i].plain);
		struct lg_slice text = slice_from(vectors[i].encoded);

		assert_int_equal(base64_decode(text, out, length), length);
		assert_memory_equal(out, vectors[i].plain, length);
		text.length = strcspn(vectors[i].encoded, "=");
		assert_int_equal(base64_decode(text, out, length), length);
		if (length > 0)
			assert_int_equal(base64_decode(text, out, length - 1), -1);
	}
	assert_int_equal(base64_decode(LG_SLICE("-_8"), out, sizeof(out)), 2);
	assert_memory_equal(out, "\xfb\xff", 2);
	assert_int_equal(base64_decode(LG_SLICE("+/8="), out, sizeof(out)), 2);
	assert_memory_equal(out, "\xfb\xff", 2);
}

static void refuses_all_else(void **state)
{
	static const char *const texts[] = {
		"Z",	 "Zg=",	   "Zg===", "=",    "====",  "Zh==", "Zm9",
		"Zm 9v", "Zm9v\n", "+_8=",  "Z=g=", "Zm9v=", "Zm9*", "Zg==Zg=="};
	uint8_t out[16];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (base64_decode(slice_from(texts[i]), out, sizeof(out)) >= 0)
			fail_msg("taken: %s", texts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodes_the_vectors_of_the_rfc),
		cmocka_unit_test(decodes_either_form),
		cmocka_unit_test(refuses_all_else),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
