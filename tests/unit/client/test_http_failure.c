#include "unit.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "caller.h"
#include "client/http_client.h"
#include "server.h"

static struct caller caller;
static struct server server;
static struct caller_answer got;
static int descriptors;

static int set_up(void **state)
{
	(void)state;
	descriptors = caller_descriptors();
	caller_init(&caller);
	return 0;
}

/* Whatever a test did, nothing stays open. */
static int tear_down(void **state)
{
	(void)state;
	caller_close(&caller);
	if (server.port)
		server_stop(&server);
	server.port = 0;
	return caller_descriptors() == descriptors ? 0 : -1;
}

static void start(void (*serve)(struct server *server, int fd))
{
	server_start(&server, serve);
	caller_open(&caller);
}

static void get(void)
{
	caller_get(&caller, "127.0.0.1", server.port, &got);
}

/* With more time while it is up before that can be seen. */
static void get_until(enum http_result wanted)
{
	do
		get();
	while (caller_needs_longer(&got, wanted, &caller.settings.timeout_ms));
}

static void assert_result(enum http_result wanted)
{
	if (got.answer.result != wanted)
		fail_msg("%s (%s), not %s", http_result_name(got.answer.result), got.answer.reason,
			 http_result_name(wanted));
}

static void a_refused_connection_is_connect_failed(void **state)
{
	uint16_t port;
	int held = server_hold_port(&port);

	(void)state;
	caller_open(&caller);
	caller_get(&caller, "127.0.0.1", port, &got);
	close(held);
	assert_result(HTTP_CONNECT_FAILED);
	assert_int_equal(got.answer.status, 0);
	assert_false(http_result_sent(got.answer.result));
}

/* A full backlog drops what comes: nobody answers. */
static void a_black_hole_is_connect_timeout(void **state)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	int fillers[8];

	(void)state;
	caller.settings.connect_timeout_ms = 150;
	start(NULL);
	assert_int_equal(getsockname(server.fd, (void *)&address, &size), 0);
	for (int i = 0; i < 8; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		connect(fillers[i], (void *)&address, size);
	}
	get();
	assert_result(HTTP_CONNECT_TIMEOUT);
	for (int i = 0; i < 8; i++)
		close(fillers[i]);
}

static void serve_silence(struct server *s, int fd)
{
	char request[SERVER_REQUEST_BYTES];

	if (server_read(s, fd, request))
		server_wait(fd);
}

static void no_answer_in_time_is_timeout_sent(void **state)
{
	char said[32];

	(void)state;
	caller.settings.timeout_ms = 200;
	start(serve_silence);
	get_until(HTTP_TIMEOUT_SENT);
	assert_result(HTTP_TIMEOUT_SENT);
	assert_true(http_result_sent(got.answer.result));
	snprintf(said, sizeof(said), "%lld ms", (long long)caller.settings.timeout_ms);
	assert_non_null(strstr(got.answer.reason, said));
}

/* With one connection a host the second call waits for the first. */
static void waiting_for_a_connection_is_timeout_unsent(void **state)
{
	static struct caller_answer first;
	char url[64];
	struct http_call call = {.method = LG_SLICE("GET")};
	int64_t timeout_ms = 200;
	int rounds = 0;

	(void)state;
	caller.settings.host_connections_max = 1;
	start(serve_silence);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", server.port);
	call.url = slice_from(url);
	do {
		call.timeout_ms = 2 * timeout_ms;
		assert_non_null(caller_send(&caller, &call, &first));
		call.timeout_ms = timeout_ms;
		assert_non_null(caller_send(&caller, &call, &got));
		caller_wait(&caller);
		assert_result(HTTP_TIMEOUT_UNSENT);
		rounds++;
	} while (caller_needs_longer(&first, HTTP_TIMEOUT_SENT, &timeout_ms));
	assert_int_equal(first.answer.result, HTTP_TIMEOUT_SENT);
	assert_true(server.requests <= rounds);
}

static void serve_hang_up(struct server *s, int fd)
{
	char request[SERVER_REQUEST_BYTES];

	server_read(s, fd, request);
}

static void a_lost_connection_is_no_answer(void **state)
{
	(void)state;
	start(serve_hang_up);
	get();
	assert_result(HTTP_NO_ANSWER);
	assert_true(http_result_sent(got.answer.result));
}

static void serve_garbage(struct server *s, int fd)
{
	char request[SERVER_REQUEST_BYTES];

	if (server_read(s, fd, request))
		server_say(fd, "SSH-2.0-OpenSSH_9.2\r\nmore\r\n\r\n");
}

static void what_is_no_http_is_answer_broken(void **state)
{
	(void)state;
	start(serve_garbage);
	get();
	assert_result(HTTP_ANSWER_BROKEN);
}

static void serve_long_head(struct server *s, int fd)
{
	char request[SERVER_REQUEST_BYTES];

	if (!server_read(s, fd, request) || !server_say(fd, "HTTP/1.1 200 OK\r\n"))
		return;
	while (server_say(fd, "X-More: and more and more and more and more\r\n"))
		continue;
}

static void an_endless_head_is_broken_off(void **state)
{
	(void)state;
	start(serve_long_head);
	get();
	assert_result(HTTP_ANSWER_BROKEN);
	assert_true(got.answer.head.length <= 2048);
}

static void serve_reset(struct server *s, int fd)
{
	char request[SERVER_REQUEST_BYTES];
	const struct linger now = {.l_onoff = 1, .l_linger = 0};

	if (!server_read(s, fd, request))
		return;
	server_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void a_body_cut_short_is_answer_cut(void **state)
{
	(void)state;
	start(serve_reset);
	get();
	assert_result(HTTP_ANSWER_CUT);
	assert_int_equal(got.answer.status, 200);
	assert_true(got.answer.body_cut);
}

static void serve_stalled_body(struct server *s, int fd)
{
	char request[SERVER_REQUEST_BYTES];

	if (server_read(s, fd, request) &&
	    server_say(fd, "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 9\r\n\r\nhalf"))
		server_wait(fd);
}

static void a_stalled_body_is_answer_cut(void **state)
{
	(void)state;
	caller.settings.timeout_ms = 200;
	start(serve_stalled_body);
	get_until(HTTP_ANSWER_CUT);
	assert_result(HTTP_ANSWER_CUT);
	assert_int_equal(got.answer.status, 503);
	assert_slice_is(got.answer.body, "half");
	assert_slice_is(http_answer_header(&got.answer, "Retry-After"), "7");
}

static void serve_endless_body(struct server *s, int fd)
{
	static const char piece[1000] = "body";
	char request[SERVER_REQUEST_BYTES];

	if (!server_read(s, fd, request) || !server_say(fd, "HTTP/1.0 200 OK\r\n\r\n"))
		return;
	while (server_write(fd, piece, sizeof(piece)))
		continue;
}

static void an_endless_body_is_broken_off(void **state)
{
	(void)state;
	start(serve_endless_body);
	get();
	assert_result(HTTP_ANSWERED);
	assert_int_equal(got.answer.status, 200);
	assert_int_equal(got.answer.version, 10);
	assert_int_equal(got.answer.body.length, 1000);
	assert_true(got.answer.body_cut);
	assert_in_range(got.answer.body_bytes, 20001, 200000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		CASE(a_refused_connection_is_connect_failed),
		CASE(a_black_hole_is_connect_timeout),
		CASE(no_answer_in_time_is_timeout_sent),
		CASE(waiting_for_a_connection_is_timeout_unsent),
		CASE(a_lost_connection_is_no_answer),
		CASE(what_is_no_http_is_answer_broken),
		CASE(an_endless_head_is_broken_off),
		CASE(a_body_cut_short_is_answer_cut),
		CASE(a_stalled_body_is_answer_cut),
		CASE(an_endless_body_is_broken_off),
	};
	return RUN(tests);
}
