#include "unit.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LIMIT_BYTES 64

/* One folder a test, with a path in it. */
struct fixture {
	char folder[32], path[64];
	struct arena arena;
	struct lg_slice bytes;
	struct error error;
};

static int setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){.folder = "/tmp/leadgate-file-XXXXXX"};
	if (!mkdtemp(fixture.folder))
		return -1;
	snprintf(fixture.path, sizeof(fixture.path), "%s/x", fixture.folder);
	arena_init(&fixture.arena, 256, 0);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	arena_fini(&f->arena);
	unlink(f->path);
	rmdir(f->path);
	return rmdir(f->folder);
}

static void fill(const struct fixture *f, size_t size)
{
	int fd = open(f->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

	assert_true(fd >= 0);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
}

static bool reads(struct fixture *f, const char *path)
{
	return file_read(path, LIMIT_BYTES, &f->arena, &f->bytes, NULL, &f->error);
}

static void a_regular_file_is_read_up_to_its_bound(void **state)
{
	struct fixture *f = *state;
	mode_t mode;

	fill(f, LIMIT_BYTES);
	assert_true(file_read(f->path, LIMIT_BYTES, &f->arena, &f->bytes, &mode, &f->error));
	assert_int_equal(f->bytes.length, LIMIT_BYTES);
	assert_int_equal(mode & 0777, 0640);
	assert_true(file_check(f->path, LIMIT_BYTES, &f->error));
	fill(f, LIMIT_BYTES + 1);
	assert_false(reads(f, f->path));
	assert_string_equal(f->error.text, "is larger than 64 bytes");
	assert_false(file_check(f->path, LIMIT_BYTES, &f->error));
	assert_string_equal(f->error.text, "it is larger than 64 bytes");
	fill(f, 0);
	assert_true(reads(f, f->path));
	assert_int_equal(f->bytes.length, 0);
	unlink(f->path);
	assert_false(reads(f, f->path));
	assert_string_equal(f->error.text, "cannot be read: No such file or directory");
	assert_false(file_check(f->path, LIMIT_BYTES, &f->error));
	assert_string_equal(f->error.text, "No such file or directory");
}

static void expect_kind(struct fixture *f, const char *path, const char *kind)
{
	char text[128];

	assert_false(reads(f, path));
	snprintf(text, sizeof(text), "cannot be read: it is %s, and must be a regular file", kind);
	assert_string_equal(f->error.text, text);
	assert_false(file_check(path, LIMIT_BYTES, &f->error));
	assert_string_equal(f->error.text, text + strlen("cannot be read: "));
}

/* The pipe has no writer: who waited for one would wait for ever. */
static void what_is_no_regular_file_is_named(void **state)
{
	struct fixture *f = *state;

	expect_kind(f, f->folder, "a folder");
	expect_kind(f, "/dev/zero", "a device");
	assert_int_equal(mkfifo(f->path, 0600), 0);
	expect_kind(f, f->path, "a pipe");
}

static void a_socket_is_refused(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, f->path, strlen(f->path) + 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_false(reads(f, f->path));
	assert_string_equal(f->error.text, "cannot be read: No such device or address");
	close(fd);
}

static void input_may_be_a_pipe(void **state)
{
	struct fixture *f = *state;
	char path[32];
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "hello", 5), 5);
	close(ends[1]);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
	assert_true(file_read_input(path, LIMIT_BYTES, &f->arena, &f->bytes, &f->error));
	assert_slice_is(f->bytes, "hello");
	close(ends[0]);
	assert_false(file_read_input("/dev/zero", LIMIT_BYTES, &f->arena, &f->bytes, &f->error));
	assert_string_equal(f->error.text, "is larger than 64 bytes");
	assert_false(file_read_input(f->folder, LIMIT_BYTES, &f->arena, &f->bytes, &f->error));
	assert_string_equal(f->error.text, "cannot be read: Is a directory");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_regular_file_is_read_up_to_its_bound),
		TEST(what_is_no_regular_file_is_named),
		TEST(a_socket_is_refused),
		TEST(input_may_be_a_pipe),
	};

	return RUN(tests);
}
