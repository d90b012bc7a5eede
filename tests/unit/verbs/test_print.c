/* What goes to a terminal: nothing that a lead contains may move its cursor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "verbs/print.h"

static struct buffer out;

static const char *text(void)
{
	buffer_add_byte(&out, '\0');
	return out.failed ? "" : out.data + out.start;
}

static const char *cell(const char *content, size_t width)
{
	buffer_clear(&out);
	print_cell(&out, slice_from(content), width);
	return text();
}

static void test_cell_has_its_width(void **state)
{
	(void)state;
	assert_string_equal(cell("ab", 4), "ab  ");
	assert_string_equal(cell("abcdef", 4), "abcd");
	assert_string_equal(cell("M\xc3\xbcller", 3), "M\xc3\xbcl");
	assert_string_equal(cell("abc", 0), "abc");
	assert_string_equal(cell(NULL, 2), "  ");
}

static void test_cell_hides_control_characters(void **state)
{
	(void)state;
	assert_string_equal(cell("a\x1b[2Jb\n\x7f", 0), "a?[2Jb??");
	assert_string_equal(cell("\xc2\x9b"
				 "2J",
				 0),
			    "?2J"); /* the C1 form of ESC [ */
	assert_string_equal(cell("\xff"
				 "a",
				 0),
			    "?a");
}

static void test_record_is_a_line_a_value(void **state)
{
	struct arena arena;
	const struct json *record;

	(void)state;
	arena_init(&arena, 1024, 0);
	record = json_parse(
		&arena, LG_SLICE("{\"a\":{\"b\":\"c\\nd\"},\"n\":1.10,\"l\":[true,{\"x\":null}]}"),
		NULL);
	assert_non_null(record);
	buffer_clear(&out);
	print_flat(&out, record);
	assert_string_equal(text(), "a.b                                c?d\n"
				    "n                                  1.10\n"
				    "l[0]                               true\n"
				    "l[1].x                             null\n");
	arena_fini(&arena);
}

static void test_json_hides_control_characters(void **state)
{
	char *written = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&written, &length);

	(void)state;
	assert_non_null(stream);
	assert_true(print_escaped(stream, LG_SLICE("{\"a\":\"\x7f\xc2\x80\xc2\x9b"
						   "2J\xc2\xa0\xc3\x9b\xe2\x82\xac\"}\n\xc2")));
	assert_true(print_escaped(stream, LG_SLICE("")));
	fclose(stream);
	assert_string_equal(written, "{\"a\":\"\\u007f\\u0080\\u009b"
				     "2J\xc2\xa0\xc3\x9b\xe2\x82\xac\"}\n\xc2");
	free(written);
}

static int set_up(void **state)
{
	(void)state;
	buffer_init(&out, SIZE_MAX);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	buffer_fini(&out);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cell_has_its_width),
		cmocka_unit_test(test_cell_hides_control_characters),
		cmocka_unit_test(test_json_hides_control_characters),
		cmocka_unit_test(test_record_is_a_line_a_value),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
