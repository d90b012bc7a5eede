#include "http/h1_transport.h"

#include "base/alloc.h"
#include "base/error.h"
#include "http/h1_request.h"
#include "http/refusal.h"
#include "http/transport.h"

/* Seconds after which a sender whose request met a full server may try again. */
#define RETRY_AFTER_S 2
/* So much is answered before it is sent, however many requests one recv brings. */
#define ANSWERS_BYTES 65536

struct h1_transport {
	struct http_transport transport;
	struct list node; /* in the worker's orphans */
	struct http_worker *worker;
	const struct http_endpoint *endpoint;
	struct conn *conn;	    /* NULL: gone */
	struct list requests;	    /* in the order in which their answers leave */
	struct h1_request *reading; /* the newest, while its head or body comes */
	size_t under_way;	    /* requests in the list */
	enum conn_reason end;	    /* why it will be closed, when `last` */
	bool last;		    /* no further request is read */
	bool lingers;		    /* the peer may be sending still when it ends */
	bool final;		    /* the last answer was added to the connection's out */
	bool restart;		    /* the state's time begins anew */
};

/* ---- the list of requests under way ------------------------------------------ */

static void free_if_over(struct h1_transport *h1)
{
	if (!h1->conn && list_empty(&h1->requests))
		h1_transport_free(h1);
}

static void release(struct h1_transport *h1, struct h1_request *r)
{
	if (h1->reading == r)
		h1->reading = NULL;
	list_remove(&r->node);
	h1->under_way--;
	h1->restart = true;
	h1_request_free(r, h1->worker);
}

static struct h1_request *oldest(struct h1_transport *h1)
{
	struct list *first = list_first(&h1->requests);

	return first ? container_of(first, struct h1_request, node) : NULL;
}

static bool is_newest(const struct h1_transport *h1, const struct h1_request *r)
{
	return r->node.next == &h1->requests;
}

/* No further request is read; the first reason counts. */
static void end(struct h1_transport *h1, enum conn_reason reason, bool lingers)
{
	if (h1->last)
		return;
	h1->last = true;
	h1->end = reason;
	h1->lingers = lingers;
}

static bool begin(struct h1_transport *h1)
{
	if (h1->under_way >= (size_t)h1->worker->server->limits.pipelined ||
	    buffer_length(&h1->conn->out) >= ANSWERS_BYTES) {
		conn_pause(h1->conn);
		return false;
	}
	struct h1_request *r = h1_request_new(h1->worker);
	if (!r) {
		end(h1, CONN_NO_MEMORY, false);
		return false;
	}
	r->h1 = h1;
	r->request.transport = &h1->transport;
	list_append(&h1->requests, &r->node);
	h1->under_way++;
	h1->reading = r;
	h1->restart = true;
	return true;
}

/* ---- answers -------------------------------------------------------------------- */

/* Moves answers that are ready, in order, to where they are sent from. */
static void pump(struct h1_transport *h1)
{
	struct h1_request *r;

	while ((r = oldest(h1)) && r->answered) {
		if (!h1->final && (buffer_length(&r->answer) > 0 || r->answer.failed)) {
			struct buffer *out = conn_out(h1->conn);
			buffer_add_slice(out, buffer_slice(&r->answer));
			out->failed |= r->answer.failed;
			buffer_clear(&r->answer);
		}
		h1->final |= r->closes;
		if (r->phase != H1_IN_HANDLER || r->routing)
			return;
		release(h1, r);
	}
}

/* RFC 9110, section 10.1.1: in its turn, and not when the body comes anyway. */
static void say_continue(struct h1_transport *h1)
{
	struct h1_request *r = h1->reading;

	if (!r || !r->owes_continue || r != oldest(h1) || h1->final)
		return;
	r->owes_continue = false;
	buffer_add_literal(conn_out(h1->conn), "HTTP/1.1 100 Continue\r\n\r\n");
}

/* An early answer leaves a sender that waits for 100 Continue with the choice
 * to send its body or not, so nobody knows what comes next. */
static bool must_close(const struct h1_transport *h1, const struct h1_request *r)
{
	if (!r->persists || (r->phase != H1_IN_HANDLER && r->parser.expects_continue))
		return true;
	return h1->worker->group.draining && is_newest(h1, r);
}

static void write_answer(struct h1_transport *h1, struct h1_request *r,
			 const struct http_response *response)
{
	bool is_next = r == oldest(h1);
	struct h1_answer answer = {
		.response = response,
		.date = http_worker_date(h1->worker),
		.closes = must_close(h1, r),
		.old = r->parser.minor == 0,
		.bodiless = slice_is(r->request.method, "HEAD"),
	};

	h1_answer_write(&answer, is_next ? conn_out(h1->conn) : &r->answer);
	if (!answer.closes)
		return;
	r->closes = true;
	end(h1, h1->worker->group.draining ? CONN_DRAINED : CONN_ANSWERED,
	    r->phase != H1_IN_HANDLER);
	r->phase = H1_IN_HANDLER;
	if (h1->reading == r)
		h1->reading = NULL;
}

static void respond(struct http_transport *transport, struct http_request *request,
		    const struct http_response *response)
{
	struct h1_transport *h1 = container_of(transport, struct h1_transport, transport);
	struct h1_request *r = container_of(request, struct h1_request, request);

	r->answered = true;
	if (!h1->conn) {
		release(h1, r);
		free_if_over(h1);
		return;
	}
	if (!h1->final)
		write_answer(h1, r, response);
	pump(h1);
	say_continue(h1);
	conn_wake(h1->conn);
}

static const struct http_transport_operations operations = {.respond = respond};

/* What is left of the request is not read. */
static void refuse_because(struct h1_transport *h1, struct h1_request *r, enum http_refusal refusal,
			   enum conn_reason reason)
{
	int status = http_refusal_status(refusal);

	http_refusal_count(refusal);
	end(h1, reason, true);
	h1->reading = NULL;
	r->phase = H1_IN_HANDLER;
	r->persists = false;
	if (r->answered)
		pump(h1);
	else
		http_respond_problem(&r->request, status, http_refusal_text(refusal),
				     status == 503 ? RETRY_AFTER_S : 0);
}

static void refuse(struct h1_transport *h1, struct h1_request *r, enum http_refusal refusal)
{
	refuse_because(h1, r, refusal, CONN_REFUSED);
}

/* ---- requests --------------------------------------------------------------------- */

static void answer_probe(struct http_request *request, void *arg)
{
	const struct http_response response = {.status = 202};

	(void)arg;
	http_respond(request, &response);
}

/* The request is whole, and no more to be touched here. */
static void finish(struct h1_transport *h1, struct h1_request *r)
{
	if (!h1_request_complete(r)) {
		refuse(h1, r, HTTP_REFUSED_NO_MEMORY);
		return;
	}
	h1->reading = NULL;
	r->phase = H1_IN_HANDLER;
	if (r->answered)
		pump(h1);
	else
		r->request.route.handle(&r->request, r->request.route.arg);
}

static bool has_body(const struct h1_parser *parser)
{
	return parser->is_chunked || parser->content_length > 0;
}

static bool is_probe(const struct h1_transport *h1, const struct h1_request *r, const char *head)
{
	struct lg_slice probe = h1->endpoint->probe_path;
	struct h1_part path = r->parser.path;

	return slice_present(probe) && slice_equal(probe, slice_of(head + path.at, path.length));
}

/* Asks the service who handles it; it may answer at once instead. */
static void route(struct h1_transport *h1, struct h1_request *r, bool probes)
{
	const struct http_server *server = h1->worker->server;
	struct http_route *chosen = &r->request.route;

	if (probes) {
		*chosen = (struct http_route){answer_probe, NULL,
					      (size_t)server->limits.body_bytes};
		return;
	}
	r->routing = true;
	bool routed = server->service.route(server->service.arg, &r->request, chosen);
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
	if (parser->is_chunked)
		h1_body_init_chunked(&r->framing, parser->head_limit);
	else
		h1_body_init(&r->framing, parser->content_length);
	r->owes_continue = parser->expects_continue && !r->answered;
	h1->restart = true;
}

static void take_head(struct h1_transport *h1, struct h1_request *r, struct lg_slice head)
{
	bool probes = is_probe(h1, r, head.data);
	bool is_bare = probes && !has_body(&r->parser);

	r->persists = h1_parser_persists(&r->parser);
	/* The bare probe needs nothing of its request but the method. */
	if (is_bare) {
		r->request.method = slice_of(head.data + r->parser.method.at,
					     r->parser.method.length);
	} else if (!h1_request_fill(r, head, h1->endpoint, h1->conn)) {
		refuse(h1, r, HTTP_REFUSED_NO_MEMORY);
		return;
	}
	r->phase = has_body(&r->parser) ? H1_IN_BODY : H1_IN_HANDLER;
	route(h1, r, probes);
	if (r->closes) /* and so its body, if any, is not read */
		pump(h1);
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
						    : h1_request_add(r, piece, h1->worker);
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

	while (taken < bytes.length && !h1->last) {
		if (!h1->reading && !begin(h1))
			break;
		struct lg_slice rest = slice_cut(bytes, taken, bytes.length);
		if (h1->reading->phase == H1_IN_HEAD)
			step = read_head(h1, h1->reading, rest);
		else
			step = read_body(h1, h1->reading, rest);
		if (step == 0)
			break;
		taken += step;
	}
	say_continue(h1);
	/* After the last request nothing is wanted. */
	return h1->last ? bytes.length : taken;
}

static void on_ended(struct conn *conn)
{
	struct h1_transport *h1 = conn->context;
	struct h1_request *r = h1->reading;

	end(h1, r ? CONN_PEER_LEFT : CONN_PEER_CLOSED, false);
	if (r)
		release(h1, r);
}

static enum conn_state state_of(const struct h1_transport *h1)
{
	if (buffer_length(&h1->conn->out) > 0)
		return CONN_WRITE;
	if (h1->reading)
		return h1->reading->phase == H1_IN_HEAD ? CONN_HEAD : CONN_BODY;
	return list_empty(&h1->requests) ? CONN_IDLE : CONN_WAIT;
}

/* Reading stops while answers are not read, when enough requests are under way,
 * and for ever after the last one. */
static void steer(struct h1_transport *h1, enum conn_state state)
{
	size_t most = (size_t)h1->worker->server->limits.pipelined;
	bool is_full = !h1->reading && h1->under_way >= most;

	if (state == CONN_WRITE || is_full || h1->last)
		conn_pause(h1->conn);
	else
		conn_resume(h1->conn);
}

static void on_settle(struct conn *conn)
{
	struct h1_transport *h1 = conn->context;
	enum conn_state state = state_of(h1);
	bool is_over = h1->final || (h1->last && list_empty(&h1->requests));

	if (is_over && state != CONN_WRITE) {
		if (h1->lingers)
			conn_linger(conn, h1->end);
		else
			conn_close(conn, h1->end);
		return;
	}
	if (state != conn->state || h1->restart)
		conn_move(conn, state);
	h1->restart = false;
	steer(h1, state);
}

static enum http_refusal refusal_of(enum conn_reason reason)
{
	switch (reason) {
	case CONN_HEAD_TIMEOUT: return HTTP_REFUSED_HEAD_TIMEOUT;
	case CONN_BODY_TIMEOUT: return HTTP_REFUSED_BODY_TIMEOUT;
	default: return HTTP_REFUSED_TOO_SLOW;
	}
}

static void on_expired(struct conn *conn, enum conn_reason reason)
{
	struct h1_transport *h1 = conn->context;
	struct h1_request *r = h1->reading;

	if (r &&
	    (r->phase != H1_IN_HEAD || h1_parser_has_begun(&r->parser, buffer_length(&conn->in)))) {
		refuse_because(h1, r, refusal_of(reason), reason);
		return;
	}
	/* Nothing was asked, so nothing is answered. */
	end(h1, reason, false);
	if (r)
		release(h1, r);
}

static void on_drain(struct conn *conn)
{
	struct h1_transport *h1 = conn->context;

	if (list_empty(&h1->requests))
		end(h1, CONN_DRAINED, false);
}

/* Requests that a handler has are freed when it answers. */
static void on_closed(struct conn *conn)
{
	struct h1_transport *h1 = conn->context;

	h1->conn = NULL;
	LIST_EACH_SAFE(node, &h1->requests) {
		struct h1_request *r = container_of(node, struct h1_request, node);
		if (r->answered || r->phase != H1_IN_HANDLER)
			release(h1, r);
	}
	list_append(&h1->worker->orphans, &h1->node);
	free_if_over(h1);
}

const struct conn_protocol h1_protocol = {
	.receive = on_receive,
	.ended = on_ended,
	.settle = on_settle,
	.expired = on_expired,
	.drain = on_drain,
	.closed = on_closed,
};

struct h1_transport *h1_transport_new(struct http_worker *worker,
				      const struct http_endpoint *endpoint)
{
	struct h1_transport *h1 = alloc_zalloc(sizeof(*h1));

	if (!h1)
		return NULL;
	h1->transport.operations = &operations;
	h1->worker = worker;
	h1->endpoint = endpoint;
	list_init(&h1->node);
	list_init(&h1->requests);
	return h1;
}

void h1_transport_attach(struct h1_transport *h1, struct conn *conn)
{
	h1->conn = conn;
}

void h1_transport_free(struct h1_transport *h1)
{
	struct h1_request *r;

	while ((r = oldest(h1)))
		release(h1, r);
	list_remove(&h1->node);
	alloc_free(h1);
}

void h1_transport_free_orphans(struct http_worker *worker)
{
	struct list *first;

	while ((first = list_first(&worker->orphans)))
		h1_transport_free(container_of(first, struct h1_transport, node));
}
