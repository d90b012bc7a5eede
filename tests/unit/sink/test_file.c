/* The file sink, linked in: what it writes, and what it does about files that
 * are torn, full, moved away or not files at all. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "host/instance.h"
#include "host/services.h"
#include "sink/batch.h"
#include "sink/lane.h"

extern const struct lg_plugin plugin_file;

/* The settings by their names, as the rows say where they stand. */
static void set_setting(void *settings, const char *name, const void *value, size_t size)
{
	for (size_t i = 0; i < plugin_file.option_count; i++)
		if (strcmp(plugin_file.options[i].name, name) == 0) {
			memcpy((char *)settings + plugin_file.options[i].offset, value, size);
			return;
		}
	fail_msg("no option %s", name);
}

static struct desk {
	char folder[64], path[PATH_MAX];
	struct lg_services services;
	struct library library;
	struct instance instance;
	struct mailbox wake;
	struct batch batch;
	_Alignas(16) char settings[512];
	int64_t seq;
	char json[64][256];
} desk;

static void set_text(const char *name, const char *value)
{
	struct lg_slice text = slice_from(value);
	set_setting(desk.settings, name, &text, sizeof(text));
}

static void set_number(const char *name, int64_t value)
{
	set_setting(desk.settings, name, &value, sizeof(value));
}

static int desk_init(void **state)
{
	struct error error = {""};

	(void)state;
	memset(&desk, 0, sizeof(desk));
	log_setup(2, LOG_LOGFMT, LG_LOG_ERROR);
	snprintf(desk.folder, sizeof(desk.folder), "/tmp/test_file-XXXXXX");
	if (!mkdtemp(desk.folder) || !mailbox_init(&desk.wake))
		return -1;
	snprintf(desk.path, sizeof(desk.path), "%s/leads.ndjson", desk.folder);
	services_init(&desk.services);
	sink_services_add(&desk.services);
	if (!descriptor_read(&plugin_file, "static", &desk.library, &error))
		return -1;
	desk.instance = (struct instance){
		.host = {&desk.services},
		.library = &desk.library,
		.name = LG_SLICE("archive"),
		.sink = *plugin_file.sink,
		.settings = desk.settings,
		.description = LG_SLICE("sink archive"),
	};
	set_text("path", desk.path);
	set_text("mode", "0640");
	batch_init(&desk.batch, &desk.services, &desk.wake);
	return 0;
}

static int desk_fini(void **state)
{
	char command[128];

	(void)state;
	instance_close(&desk.instance);
	batch_fini(&desk.batch);
	mailbox_fini(&desk.wake);
	snprintf(command, sizeof(command), "rm -rf '%s'", desk.folder);
	return system(command);
}

static void open_sink(void)
{
	struct error error = {""};

	if (!instance_open(&desk.instance, &error))
		fail_msg("%s", error.text);
}

static void refused(const char *word)
{
	struct error error = {""};

	if (instance_open(&desk.instance, &error))
		fail_msg("was opened");
	if (!strstr(error.text, word))
		fail_msg("\"%s\" does not say \"%s\"", error.text, word);
}

/* Delivers `count` events and returns their outcome, which must be one. */
static struct lg_settlement deliver(size_t count)
{
	struct lg_settlement first, answer;

	assert_true(count <= 64 && batch_reset(&desk.batch, count));
	for (size_t i = 0; i < count; i++) {
		long long seq = ++desk.seq;
		int n = snprintf(desk.json[i], sizeof(desk.json[i]),
				 "{\"seq\":%lld,\"lead\":{\"x\":\"%0100lld\"}}", seq, seq);
		desk.batch.events[i] = (struct batch_event){
			.seq = seq,
			.json = slice_of(desk.json[i], (size_t)n),
		};
	}
	assert_int_equal(desk.instance.sink.deliver(desk.instance.state, &desk.batch.handle, 0),
			 LG_OK);
	assert_int_equal(batch_unsettled(&desk.batch), 0);
	batch_answer(&desk.batch, 0, &first);
	for (size_t i = 1; i < count; i++) {
		batch_answer(&desk.batch, i, &answer);
		assert_int_equal(answer.outcome, first.outcome);
	}
	return first;
}

static void delivered(size_t count)
{
	struct lg_settlement answer = deliver(count);

	if (answer.outcome != LG_DELIVERED)
		fail_msg("outcome %d: %.*s", answer.outcome, SLICE_ARGS(answer.reason));
}

static void spew(const char *path, const char *text, size_t size)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, size, file), size);
	fclose(file);
}

/* Every line must be whole; marks which seqs are there. Returns the lines. */
static int read_seqs(const char *path, unsigned char *seen, size_t capacity)
{
	static char line[4096];
	FILE *file = fopen(path, "r");
	int lines = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		size_t length = strlen(line);
		long long seq;
		if (line[length - 1] != '\n' || strcmp(line + length - 4, "\"}}\n") != 0 ||
		    sscanf(line, "{\"seq\":%lld,", &seq) != 1)
			fail_msg("%s: torn line %d: %s", path, lines + 1, line);
		if (seen && seq > 0 && (size_t)seq < capacity)
			seen[seq] = 1;
		lines++;
	}
	fclose(file);
	return lines;
}

static int count_files(const char *part)
{
	DIR *dir = opendir(desk.folder);
	int count = 0;

	for (struct dirent *entry; (entry = readdir(dir));)
		count += strstr(entry->d_name, part) != NULL;
	closedir(dir);
	return count;
}

/* ---- writing --------------------------------------------------------------- */

static void test_appends_lines(void **state)
{
	struct stat file;

	(void)state;
	umask(077);
	open_sink();
	delivered(1);
	delivered(64);
	assert_int_equal(read_seqs(desk.path, NULL, 0), 65);
	assert_int_equal(stat(desk.path, &file), 0);
	assert_int_equal(file.st_mode & 0777, 0640); /* whatever the umask is */
	instance_close(&desk.instance);
	open_sink();
	delivered(2);
	assert_int_equal(read_seqs(desk.path, NULL, 0), 67);
}

static void test_makes_its_folder(void **state)
{
	char path[PATH_MAX];

	(void)state;
	snprintf(path, sizeof(path), "%s/var/leads.ndjson", desk.folder);
	set_text("path", path);
	open_sink();
	delivered(1);
	assert_int_equal(read_seqs(path, NULL, 0), 1);
	instance_close(&desk.instance);
	snprintf(path, sizeof(path), "%s/no/such/leads.ndjson", desk.folder);
	refused("cannot be opened: No such file or directory");
}

/* ---- after a crash --------------------------------------------------------- */

/* Reads of one byte, of which the sink makes one alone, fail while this is set. */
static bool reads_fail;

ssize_t __real_pread(int fd, void *out, size_t size, off_t at);
ssize_t __wrap_pread(int fd, void *out, size_t size, off_t at);

ssize_t __wrap_pread(int fd, void *out, size_t size, off_t at)
{
	if (!reads_fail || size != 1)
		return __real_pread(fd, out, size, at);
	errno = EIO;
	return -1;
}

static void test_torn_line_is_cut(void **state)
{
	static const struct {
		const char *text;
		size_t size, kept;
	} torn[] = {
#define TORN(text, kept) {text, sizeof(text) - 1, kept}
		TORN("{\"seq\":1,\"\"}}\n{\"seq\":2,\"le", 14),
		TORN("{\"seq\":1", 0),
		TORN("{\"seq\":1,\"\"}}\n", 14),
		TORN("", 0),
		/* Blocks before others that reached the disk read as zeros. */
		TORN("{\"seq\":1,\"\"}}\n{\"se\0\0\0\0\"}}\n{\"seq\":3,\"\"}}\n", 14),
		TORN("{\"seq\":1,\"\"}}\n\0\0\0\0\0\0\0\0", 14),
		TORN("\0\0\0\0{\"seq\":1,\"\"}}\n", 0),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(torn) / sizeof(torn[0]); i++) {
		struct stat file;
		spew(desk.path, torn[i].text, torn[i].size);
		open_sink();
		assert_int_equal(stat(desk.path, &file), 0);
		if ((size_t)file.st_size != torn[i].kept)
			fail_msg("case %zu: %lld bytes are left", i, (long long)file.st_size);
		delivered(1);
		instance_close(&desk.instance);
		assert_int_equal(read_seqs(desk.path, NULL, 0), torn[i].kept ? 2 : 1);
	}
}

/* Another program may have written it, or a crash took the line feed alone. */
static void test_whole_line_gets_its_line_feed(void **state)
{
	static const char *const whole[] = {
		"{\"seq\":1,\"lead\":{\"a\":\"b\"}}",
		"{\"seq\":1,\"l\":{\"a\":\"x\"}}\n{\"seq\":2,\"l\":{\"a\":\"\\\"}{\\\\\"}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		struct stat file;
		spew(desk.path, whole[i], strlen(whole[i]));
		open_sink();
		assert_int_equal(stat(desk.path, &file), 0);
		assert_int_equal(file.st_size, strlen(whole[i]) + 1);
		delivered(1);
		instance_close(&desk.instance);
		assert_int_equal(read_seqs(desk.path, NULL, 0), 2 + i);
	}
	spew(desk.path, "{}\n{ } \r", 8);
	open_sink();
	instance_close(&desk.instance);
}

/* Longer than the blocks in which it is read. */
static void test_long_whole_line(void **state)
{
	static char text[200000];
	struct stat file;

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "{\"", 2);
	memcpy(text + sizeof(text) - 2, "\"}", 2);
	spew(desk.path, text, sizeof(text));
	open_sink();
	assert_int_equal(stat(desk.path, &file), 0);
	assert_int_equal(file.st_size, sizeof(text) + 1);
}

/* A long torn line: longer than the blocks in which it is looked for. */
static void test_long_torn_line(void **state)
{
	static char text[300000];
	struct stat file;

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "{\"seq\":1,\"\"}}\n{", 15);
	spew(desk.path, text, sizeof(text));
	open_sink();
	assert_int_equal(stat(desk.path, &file), 0);
	assert_int_equal(file.st_size, 14);
}

/* What is not ours is not cut. */
static void test_foreign_file_is_left_alone(void **state)
{
	static const char *const foreign[] = {
		"root:x:0:0:root\nno line feed at the end",
		"{\"seq\":1}\n{\"email\":\"ada@old.example\"}, {\"email\":",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		struct stat file;
		spew(desk.path, foreign[i], strlen(foreign[i]));
		refused("does not end with a line that this sink wrote");
		assert_int_equal(stat(desk.path, &file), 0);
		assert_int_equal(file.st_size, strlen(foreign[i]));
	}
}

/* Killed in mid-write, over and over: what was acknowledged is there, and after
 * the next open every line is whole. */
static void test_kill(void **state)
{
	enum { ROUNDS = 25, SEQS = 1000000 };
	unsigned char *acknowledged = calloc(1, SEQS), *seen = calloc(1, SEQS);

	(void)state;
	set_number("rotate_size", 20000);
	for (int round = 0; round < ROUNDS; round++) {
		int ends[2];
		int64_t seq;
		int most = 3 + round * 2;
		assert_int_equal(pipe(ends), 0);
		pid_t child = fork();
		if (child == 0) {
			struct error error;
			if (!instance_open(&desk.instance, &error))
				_exit(1);
			for (;;) {
				deliver(1 + (size_t)desk.seq % 60);
				if (write(ends[1], &desk.seq, sizeof(desk.seq)) < 0)
					_exit(2);
			}
		}
		assert_true(child > 0);
		close(ends[1]);
		while (most-- > 0 && read(ends[0], &seq, sizeof(seq)) == sizeof(seq))
			for (int64_t i = desk.seq + 1; i <= seq; i++)
				acknowledged[desk.seq = i] = 1;
		kill(child, SIGKILL);
		while (read(ends[0], &seq, sizeof(seq)) == sizeof(seq))
			for (int64_t i = desk.seq + 1; i <= seq; i++)
				acknowledged[desk.seq = i] = 1;
		assert_int_equal(waitpid(child, NULL, 0), child);
		close(ends[0]);
	}
	open_sink();
	delivered(1);
	instance_close(&desk.instance);
	DIR *dir = opendir(desk.folder);
	for (struct dirent *entry; (entry = readdir(dir));) {
		char path[PATH_MAX + 300];
		snprintf(path, sizeof(path), "%s/%s", desk.folder, entry->d_name);
		if (entry->d_name[0] != '.')
			read_seqs(path, seen, SEQS);
	}
	closedir(dir);
	for (int64_t i = 1; i < desk.seq; i++)
		if (acknowledged[i] && !seen[i])
			fail_msg("event %lld was acknowledged and is not there", (long long)i);
	assert_true(count_files("ndjson.2") > 3);
	free(acknowledged);
	free(seen);
}

/* ---- no room --------------------------------------------------------------- */

static void limit_files(rlim_t bytes)
{
	struct rlimit limit = {bytes, RLIM_INFINITY};

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_no_room(void **state)
{
	struct lg_settlement answer;
	struct stat file;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	open_sink();
	delivered(10);
	limit_files(2000);
	for (int i = 0; i < 3; i++) {
		answer = deliver(30);
		assert_int_equal(answer.outcome, LG_RETRY);
		assert_true(answer.reason.length > 0);
		assert_int_equal(read_seqs(desk.path, NULL, 0), 10);
	}
	limit_files(RLIM_INFINITY);
	delivered(30);
	assert_int_equal(read_seqs(desk.path, NULL, 0), 40);
	assert_int_equal(stat(desk.path, &file), 0);
}

/* ---- rotation -------------------------------------------------------------- */

static void test_rotates_by_size(void **state)
{
	(void)state;
	set_number("rotate_size", 1000);
	open_sink();
	for (int i = 0; i < 5; i++)
		delivered(10); /* about 1400 bytes */
	assert_int_equal(count_files("leads.ndjson."), 4);
	assert_int_equal(read_seqs(desk.path, NULL, 0), 10);
}

static void test_rotated_names(void **state)
{
	DIR *dir;

	(void)state;
	set_number("rotate_size", 1);
	open_sink();
	delivered(1);
	delivered(1);
	dir = opendir(desk.folder);
	for (struct dirent *entry; (entry = readdir(dir));) {
		unsigned int year, month, day, hour, minute, second, ms;
		char z, end;
		if (!strstr(entry->d_name, "ndjson."))
			continue;
		assert_int_equal(strlen(entry->d_name), strlen("leads.ndjson.20260102T030405678Z"));
		assert_int_equal(sscanf(entry->d_name, "leads.ndjson.%4u%2u%2uT%2u%2u%2u%3u%c%c",
					&year, &month, &day, &hour, &minute, &second, &ms, &z,
					&end),
				 8);
		assert_true(year >= 2024 && month <= 12 && day <= 31 && z == 'Z');
	}
	closedir(dir);
}

static void test_keeps_as_many_as_it_is_told(void **state)
{
	char other[PATH_MAX];

	(void)state;
	snprintf(other, sizeof(other), "%s/leads.ndjson.20000101T000000000Z.gz", desk.folder);
	spew(other, "x", 1);
	set_number("rotate_size", 1);
	set_number("keep", 3);
	open_sink();
	for (int i = 0; i < 8; i++)
		delivered(1);
	assert_int_equal(count_files("leads.ndjson."), 4); /* three, and what is not ours */
	assert_int_equal(access(other, F_OK), 0);
	assert_int_equal(read_seqs(desk.path, NULL, 0), 1);
}

static void test_rotates_by_time(void **state)
{
	struct timespec earlier[2] = {{0, UTIME_OMIT}, {0, 0}};

	(void)state;
	set_number("rotate_interval", INT64_C(30) * 86400000);
	open_sink();
	delivered(1);
	delivered(1);
	assert_int_equal(count_files("leads.ndjson."), 0);
	earlier[1].tv_sec = time(NULL) - 60 * 86400;
	assert_int_equal(utimensat(AT_FDCWD, desk.path, earlier, 0), 0);
	delivered(1);
	assert_int_equal(count_files("leads.ndjson."), 1);
	assert_int_equal(read_seqs(desk.path, NULL, 0), 1);
	assert_int_equal(utimensat(AT_FDCWD, desk.path, earlier, 0), 0);
	instance_close(&desk.instance); /* the time is the file's, not the process's */
	open_sink();
	delivered(1);
	assert_int_equal(count_files("leads.ndjson."), 2);
}

/* ---- others at the file ---------------------------------------------------- */

static void test_moved_away(void **state)
{
	char moved[PATH_MAX + 8];

	(void)state;
	snprintf(moved, sizeof(moved), "%s.1", desk.path);
	open_sink();
	delivered(3);
	assert_int_equal(rename(desk.path, moved), 0);
	delivered(2);
	assert_int_equal(read_seqs(moved, NULL, 0), 3);
	assert_int_equal(read_seqs(desk.path, NULL, 0), 2);
	assert_int_equal(unlink(desk.path), 0);
	delivered(1);
	assert_int_equal(read_seqs(desk.path, NULL, 0), 1);
	assert_int_equal(truncate(desk.path, 0), 0); /* logrotate's copytruncate */
	delivered(4);
	assert_int_equal(read_seqs(desk.path, NULL, 0), 4);
}

static void test_second_writer_is_refused(void **state)
{
	struct instance second;
	struct error error = {""};

	(void)state;
	open_sink();
	second = desk.instance;
	second.opened = false;
	assert_false(instance_open(&second, &error));
	assert_non_null(strstr(error.text, "already written by another sink or gateway"));
	instance_close(&desk.instance);
	assert_true(instance_open(&second, &error));
	instance_close(&second);
}

/* What a disk cannot say now it may say later: nobody has to look at the file. */
static void test_retries_a_failed_read(void **state)
{
	struct lg_settlement answer;
	char other[PATH_MAX + 8];

	(void)state;
	open_sink();
	delivered(1);
	snprintf(other, sizeof(other), "%s.other", desk.path);
	assert_int_equal(rename(desk.path, other), 0);
	spew(desk.path, "{\"seq\":7", 8);
	reads_fail = true;
	answer = deliver(1);
	reads_fail = false;
	assert_int_equal(answer.outcome, LG_RETRY);
	assert_non_null(memmem(answer.reason.data, answer.reason.length, "Input/output", 12));
	delivered(1);
	assert_int_equal(read_seqs(desk.path, NULL, 0), 1);
}

static void test_parks_when_a_person_must_act(void **state)
{
	struct lg_settlement answer;

	(void)state;
	open_sink();
	delivered(1);
	assert_int_equal(unlink(desk.path), 0);
	assert_int_equal(mkdir(desk.path, 0700), 0);
	answer = deliver(1);
	assert_int_equal(answer.outcome, LG_PARK);
	assert_true(answer.reason.length > 0);
	assert_int_equal(rmdir(desk.path), 0);
	delivered(1);
}

/* ---- settings -------------------------------------------------------------- */

static void unfit(const char *path, const char *mode, const char *word)
{
	char text[512] = "";

	set_text("path", path);
	set_text("mode", mode);
	assert_int_equal(
		plugin_file.sink->check(desk.settings, (struct lg_text){text, sizeof(text)}),
		LG_FAIL);
	if (!strstr(text, word))
		fail_msg("\"%s\" does not say \"%s\"", text, word);
}

static void test_check(void **state)
{
	char text[512] = "", fifo[PATH_MAX];

	(void)state;
	assert_int_equal(
		plugin_file.sink->check(desk.settings, (struct lg_text){text, sizeof(text)}),
		LG_OK);
	assert_int_equal(access(desk.path, F_OK), -1); /* looking has no effect */
	unfit("", "0600", "path must name a file");
	unfit("/tmp/", "0600", "is a folder: name a file in it");
	unfit("/tmp", "0600", "is a folder");
	unfit("/dev/null", "0600", "is a device");
	unfit("/tmp/x", "rw-r--r--", "mode must be octal");
	unfit("/tmp/x", "0400", "mode must be octal");
	unfit("/tmp/x", "01777", "mode must be octal");
	unfit("/tmp/x", "", "mode must be octal");
	snprintf(fifo, sizeof(fifo), "%s/pipe", desk.folder);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	unfit(fifo, "0600", "is a pipe");
	set_text("mode", "0600");
	refused("is a pipe");
}

int main(void)
{
#define AT_A_DESK(test) cmocka_unit_test_setup_teardown(test, desk_init, desk_fini)
	const struct CMUnitTest tests[] = {
		AT_A_DESK(test_appends_lines),
		AT_A_DESK(test_makes_its_folder),
		AT_A_DESK(test_torn_line_is_cut),
		AT_A_DESK(test_whole_line_gets_its_line_feed),
		AT_A_DESK(test_long_whole_line),
		AT_A_DESK(test_long_torn_line),
		AT_A_DESK(test_foreign_file_is_left_alone),
		AT_A_DESK(test_kill),
		AT_A_DESK(test_no_room),
		AT_A_DESK(test_rotates_by_size),
		AT_A_DESK(test_rotated_names),
		AT_A_DESK(test_keeps_as_many_as_it_is_told),
		AT_A_DESK(test_rotates_by_time),
		AT_A_DESK(test_moved_away),
		AT_A_DESK(test_second_writer_is_refused),
		AT_A_DESK(test_retries_a_failed_read),
		AT_A_DESK(test_parks_when_a_person_must_act),
		AT_A_DESK(test_check),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
