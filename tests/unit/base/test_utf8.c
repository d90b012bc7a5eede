#include "unit.h"

#include "base/utf8.h"

/* Every code point, encoded by the table of RFC 3629, section 3. */
static size_t encode(uint32_t point, char out[4])
{
	size_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
	static const unsigned char marks[] = {0, 0, 0xC0, 0xE0, 0xF0};

	for (size_t i = size; i-- > 1; point >>= 6)
		out[i] = (char)(0x80 | (point & 0x3F));
	out[0] = (char)(marks[size] | point);
	return size;
}

static void every_code_point_is_read_back(void **state)
{
	(void)state;
	for (uint32_t point = 0; point <= 0x11FFFF; point++) {
		char bytes[4];
		struct lg_slice text = slice_of(bytes, encode(point, bytes)), rest = text;
		bool good = point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
		int32_t got = utf8_next(&rest);
		if (utf8_valid(text) != good || got != (good ? (int32_t)point : UTF8_INVALID))
			fail_msg("U+%X", point);
		if (good && rest.length != 0)
			fail_msg("U+%X: %zu bytes left", point, rest.length);
	}
}

/* The ASCII fast path must see a bad byte at every offset of its eight. */
static void a_bad_byte_is_seen_everywhere(void **state)
{
	char text[33];
	(void)state;
	for (size_t i = 0; i < sizeof(text); i++) {
		memset(text, 'a', sizeof(text));
		assert_true(utf8_valid(slice_of(text, sizeof(text))));
		text[i] = (char)0x80;
		assert_false(utf8_valid(slice_of(text, sizeof(text))));
		assert_true(utf8_valid(slice_of(text, i)));
	}
}

static void a_copy_is_whole_and_tells_of_wide_bytes(void **state)
{
	char text[20], to[sizeof(text)];

	(void)state;
	for (size_t length = 0; length <= sizeof(text); length++)
		for (size_t wide = 0; wide <= length; wide++) {
			struct lg_slice copied = slice_of(text, length);
			memset(text, 'a', sizeof(text));
			if (wide < length)
				text[wide] = (char)0xE4;
			assert_int_equal(utf8_copy_ascii(to, copied), wide == length);
			assert_memory_equal(to, text, length);
		}
}

static void bad_sequences_are_refused(void **state)
{
	static const char *const bad[] = {"\xC0\x80",
					  "\xC1\xBF",
					  "\xE0\x80\x80",
					  "\xE0\x9F\xBF",
					  "\xED\xA0\x80",
					  "\xED\xBF\xBF",
					  "\xF0\x80\x80\x80",
					  "\xF0\x8F\xBF\xBF",
					  "\xF4\x90\x80\x80",
					  "\xF5\x80\x80\x80",
					  "\xFF",
					  "\xFE",
					  "\x80",
					  "\xBF",
					  "\xC3",
					  "\xE2\x82",
					  "\xF0\x9F\x98",
					  "\xC3(",
					  "\xE2(\xA1",
					  "\xE2\x82(",
					  "\xF0\x9F\x98("};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (utf8_valid(slice_from(bad[i])))
			fail_msg("sequence %zu is taken", i);
}

static void next_goes_on_after_a_bad_byte(void **state)
{
	struct lg_slice rest = slice_from("a\xE2\x82z\xC3\xA9");
	(void)state;
	assert_int_equal(utf8_next(&rest), 'a');
	assert_int_equal(utf8_next(&rest), UTF8_INVALID);
	assert_int_equal(utf8_next(&rest), UTF8_INVALID);
	assert_int_equal(utf8_next(&rest), 'z');
	assert_int_equal(utf8_next(&rest), 0xE9);
	assert_int_equal(utf8_next(&rest), UTF8_END);
	assert_int_equal(utf8_next(&rest), UTF8_END);
}

static void cut_keeps_characters_whole(void **state)
{
	static const char text[] = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z"; /* a é € 😀 z */
	static const size_t ends[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
	(void)state;
	for (size_t max = 0; max < sizeof(ends) / sizeof(ends[0]); max++) {
		struct lg_slice cut = utf8_cut(slice_from(text), max);
		assert_int_equal(cut.length, ends[max]);
		assert_true(utf8_valid(cut));
	}
	assert_false(slice_present(utf8_cut(slice_from(NULL), 3)));
	/* Bytes that are no text are cut too, and lose at most three. */
	assert_int_equal(utf8_cut(slice_from("\x80\x80\x80\x80\x80\x80\x80\x80"), 6).length, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_point_is_read_back),
		cmocka_unit_test(a_bad_byte_is_seen_everywhere),
		cmocka_unit_test(a_copy_is_whole_and_tells_of_wide_bytes),
		cmocka_unit_test(bad_sequences_are_refused),
		cmocka_unit_test(next_goes_on_after_a_bad_byte),
		cmocka_unit_test(cut_keeps_characters_whole),
	};
	return RUN(tests);
}
