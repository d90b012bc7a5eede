#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"
#include "requests.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST "Host: a\r\n"
#define CLOSED "leadgate_connections_closed_total"
#define REFUSED "leadgate_http_refused_total"

static struct fixture *start(void)
{
	struct http_limits limits = fixture_limits();
	struct fixture *fixture = fixture_start(&limits, 1, NULL);

	assert_non_null(fixture);
	return fixture;
}

static void keeps_the_connection(void **state)
{
	struct fixture *fixture = start();
	struct client client;

	(void)state;
	client_connect(&client, fixture);
	for (size_t i = 0; i < 3; i++) {
		client_say(&client, "POST /x?y HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello");
		client_expect(&client, "POST /x y a 127.0.0.1 0 hello\n", i + 1);
	}
	assert_false(client_has(&client, "Connection:"));
	assert_int_equal(client_count(&client, "Date: "), 3);
	client_close(&client);
	fixture_stop(fixture);
}

static void leaves_out_headers_that_break_the_framing(void **state)
{
	struct fixture *fixture = start();
	struct client client;

	(void)state;
	client_connect(&client, fixture);
	client_say(&client, "GET /broken HTTP/1.1\r\n" HOST "\r\n");
	client_expect(&client, "GET /broken - a 127.0.0.1 0 \n", 1);
	assert_true(client_has(&client, "Content-Type: text/plain\r\n"));
	assert_false(client_has(&client, "X-Broken"));
	client_close(&client);
	fixture_stop(fixture);
}

/* Its peer would take a body for the next answer. */
static void sends_no_content_with_205(void **state)
{
	struct fixture *fixture = start();
	struct client client;

	(void)state;
	client_connect(&client, fixture);
	client_say(&client, "GET /reset HTTP/1.1\r\n" HOST "\r\nGET /x HTTP/1.1\r\n" HOST "\r\n");
	client_expect(&client, "GET /x - a 127.0.0.1 0 \n", 1);
	assert_true(slice_starts(buffer_slice(&client.got), "HTTP/1.1 205 Reset Content\r\n"));
	assert_true(client_has(&client, "Content-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n"));
	client_close(&client);
	fixture_stop(fixture);
}

/* Every bad request of the table, as a peer sees it: status, end, counter. */
static void refuses_and_closes(void **state)
{
	struct fixture *fixture = start();

	(void)state;
	for (size_t i = 0; i < bad_request_count; i++) {
		const struct bad_request *bad = &bad_requests[i];
		int64_t before = fixture_counter(REFUSED, bad->label);
		struct client client;
		char status[32];

		client_connect(&client, fixture);
		client_send(&client, bad->raw, bad->length);
		if (!client_read_end(&client))
			fail_msg("reset after: %.*s", (int)bad->length, bad->raw);
		snprintf(status, sizeof(status), "HTTP/1.1 %d ", bad->status);
		if (!slice_starts(buffer_slice(&client.got), status))
			fail_msg("not %s but: %.*s, for: %.*s", status,
				 SLICE_ARGS(buffer_slice(&client.got)), (int)bad->length, bad->raw);
		assert_true(client_has(&client, "Connection: close\r\n"));
		assert_true(client_has(&client, "Content-Type: application/problem+json\r\n"));
		assert_int_equal(client_count(&client, "\r\nDate: "), 1);
		assert_int_equal(fixture_counter(REFUSED, bad->label), before + 1);
		client_close(&client);
	}
	fixture_stop(fixture);
}

static void serves_good_requests(void **state)
{
	struct fixture *fixture = start();

	(void)state;
	for (size_t i = 0; i < good_request_count; i++) {
		const struct good_request *good = &good_requests[i];
		struct client client;
		char expected[1024];

		client_connect(&client, fixture);
		client_send(&client, good->raw, good->length);
		client_half_close(&client);
		assert_true(client_read_end(&client));
		snprintf(expected, sizeof(expected), "\r\n\r\n%s %s %s %s 127.0.0.1 0 %s\n",
			 good->method, good->path[0] ? good->path : "/",
			 good->query ? good->query : "-", good->host, good->body);
		bool is_head = slice_is(slice_from(good->method), "HEAD");
		if (!client_has(&client, "HTTP/1.1 200 OK\r\n") ||
		    client_has(&client, expected) == is_head)
			fail_msg("got: %.*s, for: %s", SLICE_ARGS(buffer_slice(&client.got)),
				 good->raw);
		client_close(&client);
	}
	fixture_stop(fixture);
}

static void answers_head_with_a_length_alone(void **state)
{
	struct fixture *fixture = start();
	struct client client;

	(void)state;
	client_connect(&client, fixture);
	client_say(&client, "HEAD / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
	assert_true(client_read_end(&client));
	assert_true(client_has(&client, "Content-Length: 24\r\n\r\n"));
	assert_true(slice_ends(buffer_slice(&client.got), "\r\n\r\n"));
	client_close(&client);
	client_connect(&client, fixture);
	client_say(&client, "HEAD / HTTP/1.1\r\n" HOST HOST "\r\n");
	assert_true(client_read_end(&client));
	assert_true(slice_ends(buffer_slice(&client.got), "\r\n\r\n"));
	client_close(&client);
	fixture_stop(fixture);
}

static void answers_pipelined_requests_in_order(void **state)
{
	struct fixture *fixture = start();
	struct client client;

	(void)state;
	client_connect(&client, fixture);
	client_say(&client, "GET /later?1 HTTP/1.1\r\n" HOST "\r\n"
			    "GET /later?2 HTTP/1.1\r\n" HOST "\r\n"
			    "GET /probe HTTP/1.1\r\n" HOST "\r\n"
			    "GET /x?4 HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"
			    "GET /never HTTP/1.1\r\n" HOST "\r\n");
	fixture_wait_parked(fixture, 2);
	fixture_release(fixture, 1);
	fixture_wait_parked(fixture, 1);
	fixture_release(fixture, 0);
	assert_true(client_read_end(&client));
	struct lg_slice got = buffer_slice(&client.got);
	const char *one = memmem(got.data, got.length, "\r\n\r\n1HTTP", 9);
	const char *two = memmem(got.data, got.length, "\r\n\r\n2HTTP", 9);
	const char *probe = memmem(got.data, got.length, "202 Accepted", 12);
	const char *four = memmem(got.data, got.length, "GET /x 4 a", 10);
	assert_true(one && one < two && two < probe && probe < four);
	assert_int_equal(client_count(&client, "HTTP/1.1 "), 4);
	assert_int_equal(client_count(&client, "Connection: close\r\n"), 1);
	client_close(&client);
	fixture_stop(fixture);
}

static void bounds_requests_under_way(void **state)
{
	struct http_limits limits = fixture_limits();
	struct client client;

	(void)state;
	limits.pipelined = 2;
	struct fixture *fixture = fixture_start(&limits, 1, NULL);
	client_connect(&client, fixture);
	for (int i = 0; i < 5; i++)
		client_say(&client, "GET /later?x HTTP/1.1\r\n" HOST "\r\n");
	fixture_wait_parked(fixture, 2);
	for (size_t i = 0; i < 5; i++) {
		assert_true(fixture_parked(fixture) <= 2);
		fixture_wait_parked(fixture, 1);
		fixture_release(fixture, 0);
		client_expect(&client, "\r\n\r\nx", i + 1);
	}
	client_close(&client);
	fixture_stop(fixture);
}

static void says_continue(void **state)
{
	struct fixture *fixture = start();
	struct client client;

	(void)state;
	client_connect(&client, fixture);
	client_say(&client,
		   "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n");
	client_expect(&client, "HTTP/1.1 100 Continue\r\n\r\n", 1);
	client_say(&client, "hello");
	client_expect(&client, " hello\n", 1);
	client_forget(&client);
	/* Not when the body comes anyway. */
	client_say(&client, "POST / HTTP/1.1\r\n" HOST
			    "Content-Length: 5\r\nExpect: 100-continue\r\n\r\nhello");
	client_expect(&client, " hello\n", 1);
	assert_false(client_has(&client, "100 Continue"));
	client_forget(&client);
	/* In its turn: not before the answer of the request before. */
	client_say(&client, "GET /later?x HTTP/1.1\r\n" HOST "\r\nPOST / HTTP/1.1\r\n" HOST
			    "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
	fixture_wait_parked(fixture, 1);
	fixture_release(fixture, 0);
	client_expect(&client, "\r\n\r\nxHTTP/1.1 100 Continue\r\n\r\n", 1);
	client_say(&client, "5\r\nhello\r\n0\r\n\r\n");
	client_expect(&client, " hello\n", 1);
	client_close(&client);
	fixture_stop(fixture);
}

static void refuses_large_bodies_before_they_come(void **state)
{
	struct fixture *fixture = start();
	struct client client;

	(void)state;
	client_connect(&client, fixture);
	client_say(&client, "POST /small HTTP/1.1\r\n" HOST
			    "Content-Length: 11\r\nExpect: 100-continue\r\n\r\n");
	assert_true(client_read_end(&client));
	assert_true(client_has(&client, "HTTP/1.1 413 "));
	assert_false(client_has(&client, "100 Continue"));
	client_close(&client);
	client_connect(&client, fixture);
	client_say(&client, "POST /small HTTP/1.1\r\n" HOST
			    "Transfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n5\r\nghijk");
	assert_true(client_read_end(&client));
	assert_true(client_has(&client, "HTTP/1.1 413 "));
	client_close(&client);
	client_connect(&client, fixture);
	client_say(&client, "POST /small HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n0123456789");
	client_expect(&client, " 0123456789\n", 1);
	client_close(&client);
	fixture_stop(fixture);
}

/* The rest of a refused body is read, so that the sender sees the answer. */
static void lingers_after_a_refusal(void **state)
{
	struct fixture *fixture = start();
	static char body[262144];
	struct client client;

	(void)state;
	client_connect(&client, fixture);
	client_say(&client, "POST /small HTTP/1.1\r\n" HOST "Content-Length: 262144\r\n\r\n");
	client_send(&client, body, sizeof(body));
	assert_true(client_read_end(&client));
	assert_true(client_has(&client, "HTTP/1.1 413 "));
	client_close(&client);
	fixture_stop(fixture);
}

static void goes_on_after_an_early_answer(void **state)
{
	struct fixture *fixture = start();
	struct client client;

	(void)state;
	client_connect(&client, fixture);
	client_say(&client, "POST /early HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n");
	client_expect(&client, "HTTP/1.1 403 Forbidden", 1);
	client_say(&client, "helloGET /x HTTP/1.1\r\n" HOST "\r\n");
	client_expect(&client, "GET /x - a 127.0.0.1 0 \n", 1);
	client_say(&client, "GET /early HTTP/1.1\r\n" HOST "Accept: text/html, */*;q=0.8\r\n\r\n");
	client_expect(&client, "<p>not &lt;you&gt;</p>", 1);
	assert_true(client_has(&client, "Content-Type: text/html; charset=utf-8\r\n"));
	/* Nobody knows whether the body comes after this. */
	client_say(&client, "POST /early HTTP/1.1\r\n" HOST
			    "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n");
	assert_true(client_read_end(&client));
	assert_int_equal(client_count(&client, "HTTP/1.1 403 Forbidden"), 3);
	assert_int_equal(client_count(&client, "Connection: close"), 1);
	client_close(&client);
	fixture_stop(fixture);
}

/* What is left of a body after an early answer is dropped up to the bound of a
 * linger; of a longer one nothing is read. */
static void reads_no_long_body_after_an_early_answer(void **state)
{
	struct http_limits limits = fixture_limits();
	struct client client;

	(void)state;
	limits.linger_bytes = 10;
	struct fixture *fixture = fixture_start(&limits, 1, NULL);
	assert_non_null(fixture);
	client_connect(&client, fixture);
	client_say(&client, "POST /early HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n0123456789"
			    "POST /early HTTP/1.1\r\n" HOST "Content-Length: 11\r\n\r\n");
	assert_true(client_read_end(&client));
	assert_int_equal(client_count(&client, "HTTP/1.1 403 Forbidden"), 2);
	assert_int_equal(client_count(&client, "Connection: close"), 1);
	client_close(&client);
	client_connect(&client, fixture);
	client_say(&client, "POST /early HTTP/1.1\r\n" HOST
			    "Transfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n");
	client_expect(&client, "HTTP/1.1 403 Forbidden", 1);
	client_read_end(&client);
	client_close(&client);
	fixture_stop(fixture);
}

/* With no room for it among all buffered bodies a body is not begun. */
static void refuses_a_body_that_finds_no_room(void **state)
{
	struct http_limits limits = fixture_limits();
	struct client client;

	(void)state;
	limits.buffered_bytes = 100;
	struct fixture *fixture = fixture_start(&limits, 1, NULL);
	assert_non_null(fixture);
	client_connect(&client, fixture);
	client_say(&client, "POST /x HTTP/1.1\r\n" HOST "Content-Length: 101\r\n\r\n");
	assert_true(client_read_end(&client));
	assert_true(client_has(&client, "HTTP/1.1 503 "));
	assert_true(client_has(&client, "Retry-After: "));
	client_close(&client);
	fixture_stop(fixture);
}

static void answers_the_probe(void **state)
{
	struct fixture *fixture = start();
	struct client client;

	(void)state;
	client_connect(&client, fixture);
	client_say(&client, "GET /probe HTTP/1.1\r\n" HOST "\r\n"
			    "POST /probe HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"
			    "GET /probe/x HTTP/1.0\r\n\r\n");
	assert_true(client_read_end(&client));
	assert_int_equal(client_count(&client, "HTTP/1.1 202 Accepted\r\n"), 2);
	assert_int_equal(client_count(&client, "Content-Length: 0\r\n\r\n"), 2);
	assert_true(client_has(&client, "GET /probe/x - "));
	client_close(&client);
	fixture_stop(fixture);
}

static void says_keep_alive_to_old_clients(void **state)
{
	struct fixture *fixture = start();
	struct client client;

	(void)state;
	client_connect(&client, fixture);
	client_say(&client, "GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	client_expect(&client, "Connection: keep-alive\r\n", 1);
	client_say(&client, "GET /2 HTTP/1.0\r\n\r\n");
	assert_true(client_read_end(&client));
	assert_true(client_has(&client, "Connection: close\r\n"));
	client_close(&client);
	fixture_stop(fixture);
}

static void answers_a_half_closed_peer(void **state)
{
	struct fixture *fixture = start();
	int64_t before = fixture_counter(CLOSED, "peer-left");
	struct client client;

	(void)state;
	client_connect(&client, fixture);
	client_say(&client, "GET /later?x HTTP/1.1\r\n" HOST "\r\nGET /half HTTP");
	client_half_close(&client);
	fixture_wait_parked(fixture, 1);
	fixture_release(fixture, 0);
	assert_true(client_read_end(&client));
	assert_true(client_has(&client, "\r\n\r\nx"));
	fixture_wait_counter(CLOSED, "peer-left", before + 1);
	client_close(&client);
	fixture_stop(fixture);
}

static void outlives_its_peer(void **state)
{
	struct linger reset = {.l_onoff = 1};
	struct fixture *fixture = start();
	struct client client;

	(void)state;
	/* Gone before the answer, and gone before the server. */
	for (int i = 0; i < 2; i++) {
		int64_t before = fixture_counter(CLOSED, "peer-reset");
		client_connect(&client, fixture);
		client_say(&client, "POST /later?x HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx");
		fixture_wait_parked(fixture, 1);
		setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		client_close(&client);
		fixture_wait_counter(CLOSED, "peer-reset", before + 1);
		if (i == 0)
			fixture_release(fixture, 0);
	}
	fixture_stop(fixture);
}

/* Answers that are not read stop the reading of requests, and nothing is lost. */
static void waits_for_a_slow_reader(void **state)
{
	struct fixture *fixture = start();
	struct client client;

	(void)state;
	client_connect(&client, fixture);
	for (int i = 0; i < 10; i++)
		client_say(&client, "GET /big HTTP/1.1\r\n" HOST "\r\n");
	client_say(&client, "GET /last HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
	assert_true(client_read_end(&client));
	assert_int_equal(client_count(&client, "\r\nDate: "), 11);
	assert_true(buffer_length(&client.got) > 10 * FIXTURE_BIG_BYTES);
	assert_true(slice_ends(buffer_slice(&client.got), "GET /last - a 127.0.0.1 0 \n"));
	client_close(&client);
	fixture_stop(fixture);
}

static void answers_thousands_in_one_go(void **state)
{
	static const char request[] = "GET /x HTTP/1.1\r\n" HOST "\r\n";
	size_t length = sizeof(request) - 1, count = 5000;
	char *raw = test_malloc(length * count);
	struct fixture *fixture = start();
	struct client client;

	(void)state;
	for (size_t i = 0; i < count; i++)
		memcpy(raw + i * length, request, length);
	client_connect(&client, fixture);
	client_send(&client, raw, length * count);
	client_half_close(&client);
	assert_true(client_read_end(&client));
	assert_int_equal(client_count(&client, "GET /x - a"), count);
	client_close(&client);
	fixture_stop(fixture);
	test_free(raw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_connection),
		cmocka_unit_test(leaves_out_headers_that_break_the_framing),
		cmocka_unit_test(sends_no_content_with_205),
		cmocka_unit_test(refuses_and_closes),
		cmocka_unit_test(serves_good_requests),
		cmocka_unit_test(answers_head_with_a_length_alone),
		cmocka_unit_test(answers_pipelined_requests_in_order),
		cmocka_unit_test(bounds_requests_under_way),
		cmocka_unit_test(says_continue),
		cmocka_unit_test(refuses_large_bodies_before_they_come),
		cmocka_unit_test(lingers_after_a_refusal),
		cmocka_unit_test(goes_on_after_an_early_answer),
		cmocka_unit_test(reads_no_long_body_after_an_early_answer),
		cmocka_unit_test(refuses_a_body_that_finds_no_room),
		cmocka_unit_test(answers_the_probe),
		cmocka_unit_test(says_keep_alive_to_old_clients),
		cmocka_unit_test(answers_a_half_closed_peer),
		cmocka_unit_test(outlives_its_peer),
		cmocka_unit_test(waits_for_a_slow_reader),
		cmocka_unit_test(answers_thousands_in_one_go),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
