#include "lead/text.h"

#include "unit.h"

struct row {
	const char *input, *line, *block;
};

/* NULL: as the input. */
static const struct row rows[] = {
	{"", NULL, NULL},
	{"Jane Doe", NULL, NULL},
	{"  Jane   Doe  ", "Jane Doe", "Jane Doe"},
	{"Jane\tDoe", "Jane Doe", "Jane Doe"},
	{" \t\r\n ", "", ""},
	{"a\nb", "a b", NULL},
	{"a\r\nb", "a b", "a\nb"},
	{"a\rb", "a b", "a\nb"},
	{"a\n\nb", "a b", NULL},
	{"a\r\n\r\n\r\n\r\nb", "a b", "a\n\nb"},
	{"a  \n  b", "a b", "a\nb"},
	{"\n\na\n\n", "a", "a"},
	{"a\x0b"
	 "b\x0c"
	 "c",
	 "a b c", "a\nb\nc"},
	{"a\x01"
	 "b\x7f"
	 "c\x1b[0m",
	 "abc[0m", "abc[0m"},
	{"M\xc3\xbcller", NULL, NULL},
	{"Mu\xcc\x88ller", "M\xc3\xbcller", "M\xc3\xbcller"}, /* NFC */
	{"\xe2\x84\xab", "\xc3\x85", "\xc3\x85"},	      /* ANGSTROM SIGN */
	{"e\xe2\x80\x8b\xcc\x81", "\xc3\xa9", "\xc3\xa9"},    /* apart by a ZWSP */
	{"a\xc2\xa0"
	 "b",
	 "a b", "a b"}, /* no-break space */
	{"a\xe3\x80\x80"
	 "b",
	 "a b", "a b"}, /* ideographic */
	{"a\xe2\x80\xa8"
	 "b",
	 "a b", "a\nb"}, /* line separator */
	{"a\xc2\x85"
	 "b",
	 "a b", "a\nb"}, /* NEL */
	{"\xef\xbb\xbf"
	 "Jane",
	 "Jane", "Jane"},			       /* byte order mark */
	{"Ja\xc2\xadne", "Jane", "Jane"},	       /* soft hyphen */
	{"\xe2\x80\xaegpj.exe", "gpj.exe", "gpj.exe"}, /* RLO */
	{"\xe2\x81\xa6"
	 "a\xe2\x81\xa9",
	 "a", "a"}, /* isolates */
	{"\xe2\x80\x8e"
	 "a\xe2\x80\x8f",
	 "a", "a"}, /* LRM, RLM */
	{"a\xe2\x80\x8d"
	 "b",
	 "ab", "ab"}, /* a joiner in Latin */
	{"\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xae\xd9\x88\xd8\xa7\xd9\x87\xd9\x85", NULL, NULL},
	{"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb", NULL, NULL}, /* woman technologist */
	{"\xf0\x9f\x91\xa9\xe2\x80\x8d", "\xf0\x9f\x91\xa9", "\xf0\x9f\x91\xa9"},
	{"\xe2\x80\x8d\xf0\x9f\x91\xa9", "\xf0\x9f\x91\xa9", "\xf0\x9f\x91\xa9"},
	{"a\xff"
	 "b",
	 "a\xef\xbf\xbd"
	 "b",
	 "a\xef\xbf\xbd"
	 "b"},
	{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
	 "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* a surrogate */
	{"\xef\xbf\xbe", "", ""},		  /* U+FFFE */
	{"\xe7\x94\xb0\xe4\xb8\xad \xe5\xa4\xaa\xe9\x83\x8e", NULL, NULL},
	{"<b>bold</b> & more", NULL, NULL},
	{"\xed\x95\x9c\xea\xb8\x80", NULL, NULL},
	{"\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", "\xed\x95\x9c", "\xed\x95\x9c"}, /* Hangul */
};

static void lines_and_blocks_have_one_form(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 4096, 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *row = &rows[i];
		struct lg_slice input = slice_from(row->input);

		expect_slice(row->input, text_line(&arena, input, 1000),
			     row->line ? row->line : row->input);
		expect_slice(row->input, text_block(&arena, input, 1000),
			     row->block ? row->block : row->input);
	}
	arena_fini(&arena);
}

static void what_is_in_its_form_is_not_copied(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 4096, 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct lg_slice input = slice_from(rows[i].input);
		struct lg_slice once = text_line(&arena, input, 1000);
		struct lg_slice block = text_block(&arena, input, 1000);

		if (!rows[i].line)
			assert_ptr_equal(once.data, input.data);
		assert_ptr_equal(text_line(&arena, once, 1000).data, once.data);
		assert_ptr_equal(text_block(&arena, block, 1000).data, block.data);
	}
	arena_fini(&arena);
}

/* Blanks are looked for eight bytes at a time: two of them may stand on either side
 * of a seam, and one at either end. */
static void blanks_are_seen_at_every_place(void **state)
{
	char text[24], want[24];

	(void)state;
	for (size_t length = 1; length <= sizeof(text); length++)
		for (size_t first = 0; first < length; first++)
			for (size_t second = first; second < length; second++) {
				struct arena arena;
				size_t kept = 0;

				memset(text, 'a', length);
				text[first] = text[second] = ' ';
				for (size_t i = 0; i < length; i++)
					if (text[i] != ' ' || (kept > 0 && want[kept - 1] != ' '))
						want[kept++] = text[i];
				if (kept > 0 && want[kept - 1] == ' ')
					kept--;
				arena_init(&arena, 256, 0);
				struct lg_slice line = text_line(&arena, slice_of(text, length),
								 1000);
				assert_int_equal(line.length, kept);
				if (kept > 0)
					assert_memory_equal(line.data, want, kept);
				arena_fini(&arena);
			}
}

static void limits_cut_at_characters(void **state)
{
	static const struct {
		const char *input;
		size_t limit;
		const char *expected;
	} cuts[] = {
		{"abcdef", 6, "abcdef"},	 {"abcdef", 5, "abcde"},
		{"abc def", 4, "abc"},		 {"ab\xc3\xa9", 3, "ab"},
		{"ab\xc3\xa9", 4, "ab\xc3\xa9"}, {"\xf0\x9f\x91\xa9", 3, ""},
		{"  abc  def", 5, "abc d"},	 {"abc", 0, ""},
	};
	struct arena arena;

	(void)state;
	arena_init(&arena, 4096, 0);
	for (size_t i = 0; i < COUNT(cuts); i++)
		expect_slice(cuts[i].input,
			     text_line(&arena, slice_from(cuts[i].input), cuts[i].limit),
			     cuts[i].expected);
	arena_fini(&arena);
}

static void space_alone_is_no_difference(void **state)
{
	(void)state;
	assert_true(text_equal_but_space(LG_SLICE(" a  b\r\n"), LG_SLICE("a b")));
	assert_true(text_equal_but_space(LG_SLICE(""), LG_SLICE(" \n")));
	assert_false(text_equal_but_space(LG_SLICE("a b"), LG_SLICE("a c")));
	assert_false(text_equal_but_space(LG_SLICE("a"), LG_SLICE("a b")));
	assert_false(text_equal_but_space(LG_SLICE("a\xc2\xa0"), LG_SLICE("a")));
}

static void letters_and_digits_are_compared(void **state)
{
	static const struct {
		const char *text, *plain;
	} texts[] = {
		{"1 MAIN ST.", "1mainst"},
		{"Saint-Denis", "saintdenis"},
		{"C\xc3\xb4te d\xe2\x80\x99I", "cotedi"},
		{"STRASSE", "strasse"},
		{"Stra\xc3\x9f"
		 "e",
		 "strasse"},
		{"\xe6\x9d\xb1\xe4\xba\xac 1", "\xe6\x9d\xb1\xe4\xba\xac"
					       "1"},
		{" - ", ""},
		{"", ""},
		{"twelve bytes", "twelvebytes"},
		{"thirteen byte", ""},
		{"M\xc3\xbcller und S\xc3\xb6hne", ""},
	};
	char out[12];

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		expect_slice(texts[i].text, text_plain(slice_from(texts[i].text), out, sizeof(out)),
			     texts[i].plain);
	assert_int_equal(text_plain(slice_of(NULL, 0), out, sizeof(out)).length, 0);
}

static void long_texts_are_normalized(void **state)
{
	static char text[120000];
	struct arena arena;
	struct lg_slice out;

	(void)state;
	for (size_t i = 0; i + 3 <= sizeof(text); i += 3)
		memcpy(text + i, "u\xcc\x88", 3);
	arena_init(&arena, 4096, 0);
	out = text_block(&arena, slice_of(text, sizeof(text)), 65536);
	assert_int_equal(out.length, 65536);
	for (size_t i = 0; i < out.length; i += 2)
		assert_memory_equal(out.data + i, "\xc3\xbc", 2);
	arena_fini(&arena);
}

static void failing_memory_is_reported(void **state)
{
	int64_t n = 0;

	(void)state;
	do {
		struct arena arena;
		struct lg_slice out;

		arena_init(&arena, 64, 0);
		alloc_fail_at(++n);
		out = text_line(&arena, LG_SLICE(" Mu\xcc\x88ller "), 100);
		assert_int_equal(slice_present(out), !arena.failed);
		assert_int_equal(arena.failed, alloc_failed());
		arena_fini(&arena);
	} while (alloc_failed());
	alloc_fail_at(0);
	assert_true(n > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_and_blocks_have_one_form),
		cmocka_unit_test(what_is_in_its_form_is_not_copied),
		cmocka_unit_test(blanks_are_seen_at_every_place),
		cmocka_unit_test(limits_cut_at_characters),
		cmocka_unit_test(space_alone_is_no_difference),
		cmocka_unit_test(letters_and_digits_are_compared),
		cmocka_unit_test(long_texts_are_normalized),
		cmocka_unit_test(failing_memory_is_reported),
	};

	return RUN(tests);
}
