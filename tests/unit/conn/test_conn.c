#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conn/conn_deadline.h"
#include "peer.h"

#include <sys/socket.h>
#include <unistd.h>

/* All that comes in one turn is answered in one send. */
static void answers_and_sees_the_end(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	peer_init(&peer);
	peer_say(&peer, "one\ntwo\nthr");
	shutdown(peer.fd, SHUT_WR);
	loop_run(peer.loop);
	peer_expect(&peer, "<one>\n<two>\n");
	peer_expect_reason(&peer, CONN_PEER_CLOSED);
	peer_fini(&peer);
}

static void offers_what_a_pause_kept_back(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	peer.pause_after = 2;
	peer_init(&peer);
	peer_say(&peer, "1\n2\n3\n4\n5\nrest");
	shutdown(peer.fd, SHUT_WR);
	loop_run(peer.loop);
	assert_int_equal(peer.lines, 5);
	peer_expect(&peer, "<1>\n<2>\n<3>\n<4>\n<5>\n");
	peer_fini(&peer);
}

/* Others come before what a pause kept back is offered again. */
static void takes_a_turn_a_round(void **state)
{
	struct peer peer = peer_with(10000, 10000);
	size_t before = 0;

	(void)state;
	peer.pause_after = 2;
	peer_init(&peer);
	peer_say(&peer, "1\n2\n3\n4\n5\n");
	while (peer.lines < 5) {
		event_base_loop(loop_base(peer.loop), EVLOOP_ONCE);
		assert_in_range(peer.lines, before, before + 2);
		before = peer.lines;
	}
	peer_expect(&peer, "<1>\n<2>\n<3>\n<4>\n<5>\n");
	peer_fini(&peer);
}

static void ends_at_the_deadline(void **state)
{
	struct peer peer = peer_with(10, 10000);

	(void)state;
	peer_init(&peer);
	loop_run(peer.loop);
	assert_int_equal(peer.expired, CONN_IDLE_TIMEOUT);
	peer_expect_reason(&peer, CONN_IDLE_TIMEOUT);
	peer_fini(&peer);
}

static void ends_a_slow_body(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	peer.settings.minimum_rate_bytes = 1000000;
	peer.settings.rate_grace_ms = 10;
	peer_init(&peer);
	peer_say(&peer, ".\n");
	loop_run(peer.loop);
	peer_expect_reason(&peer, CONN_TOO_SLOW);
	peer_fini(&peer);
}

/* Waiting for an answer has no deadline; the body's still counts afterwards. */
static void waits_without_a_deadline(void **state)
{
	struct peer peer = peer_with(10000, 10000);
	struct conn_settings settings = peer.settings;

	(void)state;
	peer_init(&peer);
	peer_say(&peer, "?\n");
	peer_turn(&peer);
	assert_int_equal(peer.conn->state, CONN_WAIT);
	settings.timeout_ms[CONN_IDLE] = settings.timeout_ms[CONN_BODY] = 10;
	conn_group_set(&peer.group, &settings);
	struct timeval later = {.tv_usec = 100000};
	event_base_loopexit(loop_base(peer.loop), &later);
	event_base_loop(loop_base(peer.loop), 0);
	assert_non_null(peer.conn);
	assert_int_equal(peer.conn->state, CONN_WAIT);
	peer_say(&peer, ".\n");
	loop_run(peer.loop);
	peer_expect_reason(&peer, CONN_BODY_TIMEOUT);
	peer_fini(&peer);
}

static void lingers_for_so_many_bytes(void **state)
{
	struct peer peer = peer_with(10000, 10000);
	char more[2000] = {0};

	(void)state;
	peer_init(&peer);
	peer_say(&peer, "!\n");
	peer_turn(&peer);
	assert_int_equal(peer.conn->state, CONN_LINGER);
	peer_expect(&peer, "<!>\n");
	assert_int_equal(recv(peer.fd, more, 1, 0), 0);
	assert_int_equal(send(peer.fd, more, sizeof(more), 0), sizeof(more));
	loop_run(peer.loop);
	peer_expect_reason(&peer, CONN_REFUSED);
	peer_fini(&peer);
}

static void lingers_for_so_long(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	peer.settings.timeout_ms[CONN_LINGER] = 10;
	peer_init(&peer);
	peer_say(&peer, "!\n");
	loop_run(peer.loop);
	peer_expect_reason(&peer, CONN_REFUSED);
	peer_fini(&peer);
}

/* It has a moment to hear why, also when it goes on sending. */
static void expels(void **state)
{
	struct peer peer = peer_with(10000, 10000);
	struct conn_settings settings;
	char end;

	(void)state;
	peer_init(&peer);
	peer_say(&peer, "#\n");
	peer_turn(&peer);
	assert_int_equal(peer.conn->state, CONN_EXPEL);
	peer_expect(&peer, "<#>\n");
	assert_int_equal(recv(peer.fd, &end, 1, 0), 0);
	peer_say(&peer, "more\n");
	settings = peer.settings;
	settings.timeout_ms[CONN_EXPEL] = 10;
	conn_group_set(&peer.group, &settings);
	loop_run(peer.loop);
	assert_int_equal(peer.lines, 1);
	peer_expect_reason(&peer, CONN_H2_PINGS);
	peer_fini(&peer);
}

static void drains(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	peer_init(&peer);
	conn_group_drain(&peer.group);
	loop_run(peer.loop);
	peer_expect_reason(&peer, CONN_DRAINED);
	peer_fini(&peer);
}

/* What is idle stays for the grace, whatever its own time is, and is served. */
static void gives_idle_ones_a_grace(void **state)
{
	struct peer peer = peer_with(60000, 10000);
	int64_t now_ms;

	(void)state;
	peer.settings.drain_grace_ms = 20000;
	peer_init(&peer);
	peer_turn(&peer);
	now_ms = loop_now_ms(peer.loop);
	conn_group_drain(&peer.group);
	peer_turn(&peer);
	assert_non_null(peer.conn);
	assert_true(peer.conn->deadline_ms >= now_ms + 20000);
	assert_true(peer.conn->deadline_ms <= loop_now_ms(peer.loop) + 20000);
	peer_say(&peer, "x\n");
	peer_turn(&peer);
	peer_expect(&peer, "<x>\n");
	assert_non_null(peer.conn);
	peer_fini(&peer);
}

static void ends_idle_ones_after_their_grace(void **state)
{
	struct peer peer = peer_with(60000, 10000);

	(void)state;
	peer.settings.drain_grace_ms = 10;
	peer_init(&peer);
	peer_turn(&peer);
	conn_group_drain(&peer.group);
	loop_run(peer.loop);
	assert_int_equal(peer.expired, CONN_DRAINED);
	peer_expect_reason(&peer, CONN_DRAINED);
	peer_fini(&peer);
}

/* Neither a longer grace nor other settings keep what is idle. */
static void does_not_prolong_by_a_grace(void **state)
{
	struct peer peer = peer_with(10, 10000);
	struct conn_settings settings;

	(void)state;
	peer.settings.drain_grace_ms = 60000;
	peer_init(&peer);
	conn_group_drain(&peer.group);
	loop_run(peer.loop);
	peer_expect_reason(&peer, CONN_DRAINED);
	settings = peer.settings;
	settings.timeout_ms[CONN_IDLE] = 90000;
	conn_group_set(&peer.group, &settings);
	assert_int_equal(peer.group.settings.timeout_ms[CONN_IDLE], 60000);
	peer_fini(&peer);
}

/* What has come by the end of the grace, and was not read yet, is served. */
static void serves_what_came_in_the_grace(void **state)
{
	struct peer peer = peer_with(60000, 10000);

	(void)state;
	peer.settings.drain_grace_ms = 20000;
	peer_init(&peer);
	peer_turn(&peer);
	conn_group_drain(&peer.group);
	peer_turn(&peer);
	assert_true(loop_watch_set(&peer.conn->watch, 0)); /* the loop does not know yet */
	peer_say(&peer, "x\n");
	peer.conn->deadline_ms = loop_now_ms(peer.loop);
	conn_deadline_arm(&peer.group, peer.conn->deadline_ms);
	peer_turn(&peer);
	assert_non_null(peer.conn);
	assert_true(loop_watch_set(&peer.conn->watch, LOOP_READ));
	peer_turn(&peer);
	peer_expect(&peer, "<x>\n");
	peer_fini(&peer);
}

/* A shorter time counts from the change, a longer one from the beginning. */
static void takes_other_settings(void **state)
{
	struct peer peer = peer_with(60000, 10000);
	struct conn_settings settings = peer.settings;
	int64_t since_ms;

	(void)state;
	peer_init(&peer);
	peer_turn(&peer);
	since_ms = peer.conn->since_ms;
	peer.conn->since_ms = since_ms - 40000;
	peer.conn->deadline_ms = since_ms + 20000;
	settings.in_bytes *= 2;
	settings.timeout_ms[CONN_IDLE] = 50000;
	conn_group_set(&peer.group, &settings);
	assert_int_equal(peer.conn->deadline_ms, since_ms + 20000);
	assert_int_equal(peer.conn->in.limit, settings.in_bytes);
	settings.timeout_ms[CONN_IDLE] = 90000;
	conn_group_set(&peer.group, &settings);
	assert_int_equal(peer.conn->deadline_ms, since_ms + 50000);
	settings.timeout_ms[CONN_IDLE] = 10;
	conn_group_set(&peer.group, &settings);
	loop_run(peer.loop);
	peer_expect_reason(&peer, CONN_IDLE_TIMEOUT);
	peer_fini(&peer);
}

static bool is_wanted(const struct conn *conn)
{
	return conn->origin != NULL;
}

/* What the peer has asked by then is still served. */
static void drains_some(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	peer_init(&peer);
	peer_turn(&peer);
	conn_group_drain_some(&peer.group, is_wanted);
	assert_false(peer.drained);
	peer.conn->origin = &peer;
	peer_say(&peer, "one\n");
	conn_group_drain_some(&peer.group, is_wanted);
	assert_false(peer.drained);
	peer_turn(&peer);
	peer_expect(&peer, "<one>\n");
	conn_group_drain_some(&peer.group, is_wanted);
	loop_run(peer.loop);
	peer_expect_reason(&peer, CONN_DRAINED);
	peer_fini(&peer);
}

static void stops_what_nobody_took(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	peer_init(&peer);
	peer_fini(&peer);
	peer_expect_reason(&peer, CONN_STOPPED);
}

/* A line that never ends is bounded by what the protocol may leave. */
static void bounds_what_is_left_unread(void **state)
{
	struct peer peer = peer_with(10000, 10000);
	static char more[200000];

	(void)state;
	peer.settings.in_bytes = 1000;
	peer_init(&peer);
	memset(more, 'x', sizeof(more));
	assert_true(send(peer.fd, more, sizeof(more), 0) > 1000);
	loop_run(peer.loop);
	peer_expect_reason(&peer, CONN_NO_MEMORY);
	peer_fini(&peer);
}

/* An idle connection holds none of the memory that its bytes went through. */
static void holds_no_memory_when_idle(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	peer_init(&peer);
	for (int i = 0; i < 3; i++) {
		peer_say(&peer, i < 2 ? "on" : "e\n");
		peer_turn(&peer);
		assert_int_equal(buffer_length(&peer.conn->in), i < 2 ? 2 * (i + 1) : 0);
	}
	peer_expect(&peer, "<onone>\n");
	assert_null(peer.conn->in.data);
	assert_null(peer.conn->out.data);
	peer_fini(&peer);
}

/* Accepted to take the place of an idle one, which has gone by itself meanwhile. */
static void takes_a_place_that_came_free(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	peer_init(&peer);
	peer.conn->displaces = true;
	peer_turn(&peer);
	assert_non_null(peer.conn);
	assert_int_equal(peer.conn->state, CONN_IDLE);
	peer_fini(&peer);
}

static void is_turned_away_without_a_place(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	peer_init(&peer);
	quota_set_limits(peer.quota, 0, 10);
	peer.conn->displaces = true;
	peer_turn(&peer);
	peer_expect_reason(&peer, CONN_FULL);
	peer_fini(&peer);
}

/* The same of a listener that has a bound of its own. */
static void takes_a_place_in_a_crowd(void **state)
{
	(void)state;
	for (size_t count = 1; count <= 2; count++) {
		struct peer peer = peer_with(10000, 10000);
		struct crowd *crowd = crowd_new(1);

		peer_init(&peer);
		crowd_set_limit(crowd, 1);
		atomic_store(&crowd->count, count);
		peer.conn->crowd = crowd;
		peer.conn->displaces = peer.conn->displaces_peer = true;
		peer_turn(&peer);
		if (count == 1)
			assert_int_equal(peer.conn->state, CONN_IDLE);
		else
			peer_expect_reason(&peer, CONN_FULL_LISTENER);
		peer_fini(&peer);
		crowd_unref(&crowd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_and_sees_the_end),
		cmocka_unit_test(offers_what_a_pause_kept_back),
		cmocka_unit_test(takes_a_turn_a_round),
		cmocka_unit_test(ends_at_the_deadline),
		cmocka_unit_test(ends_a_slow_body),
		cmocka_unit_test(waits_without_a_deadline),
		cmocka_unit_test(lingers_for_so_many_bytes),
		cmocka_unit_test(lingers_for_so_long),
		cmocka_unit_test(expels),
		cmocka_unit_test(drains),
		cmocka_unit_test(drains_some),
		cmocka_unit_test(gives_idle_ones_a_grace),
		cmocka_unit_test(ends_idle_ones_after_their_grace),
		cmocka_unit_test(does_not_prolong_by_a_grace),
		cmocka_unit_test(serves_what_came_in_the_grace),
		cmocka_unit_test(takes_other_settings),
		cmocka_unit_test(stops_what_nobody_took),
		cmocka_unit_test(bounds_what_is_left_unread),
		cmocka_unit_test(holds_no_memory_when_idle),
		cmocka_unit_test(takes_a_place_that_came_free),
		cmocka_unit_test(is_turned_away_without_a_place),
		cmocka_unit_test(takes_a_place_in_a_crowd),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
