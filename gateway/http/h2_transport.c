#include "http/h2_transport.h"

#include "http/h2_session.h"

#include <nghttp2/nghttp2.h>

static size_t on_receive(struct conn *conn, struct lg_slice bytes)
{
	h2_session_feed(conn->context, bytes);
	return bytes.length;
}

static void on_ended(struct conn *conn)
{
	h2_session_peer_ended(conn->context);
}

/* Bodies and answers have the deadlines of their streams; what the connection
 * waits for as a whole is the rest of a header block, or of another frame. Without a
 * request it is idle whatever comes: no frame makes it younger. */
static enum conn_state state_of(const struct h2_session *h2)
{
	if (buffer_length(&h2->conn->out) > 0)
		return CONN_WRITE;
	if (h2->under_way == 0)
		return CONN_IDLE;
	return h2_frame_is_head(&h2->reader) ? CONN_HEAD : CONN_WAIT;
}

/* Each frame that an idle connection begins must be whole in time. */
static void watch_piece(struct h2_session *h2, enum conn_state state)
{
	struct http_worker *worker = h2->worker;
	bool is_midway = h2_frame_is_head(&h2->reader) || h2_frame_is_data(&h2->reader);

	if (state != CONN_IDLE || !is_midway)
		list_remove(&h2->piece.node);
	else if (h2->block != h2->reader.blocks || list_empty(&h2->piece.node))
		h2_worker_watch(&worker->h2, &worker->h2.pieces, &h2->piece,
				worker->limits.head_timeout_ms);
}

static void move(struct h2_session *h2, enum conn_state state)
{
	bool is_another = (state == CONN_HEAD && h2->block != h2->reader.blocks) ||
			  (state == CONN_IDLE && h2->restart);

	if (state != h2->conn->state || is_another)
		conn_move(h2->conn, state);
	watch_piece(h2, state);
	h2->block = h2->reader.blocks;
	h2->restart = false;
}

/* What the peer has sent is answered as far as it reads the answers. */
static void steer(struct conn *conn, enum conn_state state)
{
	if (state == CONN_WRITE)
		conn_pause(conn);
	else
		conn_resume(conn);
}

static bool is_over(const struct h2_session *h2)
{
	return h2_session_is_over(h2) || (h2->conn->ended && h2->under_way == 0);
}

static void on_settle(struct conn *conn)
{
	struct h2_session *h2 = conn->context;

	/* Whose request is on its way when all are told is not. */
	if (h2->worker->group.draining || atomic_load(&h2->endpoint->ends))
		h2_session_drain(h2);
	if (buffer_length(&conn->out) == 0)
		h2_session_draw(h2);
	if (conn->ended && buffer_length(&conn->out) == 0)
		h2_session_give_up_stuck(h2);
	enum conn_state state = state_of(h2);
	if (h2->broken || (state != CONN_WRITE && is_over(h2))) {
		/* A peer that is to go may be sending still. */
		if (h2->closing && h2->is_wrong && !h2->broken)
			conn_expel(conn, h2->end);
		else if (h2->closing && !h2->broken)
			conn_linger(conn, h2->end);
		else
			conn_close(conn, h2->end);
		return;
	}
	move(h2, state);
	steer(conn, state);
}

static void on_expired(struct conn *conn, enum conn_reason reason)
{
	h2_session_end(conn->context, reason, NGHTTP2_NO_ERROR);
	h2_session_draw(conn->context);
}

static void on_drain(struct conn *conn)
{
	h2_session_drain(conn->context);
}

static void on_closed(struct conn *conn)
{
	h2_session_detach(conn->context);
}

const struct conn_protocol h2_protocol = {
	.receive = on_receive,
	.ended = on_ended,
	.settle = on_settle,
	.expired = on_expired,
	.drain = on_drain,
	.closed = on_closed,
};

bool h2_transport_begin(struct conn *conn, struct http_worker *worker,
			struct http_endpoint *endpoint)
{
	struct h2_session *h2 = h2_session_new(worker, endpoint, conn);

	if (!h2)
		return false;
	conn->protocol = &h2_protocol;
	conn->context = h2;
	if (worker->group.draining)
		h2_session_drain(h2);
	return true;
}
