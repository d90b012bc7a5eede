/* The folders of a drop folder: what is made, what is left alone, and that nothing is
 * overwritten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ingest/folder_files.h"

static char base[64];
static struct folder_files files;

static int set_up(void **state)
{
	struct error error;

	(void)state;
	snprintf(base, sizeof(base), "/tmp/leadgate-test.XXXXXX");
	assert_non_null(mkdtemp(base));
	assert_int_equal(chmod(base, 0770), 0);
	if (!folder_files_open(&files, slice_from(base), &error))
		fail_msg("%s", error.text);
	return 0;
}

static int tear_down(void **state)
{
	char command[96];

	(void)state;
	folder_files_close(&files);
	snprintf(command, sizeof(command), "rm -r %s", base);
	return system(command);
}

static void make(int folder, const char *name)
{
	int fd = openat(folder, name, O_CREAT | O_EXCL | O_WRONLY, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static bool exists(int folder, const char *name)
{
	return faccessat(folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Whoever may write into the folder may put files into `incoming`. */
static void test_made(void **state)
{
	struct folder_files again;
	struct stat status;
	struct error error;

	(void)state;
	assert_int_equal(fstat(files.incoming, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0770);
	assert_true(folder_files_open(&again, slice_from(base), &error));
	folder_files_close(&again);
	assert_int_equal(again.done, -1);
}

static void test_cannot(void **state)
{
	struct folder_files none;
	struct error error;

	(void)state;
	assert_false(folder_files_open(&none, LG_SLICE("/dev/null/leads"), &error));
	assert_non_null(strstr(error.text, "Not a directory"));
	assert_int_equal(unlinkat(files.incoming, "../working", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("/tmp", files.incoming, "../working"), 0);
	assert_false(folder_files_open(&none, slice_from(base), &error));
	assert_int_equal(none.incoming, -1);
}

static void test_waits(void **state)
{
	(void)state;
	assert_true(folder_name_waits(".hidden.csv"));
	assert_true(folder_name_waits("may.csv.part"));
	assert_true(folder_name_waits("may.tmp"));
	assert_true(folder_name_waits("may.csv.crdownload"));
	assert_false(folder_name_waits("may.csv"));
	assert_false(folder_name_waits("party"));
}

static void test_free_names(void **state)
{
	char out[NAME_MAX + 1], wide[NAME_MAX + 1], beside[NAME_MAX + 1];

	(void)state;
	assert_true(folder_name_free(files.done, "may.csv", out));
	assert_string_equal(out, "may.csv");
	make(files.done, "may.csv");
	assert_true(folder_name_free(files.done, "may.csv", out));
	assert_string_equal(out, "may-2.csv");
	make(files.done, "may-2.csv.rejects.csv");
	assert_true(folder_name_free(files.done, "may.csv", out));
	assert_string_equal(out, "may-3.csv");
	make(files.done, "plain");
	assert_true(folder_name_free(files.done, "plain", out));
	assert_string_equal(out, "plain-2");

	memset(wide, 'a', NAME_MAX);
	memcpy(wide + NAME_MAX - 4, ".csv", 5);
	assert_true(folder_name_free(files.done, wide, out));
	assert_int_equal(strlen(out), FOLDER_NAME_BYTES);
	assert_string_equal(out + FOLDER_NAME_BYTES - 4, ".csv");
	make(files.done, out);
	assert_true(folder_name_free(files.done, wide, out));
	assert_string_equal(out + strlen(out) - 6, "-2.csv");
	folder_name_hidden(out, beside);
	assert_int_equal(beside[0], '.');
	assert_string_equal(beside + strlen(beside) - 16, ".csv.rejects.csv");
}

static void test_move(void **state)
{
	(void)state;
	make(files.incoming, "may.csv");
	make(files.working, "may.csv");
	assert_false(folder_move(files.incoming, "may.csv", files.working, "may.csv"));
	assert_int_equal(errno, EEXIST);
	assert_true(folder_move(files.incoming, "may.csv", files.working, "june.csv"));
	assert_false(exists(files.incoming, "may.csv"));
	assert_false(folder_move(files.incoming, "may.csv", files.working, "july.csv"));
	assert_int_equal(errno, ENOENT);
}

static void test_write(void **state)
{
	(void)state;
	assert_true(folder_write(files.failed, "a.reason.txt", "no\n"));
	assert_false(folder_write(files.failed, "a.reason.txt", "other\n"));
	assert_int_equal(errno, EEXIST);
	assert_true(exists(files.failed, "a.reason.txt"));
}

static void test_open(void **state)
{
	struct error error;
	struct stat status;
	int fd;

	(void)state;
	make(files.working, "may.csv");
	assert_int_equal(symlinkat("may.csv", files.working, "link.csv"), 0);
	assert_int_equal(mkfifoat(files.working, "pipe.csv", 0600), 0);
	fd = folder_open(files.working, "may.csv", &status, &error);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(folder_open(files.working, "link.csv", &status, &error), -1);
	assert_int_equal(folder_open(files.working, "pipe.csv", &status, &error), -1);
	assert_string_equal(error.text, "it is no regular file");
	assert_int_equal(folder_open(files.working, "none.csv", &status, &error), -1);
}

static int taken;

static bool take(void *arg, const char *name, const struct stat *status)
{
	(void)status;
	assert_string_equal(name, "may.csv");
	taken++;
	return arg != NULL;
}

static void test_each(void **state)
{
	int64_t others;

	(void)state;
	make(files.incoming, "may.csv");
	make(files.incoming, "june.csv.part");
	make(files.incoming, ".may.csv");
	assert_int_equal(symlinkat("may.csv", files.incoming, "link.csv"), 0);
	assert_int_equal(mkdirat(files.incoming, "folder.csv", 0700), 0);
	assert_true(folder_each(files.incoming, take, &taken, &others));
	assert_int_equal(taken, 1);
	assert_int_equal(others, 2);
	assert_true(folder_each(files.incoming, take, NULL, &others));
	assert_int_equal(taken, 2);
	assert_false(folder_each(-1, take, NULL, &others));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_made, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cannot, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_waits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_free_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_move, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_write, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_open, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_each, set_up, tear_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("folder_files", tests, NULL, NULL);
}
