#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above before itself */
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/counter.h"
#include "supervise/access_log.h"

static const struct http_response accepted = {.status = 202, .body = {"yes", 3}};

static int64_t count_of(const char *result)
{
	char labels[64];

	snprintf(labels, sizeof(labels), "result=\"%s\"", result);
	return counter_read(
		counter_register(COUNTER_COUNTER, "leadgate_access_log_lines_total", labels, ""));
}

static struct http_request request_of(const char *method)
{
	return (struct http_request){
		.method = slice_from(method),
		.target = LG_SLICE("/f?token=hidden"),
		.started_us = clock_monotonic_us(),
		.protocol = "http/1.1",
	};
}

/* Writes to the pipe; the test has its other end. */
static struct access_log *log_to(int pipe[2], int64_t queue_bytes)
{
	const struct access_log_settings settings = {.queue_bytes = queue_bytes};
	struct access_log *log = access_log_new();

	assert_non_null(log);
	assert_int_equal(pipe2(pipe, O_CLOEXEC), 0);
	access_log_change(log, &settings, pipe[1]);
	return log;
}

/* All that was written, when the log has ended. */
static const char *read_all(int fd)
{
	static char text[4096];
	size_t length = 0;
	ssize_t size;

	while ((size = read(fd, text + length, sizeof(text) - 1 - length)) > 0)
		length += (size_t)size;
	text[length] = '\0';
	close(fd);
	return text;
}

static void writes_a_line_and_nothing_of_the_sender(void **state)
{
	struct http_request request = request_of("POST"), odd = request_of("ADA");
	int pipe[2];
	struct access_log *log = log_to(pipe, 4096);
	const char *text;

	(void)state;
	access_log_note(log, &request, &accepted, NULL);
	odd.reason = "method";
	access_log_note(log, &odd, &accepted, NULL);
	access_log_stop(log);
	access_log_free(&log);
	text = read_all(pipe[0]);
	assert_non_null(strstr(text, "\"method\":\"POST\",\"status\":202,\"bytes\":3,"));
	assert_non_null(strstr(text, "\"protocol\":\"http/1.1\"}\n"));
	assert_non_null(strstr(text, "\"method\":\"other\""));
	assert_non_null(strstr(text, "\"reason\":\"method\"}\n"));
	assert_null(strstr(text, "hidden"));
	assert_null(strstr(text, "ADA"));
}

static void writes_a_line_for_a_close(void **state)
{
	int pipe[2];
	struct access_log *log = log_to(pipe, 4096);
	const char *text;

	(void)state;
	access_log_note_close(log, CONN_FULL_ADDRESS);
	access_log_stop(log);
	access_log_note_close(log, CONN_FULL);
	access_log_free(&log);
	text = read_all(pipe[0]);
	assert_int_equal(strncmp(text, "{\"time\":\"", 9), 0);
	assert_non_null(strstr(text, "Z\",\"closed\":\"full-address\"}\n"));
	assert_null(strstr(text, "\"full\""));
}

static void drops_what_the_queue_does_not_take(void **state)
{
	struct http_request request = request_of("GET");
	int64_t dropped = count_of("dropped"), written = count_of("written");
	int pipe[2];
	struct access_log *log = log_to(pipe, 10);

	(void)state;
	access_log_note(log, &request, &accepted, NULL);
	access_log_free(&log);
	assert_string_equal(read_all(pipe[0]), "");
	assert_int_equal(count_of("dropped"), dropped + 1);
	assert_int_equal(count_of("written"), written);
}

static void keeps_lines_and_files_in_their_order(void **state)
{
	const struct access_log_settings settings = {.queue_bytes = 4096};
	struct http_request first = request_of("GET"), second = request_of("PUT");
	int before[2], after[2];
	struct access_log *log = log_to(before, 4096);

	(void)state;
	access_log_note(log, &first, &accepted, NULL);
	assert_int_equal(pipe2(after, O_CLOEXEC), 0);
	access_log_change(log, &settings, after[1]);
	access_log_note(log, &second, &accepted, NULL);
	access_log_change(log, &settings, -1);
	access_log_note(log, &first, &accepted, NULL);
	access_log_free(&log);
	assert_non_null(strstr(read_all(before[0]), "\"GET\""));
	assert_non_null(strstr(read_all(after[0]), "\"PUT\""));
}

static void is_off_until_it_is_asked_for(void **state)
{
	const struct access_log_settings none = {.queue_bytes = 4096};
	struct http_request request = request_of("GET");
	struct access_log *log = access_log_new();
	struct error error = {""};
	int64_t written = count_of("written"), dropped = count_of("dropped");
	int fd = 0;

	(void)state;
	assert_true(access_log_prepare(&none, &fd, &error));
	assert_int_equal(fd, -1);
	access_log_note(log, &request, &accepted, NULL);
	access_log_change(log, &none, fd);
	access_log_note(log, &request, &accepted, NULL);
	access_log_free(&log);
	assert_int_equal(count_of("written"), written);
	assert_int_equal(count_of("dropped"), dropped);
}

/* Also when it is taking the mail that the order to stop comes behind. */
static void ends_whenever_it_is_told(void **state)
{
	const struct access_log_settings none = {.queue_bytes = 4096};

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct access_log *log = access_log_new();

		assert_non_null(log);
		access_log_change(log, &none, -1);
		for (volatile int delay = 0; delay < i % 100 * 100; delay++)
			continue;
		access_log_free(&log);
	}
}

static void names_a_file_that_cannot_be_opened(void **state)
{
	const struct access_log_settings settings = {.path = LG_SLICE("/nowhere/access.log")};
	struct error error = {""};
	int fd;

	(void)state;
	assert_false(access_log_prepare(&settings, &fd, &error));
	assert_int_equal(fd, -1);
	assert_non_null(strstr(error.text, "/nowhere/access.log cannot be opened"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_a_line_and_nothing_of_the_sender),
		cmocka_unit_test(writes_a_line_for_a_close),
		cmocka_unit_test(drops_what_the_queue_does_not_take),
		cmocka_unit_test(keeps_lines_and_files_in_their_order),
		cmocka_unit_test(is_off_until_it_is_asked_for),
		cmocka_unit_test(ends_whenever_it_is_told),
		cmocka_unit_test(names_a_file_that_cannot_be_opened),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
