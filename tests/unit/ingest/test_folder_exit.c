/* How a file leaves the folder in which it was imported: cut after each step, it ends as if
 * nothing had happened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ingest/folder_exit.h"

static char base[64];
static struct folder_files files;

static int set_up(void **state)
{
	struct error error;

	(void)state;
	snprintf(base, sizeof(base), "/tmp/leadgate-test.XXXXXX");
	assert_non_null(mkdtemp(base));
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

static const char *text_of(int folder, const char *name)
{
	static char text[4096];
	int fd = openat(folder, name, O_RDONLY);
	ssize_t length = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

	if (fd >= 0)
		close(fd);
	text[length < 0 ? 0 : length] = '\0';
	return length < 0 ? "(none)" : text;
}

/* Hidden entries count. */
static int count_in(int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY), count = -2;
	DIR *entries = fdopendir(fd);

	assert_non_null(entries);
	while (readdir(entries))
		count++;
	closedir(entries);
	return count;
}

static void begin(struct folder_exit *exit, const char *name, bool failed)
{
	*exit = (struct folder_exit){.failed = failed, .rows = 600, .refused = 7};
	snprintf(exit->name, sizeof(exit->name), "%s", name);
	if (failed)
		snprintf(exit->reason, sizeof(exit->reason), "line 3:\nit is \"so\"\n");
	assert_true(folder_write(files.working, name, "leads"));
	assert_true(folder_exit_begin(&files, exit));
}

/* What a gateway had done when it was killed. */
static void do_steps(const struct folder_exit *exit, int steps)
{
	int to = exit->failed ? files.failed : files.done;
	char hidden[NAME_MAX + 1], rejects[NAME_MAX + 1], reason[NAME_MAX + 1];

	folder_name_hidden(exit->name, hidden);
	folder_name_rejects(exit->other, rejects);
	folder_name_reason(exit->other, reason);
	if (steps > 0)
		assert_true(folder_move(files.working, hidden, to, rejects));
	if (steps > 1 && exit->failed)
		assert_true(folder_write(to, reason, "line"));
	if (steps > 2)
		assert_true(folder_move(files.working, exit->name, to, exit->other));
}

static void check_all_there(const struct folder_exit *exit, const char *other)
{
	int to = exit->failed ? files.failed : files.done;
	char beside[NAME_MAX + 1];

	assert_string_equal(exit->other, other);
	assert_int_equal(exit->rows, 600);
	assert_int_equal(exit->refused, 7);
	assert_string_equal(text_of(to, other), "leads");
	folder_name_rejects(other, beside);
	assert_string_equal(text_of(to, beside), "refused");
	folder_name_reason(other, beside);
	assert_string_equal(text_of(to, beside),
			    exit->failed ? "line 3:\nit is \"so\"\n" : "(none)");
	assert_int_equal(count_in(files.working), 0);
}

static void test_cut_after_each_step(void **state)
{
	static const char *const names[] = {"may.csv", "may-2.csv", "may-3.csv", "may-4.csv"};
	struct folder_exit exit, found;

	(void)state;
	for (int failed = 0; failed < 2; failed++)
		for (int steps = 0; steps < 4; steps++) {
			assert_true(folder_write(files.working, ".may.csv.rejects.csv", "refused"));
			begin(&exit, "may.csv", failed);
			do_steps(&exit, steps);
			memset(&found, 'x', sizeof(found));
			assert_true(folder_exit_find(&files, &found));
			assert_int_equal(found.failed, failed);
			assert_true(folder_exit_finish(&files, &found));
			check_all_there(&found, names[steps]);
			assert_false(folder_exit_find(&files, &found));
			assert_int_equal(errno, ENOENT);
		}
}

static void test_without_refused_rows(void **state)
{
	struct folder_exit exit;

	(void)state;
	begin(&exit, "none.csv", false);
	assert_true(folder_exit_finish(&files, &exit));
	assert_true(folder_write(files.working, ".empty.csv.rejects.csv", ""));
	begin(&exit, "empty.csv", false);
	assert_true(folder_exit_finish(&files, &exit));
	assert_int_equal(count_in(files.working), 0);
	assert_int_equal(count_in(files.done), 2);
}

static void test_odd_names(void **state)
{
	static const char *const names[] = {"a\nb", "12", "x.exit", "-"};
	char wide[NAME_MAX + 1] = "";
	struct folder_exit exit, found;

	(void)state;
	for (int i = 0; i < 4; i++) {
		begin(&exit, names[i], true);
		assert_true(folder_exit_find(&files, &found));
		assert_string_equal(found.name, names[i]);
		assert_string_equal(found.other, names[i]);
		assert_true(folder_exit_finish(&files, &found));
	}
	memset(wide, 'a', FOLDER_NAME_BYTES);
	begin(&exit, wide, false);
	assert_true(folder_exit_find(&files, &found));
	assert_true(folder_exit_finish(&files, &found));
	assert_string_equal(text_of(files.done, wide), "leads");
	assert_int_equal(count_in(files.working), 0);
}

/* A power cut may leave a part of the note, and then nothing was begun. */
static void test_half_a_note(void **state)
{
	static char whole[4096];
	struct folder_exit exit, found;
	int fd;

	(void)state;
	begin(&exit, "may.csv", true);
	snprintf(whole, sizeof(whole), "%s", text_of(files.working, ".may.csv.exit"));
	for (size_t length = 0; length < strlen(whole); length++) {
		fd = openat(files.working, ".may.csv.exit", O_WRONLY | O_CREAT | O_TRUNC, 0600);
		assert_int_equal(write(fd, whole, length), length);
		close(fd);
		assert_false(folder_exit_find(&files, &found));
		assert_string_equal(text_of(files.working, ".may.csv.exit"), "(none)");
	}
	assert_string_equal(text_of(files.working, "may.csv"), "leads");
	assert_int_equal(count_in(files.failed), 0);
}

/* Somebody has taken the name meanwhile: nothing of his is overwritten, and it ends when
 * he is gone. */
static void test_a_name_that_is_taken(void **state)
{
	struct folder_exit exit;

	(void)state;
	begin(&exit, "may.csv", false);
	assert_true(folder_write(files.done, "may.csv", "his"));
	assert_false(folder_exit_finish(&files, &exit));
	assert_int_equal(errno, EEXIST);
	assert_string_equal(text_of(files.done, "may.csv"), "his");
	assert_int_equal(unlinkat(files.done, "may.csv", 0), 0);
	assert_true(folder_exit_finish(&files, &exit));
	assert_string_equal(text_of(files.done, "may.csv"), "leads");
}

static ino_t inode_of(int folder, const char *name)
{
	struct stat status;

	assert_int_equal(fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW), 0);
	return status.st_ino;
}

/* What can be done is done once, however often the rest is tried. */
static void test_the_reason_is_written_once(void **state)
{
	struct folder_exit exit;
	int held;

	(void)state;
	begin(&exit, "may.csv", true);
	assert_true(folder_write(files.failed, "may.csv", "his"));
	assert_false(folder_exit_finish(&files, &exit));
	/* As long as it is open, no other file has its number. */
	held = openat(files.failed, "may.csv.reason.txt", O_RDONLY);
	assert_true(held >= 0);
	ino_t first = inode_of(files.failed, "may.csv.reason.txt");
	assert_false(folder_exit_finish(&files, &exit));
	assert_int_equal(inode_of(files.failed, "may.csv.reason.txt"), first);
	close(held);
	assert_int_equal(unlinkat(files.failed, "may.csv", 0), 0);
	assert_true(folder_exit_finish(&files, &exit));
	assert_string_equal(text_of(files.failed, "may.csv.reason.txt"), "line 3:\nit is \"so\"\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cut_after_each_step, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_without_refused_rows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_odd_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_half_a_note, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_name_that_is_taken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_reason_is_written_once, set_up, tear_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
