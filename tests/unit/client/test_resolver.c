#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "caller.h"
#include "client/resolver.h"
#include "nameserver.h"
#include "server.h"

static struct loop *loop;
static struct resolver *resolver;
static struct resolver_settings settings;
static struct nameserver nameserver;
static struct server server;
static struct caller caller;
static struct caller_answer got;
static struct error error;
static int descriptors;

/* The second row of a name is for the turning of its address by the tests. */
static struct nameserver_row rows[] = {
	{"two.test", "127.0.0.1"}, {"two.test", "127.0.0.2"},  {"six.test", "::1"},
	{"gone.test", NULL},	   {"turn.test", "127.0.0.1"}, {NULL, NULL},
};

static int set_up(void **state)
{
	(void)state;
	descriptors = caller_descriptors();
	settings = (struct resolver_settings){
		.hosts_file = LG_SLICE("/dev/null"),
		.timeout_ms = 60000,
		.lookups_max = 4,
		.names_max = 4,
		.keep_ms = 60000,
		.failed_keep_ms = 60000,
	};
	loop = loop_new();
	nameserver.fd = -1;
	return loop ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	resolver_free(&resolver);
	if (caller.loop)
		caller_close(&caller);
	if (server.port)
		server_stop(&server);
	server.port = 0;
	if (nameserver.fd >= 0)
		nameserver_stop(&nameserver);
	loop_free(&loop);
	return caller_descriptors() == descriptors ? 0 : -1;
}

static void start(const struct nameserver_row *table)
{
	nameserver_start(&nameserver, table);
	settings.nameserver = slice_from(nameserver.address);
	resolver = resolver_new(loop, &settings, &error);
	if (!resolver)
		fail_msg("%s", error.text);
}

struct asked {
	struct resolver_waiter waiter;
	struct resolver_addresses addresses;
	enum resolver_state state;
};

static int waiting;

static void on_named(struct resolver_waiter *waiter, enum resolver_state state,
		     const struct resolver_addresses *addresses)
{
	struct asked *asked = container_of(waiter, struct asked, waiter);

	asked->state = state;
	asked->addresses = *addresses;
	if (--waiting == 0)
		loop_stop(loop);
}

static void ask(struct asked *asked, const char *name)
{
	asked->waiter.done = on_named;
	asked->state = resolver_find(resolver, slice_from(name), &asked->waiter, &asked->addresses);
	waiting += asked->state == RESOLVER_PENDING;
}

static enum resolver_state find(struct asked *asked, const char *name)
{
	ask(asked, name);
	if (waiting > 0)
		loop_run(loop);
	return asked->state;
}

static const char *text_of(const struct sockaddr_storage *address)
{
	static char text[INET6_ADDRSTRLEN];
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;
	const void *bytes = address->ss_family == AF_INET ? (const void *)&v4->sin_addr
							  : (const void *)&v6->sin6_addr;

	return inet_ntop(address->ss_family, bytes, text, sizeof(text));
}

static void finds_addresses_of_both_families(void **state)
{
	struct asked asked;

	(void)state;
	start(rows);
	assert_int_equal(find(&asked, "two.test"), RESOLVER_KNOWN);
	assert_int_equal(asked.addresses.count, 2);
	assert_string_equal(text_of(&asked.addresses.list[0]), "127.0.0.1");
	assert_string_equal(text_of(&asked.addresses.list[1]), "127.0.0.2");
	assert_int_equal(find(&asked, "six.test"), RESOLVER_KNOWN);
	assert_int_equal(asked.addresses.count, 1);
	assert_string_equal(text_of(&asked.addresses.list[0]), "::1");
}

static void keeps_what_it_found(void **state)
{
	struct asked asked;
	int questions;

	(void)state;
	start(rows);
	assert_int_equal(find(&asked, "two.test"), RESOLVER_KNOWN);
	assert_int_equal(find(&asked, "gone.test"), RESOLVER_UNKNOWN);
	assert_int_equal(find(&asked, "broken.test"), RESOLVER_FAILED);
	questions = nameserver.questions;
	for (int i = 0; i < 3; i++) {
		ask(&asked, "TWO.test");
		assert_int_equal(asked.state, RESOLVER_KNOWN);
		assert_int_equal(asked.addresses.count, 2);
		ask(&asked, "gone.test");
		assert_int_equal(asked.state, RESOLVER_UNKNOWN);
		ask(&asked, "broken.test");
		assert_int_equal(asked.state, RESOLVER_FAILED);
	}
	assert_int_equal(nameserver.questions, questions);
}

static void asks_anew_when_the_time_is_up(void **state)
{
	struct asked asked;
	int questions;

	(void)state;
	settings.keep_ms = 0;
	start(rows);
	assert_int_equal(find(&asked, "turn.test"), RESOLVER_KNOWN);
	assert_string_equal(text_of(&asked.addresses.list[0]), "127.0.0.1");
	questions = nameserver.questions;
	assert_int_equal(find(&asked, "turn.test"), RESOLVER_KNOWN);
	assert_true(nameserver.questions > questions);
}

static void those_who_ask_together_are_told_together(void **state)
{
	struct asked asked[10];

	(void)state;
	start(rows);
	for (int i = 0; i < 10; i++)
		ask(&asked[i], "two.test");
	resolver_cancel(&asked[3].waiter);
	waiting--;
	loop_run(loop);
	for (int i = 0; i < 10; i++)
		assert_int_equal(asked[i].state, i == 3 ? RESOLVER_PENDING : RESOLVER_KNOWN);
	assert_in_range(nameserver.questions, 1, 2);
}

static void the_hosts_file_comes_first(void **state)
{
	char file[] = "/tmp/leadgate-hosts-XXXXXX";
	FILE *hosts = fdopen(mkstemp(file), "w");
	struct asked asked;

	(void)state;
	assert_non_null(hosts);
	fputs("127.0.0.9 two.test # not the server's\n", hosts);
	fclose(hosts);
	settings.hosts_file = slice_from(file);
	start(rows);
	ask(&asked, "two.test");
	assert_int_equal(asked.state, RESOLVER_KNOWN);
	assert_string_equal(text_of(&asked.addresses.list[0]), "127.0.0.9");
	assert_int_equal(nameserver.questions, 0);
	unlink(file);
}

static void names_and_lookups_are_bounded(void **state)
{
	struct asked asked[6];
	char name[32], longest[300];

	(void)state;
	settings.timeout_ms = 300;
	start(NULL);
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "n%d.test", i);
		ask(&asked[i], name);
		assert_int_equal(asked[i].state, i < 4 ? RESOLVER_PENDING : RESOLVER_FAILED);
	}
	loop_run(loop);
	for (int i = 0; i < 4; i++)
		assert_int_equal(asked[i].state, RESOLVER_FAILED);
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = 0;
	ask(&asked[0], longest);
	assert_int_equal(asked[0].state, RESOLVER_FAILED);
	/* old ones make room */
	assert_int_equal(find(&asked[0], "new.test"), RESOLVER_FAILED);
}

static int ticks;

static void on_tick(struct loop_timer *timer)
{
	if (++ticks > 10)
		loop_stop(loop);
	else
		loop_timer_set(timer, 5);
}

/* The loop goes on while nobody answers. */
static void a_dead_server_holds_nobody_up(void **state)
{
	struct loop_timer timer;
	struct asked asked;

	(void)state;
	start(NULL);
	ticks = 0;
	ask(&asked, "two.test");
	loop_timer_init(&timer, loop, on_tick);
	loop_timer_set(&timer, 5);
	loop_run(loop);
	loop_timer_fini(&timer);
	assert_true(ticks > 10);
	assert_int_equal(asked.state, RESOLVER_PENDING);
	resolver_cancel(&asked.waiter);
	waiting--;
}

static void may_be_freed_while_asking(void **state)
{
	struct asked asked[3];

	(void)state;
	start(NULL);
	for (int i = 0; i < 3; i++)
		ask(&asked[i], i ? "two.test" : "other.test");
	resolver_free(&resolver);
	waiting = 0;
	for (int i = 0; i < 3; i++)
		assert_int_equal(asked[i].state, RESOLVER_PENDING);
}

static void on_named_free(struct resolver_waiter *waiter, enum resolver_state state,
			  const struct resolver_addresses *addresses)
{
	on_named(waiter, state, addresses);
	resolver_free(&resolver);
	loop_stop(loop);
}

static void may_be_freed_by_who_is_told(void **state)
{
	struct asked asked[3];

	(void)state;
	start(rows);
	for (int i = 0; i < 3; i++) {
		ask(&asked[i], i == 2 ? "six.test" : "two.test");
		asked[i].waiter.done = on_named_free;
	}
	loop_run(loop);
	waiting = 0;
	assert_null(resolver);
}

static void open_caller(bool allow_private)
{
	caller_init(&caller);
	caller.settings.allow_private = allow_private;
	caller.settings.nameserver = slice_from(nameserver.address);
	caller.settings.hosts_file = LG_SLICE("/dev/null");
	caller_open(&caller);
}

static void calls_go_to_the_address_that_was_looked_at(void **state)
{
	int questions;

	(void)state;
	nameserver_start(&nameserver, rows);
	server_start(&server, server_answer_ok);
	open_caller(true);
	caller_get(&caller, "turn.test", server.port, &got);
	assert_int_equal(got.answer.result, HTTP_ANSWERED);
	assert_string_equal(got.answer.address, "127.0.0.1");
	questions = nameserver.questions;
	caller_get(&caller, "turn.test", server.port, &got);
	assert_int_equal(got.answer.result, HTTP_ANSWERED);
	assert_true(got.answer.reused);
	assert_int_equal(nameserver.questions, questions);
	/* 127.0.0.1 takes the connection when the first address does not */
	caller_get(&caller, "two.test", server.port, &got);
	assert_int_equal(got.answer.result, HTTP_ANSWERED);
}

static void a_name_of_a_private_address_is_refused(void **state)
{
	(void)state;
	nameserver_start(&nameserver, rows);
	server_start(&server, server_answer_ok);
	open_caller(false);
	caller_get(&caller, "turn.test", server.port, &got);
	assert_int_equal(got.answer.result, HTTP_ADDRESS_PRIVATE);
	caller_get(&caller, "six.test", server.port, &got);
	assert_int_equal(got.answer.result, HTTP_ADDRESS_PRIVATE);
	assert_int_equal(server.accepted, 0);
}

static void calls_to_unknown_names_say_so(void **state)
{
	(void)state;
	nameserver_start(&nameserver, rows);
	open_caller(true);
	caller_get(&caller, "gone.test", 80, &got);
	assert_int_equal(got.answer.result, HTTP_NAME_UNKNOWN);
	caller_get(&caller, "broken.test", 80, &got);
	assert_int_equal(got.answer.result, HTTP_NAME_FAILED);
}

static void a_call_ends_in_time_with_a_dead_server(void **state)
{
	struct http_call call = {
		.method = LG_SLICE("GET"), .url = LG_SLICE("http://two.test/"), .timeout_ms = 150};

	(void)state;
	nameserver_start(&nameserver, NULL);
	open_caller(true);
	assert_non_null(caller_send(&caller, &call, &got));
	caller_wait(&caller);
	assert_int_equal(got.answer.result, HTTP_TIMEOUT_UNSENT);
	/* a client is freed while its lookup goes on: see tear_down */
}

static void a_call_fails_with_its_lookup(void **state)
{
	(void)state;
	nameserver_start(&nameserver, NULL);
	caller_init(&caller);
	caller.settings.name_timeout_ms = 150;
	caller.settings.nameserver = slice_from(nameserver.address);
	caller_open(&caller);
	caller_get(&caller, "two.test", 80, &got);
	assert_int_equal(got.answer.result, HTTP_NAME_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		CASE(finds_addresses_of_both_families),
		CASE(keeps_what_it_found),
		CASE(asks_anew_when_the_time_is_up),
		CASE(those_who_ask_together_are_told_together),
		CASE(the_hosts_file_comes_first),
		CASE(names_and_lookups_are_bounded),
		CASE(a_dead_server_holds_nobody_up),
		CASE(may_be_freed_while_asking),
		CASE(may_be_freed_by_who_is_told),
		CASE(calls_go_to_the_address_that_was_looked_at),
		CASE(a_name_of_a_private_address_is_refused),
		CASE(calls_to_unknown_names_say_so),
		CASE(a_call_ends_in_time_with_a_dead_server),
		CASE(a_call_fails_with_its_lookup),
	};
	return RUN(tests);
}
