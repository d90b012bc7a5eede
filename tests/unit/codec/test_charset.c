/* Character sets of forms to UTF-8. Expected texts were written by Python's codecs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "codec/charset.h"

static void knows_labels(void **state)
{
	static const char *const known[] = {"utf-8",  "UTF-8",	    " utf-8 ",	  "UTF8",
					    "latin1", "ISO-8859-1", "cp1252",	  "Windows-1251",
					    "koi8-r", "Shift_JIS",  "iso-8859-15"};
	static const char *const unknown[] = {"", "utf-7", "utf-16", "utf-8x", "none", "ibm037"};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_true(charset_known(slice_from(known[i])));
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		assert_false(charset_known(slice_from(unknown[i])));
	assert_false(charset_known(slice_of(NULL, 0)));
	assert_false(charset_known(slice_of("utf-8\0", 6)));
}

static void decodes(void **state)
{
	static const struct {
		const char *label, *bytes, *text;
	} rows[] = {
		{"utf-8", "Zo\xc3\xab", "Zo\xc3\xab"},
		{"utf-8", "a\xff\xc3", "a\xef\xbf\xbd\xef\xbf\xbd"},
		{"iso-8859-1", "Zo\xeb", "Zo\xc3\xab"},
		{"windows-1252", "\x80\x93", "\xe2\x82\xac\xe2\x80\x9c"},
		{"windows-1252", "\x81", "\xc2\x81"},
		{"iso-8859-15", "\xa4", "\xe2\x82\xac"},
		{"windows-1251", "\xcf\xf0", "\xd0\x9f\xd1\x80"},
		{"koi8-r", "\xf0\xd2", "\xd0\x9f\xd1\x80"},
		{"shift_jis", "\x93\xfa", "\xe6\x97\xa5"},
		{"gb18030", "\x95\x32\x82\x36", "\xf0\xa0\x80\x80"},
		{"big5", "\xa4", "\xef\xbf\xbd"},
		{"shift_jis", "a\xa0z", "a\xef\xbf\xbdz"},
		{"euc-jp", "a\xa0z", "a\xef\xbf\xbdz"},
		{"latin1", "plain", "plain"},
		{"latin1", "", ""},
	};
	struct arena arena;

	(void)state;
	arena_init(&arena, 4096, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct lg_slice text = charset_decode(&arena, slice_from(rows[i].label),
						      slice_from(rows[i].bytes));
		if (!slice_is(text, rows[i].text))
			fail_msg("row %zu: %.*s", i, SLICE_ARGS(text));
	}
	assert_false(slice_present(charset_decode(&arena, LG_SLICE("utf-7"), LG_SLICE("a"))));
	arena_fini(&arena);
}

/* Any bytes in any set are valid UTF-8, and never more than three times as many. */
static void every_byte_becomes_text(void **state)
{
	static const char *const labels[] = {"utf-8",	  "windows-1252", "windows-874", "koi8-u",
					     "shift_jis", "euc-jp",	  "euc-kr",	 "big5",
					     "gb18030",	  "macintosh",	  "iso-8859-8"};
	char pair[2];
	struct arena arena;

	(void)state;
	arena_init(&arena, 1 << 16, 0);
	for (size_t label = 0; label < sizeof(labels) / sizeof(labels[0]); label++)
		for (int byte = 0; byte < 65536; byte += 17) {
			pair[0] = (char)(byte >> 8);
			pair[1] = (char)byte;
			struct lg_slice text = charset_decode(&arena, slice_from(labels[label]),
							      slice_of(pair, 2));
			assert_true(slice_present(text) && utf8_valid(text) && text.length <= 6);
			arena_reset(&arena);
		}
	arena_fini(&arena);
}

static void says_when_memory_runs_out(void **state)
{
	struct arena arena;
	struct lg_slice text;

	(void)state;
	arena_init(&arena, 64, 0);
	alloc_fail_at(1);
	text = charset_decode(&arena, LG_SLICE("latin1"), LG_SLICE("\xeb"));
	alloc_fail_at(0);
	assert_false(slice_present(text));
	assert_true(arena.failed);
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_labels),
		cmocka_unit_test(decodes),
		cmocka_unit_test(every_byte_becomes_text),
		cmocka_unit_test(says_when_memory_runs_out),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
