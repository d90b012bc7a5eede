/* The line that shows an import, and the first rows of a file of refused ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "verbs/import_bar.h"
#include "verbs/import_refusals.h"

static struct import_standing standing = {
	.reading = true,
	.bytes = 1000000,
	.bytes_done = 450000,
	.rows = 4500,
	.created = 4000,
	.touched = 300,
	.refused = 200,
};

static void assert_line(const struct import_standing *s, int64_t elapsed_ms, int64_t new_rows,
			size_t width, const char *expected)
{
	struct buffer out;

	buffer_init(&out, SIZE_MAX);
	import_bar(&out, s, elapsed_ms, new_rows, width);
	buffer_add_byte(&out, '\0');
	assert_string_equal(buffer_slice(&out).data, expected);
	buffer_fini(&out);
}

static void test_line(void **state)
{
	(void)state;
	assert_line(&standing, 1000, 4500, 0,
		    "[#########...........]  45 %  4,500 rows  4,500/s  0:01 left  created 4,000  "
		    "touched 300  held 0  rejected 200");
}

/* Of what was done before this run neither the rate nor the time left knows. */
static void test_resumed(void **state)
{
	struct import_standing s = standing;

	(void)state;
	s.bytes_begun = 440000;
	s.repeated = 7;
	assert_line(&s, 100000, 10, 0,
		    "[#########...........]  45 %  4,500 rows  0/s  1:31:40 left  created 4,000  "
		    "touched 300  held 0  rejected 200  repeated 7");
}

static void test_first_moment(void **state)
{
	const struct import_standing empty = {.reading = true};
	const struct import_standing checking = {.bytes = 10, .bytes_done = 5};

	(void)state;
	assert_line(&empty, 0, 0, 0,
		    "[....................]   0 %  0 rows  created 0  touched 0  held 0  rejected "
		    "0");
	assert_line(&checking, 0, 0, 0,
		    "[##########..........]  50 %  looking whether this file was imported before");
}

static void test_width(void **state)
{
	(void)state;
	assert_line(&standing, 1000, 4500, 90,
		    " 45 %  4,500 rows  4,500/s  0:01 left  created 4,000  touched 300  held 0  "
		    "rejected 200");
	assert_line(&standing, 1000, 4500, 17, " 45 %  4,500 rows");
	assert_line(&standing, 1000, 4500, 2, " 4");
}

/* A hundred is said only when all is done. */
static void test_percent(void **state)
{
	struct import_standing s = {.bytes = INT64_C(3000000000000)};

	(void)state;
	s.bytes_done = s.bytes - 1;
	assert_int_equal(import_bar_percent(&s), 99);
	s.bytes_done = s.bytes;
	assert_int_equal(import_bar_percent(&s), 100);
	s.bytes = 0;
	assert_int_equal(import_bar_percent(&s), 0);
}

static void assert_number(int64_t number, const char *expected)
{
	struct buffer out;

	buffer_init(&out, SIZE_MAX);
	import_bar_number(&out, number);
	buffer_add_byte(&out, '\0');
	assert_string_equal(buffer_slice(&out).data, expected);
	buffer_fini(&out);
}

static void test_numbers(void **state)
{
	(void)state;
	assert_number(0, "0");
	assert_number(999, "999");
	assert_number(1000, "1,000");
	assert_number(1234567, "1,234,567");
	assert_number(-1000, "-1,000");
	assert_number(-100, "-100");
}

static void test_refusals(void **state)
{
	struct import_refusal refusals[IMPORT_REFUSALS_MAX];
	const char text[] = "leadgate_line;leadgate_reason;mail\r\n"
			    "3;no way;\"a\nb\"\r\n"
			    "12;\"one; and \"\"two\"\"\";c\r\n"
			    "x;no number;d\r\n"
			    "15;cut o";

	(void)state;
	assert_int_equal(import_refusals(slice_from(text), refusals), 2);
	assert_int_equal(refusals[0].line, 3);
	assert_true(slice_is(refusals[0].reason, "no way"));
	assert_int_equal(refusals[1].line, 12);
	assert_true(slice_is(refusals[1].reason, "one; and \"\"two\"\""));
	assert_int_equal(import_refusals(LG_SLICE(""), refusals), 0);
	assert_int_equal(import_refusals(LG_SLICE("header\n7\n8,\n"), refusals), 1);
	assert_int_equal(refusals[0].line, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),	     cmocka_unit_test(test_resumed),
		cmocka_unit_test(test_first_moment), cmocka_unit_test(test_width),
		cmocka_unit_test(test_percent),	     cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_refusals),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("import_bar", tests, NULL, NULL);
}
