/* Descriptors over a unix socket: they arrive with the bytes, and none is left open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervise/rights.h"

static int pair[2];

static int set_up(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
}

static int tear_down(void **state)
{
	(void)state;
	close(pair[0]);
	close(pair[1]);
	return 0;
}

/* The lowest descriptor that is free: nothing was left open when it is the same. */
static int lowest_free(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static void test_file_arrives(void **state)
{
	int file = memfd_create("file", 0), files[RIGHTS_MAX], lowest;
	char room[16], text[8] = "";
	size_t count = 0;

	(void)state;
	assert_int_equal(pwrite(file, "leads", 5, 0), 5);
	lowest = lowest_free();
	assert_int_equal(rights_send(pair[0], "hello", 5, &file, 1), 5);
	assert_int_equal(rights_receive(pair[1], room, sizeof(room), files, &count), 5);
	assert_memory_equal(room, "hello", 5);
	assert_int_equal(count, 1);
	assert_int_equal(fcntl(files[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(pread(files[0], text, 5, 0), 5);
	assert_string_equal(text, "leads");
	close(files[0]);
	assert_int_equal(lowest_free(), lowest);
	close(file);
}

static void test_none(void **state)
{
	int files[RIGHTS_MAX];
	char room[16];
	size_t count = 0;

	(void)state;
	assert_int_equal(rights_send(pair[0], "hello", 5, NULL, 0), 5);
	assert_int_equal(rights_receive(pair[1], room, sizeof(room), files, &count), 5);
	assert_int_equal(count, 0);
	shutdown(pair[0], SHUT_WR);
	assert_int_equal(rights_receive(pair[1], room, sizeof(room), files, &count), 0);
}

/* Whoever sends more than there may be fills nobody's table. */
static void test_too_many(void **state)
{
	int some[RIGHTS_MAX] = {0, 0}, files[RIGHTS_MAX], lowest = lowest_free();
	char room[1];
	size_t count = 0;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(rights_send(pair[0], "x", 1, some, RIGHTS_MAX), 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(rights_receive(pair[1], room, 1, files, &count), 1);
	assert_int_equal(count, RIGHTS_MAX);
	for (size_t i = 0; i < count; i++)
		close(files[i]);
	assert_int_equal(lowest_free(), lowest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_file_arrives, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_too_many, set_up, tear_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("rights", tests, NULL, NULL);
}
