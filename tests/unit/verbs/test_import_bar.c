/* The line that shows an import, and the first rows of a file of refused ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* The line as text, to be freed. */
static char *draw(const struct import_standing *s, int64_t elapsed_ms, int64_t new_rows,
		  size_t width)
{
	struct buffer out;
	char *line;

	buffer_init(&out, SIZE_MAX);
	import_bar(&out, s, elapsed_ms, new_rows, width);
	buffer_add_byte(&out, '\0');
	line = strdup(buffer_slice(&out).data);
	assert_non_null(line);
	buffer_fini(&out);
	return line;
}

static void assert_line(const struct import_standing *s, int64_t elapsed_ms, int64_t new_rows,
			size_t width, const char *expected)
{
	char *line = draw(s, elapsed_ms, new_rows, width);

	assert_string_equal(line, expected);
	free(line);
}

/* What stands behind the bar begins so. */
static void assert_begins(const struct import_standing *s, int64_t elapsed_ms, int64_t new_rows,
			  const char *expected)
{
	char *line = draw(s, elapsed_ms, new_rows, 0);
	char *numbers = strstr(line, "] ");

	assert_non_null(numbers);
	if (strncmp(numbers + 2, expected, strlen(expected)) != 0)
		fail_msg("\"%s\" does not begin with \"%s\"", numbers + 2, expected);
	free(line);
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
	s.bytes_done = s.bytes + 1;
	assert_int_equal(import_bar_percent(&s), 100);
	s.bytes = 0;
	assert_int_equal(import_bar_percent(&s), 0);
}

/* An import of 1,000 rows and 100,000 bytes a second, by a clock that is given: at each
 * second the line says that rate, the time that is left and the per cent, all exact. A part
 * that an earlier run did makes neither the rate higher nor the time shorter. */
static void test_clock(void **state)
{
	const int64_t begun_s[] = {0, 1, 40, 98};

	(void)state;
	for (size_t i = 0; i < sizeof(begun_s) / sizeof(begun_s[0]); i++) {
		for (int64_t second = begun_s[i] + 1; second < 100; second++) {
			struct import_standing s = {.reading = true, .bytes = 10000000};
			char expected[200];

			s.bytes_begun = begun_s[i] * 100000;
			s.bytes_done = second * 100000;
			s.rows = s.created = second * 1000;
			snprintf(expected, sizeof(expected),
				 "%3d %%  %lld,000 rows  1,000/s  %d:%02d left  created %lld,000  ",
				 (int)second, (long long)second, (int)(100 - second) / 60,
				 (int)(100 - second) % 60, (long long)second);
			assert_begins(&s, (second - begun_s[i]) * 1000,
				      (second - begun_s[i]) * 1000, expected);
		}
	}
}

/* Nothing that can be said of a file makes the line say what cannot be. */
static void test_extremes(void **state)
{
	static const int64_t values[] = {0, 1, 2, 499, 500, 501, 99999, INT32_MAX, 1000000000000};
	const size_t count = sizeof(values) / sizeof(values[0]);

	(void)state;
	for (size_t n = 0; n < count * count * count * count; n++) {
		struct import_standing s = {.reading = true,
					    .bytes = values[n % count],
					    .bytes_done = values[n / count % count]};
		int64_t elapsed_ms = values[n / count / count % (count - 1)]; /* 24 days */
		int64_t new_rows = values[n / count / count / count];
		char *line;

		s.rows = new_rows;
		line = draw(&s, elapsed_ms, new_rows, 0);
		assert_in_range(atoi(line + strcspn(line, " ")), 0, 100);
		for (const char *word = line; *word; word++)
			assert_false(*word == '-' || strncmp(word, "nan", 3) == 0 ||
				     strncmp(word, "inf", 3) == 0);
		assert_int_equal(strstr(line, "/s") != NULL, elapsed_ms >= 500);
		if (s.bytes_done == 0 || s.bytes_done >= s.bytes)
			assert_null(strstr(line, " left"));
		free(line);
	}
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
		cmocka_unit_test(test_percent),	     cmocka_unit_test(test_clock),
		cmocka_unit_test(test_extremes),     cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_refusals),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("import_bar", tests, NULL, NULL);
}
