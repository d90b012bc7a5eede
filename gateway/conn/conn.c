#include "conn/conn.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/log.h"
#include "conn/conn_deadline.h"
#include "conn/conn_group.h"
#include "conn/conn_turn.h"

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
	ALWAYS(conn->state != CONN_CLOSED);
	bool was_idle = conn->state == CONN_IDLE;
	enter(conn, state);
	conn->received_bytes = 0;
	conn->since_ms = loop_now_ms(conn->group->loop);
	if (was_idle || state == CONN_IDLE)
		note_idle(conn);
	conn_deadline_begin(conn);
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

bool conn_has_unread(const struct conn *conn)
{
	char byte;

	return recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

bool conn_is_silent(const struct conn *conn)
{
	return conn->received_bytes == 0 && !conn_has_unread(conn);
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

/* The protocol speaks before the connection ends only where a request may be
 * under way; a peer that does not read is not spoken to. */
void conn_expire(struct conn *conn, enum conn_reason reason)
{
	if (conn_lingers(conn)) {
		conn_close(conn, conn->linger_reason);
	} else if (conn->state == CONN_WRITE || conn->opening) {
		conn_close(conn, reason);
	} else {
		conn->in_turn = true;
		conn->protocol->expired(conn, reason);
		conn_turn_take(conn);
	}
}
