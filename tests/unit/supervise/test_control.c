/* The control socket: both ends of it, on a path as long as paths may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervise/control.h"

static struct gateway gateway;
static struct settings settings;
static pthread_t thread;
static char folder[1024], store[1200], sock[1210];

static void *serve(void *arg)
{
	loop_run(arg);
	return NULL;
}

static int set_up(void **state)
{
	struct error error = {0};
	size_t length;

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/leadgate-test.XXXXXX");
	assert_non_null(mkdtemp(folder));
	/* Beyond the 107 bytes that an address may have. */
	for (int i = 0; i < 3; i++) {
		length = strlen(folder);
		snprintf(folder + length, sizeof(folder) - length, "/%060d", i);
		assert_int_equal(mkdir(folder, 0700), 0);
	}
	snprintf(store, sizeof(store), "%s/store.db", folder);
	snprintf(sock, sizeof(sock), "%s.sock", store);
	settings = (struct settings){.store.path = slice_from(store)};
	gateway = (struct gateway){.settings = &settings, .loop = loop_new()};
	assert_non_null(gateway.loop);
	if (!control_open(&gateway, &error))
		fail_msg("%s", error.text);
	assert_int_equal(pthread_create(&thread, NULL, serve, gateway.loop), 0);
	return 0;
}

static int tear_down(void **state)
{
	char *slash;

	(void)state;
	loop_stop(gateway.loop);
	pthread_join(thread, NULL);
	control_close(&gateway.control);
	loop_free(&gateway.loop);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(rmdir(folder), 0); /* empty: the socket is gone */
		slash = strrchr(folder, '/');
		*slash = '\0';
	}
	return 0;
}

static bool call(const char *request, struct buffer *answer, bool *absent)
{
	struct error error = {0};

	return control_call(slice_from(store), request, answer, absent, &error);
}

static void test_command_is_answered(void **state)
{
	struct buffer answer;
	bool absent;

	(void)state;
	buffer_init(&answer, SIZE_MAX);
	assert_true(call("{\"command\":\"dance\"}", &answer, &absent));
	assert_non_null(memmem(answer.data, buffer_length(&answer), "unknown command", 15));
	buffer_clear(&answer);
	assert_true(call("dance", &answer, &absent));
	assert_non_null(memmem(answer.data, buffer_length(&answer), "\"error\"", 7));
	buffer_fini(&answer);
}

static void test_socket_is_private(void **state)
{
	struct stat status;

	(void)state;
	assert_int_equal(stat(sock, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
}

static void test_absence_is_told_from_failure(void **state)
{
	struct error error = {0};
	struct buffer answer;
	char other[1300];
	bool absent = false;

	(void)state;
	buffer_init(&answer, SIZE_MAX);
	snprintf(other, sizeof(other), "%s/other.db", folder);
	assert_false(control_call(slice_from(other), "{}", &answer, &absent, &error));
	assert_true(absent);
	assert_false(control_call(LG_SLICE("/nonexistent/folder/store.db"), "{}", &answer, &absent,
				  &error));
	assert_true(absent);
	assert_false(control_call(LG_SLICE("/dev/null/store.db"), "{}", &answer, &absent, &error));
	assert_false(absent);
	assert_true(strlen(error.text) > 0);
	buffer_fini(&answer);
}

static void test_too_many_clients_are_refused(void **state)
{
	int fds[CONTROL_CLIENTS + 1], dir;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct error error = {0};
	bool absent;
	char byte;

	(void)state;
	assert_true(control_address(slice_from(store), &dir, address.sun_path,
				    sizeof(address.sun_path), &absent, &error));
	for (int i = 0; i <= CONTROL_CLIENTS; i++) {
		fds[i] = socket(AF_UNIX, SOCK_STREAM, 0);
		assert_int_equal(connect(fds[i], (struct sockaddr *)&address, sizeof(address)), 0);
	}
	/* The last one is closed at once, the others may speak. */
	assert_int_equal(read(fds[CONTROL_CLIENTS], &byte, 1), 0);
	assert_int_equal(write(fds[0], "{}\n", 3), 3);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	for (int i = 0; i <= CONTROL_CLIENTS; i++)
		close(fds[i]);
	close(dir);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_command_is_answered),
		TEST(test_socket_is_private),
		TEST(test_absence_is_told_from_failure),
		TEST(test_too_many_clients_are_refused),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
