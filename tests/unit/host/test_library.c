/* Files that are plugins, and files that are none. They stand in the build
 * tree's tests/plugin, which LG_BUILDDIR names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <leadgate/sink.h>

#include "base/slice.h"
#include "host/library.h"

static char folder[4096];

static int setup(void **state)
{
	const char *build = getenv("LG_BUILDDIR");

	(void)state;
	snprintf(folder, sizeof(folder), "%s/tests/plugin", build ? build : ".");
	library_set_path(folder);
	return 0;
}

static void refused(const char *name, const char *word)
{
	struct error error = {""};

	if (library_load(slice_from(name), &error))
		fail_msg("%s was loaded", name);
	if (!strstr(error.text, word))
		fail_msg("%s: \"%s\" does not say \"%s\"", name, error.text, word);
}

/* First of all, for what is loaded is found anywhere. */
static void test_no_plugin_at_all(void **state)
{
	(void)state;
	library_set_path("/nowhere");
	refused("failing_sink", "in /nowhere; there are: none (core.plugin_path and");
	library_set_path(folder);
}

static void test_load(void **state)
{
	struct error error = {""};
	const struct library *library = library_load(LG_SLICE("failing_sink"), &error);

	(void)state;
	if (!library)
		fail_msg("%s", error.text);
	assert_string_equal(library->plugin.name, "failing_sink");
	assert_int_equal(library->plugin.kind, LG_SINK);
	assert_non_null(strstr(library->path, "tests/plugin/failing_sink.so"));
	assert_ptr_equal(library, library_load(LG_SLICE("failing_sink"), &error));
	assert_ptr_equal(library, library_load_file(library->path, &error));
}

static void test_refusals_name_file_and_numbers(void **state)
{
	(void)state;
	refused("later", "later.so: plugin later needs plugin ABI 0.99, this gateway has 0.4");
	refused("major", "major.so: plugin major was written for plugin ABI 42.0");
	refused("stranger", "stranger.so: is no leadgate plugin");
	refused("shrunk", "shrunk.so: plugin shrunk has a descriptor of 24 bytes");
	refused("nothing", "nothing.so: is no leadgate plugin: it exports no symbol");
	refused("misnamed", "name the file other-name.so");
}

static void test_what_was_refused_for_its_name_is_not_there(void **state)
{
	(void)state;
	refused("misnamed", "the plugin in it is called other-name");
	refused("other-name", "no plugin \"other-name\"");
}

static void test_no_such_plugin(void **state)
{
	(void)state;
	refused("failing_sing", "did you mean \"failing_sink\"?");
	refused("wholly-unknown", "there are: claimer, failing_sink, failing_source");
	refused("../plugin/failing_sink", "no plugin");
	refused("", "no plugin");
}

static void test_file_that_is_no_library(void **state)
{
	char path[4200], missing[4200];
	struct error error = {""};
	FILE *file;

	(void)state;
	snprintf(missing, sizeof(missing), "%s/not-there.so", folder);
	assert_null(library_load_file(missing, &error));
	assert_non_null(strstr(error.text, "not-there.so: cannot be read: No such file"));
	snprintf(path, sizeof(path), "%s/text.so", folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("not a library", file);
	fclose(file);
	assert_null(library_load_file(path, &error));
	assert_non_null(strstr(error.text, "text.so: cannot be loaded"));
	remove(path);
}

struct seen {
	size_t count;
	char last[64];
	char problems[4096];
};

static void see(void *arg, const struct library *library)
{
	struct seen *seen = arg;

	assert_true(strcmp(seen->last, library->plugin.name) < 0); /* sorted */
	snprintf(seen->last, sizeof(seen->last), "%s", library->plugin.name);
	seen->count++;
}

static void hear(void *arg, const char *text)
{
	struct seen *seen = arg;

	strncat(seen->problems, text, sizeof(seen->problems) - strlen(seen->problems) - 1);
}

static void test_each(void **state)
{
	struct seen seen = {.count = 0};
	size_t handed = library_each(see, hear, &seen);

	(void)state;
	assert_int_equal(handed, seen.count);
	assert_true(seen.count >= 2);
	assert_non_null(strstr(seen.problems, "later"));
	assert_non_null(strstr(seen.problems, "42.0"));
}

static int32_t deliver(void *instance, struct lg_batch *batch, int64_t deadline)
{
	(void)instance;
	(void)batch;
	(void)deadline;
	return LG_OK;
}

static void test_static_plugin(void **state)
{
	static const struct lg_sink_operations operations = {.size = sizeof(operations),
							     .deliver = deliver};
	static const struct lg_plugin plugin = {LG_PLUGIN_HEAD(0, 1, "linked-in"), .kind = LG_SINK,
						.sink = &operations};
	static const struct lg_plugin bad = {LG_PLUGIN_HEAD(0, 7, "bad"), .kind = LG_SINK};
	struct error error = {""};
	const struct library *library;

	(void)state;
	assert_true(library_add_static(&plugin, &error));
	assert_true(library_add_static(&plugin, &error)); /* twice does no harm */
	library = library_load(LG_SLICE("linked-in"), &error);
	assert_non_null(library);
	assert_string_equal(library->path, "static");
	assert_false(library_add_static(&bad, &error));
	assert_non_null(strstr(error.text, "static: plugin bad needs plugin ABI 0.7"));
}

static void test_without_a_path(void **state)
{
	struct error error = {""};

	(void)state;
	library_set_path(NULL);
	assert_null(library_load(LG_SLICE("webform"), &error));
	assert_non_null(strstr(error.text, "no plugin \"webform\""));
	library_set_path(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_plugin_at_all),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_refusals_name_file_and_numbers),
		cmocka_unit_test(test_what_was_refused_for_its_name_is_not_there),
		cmocka_unit_test(test_no_such_plugin),
		cmocka_unit_test(test_file_that_is_no_library),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_static_plugin),
		cmocka_unit_test(test_without_a_path),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("library", tests, setup, NULL);
}
