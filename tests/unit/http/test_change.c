/* Listeners and limits that change under connections. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "fixture.h"
#include "http/change.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST "Host: a\r\n"
#define CLOSED "leadgate_connections_closed_total"
#define GET "GET / HTTP/1.1\r\n" HOST "\r\n"

/* As the fixture listens. */
static struct http_listen usual(void)
{
	return (struct http_listen){.address = LG_SLICE("127.0.0.1:0"),
				    .backlog = 64,
				    .probe_path = LG_SLICE("/probe")};
}

/* Carries a change out and waits until all loops have it. */
static void change(struct fixture *fixture, const struct http_listen *listens, size_t count,
		   const struct http_limits *limits)
{
	struct error error = {0};
	struct http_change *change = http_change_new(fixture_server(fixture), listens, count,
						     limits, &error);
	struct mailbox home;
	struct letter *letter;

	assert_non_null(change);
	assert_true(mailbox_init(&home));
	http_change_begin(change, &home);
	while (!(letter = mailbox_take(&home)))
		mailbox_wait(&home, -1);
	http_change_end(http_change_of(letter));
	mailbox_fini(&home);
}

static struct fixture *start(size_t loops)
{
	struct http_limits limits = fixture_limits();
	struct fixture *fixture = fixture_start(&limits, loops, NULL);

	assert_non_null(fixture);
	return fixture;
}

static void ask(struct client *client)
{
	client_forget(client);
	client_say(client, GET);
	client_expect(client, "GET / - a", 1);
}

static void keeps_what_stays(void **state)
{
	struct fixture *fixture = start(FIXTURE_LOOPS);
	struct http_limits limits = fixture_limits();
	struct http_listen listen = usual();
	int port = http_server_port(fixture_server(fixture), 0);
	struct client client;

	(void)state;
	client_connect(&client, fixture);
	ask(&client);
	for (int i = 0; i < 20; i++) {
		limits.headers = 20 + i % 3;
		limits.idle_timeout_ms = 30000 + i;
		change(fixture, &listen, 1, &limits);
		ask(&client);
		assert_false(client_has(&client, "Connection: close"));
	}
	assert_int_equal(http_server_port(fixture_server(fixture), 0), port);
	assert_int_equal(http_server_connections(fixture_server(fixture)), 1);
	client_close(&client);
	fixture_stop(fixture);
}

static void limits_hold_for_what_comes_next(void **state)
{
	struct fixture *fixture = start(FIXTURE_LOOPS);
	struct http_limits limits = fixture_limits();
	struct http_listen listen = usual();
	struct client client, other;

	(void)state;
	client_connect(&client, fixture);
	ask(&client);
	limits.headers = 1;
	limits.connections = 1;
	change(fixture, &listen, 1, &limits);
	client_connect(&other, fixture);
	assert_true(client_read_end(&client)); /* an idle one makes room */
	client_say(&other, "GET / HTTP/1.1\r\n" HOST "X: y\r\n\r\n");
	client_expect(&other, "HTTP/1.1 431 ", 1);
	client_close(&other);
	client_close(&client);
	fixture_stop(fixture);
}

/* The socket stays; who was accepted on the old terms keeps them to the end of
 * the next answer. */
static void takes_a_socket_over(void **state)
{
	struct fixture *fixture = start(FIXTURE_LOOPS);
	struct http_limits limits = fixture_limits();
	struct http_listen listen = usual();
	int port = http_server_port(fixture_server(fixture), 0);
	struct client old, new;

	(void)state;
	client_connect(&old, fixture);
	ask(&old);
	listen.probe_path = LG_SLICE("/other");
	change(fixture, &listen, 1, &limits);
	assert_int_equal(http_server_port(fixture_server(fixture), 0), port);
	client_connect(&new, fixture);
	client_say(&new, "GET /other HTTP/1.1\r\n" HOST "\r\nGET /probe HTTP/1.1\r\n" HOST "\r\n");
	client_expect(&new, "HTTP/1.1 202 ", 1);
	client_expect(&new, "GET /probe - a", 1);
	client_forget(&old);
	client_say(&old, "GET /probe HTTP/1.1\r\n" HOST "\r\n");
	assert_true(client_read_end(&old));
	assert_true(client_has(&old, "HTTP/1.1 202 "));
	assert_true(client_has(&old, "Connection: close"));
	assert_int_equal(http_server_draining(fixture_server(fixture)), 0);
	client_close(&old);
	client_close(&new);
	fixture_stop(fixture);
}

/* Connects, is answered, and is idle then. */
static void settle_in(struct client *client, struct fixture *fixture)
{
	client_connect(client, fixture);
	ask(client);
}

static size_t count_open(struct client *clients, size_t count)
{
	size_t open = 0;
	char byte;

	for (size_t i = 0; i < count; i++)
		open += recv(clients[i].fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0;
	return open;
}

static void counts_on_when_a_socket_is_taken_over(void **state)
{
	int64_t displaced = fixture_counter(CLOSED, "displaced");
	struct fixture *fixture = start(FIXTURE_LOOPS);
	struct http_limits limits = fixture_limits();
	struct http_listen listen = usual();
	struct client clients[6];

	(void)state;
	listen.connections = 4;
	change(fixture, &listen, 1, &limits);
	for (size_t i = 0; i < 4; i++)
		settle_in(&clients[i], fixture);
	listen.probe_path = LG_SLICE("/other"); /* other terms, the same bound */
	change(fixture, &listen, 1, &limits);
	assert_int_equal(fixture_counter(CLOSED, "displaced"), displaced);
	settle_in(&clients[4], fixture);
	fixture_wait_counter(CLOSED, "displaced", displaced + 1);
	settle_in(&clients[5], fixture);
	fixture_wait_counter(CLOSED, "displaced", displaced + 2);
	assert_int_equal(count_open(clients, 6), 4);
	for (size_t i = 0; i < 6; i++)
		client_close(&clients[i]);
	fixture_stop(fixture);
}

/* More than may be beyond a bound for a moment. */
#define MANY 80

static void makes_connections_fit_a_lower_bound(void **state)
{
	int64_t displaced = fixture_counter(CLOSED, "displaced");
	struct fixture *fixture = start(FIXTURE_LOOPS);
	struct http_limits limits = fixture_limits();
	struct http_listen listen = usual();
	struct client clients[MANY];

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		settle_in(&clients[i], fixture);
	client_say(&clients[0], "GET"); /* who has begun a request stays */
	limits.connections = 20;
	change(fixture, &listen, 1, &limits);
	fixture_wait_counter(CLOSED, "displaced", displaced + MANY - 20);
	limits.connections = 10;
	change(fixture, &listen, 1, &limits);
	assert_int_equal(fixture_counter(CLOSED, "displaced"), displaced + MANY - 10);
	listen.connections = 5;
	change(fixture, &listen, 1, &limits);
	fixture_wait_counter(CLOSED, "displaced", displaced + MANY - 5);
	client_forget(&clients[0]);
	client_say(&clients[0], " /still HTTP/1.1\r\n" HOST "\r\n");
	client_expect(&clients[0], "GET /still", 1);
	assert_int_equal(count_open(clients + 1, MANY - 1), 4);
	assert_int_equal(fixture_counter(CLOSED, "displaced"), displaced + MANY - 5);
	for (size_t i = 0; i < MANY; i++)
		client_close(&clients[i]);
	fixture_stop(fixture);
}

static void drains_what_is_removed(void **state)
{
	struct fixture *fixture = start(1); /* which answers what is parked */
	struct http_limits limits = fixture_limits();
	struct client idle, busy;

	(void)state;
	client_connect(&idle, fixture);
	ask(&idle);
	client_connect(&busy, fixture);
	client_say(&busy, "GET /later?1 HTTP/1.1\r\n" HOST "\r\n");
	fixture_wait_parked(fixture, 1);
	change(fixture, NULL, 0, &limits);
	assert_int_equal(http_server_port(fixture_server(fixture), 0), 0);
	client_forget(&idle);
	assert_true(client_read_end(&idle));
	assert_int_equal(http_server_draining(fixture_server(fixture)), 1);
	fixture_release(fixture, 0);
	assert_true(client_read_end(&busy));
	assert_true(client_has(&busy, "Connection: close"));
	while (http_server_draining(fixture_server(fixture)) > 0)
		clock_sleep_ms(1);
	client_close(&idle);
	client_close(&busy);
	fixture_stop(fixture);
}

/* An address that nobody has: bound, and given up again. The kernel gives its port to nobody
 * who asks for any. */
static void find_address(char *address, size_t size)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int port = 20000 + (int)getpid() % 10000;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	do
		at.sin_port = htons((uint16_t)++port);
	while (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 && port < 32000);
	snprintf(address, size, "127.0.0.1:%d", port);
	close(fd);
}

static bool is_listened_at(const char *address)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)atoi(strchr(address, ':') + 1)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool connected = connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;

	close(fd);
	return connected;
}

/* Whoever connects would wait for the end of the process, and a successor could
 * not have the address. */
static void leaves_no_address_behind_when_it_drains(void **state)
{
	struct fixture *fixture = start(FIXTURE_LOOPS);
	struct http_limits limits = fixture_limits();
	struct http_listen listens[2] = {usual(), usual()};
	char address[32];

	(void)state;
	find_address(address, sizeof(address));
	listens[1].address = slice_from(address);
	http_server_drain(fixture_server(fixture));
	while (http_server_port(fixture_server(fixture), 0) > 0)
		clock_sleep_ms(1);
	change(fixture, listens, 2, &limits);
	assert_int_equal(http_server_port(fixture_server(fixture), 1), 0);
	assert_false(is_listened_at(address));
	fixture_stop(fixture);
}

/* The loops have stopped before they took the change. */
static void leaves_no_address_behind_when_it_stops(void **state)
{
	struct http_limits limits = fixture_limits();
	struct http_listen listens[2] = {usual(), usual()};
	struct http_service service = {0};
	struct loop *loop = loop_new();
	struct error error = {0};
	struct mailbox home;
	char address[32];

	(void)state;
	find_address(address, sizeof(address));
	listens[1].address = slice_from(address);
	assert_true(mailbox_init(&home));
	struct http_server *server = http_server_open(&loop, 1, listens, 1, &limits, &service,
						      &error);
	assert_non_null(server);
	struct http_change *prepared = http_change_new(server, listens, 2, &limits, &error);
	assert_non_null(prepared);
	assert_true(is_listened_at(address));
	http_change_begin(prepared, &home);
	http_server_deafen(server);
	assert_false(is_listened_at(address));
	http_server_close(&server);
	mailbox_fini(&home);
	loop_free(&loop);
}

/* A socket of somebody else; what was bound before it is given back. */
static void changes_nothing_when_a_port_is_taken(void **state)
{
	struct fixture *fixture = start(FIXTURE_LOOPS);
	struct http_limits limits = fixture_limits();
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct http_listen listens[3] = {usual(), usual(), usual()};
	struct error error = {0};
	struct client client;
	char address[32];

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &length), 0);
	snprintf(address, sizeof(address), "127.0.0.1:%d", ntohs(at.sin_port));
	listens[2].address = slice_from(address);
	client_connect(&client, fixture);
	ask(&client);
	assert_null(http_change_new(fixture_server(fixture), listens, 3, &limits, &error));
	assert_non_null(strstr(error.text, "taken"));
	ask(&client);
	assert_false(client_has(&client, "Connection: close"));
	client_close(&client);
	close(fd);
	fixture_stop(fixture);
}

/* Whatever allocation of the preparation fails, nothing is leaked or changed. */
static void survives_every_failed_allocation(void **state)
{
	struct fixture *fixture = start(FIXTURE_LOOPS);
	struct http_limits limits = fixture_limits();
	struct lg_slice proxies[1] = {LG_SLICE("127.0.0.1")};
	struct http_listen listens[2] = {usual(), usual()};
	struct error error = {0};
	int64_t n = 0;
	bool failed;

	(void)state;
	listens[0].trusted_proxies = (struct lg_list){proxies, 1};
	do {
		struct http_change *prepared;

		alloc_fail_at(++n);
		prepared = http_change_new(fixture_server(fixture), listens, 2, &limits, &error);
		failed = alloc_failed();
		alloc_fail_at(0);
		assert_int_equal(!prepared, failed);
		http_change_free(&prepared);
	} while (failed);
	assert_true(n > 5);
	fixture_stop(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_what_stays),
		cmocka_unit_test(limits_hold_for_what_comes_next),
		cmocka_unit_test(takes_a_socket_over),
		cmocka_unit_test(counts_on_when_a_socket_is_taken_over),
		cmocka_unit_test(makes_connections_fit_a_lower_bound),
		cmocka_unit_test(drains_what_is_removed),
		cmocka_unit_test(leaves_no_address_behind_when_it_drains),
		cmocka_unit_test(leaves_no_address_behind_when_it_stops),
		cmocka_unit_test(changes_nothing_when_a_port_is_taken),
		cmocka_unit_test(survives_every_failed_allocation),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
