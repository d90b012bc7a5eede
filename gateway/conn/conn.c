#include "conn/conn.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/log.h"
#include "conn/conn_group.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static void set_peer(struct conn *conn, const struct address *peer)
{
	conn->peer = *peer;
	address_format(peer, conn->peer_text);
}

struct conn *conn_new(int fd, const struct address *peer, bool exempt,
		      const struct conn_protocol *protocol, void *context)
{
	struct conn *conn = alloc_zalloc(sizeof(*conn));

	if (!conn)
		return NULL;
	conn->fd = fd;
	conn->exempt = exempt;
	conn->protocol = protocol;
	conn->context = context;
	conn->channel = &conn_channel_plain;
	list_init(&conn->node);
	list_init(&conn->turn);
	list_init(&conn->idle);
	if (peer)
		set_peer(conn, peer);
	return conn;
}

bool conn_set_peer(struct conn *conn, const struct address *peer, bool exempt)
{
	if (!quota_move(conn->group->quota, &conn->peer, conn->exempt, peer, exempt))
		return false;
	conn->exempt = exempt;
	set_peer(conn, peer);
	return true;
}

static void free_channel(struct conn *conn)
{
	if (conn->channel->free)
		conn->channel->free(conn);
	conn->channel = &conn_channel_plain;
	conn->channel_data = NULL;
}

void conn_free(struct conn *conn)
{
	list_remove(&conn->node);
	list_remove(&conn->turn);
	free_channel(conn);
	list_remove(&conn->idle);
	buffer_fini(&conn->in);
	buffer_fini(&conn->out);
	alloc_free(conn);
}

/* From one list to another. */
static void enter(struct conn *conn, enum conn_state state)
{
	struct conn_group *group = conn->group;

	if (conn->state == CONN_HANDSHAKE)
		group->handshakes--;
	list_remove(&conn->node);
	if (state == CONN_HANDSHAKE)
		conn_group_admit(group);
	list_append(&group->states[state], &conn->node);
	conn->state = state;
}

/* Notes that it came into CONN_IDLE or left it. */
static void note_idle(struct conn *conn)
{
	struct crowd *crowd = conn->crowd;

	conn_group_note_idle(conn->group);
	if (!crowd)
		return;
	struct crowd_part *part = &crowd->parts[conn->group->index];
	list_remove(&conn->idle);
	if (conn->state == CONN_IDLE)
		list_append(&part->idle, &conn->idle);
	struct list *first = list_first(&part->idle);
	atomic_store_explicit(&part->since_ms,
			      first ? container_of(first, struct conn, idle)->since_ms : INT64_MAX,
			      memory_order_relaxed);
}

void conn_move(struct conn *conn, enum conn_state state)
{
	struct conn_group *group = conn->group;
	int64_t timeout_ms = group->settings.timeout_ms[state];

	ALWAYS(conn->state != CONN_CLOSED);
	bool was_idle = conn->state == CONN_IDLE;
	enter(conn, state);
	conn->received_bytes = 0;
	conn->since_ms = loop_now_ms(group->loop);
	if (was_idle || state == CONN_IDLE)
		note_idle(conn);
	conn->deadline_ms = timeout_ms > 0 ? conn->since_ms + timeout_ms : INT64_MAX;
	conn_group_arm(group, conn->deadline_ms);
	if (state == CONN_BODY && group->settings.minimum_rate_bytes > 0)
		conn_group_arm(group, conn->since_ms + group->settings.rate_grace_ms);
}

void conn_set_channel(struct conn *conn, const struct conn_channel *channel, void *data)
{
	free_channel(conn);
	conn->channel = channel;
	conn->channel_data = data;
	conn->opening = channel->open != NULL;
	if (!conn->opening || !conn->group)
		return;
	conn_move(conn, CONN_HANDSHAKE);
	conn->offer = true;
	conn_wake(conn);
}

struct lg_slice conn_alpn(const struct conn *conn)
{
	const struct conn_channel *channel = conn->channel;

	if (!channel->alpn || conn->opening)
		return (struct lg_slice){0};
	return channel->alpn(conn);
}

void conn_close(struct conn *conn, enum conn_reason reason)
{
	struct conn_group *group = conn->group;

	if (conn->state == CONN_CLOSED)
		return;
	if (reason == CONN_PEER_CLOSED && conn->abrupt)
		reason = CONN_TLS_TRUNCATED;
	log_debug("conn.closed", LOG_TEXT("reason", conn_reason_label(reason)));
	conn_reason_count(reason);
	if (group->on_close)
		group->on_close(group, reason);
	list_remove(&conn->turn);
	bool was_idle = conn->state == CONN_IDLE;
	enter(conn, CONN_CLOSED);
	if (was_idle)
		note_idle(conn);
	loop_watch_fini(&conn->watch);
	free_channel(conn);
	close(conn->fd);
	conn->fd = -1;
	quota_give(group->quota, &conn->peer, conn->exempt);
	if (conn->crowd)
		atomic_fetch_sub(&conn->crowd->count, 1);
	conn->protocol->closed(conn);
	conn_group_rouse(group);
}

static void linger(struct conn *conn, enum conn_reason reason, enum conn_state state)
{
	if (conn->ended) {
		conn_close(conn, reason);
		return;
	}
	conn->channel->shutdown(conn);
	conn->linger_reason = reason;
	conn->paused = conn->offer = conn->opening = conn->blocked = false;
	buffer_clear(&conn->in);
	conn_move(conn, state);
}

void conn_linger(struct conn *conn, enum conn_reason reason)
{
	linger(conn, reason, CONN_LINGER);
}

void conn_expel(struct conn *conn, enum conn_reason reason)
{
	linger(conn, reason, CONN_EXPEL);
}

static bool lingers(const struct conn *conn)
{
	return conn->state == CONN_LINGER || conn->state == CONN_EXPEL;
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
	if (lingers(conn))
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
	bool reading = lingers(conn) ||
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
void conn_take_turn(struct conn *conn)
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
		if (conn->state != CONN_CLOSED && !lingers(conn) && !conn->opening)
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
	conn_take_turn(conn);
}

void conn_start(struct conn *conn, struct conn_group *group)
{
	conn->group = group;
	buffer_init(&conn->in, group->settings.in_bytes);
	buffer_init(&conn->out, group->settings.out_bytes);
	loop_watch_init(&conn->watch, group->loop, conn->fd, on_ready);
	conn_move(conn, conn->opening ? CONN_HANDSHAKE : conn->protocol->first);
	watch(conn);
}

/* The protocol speaks before the connection ends only where a request may be
 * under way; a peer that does not read is not spoken to. */
void conn_expire(struct conn *conn, enum conn_reason reason)
{
	if (lingers(conn)) {
		conn_close(conn, conn->linger_reason);
	} else if (conn->state == CONN_WRITE || conn->opening) {
		conn_close(conn, reason);
	} else {
		conn->in_turn = true;
		conn->protocol->expired(conn, reason);
		conn_take_turn(conn);
	}
}
