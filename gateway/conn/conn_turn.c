#include "conn/conn_turn.h"

#include "conn/conn_group.h"

#include <errno.h>
#include <sys/socket.h>

static void send_out(struct conn *conn)
{
	size_t length = buffer_length(&conn->out);

	if (conn->out.failed) {
		conn_close(conn, CONN_NO_MEMORY);
		return;
	}
	if (length == 0)
		return;
	ssize_t size = conn->channel->send(conn, buffer_slice(&conn->out).data, length);
	if (size < 0) {
		if (size == CONN_FAILED)
			conn_close(conn, conn->failure);
		return;
	}
	buffer_take(&conn->out, (size_t)size);
	conn_group_return(conn->group, &conn->out);
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

static void end_input(struct conn *conn)
{
	conn->ended = true;
	conn->protocol->ended(conn);
}

/* Counts what the channel brought; false when it brought nothing. */
static bool was_read(struct conn *conn, ssize_t size)
{
	if (size > 0) {
		conn->received_bytes += (size_t)size;
		return true;
	}
	if (size == 0) {
		end_input(conn);
	} else if (size == CONN_FAILED) {
		conn_close(conn, conn->failure);
	}
	return false;
}

static void read_fresh(struct conn *conn)
{
	char *scratch = conn->group->scratch;
	ssize_t size = conn->channel->receive(conn, scratch, CONN_GROUP_SCRATCH_BYTES);

	if (!was_read(conn, size))
		return;
	struct lg_slice bytes = slice_of(scratch, (size_t)size);
	size_t taken = conn->protocol->receive(conn, bytes);
	if (conn->state != CONN_CLOSED)
		keep(conn, slice_cut(bytes, taken, bytes.length));
}

/* What the channel has to say about its failure is short: the kernel takes it. */
static void fail_opening(struct conn *conn)
{
	if (buffer_length(&conn->out) == 0) {
		conn_close(conn, conn->failure);
		return;
	}
	send_out(conn);
	buffer_clear(&conn->out);
	if (conn->state != CONN_CLOSED)
		conn_linger(conn, conn->failure);
}

/* The peer's first bytes often come with the last ones of its handshake. */
static void open_channel(struct conn *conn)
{
	conn->offer = conn->blocked = false;
	int result = conn->channel->open(conn);
	if (result == CONN_FAILED)
		fail_opening(conn);
	if (result != 0)
		return;
	conn->opening = false;
	conn_move(conn, CONN_IDLE);
	read_fresh(conn);
	if (conn->drain_later && conn->state != CONN_CLOSED)
		conn_group_drain_one(conn);
}

/* Offers the protocol what waits in `in`. */
static void offer_in(struct conn *conn)
{
	conn->offer = false;
	if (conn->opening) {
		open_channel(conn);
		return;
	}
	size_t taken = conn->protocol->receive(conn, buffer_slice(&conn->in));
	if (conn->state == CONN_CLOSED)
		return;
	buffer_take(&conn->in, taken);
	conn_group_return(conn->group, &conn->in);
}

/* A part of a request waits already. */
static void read_more(struct conn *conn)
{
	size_t room_bytes = conn->channel->room_bytes;
	char *room = buffer_room(&conn->in, room_bytes);

	if (!room) {
		conn_close(conn, CONN_NO_MEMORY);
		return;
	}
	ssize_t size = conn->channel->receive(conn, room, room_bytes);
	if (!was_read(conn, size))
		return;
	buffer_added(&conn->in, (size_t)size);
	offer_in(conn);
}

/* What comes after the last answer is read for the peer's sake alone, so it
 * need not be understood. */
static void read_lingering(struct conn *conn)
{
	ssize_t size = recv(conn->fd, conn->group->scratch, CONN_GROUP_SCRATCH_BYTES, 0);

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	conn->received_bytes += size > 0 ? (size_t)size : 0;
	if (size <= 0 || conn->received_bytes > conn->group->settings.linger_bytes)
		conn_close(conn, conn->linger_reason);
}

static void read_some(struct conn *conn)
{
	conn->blocked = false;
	if (conn_lingers(conn))
		read_lingering(conn);
	else if (conn->opening)
		open_channel(conn);
	else if (conn->paused || conn->ended || conn->last)
		return; /* an event of before the pause */
	else if (buffer_length(&conn->in) == 0)
		read_fresh(conn);
	else
		read_more(conn);
}

static void watch(struct conn *conn)
{
	bool reading = conn_lingers(conn) ||
		       (!conn->paused && !conn->offer && !conn->ended && !conn->last);
	bool writing = conn->blocked || buffer_length(&conn->out) > 0;
	int events = (reading && !conn->blocked ? LOOP_READ : 0) | (writing ? LOOP_WRITE : 0);

	if (!loop_watch_set(&conn->watch, events))
		conn_close(conn, CONN_NO_MEMORY);
}

/* The protocol has had all and is to hear that there is no more. */
static bool is_at_end(const struct conn *conn)
{
	return conn->last && !conn->ended && !conn->paused && !conn->offer &&
	       conn->state < CONN_LINGER;
}

/* What a pause had kept from the protocol is offered once: of a peer that sends
 * more than is answered at once the rest comes after all others have had a turn. */
void conn_turn_take(struct conn *conn)
{
	list_remove(&conn->turn);
	conn->in_turn = true;
	if (conn->offer)
		offer_in(conn);
	while (conn->state != CONN_CLOSED) {
		if (is_at_end(conn))
			end_input(conn);
		if (conn->state != CONN_CLOSED)
			send_out(conn);
		if (conn->state != CONN_CLOSED && !conn_lingers(conn) && !conn->opening)
			conn->protocol->settle(conn);
		if (!is_at_end(conn))
			break;
	}
	conn->in_turn = false;
	if (conn->state == CONN_CLOSED)
		return;
	if (conn->offer)
		conn_group_defer(conn->group, conn);
	watch(conn);
}

static void on_ready(struct loop_watch *loop_watch, int events)
{
	struct conn *conn = container_of(loop_watch, struct conn, watch);

	conn->in_turn = true;
	if (events & LOOP_READ || conn->blocked)
		read_some(conn);
	conn_turn_take(conn);
}

void conn_turn_start(struct conn *conn, struct conn_group *group)
{
	conn->group = group;
	buffer_init(&conn->in, group->settings.in_bytes);
	buffer_init(&conn->out, group->settings.out_bytes);
	loop_watch_init(&conn->watch, group->loop, conn->fd, on_ready);
	conn_move(conn, conn->opening ? CONN_HANDSHAKE : conn->protocol->first);
	watch(conn);
}
