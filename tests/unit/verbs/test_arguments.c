#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "verbs/arguments.h"

#define ALL (ARGUMENT_CONFIG | ARGUMENT_JSON | ARGUMENT_COUNT | ARGUMENT_OLDEST)

static struct arguments arguments;

/* Reads "leads -n 3", split at blanks. */
static bool read_line(const char *line, unsigned int options, int least, int most)
{
	static char text[200];
	static char *words[16]; /* the operands point into it afterwards */
	char *rest = text;
	int count = 0;

	memset(words, 0, sizeof(words));
	strcpy(text, line);
	while (rest && *rest)
		words[count++] = strsep(&rest, " ");
	return arguments_read(&arguments, count, words, options, least, most);
}

static void test_options_are_taken(void **state)
{
	(void)state;
	assert_true(read_line("leads -c x.yaml --json -n 3 --oldest", ALL, 0, 0));
	assert_string_equal(arguments.config, "x.yaml");
	assert_true(arguments.json);
	assert_true(arguments.oldest);
	assert_int_equal(arguments.count, 3);
	assert_true(read_line("leads --config y.yaml", ALL, 0, 0));
	assert_string_equal(arguments.config, "y.yaml");
	assert_false(arguments.json);
	assert_int_equal(arguments.count, -1);
}

static void test_configuration_has_a_default(void **state)
{
	(void)state;
	assert_true(read_line("leads", ALL, 0, 0));
	assert_non_null(strstr(arguments.config, "leadgate.yaml"));
	assert_true(read_line("version", ARGUMENT_JSON, 0, 0));
	assert_null(arguments.config);
}

static void test_operands_are_counted(void **state)
{
	(void)state;
	assert_true(read_line("show -c x abc", ALL, 1, 1));
	assert_int_equal(arguments.operand_count, 1);
	assert_string_equal(arguments.operands[0], "abc");
	assert_true(read_line("show abc -c x", ALL, 1, 1)); /* in either order */
	assert_string_equal(arguments.operands[0], "abc");
	assert_false(read_line("show", ALL, 1, 1));
	assert_false(read_line("show a b", ALL, 1, 1));
}

static void test_mistakes_are_told(void **state)
{
	(void)state;
	assert_false(read_line("leads --wrong", ALL, 0, 0));
	assert_false(read_line("leads -c", ALL, 0, 0));
	assert_false(read_line("leads -n three", ALL, 0, 0));
	assert_false(read_line("leads -n -1", ALL, 0, 0));
	assert_false(read_line("leads -n 99999999999999999999", ALL, 0, 0));
	assert_false(read_line("check --json", ARGUMENT_CONFIG, 0, 0));
	assert_false(read_line("check -n 1", ARGUMENT_CONFIG, 0, 0));
	assert_true(read_line("backup file", ARGUMENT_CONFIG, 1, 2));
	assert_false(read_line("backup  file", ARGUMENT_CONFIG, 1, 2)); /* an empty one */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_are_taken),
		cmocka_unit_test(test_configuration_has_a_default),
		cmocka_unit_test(test_operands_are_counted),
		cmocka_unit_test(test_mistakes_are_told),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
