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
	const struct conn_channel *channel; /* NULL: plain */
	bool blocks;			    /* at the end of its handshake, once */
	int freed;			    /* channels */
	int fd;				    /* the test's end */
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

/* A connection for it, of no group yet. */
static void connect_peer(struct peer *peer)
{
	int fds[2];
	struct address address = {0};
	enum conn_reason reason;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
			 0);
	peer->fd = fds[1];
	assert_true(quota_take(peer->quota, &address, false, &reason));
	peer->conn = conn_new(fds[0], &address, false, &lines, peer);
	assert_non_null(peer->conn);
	if (peer->channel)
		conn_set_channel(peer->conn, peer->channel, peer);
}

static void peer_init(struct peer *peer)
{
	conn_reason_register();
	peer->loop = loop_new();
	peer->quota = quota_new(10, 10);
	assert_non_null(peer->quota);
	assert_true(conn_group_init(&peer->group, peer->loop, &peer->settings, peer->quota));
	connect_peer(peer);
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

/* ---- channels ---------------------------------------------------------------------- */

/* A channel of lower-case letters: the peer sends each byte with bit 7 set, after
 * it has said "#", or "?" to be refused with "no\n", or "&" to be refused at once.
 * Each byte on the way out has bit 7 set. */
static int letters_open(struct conn *conn)
{
	struct peer *peer = conn->context;
	char byte;
	ssize_t size = recv(conn->fd, &byte, 1, 0);

	assert_ptr_equal(conn->channel_data, peer);
	conn->failure = CONN_PEER_LEFT;
	if (size < 0)
		return CONN_AGAIN;
	if (size == 0 || byte == '&')
		return CONN_FAILED;
	if (byte == '?') {
		buffer_add_literal(conn_out(conn), "no\n");
		conn->channel = &conn_channel_plain;
		return CONN_FAILED;
	}
	conn->blocked = peer->blocks;
	peer->blocks = false;
	return conn->blocked ? CONN_AGAIN : 0;
}

static ssize_t letters_receive(struct conn *conn, char *room, size_t size)
{
	ssize_t got = conn_channel_plain.receive(conn, room, size);

	for (ssize_t i = 0; i < got; i++)
		room[i] = (char)(room[i] & 0x7f);
	return got;
}

static ssize_t letters_send(struct conn *conn, const char *data, size_t size)
{
	char byte = (char)(*data | 0x80);

	assert_true(size > 0);
	return conn_channel_plain.send(conn, &byte, 1);
}

static void letters_shutdown(struct conn *conn)
{
	assert_int_equal(send(conn->fd, "!", 1, 0), 1);
	shutdown(conn->fd, SHUT_WR);
}

static void letters_free(struct conn *conn)
{
	struct peer *peer = conn->channel_data;

	peer->freed++;
}

static struct lg_slice letters_alpn(const struct conn *conn)
{
	(void)conn;
	return LG_SLICE("letters");
}

static const struct conn_channel letters = {
	.open = letters_open,
	.receive = letters_receive,
	.send = letters_send,
	.shutdown = letters_shutdown,
	.free = letters_free,
	.alpn = letters_alpn,
	.room_bytes = 100,
	.is_tls = true,
};

static void letters_init(struct peer *peer)
{
	peer->settings.timeout_ms[CONN_HANDSHAKE] = 10000;
	peer->channel = &letters;
	peer_init(peer);
}

static void speaks_through_a_channel(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	letters_init(&peer);
	assert_false(slice_present(conn_alpn(peer.conn)));
	turn(&peer);
	assert_int_equal(peer.conn->state, CONN_HANDSHAKE);
	/* What comes with the end of the handshake is read in the same turn. */
	say(&peer, "#\xef\xee");
	turn(&peer);
	assert_int_equal(peer.conn->state, CONN_IDLE);
	assert_int_equal(buffer_length(&peer.conn->in), 2);
	assert_true(conn_is_tls(peer.conn));
	assert_true(slice_is(conn_alpn(peer.conn), "letters"));
	say(&peer, "\xe5\x8a");
	for (int i = 0; i < 6; i++)
		turn(&peer);
	expect(&peer, "\xbc\xef\xee\xe5\xbe\x8a");
	shutdown(peer.fd, SHUT_WR);
	loop_run(peer.loop);
	expect_reason(&peer, CONN_PEER_CLOSED);
	assert_int_equal(peer.freed, 1);
	peer_fini(&peer);
}

static void shuts_a_channel_down(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	letters_init(&peer);
	say(&peer, "#\xa1\x8a");
	for (int i = 0; i < 4; i++)
		turn(&peer);
	assert_int_equal(peer.conn->state, CONN_LINGER);
	expect(&peer, "\xbc\xa1\xbe\x8a!");
	shutdown(peer.fd, SHUT_WR);
	loop_run(peer.loop);
	expect_reason(&peer, CONN_REFUSED);
	assert_int_equal(peer.freed, 1);
	peer_fini(&peer);
}

static void ends_with_a_channel_that_fails(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	letters_init(&peer);
	say(&peer, "&");
	loop_run(peer.loop);
	expect_reason(&peer, CONN_PEER_LEFT);
	peer_fini(&peer);
}

static void says_why_a_channel_fails(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	letters_init(&peer);
	say(&peer, "?");
	turn(&peer);
	expect(&peer, "no\n");
	shutdown(peer.fd, SHUT_WR);
	loop_run(peer.loop);
	expect_reason(&peer, CONN_PEER_LEFT);
	peer_fini(&peer);
}

static void waits_for_a_channel_that_must_send(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	peer.blocks = true;
	letters_init(&peer);
	say(&peer, "##");
	event_base_loop(loop_base(peer.loop), EVLOOP_NONBLOCK);
	event_base_loop(loop_base(peer.loop), EVLOOP_NONBLOCK);
	turn(&peer);
	assert_false(peer.blocks);
	assert_int_equal(peer.conn->state, CONN_IDLE);
	assert_int_equal(peer.conn->watch.events, LOOP_READ);
	peer_fini(&peer);
}

static void ends_a_slow_handshake(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	peer.settings.timeout_ms[CONN_HANDSHAKE] = 10;
	peer.channel = &letters;
	peer_init(&peer);
	loop_run(peer.loop);
	expect_reason(&peer, CONN_HANDSHAKE_TIMEOUT);
	peer_fini(&peer);
}

/* It came before the drain, so its request is served. */
static void drains_after_the_handshake(void **state)
{
	struct peer peer = peer_with(10000, 10000);

	(void)state;
	letters_init(&peer);
	turn(&peer);
	conn_group_drain(&peer.group);
	turn(&peer);
	assert_false(peer.drained);
	say(&peer, "#\xef\x8a");
	turn(&peer);
	loop_run(peer.loop);
	assert_int_equal(peer.lines, 1);
	expect_reason(&peer, CONN_DRAINED);
	peer_fini(&peer);
}

/* Of two handshakes where one may be, the older one goes. */
static void bounds_handshakes(void **state)
{
	struct peer first = peer_with(10000, 10000), second = peer_with(10000, 10000);

	(void)state;
	first.settings.handshakes = 1;
	letters_init(&first);
	turn(&first);
	second.loop = first.loop;
	second.quota = first.quota;
	second.channel = &letters;
	connect_peer(&second);
	conn_group_send(&first.group, second.conn);
	turn(&first);
	expect_reason(&first, CONN_FULL_HANDSHAKES);
	assert_null(first.conn);
	assert_int_equal(second.conn->state, CONN_HANDSHAKE);
	say(&second, "#");
	turn(&first);
	assert_int_equal(second.conn->state, CONN_IDLE);
	peer_fini(&first);
	assert_null(second.conn);
	close(second.fd);
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
		cmocka_unit_test(speaks_through_a_channel),
		cmocka_unit_test(shuts_a_channel_down),
		cmocka_unit_test(ends_with_a_channel_that_fails),
		cmocka_unit_test(says_why_a_channel_fails),
		cmocka_unit_test(waits_for_a_channel_that_must_send),
		cmocka_unit_test(ends_a_slow_handshake),
		cmocka_unit_test(drains_after_the_handshake),
		cmocka_unit_test(bounds_handshakes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
