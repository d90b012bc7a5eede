#include "unit.h"

#include <leadgate/text.h>

static struct lg_slice s(const char *text)
{
	return slice_from(text);
}

static void absent_is_not_empty(void **state)
{
	(void)state;
	assert_false(slice_present(s(NULL)));
	assert_true(slice_present(s("")));
	assert_true(slice_equal(s(NULL), s("")));
}

static void cut_is_clamped(void **state)
{
	(void)state;
	assert_slice_is(slice_cut(s("abcdef"), 2, 3), "cde");
	assert_slice_is(slice_cut(s("abcdef"), 4, SIZE_MAX), "ef");
	assert_slice_is(slice_cut(s("abcdef"), 9, 1), "");
	assert_false(slice_present(slice_cut(s(NULL), 3, 3)));
}

static void case_is_folded_in_ascii_only(void **state)
{
	(void)state;
	assert_true(slice_equal_nocase(s("Content-TYPE"), s("content-type")));
	assert_false(slice_equal_nocase(s("abc"), s("abcd")));
	/* One bit apart, as letters of two cases are, but not letters. */
	assert_false(slice_equal_nocase(s("@["), s("`{")));
	assert_false(slice_equal_nocase(s("\xC3\x84"), s("\xC3\xA4")));
	assert_true(slice_equal_nocase(s(NULL), s("")));
}

static void prefixes_and_suffixes(void **state)
{
	(void)state;
	assert_true(slice_starts(s("Bearer x"), "Bearer "));
	assert_false(slice_starts(s("Bear"), "Bearer"));
	assert_true(slice_starts(s(NULL), ""));
	assert_true(slice_ends(s("lead.json"), ".json"));
	assert_false(slice_ends(s("json"), ".json"));
	assert_false(slice_ends(s("lead.jsom"), ".json"));
	assert_true(slice_ends(s(NULL), ""));
}

static void find_gives_the_first(void **state)
{
	(void)state;
	assert_int_equal(slice_find(s("a=b=c"), '='), 1);
	assert_int_equal(slice_find(s("abc"), '='), -1);
	assert_int_equal(slice_find(s(NULL), '='), -1);
	assert_int_equal(slice_find(slice_of("abc=", 3), '='), -1);
}

static void trim_takes_both_ends(void **state)
{
	(void)state;
	assert_slice_is(slice_trim(s(" \t a b\r\n")), "a b");
	assert_slice_is(slice_trim(s("\r\n")), "");
	assert_slice_is(slice_trim(s("\vx\f")), "\vx\f");
	assert_false(slice_present(slice_trim(s(NULL))));
}

static void split_is_the_inverse_of_join(void **state)
{
	struct lg_slice rest = s("a,,b,"), part;
	(void)state;
	assert_true(slice_split(&rest, ',', &part));
	assert_slice_is(part, "a");
	assert_true(slice_split(&rest, ',', &part));
	assert_slice_is(part, "");
	assert_true(slice_split(&rest, ',', &part));
	assert_slice_is(part, "b");
	assert_true(slice_split(&rest, ',', &part));
	assert_slice_is(part, "");
	assert_false(slice_split(&rest, ',', &part));

	rest = s("");
	assert_true(slice_split(&rest, ',', &part));
	assert_slice_is(part, "");
	assert_false(slice_split(&rest, ',', &part));
}

static void numbers_are_strict(void **state)
{
	static const char *const bad[] = {NULL,
					  "",
					  "-1",
					  "+1",
					  " 1",
					  "1 ",
					  "0x10",
					  "18446744073709551616",
					  "1a",
					  "1.0",
					  "99999999999999999999"};
	uint64_t value = 7;
	(void)state;
	assert_true(slice_to_u64(s("18446744073709551615"), &value));
	assert_true(value == UINT64_MAX);
	assert_true(slice_to_u64(s("007"), &value));
	assert_int_equal(value, 7);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(slice_to_u64(s(bad[i]), &value));
		assert_int_equal(value, 7);
	}
}

static void text_is_cut_and_terminated(void **state)
{
	char out[4] = "###";
	(void)state;
	slice_to_text(s("abcdef"), out, sizeof(out));
	assert_string_equal(out, "abc");
	slice_to_text(s(NULL), out, sizeof(out));
	assert_string_equal(out, "");
	out[0] = '#';
	slice_to_text(s("x"), out, 0);
	assert_int_equal(out[0], '#');
}

static void choice_is_empty_outside_of_the_words(void **state)
{
	static const char words[] = "one|two|three";

	(void)state;
	assert_true(slice_is(lg_choice(words, 0), "one"));
	assert_true(slice_is(lg_choice(words, 2), "three"));
	assert_int_equal(lg_choice(words, 3).length, 0);
	assert_int_equal(lg_choice(words, -1).length, 0);
	assert_int_equal(lg_choice(words, INT32_MIN).length, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absent_is_not_empty),
		cmocka_unit_test(cut_is_clamped),
		cmocka_unit_test(case_is_folded_in_ascii_only),
		cmocka_unit_test(prefixes_and_suffixes),
		cmocka_unit_test(find_gives_the_first),
		cmocka_unit_test(trim_takes_both_ends),
		cmocka_unit_test(split_is_the_inverse_of_join),
		cmocka_unit_test(numbers_are_strict),
		cmocka_unit_test(text_is_cut_and_terminated),
		cmocka_unit_test(choice_is_empty_outside_of_the_words),
	};
	return RUN(tests);
}
