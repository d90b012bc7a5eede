#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
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

static void assert_result(enum http_result wanted)
{
	if (got.answer.result != wanted)
		fail_msg("%s (%s), not %s", http_result_name(got.answer.result), got.answer.reason,
			 http_result_name(wanted));
}

static void serve_echo(struct server *s, int fd)
{
	char request[SERVER_REQUEST_BYTES], head[128];

	while (server_read(s, fd, request)) {
		snprintf(head, sizeof(head), "HTTP/1.1 201 Created\r\nContent-Length: %zu\r\n\r\n",
			 strlen(request));
		if (!server_say(fd, head) || !server_say(fd, request))
			break;
	}
}

static void answers_with_status_head_and_body(void **state)
{
	(void)state;
	start(serve_echo);
	get();
	assert_result(HTTP_ANSWERED);
	assert_int_equal(got.answer.status, 201);
	assert_int_equal(got.answer.version, 11);
	assert_string_equal(got.answer.address, "127.0.0.1");
	assert_false(got.answer.body_cut);
	assert_int_equal(got.answer.body_bytes, got.answer.body.length);
	assert_true(slice_starts(got.answer.body, "GET /path HTTP/1.1\r\n"));
	assert_non_null(strstr(got.body, "\r\nUser-Agent: leadgate-test\r\n"));
	assert_null(strstr(got.body, "Content-Type"));
	assert_true(slice_present(http_answer_header(&got.answer, "content-LENGTH")));
	assert_false(slice_present(http_answer_header(&got.answer, "content")));
}

static void sends_method_headers_and_body(void **state)
{
	const struct lg_pair headers[] = {
		{LG_SLICE("Authorization"), LG_SLICE("Bearer abc")},
		{LG_SLICE("Content-Type"), LG_SLICE("application/json")},
		{LG_SLICE("X-Empty"), LG_SLICE("")},
		{LG_SLICE("User-Agent"), LG_SLICE("mine")},
	};
	struct http_call call = {.method = LG_SLICE("PUT"),
				 .headers = headers,
				 .header_count = 4,
				 .body = LG_SLICE("{\"a\":1}")};
	char url[64];

	(void)state;
	start(serve_echo);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/a?b=c#d", server.port);
	call.url = slice_from(url);
	assert_non_null(caller_send(&caller, &call, &got));
	caller_wait(&caller);
	assert_result(HTTP_ANSWERED);
	assert_true(slice_starts(got.answer.body, "PUT /a?b=c HTTP/1.1\r\n"));
	assert_non_null(strstr(got.body, "\r\nAuthorization: Bearer abc\r\n"));
	assert_non_null(strstr(got.body, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(got.body, "\r\nX-Empty:\r\n"));
	assert_non_null(strstr(got.body, "\r\nUser-Agent: mine\r\n"));
	assert_non_null(strstr(got.body, "\r\nContent-Length: 7\r\n"));
	assert_null(strstr(got.body, "Expect"));
	assert_true(slice_ends(got.answer.body, "\r\n\r\n{\"a\":1}"));

	call = (struct http_call){.method = LG_SLICE("POST"), .url = slice_from(url)};
	assert_non_null(caller_send(&caller, &call, &got));
	caller_wait(&caller);
	assert_true(slice_starts(got.answer.body, "POST /a"));
	assert_non_null(strstr(got.body, "\r\nContent-Length: 0\r\n"));
	assert_null(strstr(got.body, "Content-Type"));
}

static void refuses_what_cannot_be_sent(void **state)
{
	static const char *const urls[] = {
		"",
		"ftp://127.0.0.1/",
		"file:///etc/passwd",
		"127.0.0.1",
		"http://",
		"http://user:pw@127.0.0.1/",
		"http://127.0.0.1:99999/",
		"http://[fe80::1%25eth0]/",
		"http://a b/",
		"gopher://x/",
		"http://\xC3\xBC.test/",
	};
	const struct lg_pair pairs[] = {
		{LG_SLICE("A\r\nB"), LG_SLICE("x")},
		{LG_SLICE("A"), LG_SLICE("x\r\nB: y")},
		{LG_SLICE(""), LG_SLICE("x")},
		{LG_SLICE("A:"), LG_SLICE("x")},
		{LG_SLICE("A"), LG_SLICE("x\0y")},
		{LG_SLICE("Content-Length"), LG_SLICE("5")},
		{LG_SLICE("transfer-encoding"), LG_SLICE("chunked")},
	};
	static const char *const methods[] = {"", "GET /", "CONNECT", "A\r\n",
					      "LONGER-THAN-ANY-METHOD-IS"};
	struct http_call call = {.method = LG_SLICE("GET")};
	char url[64];

	(void)state;
	start(server_answer_ok);
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		call.url = slice_from(urls[i]);
		assert_non_null(caller_send(&caller, &call, &got));
		assert_int_equal(got.answer.result, HTTP_RESULT_COUNT); /* never from within */
		caller_wait(&caller);
		if (got.answer.result != HTTP_CALL_INVALID)
			fail_msg("'%s': %s", urls[i], http_result_name(got.answer.result));
		assert_null(strstr(got.answer.reason, "pw"));
	}
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", server.port);
	call.url = slice_from(url);
	call.header_count = 1;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		call.headers = &pairs[i];
		assert_non_null(caller_send(&caller, &call, &got));
		caller_wait(&caller);
		assert_result(HTTP_CALL_INVALID);
	}
	call.header_count = 0;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		call.method = slice_from(methods[i]);
		assert_non_null(caller_send(&caller, &call, &got));
		caller_wait(&caller);
		assert_result(HTTP_CALL_INVALID);
	}
	assert_int_equal(server.accepted, 0);
}

static void serve_silence(struct server *s, int fd)
{
	char request[SERVER_REQUEST_BYTES];

	if (server_read(s, fd, request))
		server_wait(fd);
}

static void a_call_may_have_its_own_time(void **state)
{
	char url[64], said[32];
	struct http_call call = {.method = LG_SLICE("GET"), .timeout_ms = 120};

	(void)state;
	start(serve_silence);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", server.port);
	call.url = slice_from(url);
	do {
		snprintf(said, sizeof(said), "%lld ms", (long long)call.timeout_ms);
		assert_non_null(caller_send(&caller, &call, &got));
		caller_wait(&caller);
	} while (caller_needs_longer(&got, HTTP_TIMEOUT_SENT, &call.timeout_ms));
	assert_result(HTTP_TIMEOUT_SENT);
	assert_non_null(strstr(got.answer.reason, said));
}

static void serve_long_body(struct server *s, int fd)
{
	char request[SERVER_REQUEST_BYTES], body[5000];

	memset(body, 'b', sizeof(body));
	while (server_read(s, fd, request))
		if (!server_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n") ||
		    !server_write(fd, body, sizeof(body)))
			break;
}

static void a_body_is_kept_in_part_and_the_connection_whole(void **state)
{
	(void)state;
	start(serve_long_body);
	for (int i = 0; i < 3; i++) {
		get();
		assert_result(HTTP_ANSWERED);
		assert_int_equal(got.answer.body.length, 1000);
		assert_int_equal(got.answer.body_bytes, 5000);
		assert_true(got.answer.body_cut);
		assert_int_equal(got.answer.reused, i > 0);
	}
	assert_int_equal(server.accepted, 1);
}

static void serve_redirect(struct server *s, int fd)
{
	char request[SERVER_REQUEST_BYTES];

	while (server_read(s, fd, request))
		if (!server_say(fd, "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n"
				    "Content-Length: 0\r\n\r\n"))
			break;
}

static void redirects_are_not_followed(void **state)
{
	(void)state;
	start(serve_redirect);
	get();
	assert_result(HTTP_ANSWERED);
	assert_int_equal(got.answer.status, 302);
	assert_slice_is(http_answer_header(&got.answer, "location"), "/elsewhere");
	assert_int_equal(server.requests, 1);
}

static void serve_interim(struct server *s, int fd)
{
	char request[SERVER_REQUEST_BYTES];

	while (server_read(s, fd, request))
		if (!server_say(fd, "HTTP/1.1 103 Early Hints\r\nX-A: early\r\n\r\n"
				    "HTTP/1.1 202 Accepted\r\nX-A:  late \r\n"
				    "Transfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n"
				    "2\r\nok\r\n0\r\nX-A: trailer\r\nX-T: 1\r\n\r\n"))
			break;
}

static void the_final_head_counts(void **state)
{
	(void)state;
	start(serve_interim);
	get();
	assert_result(HTTP_ANSWERED);
	assert_int_equal(got.answer.status, 202);
	assert_slice_is(http_answer_header(&got.answer, "X-A"), "late");
	assert_false(slice_present(http_answer_header(&got.answer, "X-T")));
	assert_slice_is(got.answer.body, "ok");
}

static void many_calls_share_few_connections(void **state)
{
	static struct caller_answer answers[60];
	char url[64];
	struct http_call call = {.method = LG_SLICE("POST"), .body = LG_SLICE("x")};

	(void)state;
	caller.settings.calls_max = 60;
	caller.settings.host_connections_max = 4;
	start(server_answer_ok);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", server.port);
	call.url = slice_from(url);
	for (int i = 0; i < 60; i++)
		assert_non_null(caller_send(&caller, &call, &answers[i]));
	assert_int_equal(http_client_calls(caller.client), 60);
	assert_null(caller_send(&caller, &call, &got));
	caller_wait(&caller);
	for (int i = 0; i < 60; i++) {
		got = answers[i];
		assert_result(HTTP_ANSWERED);
		assert_slice_is(got.answer.body, "ok");
	}
	assert_int_equal(http_client_calls(caller.client), 0);
	assert_int_equal(server.requests, 60);
	assert_in_range(server.accepted, 1, 4);
}

static void a_cancelled_call_is_never_done(void **state)
{
	char url[64];
	struct http_call call = {.method = LG_SLICE("GET")};
	struct http_exchange *exchange;
	static struct caller_answer other;

	(void)state;
	start(serve_echo);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", server.port);
	call.url = slice_from(url);
	exchange = http_client_send(caller.client, &call, NULL, NULL);
	assert_non_null(exchange);
	assert_non_null(caller_send(&caller, &call, &other));
	http_exchange_cancel(&exchange);
	assert_null(exchange);
	caller_wait(&caller);
	assert_int_equal(other.answer.result, HTTP_ANSWERED);
	assert_int_equal(http_client_calls(caller.client), 0);
}

static void on_done_free(void *context, const struct http_answer *answer)
{
	struct caller *c = context;

	assert_int_equal(answer->result, HTTP_ANSWERED);
	http_client_free(&c->client);
	loop_stop(c->loop);
}

static void a_client_may_be_freed_by_its_last_word(void **state)
{
	char url[64];
	struct http_call call = {.method = LG_SLICE("GET")};

	(void)state;
	start(server_answer_ok);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", server.port);
	call.url = slice_from(url);
	assert_non_null(http_client_send(caller.client, &call, on_done_free, &caller));
	assert_non_null(http_client_send(caller.client, &call, on_done_free, &caller));
	loop_run(caller.loop);
	assert_null(caller.client);
}

static void a_client_may_be_freed_with_calls_under_way(void **state)
{
	char url[64];
	struct http_call call = {
		.method = LG_SLICE("POST"), .body = LG_SLICE("x"), .timeout_ms = 150};
	static struct caller_answer timed;

	(void)state;
	start(serve_silence);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", server.port);
	call.url = slice_from(url);
	assert_non_null(caller_send(&caller, &call, &timed));
	call.timeout_ms = 0;
	for (int i = 0; i < 5; i++)
		assert_non_null(http_client_send(caller.client, &call, NULL, NULL));
	caller_wait(&caller);
	assert_int_equal(http_client_calls(caller.client), 5);
}

static void on_done_again(void *context, const struct http_answer *answer)
{
	struct http_call *call = context;

	assert_int_equal(answer->result, HTTP_ANSWERED);
	if (server.requests < 5)
		assert_non_null(http_client_send(caller.client, call, on_done_again, call));
	else
		loop_stop(caller.loop);
}

static void done_may_send_again(void **state)
{
	char url[64];
	struct http_call call = {.method = LG_SLICE("GET")};

	(void)state;
	start(server_answer_ok);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", server.port);
	call.url = slice_from(url);
	assert_non_null(http_client_send(caller.client, &call, on_done_again, &call));
	loop_run(caller.loop);
	assert_int_equal(server.requests, 5);
	assert_int_equal(server.accepted, 1);
}

static void private_addresses_are_refused(void **state)
{
	static const char *const hosts[] = {"127.0.0.1",  "[::1]",	     "localhost",
					    "2130706433", "0x7f.1",	     "[::ffff:127.0.0.1]",
					    "10.0.0.1",	  "169.254.169.254", "0"};

	(void)state;
	caller.settings.allow_private = false;
	start(server_answer_ok);
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		caller_get(&caller, hosts[i], server.port, &got);
		if (got.answer.result != HTTP_ADDRESS_PRIVATE)
			fail_msg("%s: %s", hosts[i], got.answer.reason);
	}
	assert_int_equal(server.accepted, 0);
}

/* The setting changes after the addresses were looked at, as if the name had
 * been bound to another one meanwhile. */
static void the_socket_itself_is_looked_at(void **state)
{
	char url[64];
	struct http_call call = {.method = LG_SLICE("GET")};

	(void)state;
	start(server_answer_ok);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", server.port);
	call.url = slice_from(url);
	assert_non_null(caller_send(&caller, &call, &got));
	caller.settings.allow_private = false;
	caller_wait(&caller);
	assert_result(HTTP_ADDRESS_PRIVATE);
	assert_int_equal(server.accepted, 0);

	caller.settings.allow_private = true;
	get();
	assert_result(HTTP_ANSWERED);
	assert_non_null(caller_send(&caller, &call, &got));
	caller.settings.allow_private = false; /* the connection is there already */
	caller_wait(&caller);
	assert_result(HTTP_ADDRESS_PRIVATE);
	assert_int_equal(server.requests, 1);
}

static void wrong_settings_are_named(void **state)
{
	char folder[] = "/tmp/leadgate-hosts-XXXXXX", pipe[64];
	struct error error;
	struct http_client *client;

	(void)state;
	caller.loop = loop_new();
	assert_non_null(mkdtemp(folder));
	snprintf(pipe, sizeof(pipe), "%s/pipe", folder);
	caller.settings.nameserver = LG_SLICE("ns.example");
	client = http_client_new(caller.loop, &caller.settings, &error);
	assert_null(client);
	assert_non_null(strstr(error.text, "'ns.example' is no address"));
	caller.settings.nameserver = (struct lg_slice){0};
	caller.settings.hosts_file = LG_SLICE("/nowhere/hosts");
	assert_null(http_client_new(caller.loop, &caller.settings, &error));
	assert_non_null(strstr(error.text, "/nowhere/hosts"));
	assert_int_equal(mkfifo(pipe, 0600), 0);
	caller.settings.hosts_file = slice_from(pipe);
	assert_null(http_client_new(caller.loop, &caller.settings, &error));
	assert_non_null(strstr(error.text, "it is a pipe"));
	unlink(pipe);
	rmdir(folder);
	caller.settings.hosts_file = (struct lg_slice){0};
	caller.settings.ca_file = LG_SLICE("/nowhere/ca.pem");
	assert_null(http_client_new(caller.loop, &caller.settings, &error));
	assert_non_null(strstr(error.text, "/nowhere/ca.pem"));
}

static void *call_on_its_own(void *context)
{
	static const int calls = 20;
	struct caller *own = context;
	struct caller_answer *answers = calloc(calls, sizeof(*answers));
	struct http_call call = {.method = LG_SLICE("POST"), .body = LG_SLICE("x")};
	char url[64];
	size_t answered = 0;

	snprintf(url, sizeof(url), "http://localhost:%d/", server.port);
	call.url = slice_from(url);
	caller_open(own);
	for (int i = 0; i < calls; i++)
		caller_send(own, &call, &answers[i]);
	loop_run(own->loop);
	for (int i = 0; i < calls; i++)
		answered += answers[i].answer.result == HTTP_ANSWERED;
	caller_close(own);
	free(answers);
	return answered == (size_t)calls ? NULL : own;
}

static void threads_have_clients_of_their_own(void **state)
{
	static struct caller callers[4];
	pthread_t threads[4];
	void *failed;

	(void)state;
	start(server_answer_ok);
	for (int i = 0; i < 4; i++) {
		caller_init(&callers[i]);
		assert_int_equal(pthread_create(&threads[i], NULL, call_on_its_own, &callers[i]),
				 0);
	}
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	assert_int_equal(server.requests, 80);
}

/* Our own allocations: whatever fails, a call ends in an error or not at all. */
static void survives_each_failed_allocation(void **state)
{
	char url[64];
	struct http_call call = {
		.method = LG_SLICE("POST"), .body = LG_SLICE("x"), .timeout_ms = 300};
	int64_t n = 0;
	int rounds = 0;
	struct error error;

	(void)state;
	server_start(&server, server_answer_ok);
	caller.loop = loop_new();
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", server.port);
	call.url = slice_from(url);
	do {
		alloc_fail_at(++n);
		caller.client = http_client_new(caller.loop, &caller.settings, &error);
		if (caller.client && caller_send(&caller, &call, &got))
			caller_wait(&caller);
		http_client_free(&caller.client);
		rounds++;
	} while (alloc_failed() && rounds < 60);
	alloc_fail_at(0);
	assert_in_range(rounds, 5, 59);
	/* Nothing is left of it. */
	caller.client = http_client_new(caller.loop, &caller.settings, &error);
	assert_non_null(caller.client);
	call.timeout_ms = 0;
	assert_non_null(caller_send(&caller, &call, &got));
	caller_wait(&caller);
	assert_result(HTTP_ANSWERED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		CASE(answers_with_status_head_and_body),
		CASE(sends_method_headers_and_body),
		CASE(refuses_what_cannot_be_sent),
		CASE(a_call_may_have_its_own_time),
		CASE(a_body_is_kept_in_part_and_the_connection_whole),
		CASE(redirects_are_not_followed),
		CASE(the_final_head_counts),
		CASE(many_calls_share_few_connections),
		CASE(a_cancelled_call_is_never_done),
		CASE(a_client_may_be_freed_by_its_last_word),
		CASE(a_client_may_be_freed_with_calls_under_way),
		CASE(done_may_send_again),
		CASE(private_addresses_are_refused),
		CASE(the_socket_itself_is_looked_at),
		CASE(threads_have_clients_of_their_own),
		CASE(wrong_settings_are_named),
		CASE(survives_each_failed_allocation),
	};
	return RUN(tests);
}
