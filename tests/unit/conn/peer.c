#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "peer.h"

#include "base/counter.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

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
	peer->expelled |= slice_starts(line, "#");
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
	if (peer->expelled) {
		conn_expel(conn, CONN_H2_PINGS);
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

	peer->drained = !conn_group_has_grace(conn->group);
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

void peer_connect(struct peer *peer)
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

void peer_init(struct peer *peer)
{
	conn_reason_register();
	peer->loop = loop_new();
	peer->quota = quota_new(10, 10);
	assert_non_null(peer->quota);
	assert_true(conn_group_init(&peer->group, peer->loop, &peer->settings, peer->quota));
	peer_connect(peer);
	for (int i = 0; i < CONN_REASON_COUNT; i++)
		peer->counts[i] = closed_count((enum conn_reason)i);
	conn_group_send(&peer->group, peer->conn);
}

struct peer peer_with(int64_t idle_ms, int64_t body_ms)
{
	return (struct peer){
		.settings = {.timeout_ms[CONN_IDLE] = idle_ms,
			     .timeout_ms[CONN_BODY] = body_ms,
			     .timeout_ms[CONN_WRITE] = 10000,
			     .timeout_ms[CONN_LINGER] = 10000,
			     .timeout_ms[CONN_EXPEL] = 10000,
			     .in_bytes = 1 << 20,
			     .out_bytes = 1 << 20,
			     .linger_bytes = 1000},
	};
}

void peer_fini(struct peer *peer)
{
	conn_group_fini(&peer->group);
	assert_null(peer->conn);
	assert_int_equal(quota_total(peer->quota), 0);
	quota_free(&peer->quota);
	loop_free(&peer->loop);
	close(peer->fd);
}

void peer_expect_reason(const struct peer *peer, enum conn_reason reason)
{
	for (int i = 0; i < CONN_REASON_COUNT; i++)
		assert_int_equal(closed_count((enum conn_reason)i) - peer->counts[i],
				 i == (int)reason);
}

void peer_say(const struct peer *peer, const char *text)
{
	assert_int_equal(send(peer->fd, text, strlen(text), 0), strlen(text));
}

void peer_expect(const struct peer *peer, const char *text)
{
	char got[256];
	ssize_t size = recv(peer->fd, got, sizeof(got), 0);

	assert_int_equal(size, strlen(text));
	assert_memory_equal(got, text, strlen(text));
}

void peer_turn(struct peer *peer)
{
	for (int i = 0; i < 5; i++)
		event_base_loop(loop_base(peer->loop), EVLOOP_NONBLOCK);
}
