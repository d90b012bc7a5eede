#include "unit.h"

#include "base/real_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[PATH_MAX];

/* Both below the folder. */
static void expect(const char *path, const char *end)
{
	char text[PATH_MAX], real[PATH_MAX], wanted[PATH_MAX + 64];

	snprintf(text, sizeof(text), "/%.4000s/%s", folder, path);
	snprintf(wanted, sizeof(wanted), "%s%s", folder, end);
	assert_true(real_path(slice_from(text), real));
	assert_string_equal(real, wanted);
	assert_true(real_path(slice_from(path), real));
	assert_string_equal(real, wanted);
}

static void what_is_there_loses_its_links(void **state)
{
	(void)state;
	expect("a/b", "/a/b");
	expect("link/file", "/a/b/file");
	expect("link/../b//./", "/a/b");
	expect("absolute/..", "");
}

static void what_is_yet_to_come_is_named_as_if_it_were_there(void **state)
{
	(void)state;
	expect("new", "/new");
	expect("new/./deep//leads.db", "/new/deep/leads.db");
	expect("a/new/../../new/leads.db", "/new/leads.db");
	expect("link/new", "/a/b/new");
	expect("ahead", "/new/leads.db");
	expect("ahead/../other", "/new/other");
}

static void the_root_has_nothing_above(void **state)
{
	char real[PATH_MAX];

	(void)state;
	assert_true(real_path(LG_SLICE("/.."), real));
	assert_string_equal(real, "/");
	assert_true(real_path(LG_SLICE("//../etc/"), real));
	assert_string_equal(real, "/etc");
}

static void what_leads_nowhere_is_said(void **state)
{
	char real[PATH_MAX], name[PATH_MAX];

	(void)state;
	memset(name, 'n', sizeof(name));
	assert_false(real_path((struct lg_slice){NULL, 0}, real));
	assert_false(real_path(LG_SLICE("round/leads.db"), real));
	assert_false(real_path(slice_of(name, sizeof(name)), real));
	assert_false(real_path(slice_of(name, sizeof(name) - 1), real));
}

static int enter_folder(void **state)
{
	char text[] = "/tmp/leadgate-test.XXXXXX", target[PATH_MAX];

	(void)state;
	assert_non_null(mkdtemp(text));
	assert_non_null(realpath(text, folder));
	assert_int_equal(chdir(folder), 0);
	snprintf(target, sizeof(target), "%.4000s/a", folder);
	assert_int_equal(mkdir("a", 0700), 0);
	assert_int_equal(mkdir("a/b", 0700), 0);
	assert_int_equal(symlink("a/../a/b", "link"), 0);
	assert_int_equal(symlink(target, "absolute"), 0);
	assert_int_equal(symlink("new/leads.db", "ahead"), 0);
	assert_int_equal(symlink("round", "round"), 0);
	return 0;
}

static int leave_folder(void **state)
{
	static const char *const links[] = {"link", "absolute", "ahead", "round"};

	(void)state;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		unlink(links[i]);
	return rmdir("a/b") | rmdir("a") | chdir("/") | rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_there_loses_its_links),
		cmocka_unit_test(what_is_yet_to_come_is_named_as_if_it_were_there),
		cmocka_unit_test(the_root_has_nothing_above),
		cmocka_unit_test(what_leads_nowhere_is_said),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
