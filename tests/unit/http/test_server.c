#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/list.h"
#include "fixture.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST "Host: a\r\n"
#define CLOSED "leadgate_connections_closed_total"
#define REFUSED "leadgate_http_refused_total"

static struct fixture *start(const struct http_limits *limits)
{
	struct fixture *fixture = fixture_start(limits, 1, NULL);

	assert_non_null(fixture);
	return fixture;
}

static void deals_connections_to_all_loops(void **state)
{
	struct http_limits limits = fixture_limits();
	struct fixture *fixture = fixture_start(&limits, 2, NULL);
	struct client clients[6];
	size_t per_loop[2] = {0};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		client_connect(&clients[i], fixture);
		client_say(&clients[i], "GET / HTTP/1.1\r\n" HOST "\r\n");
		client_expect(&clients[i], "GET / - a 127.0.0.1 ", 1);
		per_loop[client_has(&clients[i], "127.0.0.1 1 ")]++;
	}
	assert_int_equal(per_loop[0], 3);
	assert_int_equal(per_loop[1], 3);
	assert_int_equal(http_server_connections(fixture_server(fixture)), 6);
	for (size_t i = 0; i < 6; i++)
		client_close(&clients[i]);
	fixture_stop(fixture);
}

/* A time-out of a hundredth of a second, what is sent then, what comes. */
static void check_timeout(const struct http_limits *limits, const char *raw, const char *status,
			  const char *reason)
{
	struct fixture *fixture = start(limits);
	int64_t before = fixture_counter(CLOSED, reason);
	struct client client;

	client_connect(&client, fixture);
	client_send(&client, raw, strlen(raw));
	assert_true(client_read_end(&client));
	if (status)
		assert_true(client_has(&client, status));
	else
		assert_int_equal(buffer_length(&client.got), 0);
	client_close(&client);
	fixture_wait_counter(CLOSED, reason, before + 1);
	fixture_stop(fixture);
}

static void ends_what_takes_too_long(void **state)
{
	struct http_limits limits = fixture_limits();

	(void)state;
	limits.idle_timeout_ms = 10;
	check_timeout(&limits, "", NULL, "idle-timeout");
	limits = fixture_limits();
	limits.head_timeout_ms = 10;
	check_timeout(&limits, "GET / HTTP/1.1\r\nHost:", "HTTP/1.1 408 ", "head-timeout");
	check_timeout(&limits, "\r\n", NULL, "head-timeout");
	limits = fixture_limits();
	limits.body_timeout_ms = 10;
	check_timeout(&limits, "POST / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nx",
		      "HTTP/1.1 408 ", "body-timeout");
	check_timeout(&limits, "POST /early HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nx",
		      "HTTP/1.1 403 ", "body-timeout");
}

/* The deadline is absolute: bytes that drip in do not move it. */
static void cuts_off_a_dripping_client(void **state)
{
	struct http_limits limits = fixture_limits();
	struct client client;

	(void)state;
	limits.head_timeout_ms = 100;
	struct fixture *fixture = start(&limits);
	int64_t before = fixture_counter(REFUSED, "head-timeout");
	client_connect(&client, fixture);
	client_say(&client, "GET / HTTP/1.1\r\nX: ");
	int64_t started_ms = clock_monotonic_ms();
	while (fixture_counter(REFUSED, "head-timeout") == before &&
	       clock_monotonic_ms() - started_ms < 20000) {
		client_say(&client, "x");
		clock_sleep_ms(5);
	}
	assert_int_equal(fixture_counter(REFUSED, "head-timeout"), before + 1);
	client_expect(&client, "HTTP/1.1 408 ", 1);
	client_close(&client);
	fixture_stop(fixture);
}

static void ends_a_peer_that_does_not_read(void **state)
{
	struct http_limits limits = fixture_limits();
	int64_t before = fixture_counter(CLOSED, "write-timeout");
	struct client client;

	(void)state;
	limits.write_timeout_ms = 10;
	struct fixture *fixture = start(&limits);
	client_connect(&client, fixture);
	for (int i = 0; i < 8; i++)
		client_say(&client, "GET /big HTTP/1.1\r\n" HOST "\r\n");
	fixture_wait_counter(CLOSED, "write-timeout", before + 1);
	client_close(&client);
	fixture_stop(fixture);
}

static void bounds_connections(void **state)
{
	struct http_limits limits = fixture_limits();
	int64_t full = fixture_counter(CLOSED, "full");
	int64_t full_address = fixture_counter(CLOSED, "full-address");
	struct client first, second, third;

	(void)state;
	for (int per_address = 0; per_address < 2; per_address++) {
		limits = fixture_limits();
		*(per_address ? &limits.connections_per_address : &limits.connections) = 2;
		struct fixture *fixture = start(&limits);
		client_connect(&first, fixture);
		client_connect(&second, fixture);
		client_say(&first, "GET"); /* so that it is not idle */
		client_say(&second, "GET / HTTP/1.1\r\n" HOST "\r\nGET");
		client_expect(&second, "GET / - a", 1);
		client_connect(&third, fixture);
		client_read_end(&third);
		assert_int_equal(buffer_length(&third.got), 0);
		client_close(&third);
		/* A place is free again when one has left. */
		int64_t left = fixture_counter(CLOSED, "peer-left");
		client_close(&first);
		fixture_wait_counter(CLOSED, "peer-left", left + 1);
		client_connect(&third, fixture);
		client_say(&third, "GET / HTTP/1.1\r\n" HOST "\r\n");
		client_expect(&third, "GET / - a", 1);
		client_close(&third);
		client_close(&second);
		fixture_stop(fixture);
	}
	assert_int_equal(fixture_counter(CLOSED, "full"), full + 1);
	assert_int_equal(fixture_counter(CLOSED, "full-address"), full_address + 1);
}

/* An answer may be there before the loop that sent it calls its connection idle: whoever
 * comes in between is turned away. */
static void get_in(struct client *client, struct fixture *fixture)
{
	for (int64_t until_ms = clock_monotonic_ms() + 20000;;) {
		client_connect(client, fixture);
		client_say(client, "GET /x HTTP/1.1\r\n" HOST "\r\n");
		if (client_gets(client, "GET /x"))
			return;
		client_close(client);
		assert_true(clock_monotonic_ms() < until_ms);
	}
}

/* At the bound those that are idle go, the longest-idle first, wherever they are;
 * a listener's own bound takes from its own. */
static void makes_room_for_new_connections(void **state)
{
	int64_t displaced = fixture_counter(CLOSED, "displaced");
	struct client clients[4];

	(void)state;
	struct http_limits limits = fixture_limits();
	limits.connections = 2;
	struct fixture *fixture = fixture_start(&limits, FIXTURE_LOOPS, NULL);
	assert_non_null(fixture);
	client_connect(&clients[0], fixture);
	client_say(&clients[0], "GET /first HTTP/1.1\r\n" HOST "\r\nGET");
	client_expect(&clients[0], "GET /first", 1);
	for (size_t i = 1; i < 4; i++) {
		get_in(&clients[i], fixture);
		fixture_wait_counter(CLOSED, "displaced", displaced + (int64_t)i - 1);
	}
	assert_true(client_read_end(&clients[1]));
	assert_true(client_read_end(&clients[2]));
	client_say(&clients[0], " /still HTTP/1.1\r\n" HOST "\r\n");
	client_expect(&clients[0], "GET /still", 1);
	for (size_t i = 0; i < 4; i++)
		client_close(&clients[i]);
	fixture_stop(fixture);
}

static void bounds_all_bodies_together(void **state)
{
	struct http_limits limits = fixture_limits();
	struct client first, second;

	(void)state;
	limits.buffered_bytes = 8;
	struct fixture *fixture = start(&limits);
	client_connect(&first, fixture);
	client_say(&first, "POST /later HTTP/1.1\r\n" HOST "Content-Length: 6\r\n\r\n012345");
	fixture_wait_parked(fixture, 1);
	client_connect(&second, fixture);
	client_say(&second, "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\n012");
	assert_true(client_read_end(&second));
	assert_true(client_has(&second, "HTTP/1.1 503 "));
	assert_true(client_has(&second, "Retry-After: 2\r\n"));
	client_close(&second);
	fixture_release(fixture, 0);
	client_expect(&first, "HTTP/1.1 200 OK", 1);
	client_connect(&second, fixture);
	client_say(&second, "POST / HTTP/1.1\r\n" HOST "Content-Length: 8\r\n\r\n01234567");
	client_expect(&second, " 01234567\n", 1);
	client_close(&second);
	client_close(&first);
	fixture_stop(fixture);
}

/* The next so many loops have read what was sent before. */
static void settle(struct fixture *fixture, size_t loops)
{
	struct client client;

	for (size_t i = 0; i < loops; i++) {
		client_connect(&client, fixture);
		client_say(&client, "GET / HTTP/1.1\r\n" HOST "\r\n");
		client_expect(&client, "HTTP/1.1 200 OK", 1);
		client_close(&client);
	}
}

/* A body of its own, again and again, until there is room for it. Others come between,
 * so that it meets the same loop each time. */
static void send_between(struct fixture *fixture, size_t others)
{
	struct client client;
	bool stored = false;

	for (int64_t until_ms = clock_monotonic_ms() + 10000;
	     !stored && clock_monotonic_ms() < until_ms;) {
		client_connect(&client, fixture);
		client_say(&client, "POST / HTTP/1.1\r\n" HOST
				    "Connection: close\r\nContent-Length: 20\r\n\r\n"
				    "01234567890123456789");
		assert_true(client_read_end(&client));
		stored = client_has(&client, " 01234567890123456789\n");
		client_close(&client);
		settle(fixture, others);
		poll(NULL, 0, stored ? 0 : 20); /* so that connections do not pile up */
	}
	assert_true(stored);
}

static void send_until_stored(struct fixture *fixture)
{
	send_between(fixture, 0);
}

/* 93 bytes of a body, of the hundred that all may hold. */
static void hold_most(struct client *slow, struct fixture *fixture)
{
	client_connect(slow, fixture);
	client_say(slow, "POST /x HTTP/1.1\r\n" HOST "Content-Length: 95\r\n\r\n"
			 "0123456789012345678901234567890123456789012345678"
			 "01234567890123456789012345678901234567890123");
}

static void expect_turned_away(struct client *slow)
{
	assert_true(client_read_end(slow));
	assert_true(client_has(slow, "HTTP/1.1 503 "));
}

/* Whoever holds all the room and takes its time gives way. */
static void lets_the_oldest_body_give_way(void **state)
{
	struct http_limits limits = fixture_limits();
	int64_t busy;
	struct client slow;

	(void)state;
	limits.buffered_bytes = 100;
	struct fixture *fixture = start(&limits);
	hold_most(&slow, fixture);
	send_until_stored(fixture);
	expect_turned_away(&slow);
	busy = fixture_counter(REFUSED, "busy");
	send_until_stored(fixture);
	assert_int_equal(fixture_counter(REFUSED, "busy"), busy);
	client_close(&slow);
	fixture_stop(fixture);
}

static struct fixture *start_loops(size_t loops)
{
	struct http_limits limits = fixture_limits();

	limits.buffered_bytes = 100;
	limits.minimum_rate_bytes = 0;
	return fixture_start(&limits, loops, NULL);
}

/* A body in its own time, so that the loop has one for a while. */
static void send_slowly(struct client *client, struct fixture *fixture)
{
	client_connect(client, fixture);
	client_say(client,
		   "POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	client_expect(client, "100 Continue", 1);
	client_say(client, "abc");
	client_expect(client, " abc\n", 1);
}

/* That a loop had an older one does not stand before those of other loops. */
static void asks_another_loop_after_a_body_of_its_own(void **state)
{
	struct fixture *fixture = start_loops(2);
	struct client first, slow;

	(void)state;
	send_slowly(&first, fixture);
	hold_most(&slow, fixture);
	settle(fixture, 2);
	send_between(fixture, 1);
	expect_turned_away(&slow);
	client_close(&slow);
	client_close(&first);
	fixture_stop(fixture);
}

/* Nor does an older one that holds too little, on the loop that asks or on another. */
static void asks_beyond_an_older_body_that_holds_too_little(void **state)
{
	(void)state;
	for (size_t others = 0; others < 2; others++) {
		struct fixture *fixture = start_loops(2 + others);
		struct client tiny, slow;

		client_connect(&tiny, fixture);
		client_say(&tiny, "POST / HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\n01234");
		settle(fixture, 2 + others);
		hold_most(&slow, fixture);
		settle(fixture, 2 + others);
		send_between(fixture, 1 + others);
		expect_turned_away(&slow);
		client_close(&slow);
		client_say(&tiny, "5678");
		client_expect(&tiny, " 012345678\n", 1);
		client_close(&tiny);
		fixture_stop(fixture);
	}
}

/* What an answer did not wait for is dropped, and is no second outcome. */
static void counts_a_request_once(void **state)
{
	struct http_limits limits = fixture_limits();
	int64_t before = fixture_counter(REFUSED, "chunk");
	struct fixture *fixture = start(&limits);
	struct client client;

	(void)state;
	client_connect(&client, fixture);
	client_say(&client, "POST /early HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nx");
	assert_true(client_read_end(&client));
	assert_true(client_has(&client, "HTTP/1.1 403 "));
	assert_int_equal(fixture_counter(REFUSED, "chunk"), before);
	client_close(&client);
	fixture_stop(fixture);
}

static void finds_the_client_behind_a_proxy(void **state)
{
	struct http_limits limits = fixture_limits();
	struct fixture *fixture = fixture_start(&limits, 1, "127.0.0.0/8");
	struct client client;

	(void)state;
	client_connect(&client, fixture);
	client_say(&client,
		   "GET / HTTP/1.1\r\n" HOST "X-Forwarded-For: 198.51.100.9, 192.0.2.7\r\n\r\n");
	client_expect(&client, "GET / - a 192.0.2.7 0 ", 1);
	client_close(&client);
	fixture_stop(fixture);
}

static void drains(void **state)
{
	struct http_limits limits = fixture_limits();
	struct fixture *fixture = start(&limits);
	int64_t drained = fixture_counter(CLOSED, "drained");
	struct client idle, busy;

	(void)state;
	client_connect(&idle, fixture);
	client_say(&idle, "GET / HTTP/1.1\r\n" HOST "\r\n");
	client_expect(&idle, "GET / - a", 1);
	client_connect(&busy, fixture);
	client_say(&busy,
		   "GET /later?1 HTTP/1.1\r\n" HOST "\r\nGET /later?2 HTTP/1.1\r\n" HOST "\r\n");
	fixture_wait_parked(fixture, 2);
	http_server_drain(fixture_server(fixture));
	http_server_drain(fixture_server(fixture));
	assert_true(client_read_end(&idle));
	fixture_release(fixture, 0);
	fixture_release(fixture, 0);
	assert_true(client_read_end(&busy));
	assert_int_equal(client_count(&busy, "HTTP/1.1 200 OK"), 2);
	assert_int_equal(client_count(&busy, "Connection: close"), 1);
	fixture_wait_counter(CLOSED, "drained", drained + 2);
	while (http_server_connections(fixture_server(fixture)) > 0)
		clock_sleep_ms(1);
	assert_int_equal(http_server_port(fixture_server(fixture), 0), 0);
	client_close(&idle);
	client_close(&busy);
	fixture_stop(fixture);
}

static struct http_server *open_at(struct loop *loop, const char *address, const char *proxy,
				   struct error *error)
{
	struct http_limits limits = fixture_limits();
	struct http_service service = {0};
	struct lg_slice proxies[1] = {slice_from(proxy)};
	struct http_listen listen = {.address = slice_from(address), .backlog = 8};

	if (proxy)
		listen.trusted_proxies = (struct lg_list){proxies, 1};
	return http_server_open(&loop, 1, &listen, 1, &limits, &service, error);
}

struct drain {
	struct loop_timer timer;
	struct loop *loop;
	struct http_server *server;
};

static void stop_when_drained(struct loop_timer *timer)
{
	struct drain *drain = container_of(timer, struct drain, timer);

	if (http_server_is_drained(drain->server))
		loop_stop(drain->loop);
	else
		loop_timer_set(timer, 1);
}

/* No connection is open yet, but one waits, and the loop has not heard of the drain. */
static void is_not_drained_before_its_loop_knows(void **state)
{
	struct drain drain = {.loop = loop_new()};
	struct error error = {0};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char byte;

	(void)state;
	drain.server = open_at(drain.loop, "127.0.0.1:0", NULL, &error);
	assert_non_null(drain.server);
	to.sin_port = htons((uint16_t)http_server_port(drain.server, 0));
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	http_server_drain(drain.server);
	assert_int_equal(http_server_connections(drain.server), 0);
	assert_false(http_server_is_drained(drain.server));
	loop_timer_init(&drain.timer, drain.loop, stop_when_drained);
	assert_true(loop_timer_set(&drain.timer, 0));
	loop_run(drain.loop);
	assert_int_equal(read(fd, &byte, 1), 0); /* accepted, and closed in order */
	loop_timer_fini(&drain.timer);
	http_server_close(&drain.server);
	loop_free(&drain.loop);
	close(fd);
}

static void says_why_it_cannot_listen(void **state)
{
	struct loop *loop = loop_new();
	struct error error = {0};
	char taken[32];

	(void)state;
	struct http_server *server = open_at(loop, "127.0.0.1:0", NULL, &error);
	assert_non_null(server);
	snprintf(taken, sizeof(taken), "127.0.0.1:%d", http_server_port(server, 0));
	assert_null(open_at(loop, taken, NULL, &error));
	assert_non_null(strstr(error.text, taken));
	assert_non_null(strstr(error.text, "taken"));
	assert_null(open_at(loop, "127.0.0.1:0", "10.0.0.1/8", &error));
	assert_non_null(strstr(error.text, "trusted_proxies"));
	assert_int_equal(http_server_port(server, 1), 0);
	http_server_close(&server);
	assert_null(server);
	loop_free(&loop);
}

/* One request with its body, wherever memory ran out; what it answers does not
 * matter, that it neither crashes nor leaks does. */
static void survives_every_failed_allocation(void **state)
{
	struct http_limits limits = fixture_limits();
	int64_t n = 0;

	(void)state;
	limits.head_timeout_ms = limits.body_timeout_ms = limits.idle_timeout_ms = 20;
	do {
		struct fixture *fixture;
		struct client client;

		alloc_fail_at(++n);
		fixture = fixture_start(&limits, 2, "127.0.0.0/8");
		if (!fixture)
			continue;
		client_connect(&client, fixture);
		client_say(&client, "POST /x?y HTTP/1.1\r\n" HOST);
		client_say(&client, "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
		client_say(&client, "0\r\n\r\nGET /early HTTP/1.1\r\n" HOST "\r\n");
		client_read_end(&client);
		client_close(&client);
		fixture_stop(fixture);
	} while (alloc_failed());
	alloc_fail_at(0);
	assert_true(n > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deals_connections_to_all_loops),
		cmocka_unit_test(ends_what_takes_too_long),
		cmocka_unit_test(cuts_off_a_dripping_client),
		cmocka_unit_test(ends_a_peer_that_does_not_read),
		cmocka_unit_test(bounds_connections),
		cmocka_unit_test(makes_room_for_new_connections),
		cmocka_unit_test(bounds_all_bodies_together),
		cmocka_unit_test(lets_the_oldest_body_give_way),
		cmocka_unit_test(asks_another_loop_after_a_body_of_its_own),
		cmocka_unit_test(asks_beyond_an_older_body_that_holds_too_little),
		cmocka_unit_test(counts_a_request_once),
		cmocka_unit_test(finds_the_client_behind_a_proxy),
		cmocka_unit_test(drains),
		cmocka_unit_test(is_not_drained_before_its_loop_knows),
		cmocka_unit_test(says_why_it_cannot_listen),
		cmocka_unit_test(survives_every_failed_allocation),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
