#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/counter.h"
#include "conn/conn_group.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* A protocol of lines: it answers each "x\n" with "<x>\n". "!…" ends with a
 * lingering close, "?…" waits, ".…" is followed by a slow body. Longer lines
 * than 100 stay in `in`. */
struct peer {
	struct loop *loop;
	struct quota *quota;
	struct conn_group group;
	struct conn_settings settings;
	struct conn *conn;
	enum conn_state state;
	enum conn_reason expired, closed_with;
	size_t lines;
	size_t pause_after; /* lines of one receive */
	bool lingers, ended, drained;
	int fd; /* the test's end */
	int64_t counts[CONN_REASON_COUNT];
};

static int64_t closed_count(enum conn_reason reason)
{
	char labels[64];

	snprintf(labels, sizeof(labels), "reason=\"%s\"", conn_reason_label(reason));
	return counter_read(
		counter_register(COUNTER_COUNTER, "leadgate_connections_closed_total", labels, ""));
}

static void take_line(struct peer *peer, struct lg_slice line)
{
	peer->lines++;
	peer->state = slice_starts(line, "?")	? CONN_WAIT
		      : slice_starts(line, ".") ? CONN_BODY
						: CONN_IDLE;
	peer->lingers |= slice_starts(line, "!");
	buffer_printf(conn_out(peer->conn), "<%.*s>\n", SLICE_ARGS(line));
}

static size_t on_receive(struct conn *conn, struct lg_slice bytes)
{
	struct peer *peer = conn->context;
	struct lg_slice rest = bytes;
	ptrdiff_t end;

	for (size_t lines = 0; (end = slice_find(rest, '\n')) >= 0; lines++) {
		if (peer->pause_after && lines == peer->pause_after) {
			conn_pause(conn);
			break;
		}
		take_line(peer, slice_cut(rest, 0, (size_t)end));
		rest = slice_cut(rest, (size_t)end + 1, rest.length);
	}
	return bytes.length - rest.length;
}

static void on_ended(struct conn *conn)
{
	struct peer *peer = conn->context;

	peer->ended = true;
}

static void on_settle(struct conn *conn)
{
	struct peer *peer = conn->context;

	if (buffer_length(&conn->out) > 0) {
		if (conn->state != CONN_WRITE)
			conn_move(conn, CONN_WRITE);
		conn_pause(conn);
		return;
	}
	if (peer->lingers) {
		conn_linger(conn, CONN_REFUSED);
		return;
	}
	if (peer->ended || peer->drained) {
		conn_close(conn, peer->ended ? CONN_PEER_CLOSED : CONN_DRAINED);
		return;
	}
	if (conn->state != peer->state)
		conn_move(conn, peer->state);
	conn_resume(conn);
}

static void on_expired(struct conn *conn, enum conn_reason reason)
{
	struct peer *peer = conn->context;

	peer->expired = reason;
	conn_close(conn, reason);
}

static void on_drain(struct conn *conn)
{
	struct peer *peer = conn->context;

	peer->drained = true;
}

static void on_closed(struct conn *conn)
{
	struct peer *peer = conn->context;

	peer->conn = NULL;
	loop_stop(peer->loop);
}

static const struct conn_protocol lines = {
	.receive = on_receive,
	.ended = on_ended,
	.settle = on_settle,
	.expired = on_expired,
	.drain = on_drain,
	.closed = on_closed,
};

static void peer_init(struct peer *peer)
{
	int fds[2];
	struct address address = {0};
	enum conn_reason reason;

	conn_reason_register();
	peer->loop = loop_new();
	peer->quota = quota_new(10, 10);
	assert_non_null(peer->quota);
	assert_true(conn_group_init(&peer->group, peer->loop, &peer->settings, peer->quota));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
			 0);
	peer->fd = fds[1];
	assert_true(quota_take(peer->quota, &address, false, &reason));
	peer->conn = conn_new(fds[0], &address, false, &lines, peer);
	assert_non_null(peer->conn);
	for (int i = 0; i < CONN_REASON_COUNT; i++)
		peer->counts[i] = closed_count((enum conn_reason)i);
	conn_group_send(&peer->group, peer->conn);
}

static struct peer peer_with(int64_t idle_ms, int64_t body_ms)
{
	return (struct peer){
		.settings = {.timeout_ms[CONN_IDLE] = idle_ms,
			     .timeout_ms[CONN_BODY] = body_ms,
			     .timeout_ms[CONN_WRITE] = 10000,
			     .timeout_ms[CONN_LINGER] = 10000,
			     .in_bytes = 1 << 20,
			     .out_bytes = 1 << 20,
			     .linger_bytes = 1000},
	};
}

static void peer_fini(struct peer *peer)
{
	conn_group_fini(&peer->group);
	assert_null(peer->conn);
	assert_int_equal(quota_total(peer->quota), 0);
	quota_free(&peer->quota);
	loop_free(&peer->loop);
	close(peer->fd);
}

/* The connection was closed once, and for this. */
static void expect_reason(const struct peer *peer, enum conn_reason reason)
{
	for (int i = 0; i < CONN_REASON_COUNT; i++)
		assert_int_equal(closed_count((enum conn_reason)i) - peer->counts[i],
				 i == (int)reason);
}

static void say(const struct peer *peer, const char *text)
{
	assert_int_equal(send(peer->fd, text, strlen(text), 0), strlen(text));
}

static void expect(const struct peer *peer, const char *text)
{
	char got[256];
	ssize_t size = recv(peer->fd, got, sizeof(got), 0);

	assert_int_equal(size, strlen(text));
	assert_memory_equal(got, text, strlen(text));
}

/* Serves all that is there: the letter, the bytes, the turn. */
static void turn(struct peer *peer)
{
	for (int i = 0; i < 5; i++)
		event_base_loop(loop_base(peer->loop), EVLOOP_NONBLOCK);
}

/* All that comes in one turn is answered in one send. */
static void answers_and_sees_the_end(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	peer_init(&peer);
	say(&peer, "one\ntwo\nthr");
	shutdown(peer.fd, SHUT_WR);
	loop_run(peer.loop);
	expect(&peer, "<one>\n<two>\n");
	expect_reason(&peer, CONN_PEER_CLOSED);
	peer_fini(&peer);
}

static void offers_what_a_pause_kept_back(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	peer.pause_after = 2;
	peer_init(&peer);
	say(&peer, "1\n2\n3\n4\n5\nrest");
	shutdown(peer.fd, SHUT_WR);
	loop_run(peer.loop);
	assert_int_equal(peer.lines, 5);
	expect(&peer, "<1>\n<2>\n<3>\n<4>\n<5>\n");
	peer_fini(&peer);
}

static void ends_at_the_deadline(void **state)
{
	struct peer peer = peer_with(10, 10000);

	(void)state;
	peer_init(&peer);
	loop_run(peer.loop);
	assert_int_equal(peer.expired, CONN_IDLE_TIMEOUT);
	expect_reason(&peer, CONN_IDLE_TIMEOUT);
	peer_fini(&peer);
}

static void ends_a_slow_body(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	peer.settings.minimum_rate_bytes = 1000000;
	peer.settings.rate_grace_ms = 10;
	peer_init(&peer);
	say(&peer, ".\n");
	loop_run(peer.loop);
	expect_reason(&peer, CONN_TOO_SLOW);
	peer_fini(&peer);
}

/* Waiting for an answer has no deadline; the body's still counts afterwards. */
static void waits_without_a_deadline(void **state)
{
	struct peer peer = peer_with(500, 10); /* long enough to send in, under valgrind too */

	(void)state;
	peer_init(&peer);
	say(&peer, "?\n");
	struct timeval later = {.tv_usec = 600000};
	event_base_loopexit(loop_base(peer.loop), &later);
	event_base_loop(loop_base(peer.loop), 0);
	assert_non_null(peer.conn);
	assert_int_equal(peer.conn->state, CONN_WAIT);
	say(&peer, ".\n");
	loop_run(peer.loop);
	expect_reason(&peer, CONN_BODY_TIMEOUT);
	peer_fini(&peer);
}

static void lingers_for_so_many_bytes(void **state)
{
	struct peer peer = peer_with(10000, 10000);
	char more[2000] = {0};

	(void)state;
	peer_init(&peer);
	say(&peer, "!\n");
	turn(&peer);
	assert_int_equal(peer.conn->state, CONN_LINGER);
	expect(&peer, "<!>\n");
	assert_int_equal(recv(peer.fd, more, 1, 0), 0);
	assert_int_equal(send(peer.fd, more, sizeof(more), 0), sizeof(more));
	loop_run(peer.loop);
	expect_reason(&peer, CONN_REFUSED);
	peer_fini(&peer);
}

static void lingers_for_so_long(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	peer.settings.timeout_ms[CONN_LINGER] = 10;
	peer_init(&peer);
	say(&peer, "!\n");
	loop_run(peer.loop);
	expect_reason(&peer, CONN_REFUSED);
	peer_fini(&peer);
}

static void drains(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	peer_init(&peer);
	conn_group_drain(&peer.group);
	loop_run(peer.loop);
	expect_reason(&peer, CONN_DRAINED);
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
	turn(&peer);
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
	expect_reason(&peer, CONN_IDLE_TIMEOUT);
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
	turn(&peer);
	conn_group_drain_some(&peer.group, is_wanted);
	assert_false(peer.drained);
	peer.conn->origin = &peer;
	say(&peer, "one\n");
	conn_group_drain_some(&peer.group, is_wanted);
	assert_false(peer.drained);
	turn(&peer);
	expect(&peer, "<one>\n");
	conn_group_drain_some(&peer.group, is_wanted);
	loop_run(peer.loop);
	expect_reason(&peer, CONN_DRAINED);
	peer_fini(&peer);
}

static void stops_what_nobody_took(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	peer_init(&peer);
	peer_fini(&peer);
	expect_reason(&peer, CONN_STOPPED);
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
	expect_reason(&peer, CONN_NO_MEMORY);
	peer_fini(&peer);
}

/* An idle connection holds none of the memory that its bytes went through. */
static void holds_no_memory_when_idle(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	peer_init(&peer);
	for (int i = 0; i < 3; i++) {
		say(&peer, i < 2 ? "on" : "e\n");
		turn(&peer);
		assert_int_equal(buffer_length(&peer.conn->in), i < 2 ? 2 * (i + 1) : 0);
	}
	expect(&peer, "<onone>\n");
	assert_null(peer.conn->in.data);
	assert_null(peer.conn->out.data);
	peer_fini(&peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_and_sees_the_end),
		cmocka_unit_test(offers_what_a_pause_kept_back),
		cmocka_unit_test(ends_at_the_deadline),
		cmocka_unit_test(ends_a_slow_body),
		cmocka_unit_test(waits_without_a_deadline),
		cmocka_unit_test(lingers_for_so_many_bytes),
		cmocka_unit_test(lingers_for_so_long),
		cmocka_unit_test(drains),
		cmocka_unit_test(drains_some),
		cmocka_unit_test(takes_other_settings),
		cmocka_unit_test(stops_what_nobody_took),
		cmocka_unit_test(bounds_what_is_left_unread),
		cmocka_unit_test(holds_no_memory_when_idle),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
