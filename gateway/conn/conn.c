#include "conn/conn.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/log.h"
#include "conn/conn_group.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for more when a part of a request waits already. */
#define READ_MORE_BYTES 16384

struct conn *conn_new(int fd, const struct address *peer, bool exempt,
		      const struct conn_protocol *protocol, void *context)
{
	struct conn *conn = alloc_zalloc(sizeof(*conn));

	if (!conn)
		return NULL;
	conn->fd = fd;
	conn->peer = *peer;
	conn->exempt = exempt;
	conn->protocol = protocol;
	conn->context = context;
	list_init(&conn->node);
	list_init(&conn->turn);
	address_format(peer, conn->peer_text);
	return conn;
}

void conn_free(struct conn *conn)
{
	list_remove(&conn->node);
	list_remove(&conn->turn);
	buffer_fini(&conn->in);
	buffer_fini(&conn->out);
	alloc_free(conn);
}

void conn_move(struct conn *conn, enum conn_state state)
{
	struct conn_group *group = conn->group;
	int64_t timeout_ms = group->settings.timeout_ms[state];

	ALWAYS(conn->state != CONN_CLOSED);
	list_remove(&conn->node);
	list_append(&group->states[state], &conn->node);
	conn->state = state;
	conn->received_bytes = 0;
	conn->since_ms = loop_now_ms(group->loop);
	conn->deadline_ms = timeout_ms > 0 ? conn->since_ms + timeout_ms : INT64_MAX;
	conn_group_arm(group, conn->deadline_ms);
	if (state == CONN_BODY && group->settings.minimum_rate_bytes > 0)
		conn_group_arm(group, conn->since_ms + group->settings.rate_grace_ms);
}

void conn_close(struct conn *conn, enum conn_reason reason)
{
	struct conn_group *group = conn->group;

	if (conn->state == CONN_CLOSED)
		return;
	log_debug("conn.closed", LOG_TEXT("reason", conn_reason_label(reason)));
	conn_reason_count(reason);
	list_remove(&conn->turn);
	list_remove(&conn->node);
	list_append(&group->states[CONN_CLOSED], &conn->node);
	conn->state = CONN_CLOSED;
	loop_watch_fini(&conn->watch);
	close(conn->fd);
	conn->fd = -1;
	quota_give(group->quota, &conn->peer, conn->exempt);
	conn->protocol->closed(conn);
	conn_group_rouse(group);
}

void conn_linger(struct conn *conn, enum conn_reason reason)
{
	if (conn->ended) {
		conn_close(conn, reason);
		return;
	}
	shutdown(conn->fd, SHUT_WR);
	conn->linger_reason = reason;
	conn->paused = conn->offer = false;
	buffer_clear(&conn->in);
	conn_move(conn, CONN_LINGER);
}

bool conn_has_unread(const struct conn *conn)
{
	char byte;

	return recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

struct buffer *conn_out(struct conn *conn)
{
	conn_group_lend(conn->group, &conn->out);
	return &conn->out;
}

void conn_pause(struct conn *conn)
{
	conn->paused = true;
}

void conn_resume(struct conn *conn)
{
	if (!conn->paused)
		return;
	conn->paused = false;
	conn->offer = buffer_length(&conn->in) > 0;
	conn_wake(conn);
}

void conn_wake(struct conn *conn)
{
	if (conn->in_turn || conn->state == CONN_CLOSED || !list_empty(&conn->turn))
		return;
	list_append(&conn->group->turns, &conn->turn);
	conn_group_rouse(conn->group);
}

static void fail_io(struct conn *conn)
{
	bool reset = errno == ECONNRESET || errno == EPIPE;

	conn_close(conn, reset ? CONN_PEER_RESET : CONN_IO_ERROR);
}

static bool is_passing(int code)
{
	return code == EAGAIN || code == EINTR;
}

/* Keeps what the protocol left of bytes that lie in the group's scratch. */
static void keep(struct conn *conn, struct lg_slice rest)
{
	if (rest.length == 0)
		return;
	conn_group_lend(conn->group, &conn->in);
	if (!buffer_add_slice(&conn->in, rest))
		conn_close(conn, CONN_NO_MEMORY);
}

/* Offers the protocol what waits in `in`. */
static void offer_in(struct conn *conn)
{
	conn->offer = false;
	size_t taken = conn->protocol->receive(conn, buffer_slice(&conn->in));
	if (conn->state == CONN_CLOSED)
		return;
	buffer_take(&conn->in, taken);
	conn_group_return(conn->group, &conn->in);
}

/* Counts what a recv brought; false when it brought nothing. */
static bool was_read(struct conn *conn, ssize_t size)
{
	if (size > 0) {
		conn->received_bytes += (size_t)size;
		return true;
	}
	if (size == 0) {
		conn->ended = true;
		conn->protocol->ended(conn);
	} else if (!is_passing(errno)) {
		fail_io(conn);
	}
	return false;
}

static void read_fresh(struct conn *conn)
{
	char *scratch = conn->group->scratch;
	ssize_t size = recv(conn->fd, scratch, CONN_GROUP_SCRATCH_BYTES, 0);

	if (!was_read(conn, size))
		return;
	struct lg_slice bytes = slice_of(scratch, (size_t)size);
	size_t taken = conn->protocol->receive(conn, bytes);
	if (conn->state != CONN_CLOSED)
		keep(conn, slice_cut(bytes, taken, bytes.length));
}

static void read_more(struct conn *conn)
{
	char *room = buffer_room(&conn->in, READ_MORE_BYTES);

	if (!room) {
		conn_close(conn, CONN_NO_MEMORY);
		return;
	}
	ssize_t size = recv(conn->fd, room, READ_MORE_BYTES, 0);
	if (!was_read(conn, size))
		return;
	buffer_added(&conn->in, (size_t)size);
	offer_in(conn);
}

/* What comes after the last answer is read for the peer's sake alone. */
static void read_lingering(struct conn *conn)
{
	ssize_t size = recv(conn->fd, conn->group->scratch, CONN_GROUP_SCRATCH_BYTES, 0);

	if (size < 0 && is_passing(errno))
		return;
	conn->received_bytes += size > 0 ? (size_t)size : 0;
	if (size <= 0 || conn->received_bytes > conn->group->settings.linger_bytes)
		conn_close(conn, conn->linger_reason);
}

static void read_some(struct conn *conn)
{
	if (conn->state == CONN_LINGER)
		read_lingering(conn);
	else if (conn->paused || conn->ended)
		return; /* an event of before the pause */
	else if (buffer_length(&conn->in) == 0)
		read_fresh(conn);
	else
		read_more(conn);
}

static void send_out(struct conn *conn)
{
	size_t length = buffer_length(&conn->out);

	if (conn->out.failed) {
		conn_close(conn, CONN_NO_MEMORY);
		return;
	}
	if (length == 0)
		return;
	ssize_t size = send(conn->fd, buffer_slice(&conn->out).data, length, MSG_NOSIGNAL);
	if (size < 0) {
		if (!is_passing(errno))
			fail_io(conn);
		return;
	}
	buffer_take(&conn->out, (size_t)size);
	conn_group_return(conn->group, &conn->out);
}

static void watch(struct conn *conn)
{
	bool reading = conn->state == CONN_LINGER || (!conn->paused && !conn->ended);
	int events = (reading ? LOOP_READ : 0) | (buffer_length(&conn->out) > 0 ? LOOP_WRITE : 0);

	if (!loop_watch_set(&conn->watch, events))
		conn_close(conn, CONN_NO_MEMORY);
}

/* Each round of the loop takes bytes that a pause had kept back, so it ends. */
void conn_take_turn(struct conn *conn)
{
	list_remove(&conn->turn);
	conn->in_turn = true;
	while (conn->state != CONN_CLOSED) {
		if (conn->offer)
			offer_in(conn);
		if (conn->state != CONN_CLOSED)
			send_out(conn);
		if (conn->state != CONN_CLOSED && conn->state != CONN_LINGER)
			conn->protocol->settle(conn);
		if (!conn->offer)
			break;
	}
	conn->in_turn = false;
	if (conn->state != CONN_CLOSED)
		watch(conn);
}

static void on_ready(struct loop_watch *loop_watch, int events)
{
	struct conn *conn = container_of(loop_watch, struct conn, watch);

	conn->in_turn = true;
	if (events & LOOP_READ)
		read_some(conn);
	conn_take_turn(conn);
}

void conn_start(struct conn *conn, struct conn_group *group)
{
	conn->group = group;
	buffer_init(&conn->in, group->settings.in_bytes);
	buffer_init(&conn->out, group->settings.out_bytes);
	loop_watch_init(&conn->watch, group->loop, conn->fd, on_ready);
	conn_move(conn, CONN_IDLE);
	watch(conn);
}

/* The protocol speaks before the connection ends only where a request may be
 * under way; a peer that does not read is not spoken to. */
void conn_expire(struct conn *conn, enum conn_reason reason)
{
	if (conn->state == CONN_LINGER) {
		conn_close(conn, conn->linger_reason);
	} else if (conn->state == CONN_WRITE) {
		conn_close(conn, reason);
	} else {
		conn->in_turn = true;
		conn->protocol->expired(conn, reason);
		conn_take_turn(conn);
	}
}
