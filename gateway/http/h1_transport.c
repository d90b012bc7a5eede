#include "http/h1_transport.h"

#include "base/alloc.h"
#include "base/error.h"
#include "http/h1_queue.h"
#include "http/room.h"

struct h1_transport {
	struct h1_queue queue;
	struct list node;		/* in the worker's orphans */
	struct http_endpoint *endpoint; /* a reference */
};

static void refuse(struct h1_transport *h1, struct h1_request *r, enum http_refusal refusal)
{
	h1_queue_refuse(&h1->queue, r, refusal, CONN_REFUSED);
}

/* ---- requests --------------------------------------------------------------------- */

/* The request is whole, and no more to be touched here. */
static void finish(struct h1_transport *h1, struct h1_request *r)
{
	if (!h1_request_complete(r)) {
		refuse(h1, r, HTTP_REFUSED_NO_MEMORY);
		return;
	}
	h1->queue.reading = NULL;
	r->phase = H1_IN_HANDLER;
	if (r->answered)
		h1_queue_pump(&h1->queue);
	else
		r->request.route.handle(&r->request, r->request.route.arg);
}

static bool has_body(const struct h1_parser *parser)
{
	return parser->is_chunked || parser->content_length > 0;
}

static bool is_probe(const struct h1_transport *h1, const struct h1_request *r, const char *head)
{
	struct h1_part path = r->parser.path;

	return http_endpoint_probes(h1->endpoint, slice_of(head + path.at, path.length));
}

/* The handler may answer while it is asked. */
static void route(struct h1_transport *h1, struct h1_request *r)
{
	r->routing = true;
	bool routed = http_worker_route(h1->queue.worker, h1->endpoint, &r->request);
	r->routing = false;
	ALWAYS(routed != r->answered);
}

static void start_body(struct h1_transport *h1, struct h1_request *r)
{
	const struct h1_parser *parser = &r->parser;

	if (parser->content_length > r->request.route.body_limit_bytes && !r->answered) {
		refuse(h1, r, HTTP_REFUSED_BODY_TOO_LARGE);
		return;
	}
	if (!r->answered && !http_room_has(h1->queue.worker, &r->request, parser->content_length)) {
		refuse(h1, r, HTTP_REFUSED_BUSY);
		return;
	}
	if (parser->is_chunked)
		h1_body_init_chunked(&r->framing, parser->head_limit);
	else
		h1_body_init(&r->framing, parser->content_length);
	r->owes_continue = parser->expects_continue && !r->answered;
	h1->queue.restart = true;
}

static void take_head(struct h1_transport *h1, struct h1_request *r, struct lg_slice head)
{
	bool is_bare = is_probe(h1, r, head.data) && !has_body(&r->parser);

	r->persists = h1_parser_persists(&r->parser);
	/* The bare probe needs nothing of its request but method and path. */
	if (is_bare) {
		r->request.method = slice_of(head.data + r->parser.method.at,
					     r->parser.method.length);
		r->request.path = h1->endpoint->probe_path;
	} else if (!h1_request_fill(r, head, h1->endpoint, h1->queue.conn)) {
		refuse(h1, r, HTTP_REFUSED_NO_MEMORY);
		return;
	}
	r->phase = has_body(&r->parser) ? H1_IN_BODY : H1_IN_HANDLER;
	route(h1, r);
	if (r->closes) /* and so its body, if any, is not read */
		h1_queue_pump(&h1->queue);
	else if (r->phase == H1_IN_BODY)
		start_body(h1, r);
	else
		finish(h1, r);
}

static size_t read_head(struct h1_transport *h1, struct h1_request *r, struct lg_slice bytes)
{
	switch (h1_parser_feed(&r->parser, bytes)) {
	case H1_WHOLE: {
		size_t length = r->parser.head_length;
		take_head(h1, r, slice_cut(bytes, 0, length));
		return length;
	}
	case H1_REFUSED:
		/* Known when the first line was good: HEAD is refused without a body. */
		r->request.method = slice_of(bytes.data + r->parser.method.at,
					     r->parser.method.length);
		refuse(h1, r, r->parser.refusal);
		return bytes.length;
	default: return 0;
	}
}

static size_t read_body(struct h1_transport *h1, struct h1_request *r, struct lg_slice bytes)
{
	struct lg_slice rest = bytes, piece;
	enum h1_result result = H1_MORE;

	r->owes_continue = false;
	while (rest.length > 0 && result == H1_MORE) {
		result = h1_body_feed(&r->framing, &rest, &piece);
		enum http_refusal refusal = result == H1_REFUSED
						    ? r->framing.refusal
						    : h1_request_add(r, piece, h1->queue.worker);
		if (refusal != HTTP_ACCEPTED) {
			refuse(h1, r, refusal);
			return bytes.length;
		}
	}
	if (result == H1_WHOLE)
		finish(h1, r);
	return bytes.length - rest.length;
}

/* ---- the connection's protocol -------------------------------------------------------- */

static size_t on_receive(struct conn *conn, struct lg_slice bytes)
{
	struct h1_transport *h1 = conn->context;
	size_t taken = 0, step;

	while (taken < bytes.length && !h1->queue.last) {
		if (!h1->queue.reading && !h1_queue_begin(&h1->queue))
			break;
		struct lg_slice rest = slice_cut(bytes, taken, bytes.length);
		if (h1->queue.reading->phase == H1_IN_HEAD)
			step = read_head(h1, h1->queue.reading, rest);
		else
			step = read_body(h1, h1->queue.reading, rest);
		if (step == 0)
			break;
		taken += step;
	}
	h1_queue_say_continue(&h1->queue);
	/* After the last request nothing is wanted. */
	return h1->queue.last ? bytes.length : taken;
}

static void on_ended(struct conn *conn)
{
	struct h1_transport *h1 = conn->context;
	struct h1_request *r = h1->queue.reading;

	h1_queue_end(&h1->queue, r ? CONN_PEER_LEFT : CONN_PEER_CLOSED, false);
	if (r)
		h1_queue_release(&h1->queue, r);
}

static enum conn_state state_of(const struct h1_transport *h1)
{
	if (buffer_length(&h1->queue.conn->out) > 0)
		return CONN_WRITE;
	if (h1->queue.reading)
		return h1->queue.reading->phase == H1_IN_HEAD ? CONN_HEAD : CONN_BODY;
	return list_empty(&h1->queue.requests) ? CONN_IDLE : CONN_WAIT;
}

/* Reading stops while answers are not read, when enough requests are under way,
 * and for ever after the last one. */
static void steer(struct h1_transport *h1, enum conn_state state)
{
	size_t most = (size_t)h1->queue.worker->limits.pipelined;
	bool is_full = !h1->queue.reading && h1->queue.under_way >= most;

	if (state == CONN_WRITE || is_full || h1->queue.last)
		conn_pause(h1->queue.conn);
	else
		conn_resume(h1->queue.conn);
}

static void on_settle(struct conn *conn)
{
	struct h1_transport *h1 = conn->context;
	enum conn_state state = state_of(h1);
	bool is_over = h1_queue_is_over(&h1->queue);

	if (is_over && state != CONN_WRITE) {
		if (h1->queue.lingers)
			conn_linger(conn, h1->queue.end);
		else
			conn_close(conn, h1->queue.end);
		return;
	}
	if (state != conn->state || h1->queue.restart)
		conn_move(conn, state);
	if (state == CONN_BODY)
		http_room_note(h1->queue.worker);
	h1->queue.restart = false;
	steer(h1, state);
}

static enum http_refusal refusal_of(enum conn_reason reason)
{
	switch (reason) {
	case CONN_HEAD_TIMEOUT: return HTTP_REFUSED_HEAD_TIMEOUT;
	case CONN_BODY_TIMEOUT: return HTTP_REFUSED_BODY_TIMEOUT;
	case CONN_REFUSED: return HTTP_REFUSED_BUSY;
	default: return HTTP_REFUSED_TOO_SLOW;
	}
}

static void on_expired(struct conn *conn, enum conn_reason reason)
{
	struct h1_transport *h1 = conn->context;
	struct h1_request *r = h1->queue.reading;

	if (r &&
	    (r->phase != H1_IN_HEAD || h1_parser_has_begun(&r->parser, buffer_length(&conn->in)))) {
		h1_queue_refuse(&h1->queue, r, refusal_of(reason), reason);
		return;
	}
	/* Nothing was asked, so nothing is answered. */
	h1_queue_end(&h1->queue, reason, false);
	if (r)
		h1_queue_release(&h1->queue, r);
}

static void on_drain(struct conn *conn)
{
	struct h1_transport *h1 = conn->context;

	if (list_empty(&h1->queue.requests) && !conn_group_has_grace(conn->group))
		h1_queue_end(&h1->queue, CONN_DRAINED, false);
}

static void on_closed(struct conn *conn)
{
	struct h1_transport *h1 = conn->context;

	list_append(&h1->queue.worker->orphans, &h1->node);
	h1_queue_detach(&h1->queue);
}

const struct conn_protocol h1_protocol = {
	.receive = on_receive,
	.ended = on_ended,
	.settle = on_settle,
	.expired = on_expired,
	.drain = on_drain,
	.closed = on_closed,
};

const struct h1_request *h1_transport_reading(const struct conn *conn)
{
	const struct h1_transport *h1 = conn->context;

	return conn->protocol == &h1_protocol ? h1->queue.reading : NULL;
}

static void on_over(struct h1_queue *queue)
{
	h1_transport_free(container_of(queue, struct h1_transport, queue));
}

bool h1_transport_begin(struct conn *conn, struct http_worker *worker,
			struct http_endpoint *endpoint)
{
	struct h1_transport *h1 = alloc_zalloc(sizeof(*h1));

	if (!h1)
		return false;
	h1_queue_init(&h1->queue, worker, &endpoint->ends, on_over);
	h1->queue.conn = conn;
	h1->endpoint = http_endpoint_ref(endpoint);
	list_init(&h1->node);
	conn->protocol = &h1_protocol;
	conn->context = h1;
	return true;
}

void h1_transport_free(struct h1_transport *h1)
{
	h1_queue_fini(&h1->queue);
	list_remove(&h1->node);
	http_endpoint_unref(h1->endpoint);
	alloc_free(h1);
}

void h1_transport_free_orphans(struct http_worker *worker)
{
	struct list *first;

	while ((first = list_first(&worker->orphans)))
		h1_transport_free(container_of(first, struct h1_transport, node));
}
