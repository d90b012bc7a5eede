#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/manual.h"

static const struct lg_option rows[] = {
	{.name = "path", .type = LG_PATH, .flags = LG_REQUIRED, .help = ".file that is read"},
	{.name = "max_wait",
	 .type = LG_DURATION,
	 .fallback = "5s",
	 .min = 1000,
	 .max = 600000,
	 .help = "how long a back\\slash waits"},
	{.name = "level",
	 .type = LG_ENUM,
	 .fallback = "info",
	 .choices = "error|info",
	 .help = "how loud"},
	{.name = "words", .type = LG_LIST, .fallback = "no, nein", .help = "in brackets"},
	{.name = "kinds", .type = LG_LIST, .fallback = "[one]", .help = "once"},
	{.name = "more", .type = LG_MAP},
};
static const struct option_table table = OPTION_TABLE(rows);

static void expect(struct buffer *out, const char *text)
{
	buffer_add_byte(out, '\0');
	assert_false(out->failed);
	assert_string_equal(out->data + out->start, text);
	buffer_fini(out);
}

static void prints_text(void **state)
{
	struct buffer out;

	(void)state;
	buffer_init(&out, 1 << 16);
	manual_text(&out, &table);
	expect(&out, "  path (path, required)\n"
		     "      .file that is read\n"
		     "  max_wait (duration, 1s to 10m, default 5s)\n"
		     "      how long a back\\slash waits\n"
		     "  level (error | info, default info)\n"
		     "      how loud\n"
		     "  words (list of strings, default [no, nein])\n"
		     "      in brackets\n"
		     "  kinds (list of strings, default [one])\n"
		     "      once\n"
		     "  more (mapping of strings)\n"
		     "      \n");
}

static void prints_roff(void **state)
{
	struct buffer out;

	(void)state;
	buffer_init(&out, 1 << 16);
	manual_roff(&out, &table);
	expect(&out, ".TP\n\\fBpath\\fR (path, required)\n\\&.file that is read\n"
		     ".TP\n\\fBmax_wait\\fR (duration, 1s to 10m, default 5s)\n"
		     "how long a back\\eslash waits\n"
		     ".TP\n\\fBlevel\\fR (error | info, default info)\nhow loud\n"
		     ".TP\n\\fBwords\\fR (list of strings, default [no, nein])\nin brackets\n"
		     ".TP\n\\fBkinds\\fR (list of strings, default [one])\nonce\n"
		     ".TP\n\\fBmore\\fR (mapping of strings)\n\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_text),
		cmocka_unit_test(prints_roff),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
