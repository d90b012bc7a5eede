#include "http/h1_queue.h"

/* Seconds after which a sender whose request met a full server may try again. */
#define RETRY_AFTER_S 2
/* So much is answered before it is sent, however many requests one recv brings. */
#define ANSWERS_BYTES 65536

/* ---- the list of requests under way ------------------------------------------ */

static void end_if_over(struct h1_queue *queue)
{
	if (!queue->conn && list_empty(&queue->requests))
		queue->over(queue);
}

void h1_queue_release(struct h1_queue *queue, struct h1_request *r)
{
	if (queue->reading == r)
		queue->reading = NULL;
	list_remove(&r->node);
	queue->under_way--;
	queue->restart = true;
	h1_request_free(r, queue->worker);
}

static struct h1_request *oldest(struct h1_queue *queue)
{
	struct list *first = list_first(&queue->requests);

	return first ? container_of(first, struct h1_request, node) : NULL;
}

static bool is_newest(const struct h1_queue *queue, const struct h1_request *r)
{
	return r->node.next == &queue->requests;
}

void h1_queue_end(struct h1_queue *queue, enum conn_reason reason, bool lingers)
{
	if (queue->last)
		return;
	queue->last = true;
	queue->end = reason;
	queue->lingers = lingers;
}

bool h1_queue_begin(struct h1_queue *queue)
{
	if (queue->under_way >= (size_t)queue->worker->limits.pipelined ||
	    buffer_length(&queue->conn->out) >= ANSWERS_BYTES) {
		conn_pause(queue->conn);
		return false;
	}
	struct h1_request *r = h1_request_new(queue->worker);
	if (!r) {
		h1_queue_end(queue, CONN_NO_MEMORY, false);
		return false;
	}
	r->request.transport = &queue->transport;
	list_append(&queue->requests, &r->node);
	queue->under_way++;
	queue->reading = r;
	queue->restart = true;
	return true;
}

/* ---- answers -------------------------------------------------------------------- */

void h1_queue_pump(struct h1_queue *queue)
{
	struct h1_request *r;

	while ((r = oldest(queue)) && r->answered) {
		if (!queue->final && (buffer_length(&r->answer) > 0 || r->answer.failed)) {
			struct buffer *out = conn_out(queue->conn);
			buffer_add_slice(out, buffer_slice(&r->answer));
			out->failed |= r->answer.failed;
			buffer_clear(&r->answer);
		}
		queue->final |= r->closes;
		if (r->phase != H1_IN_HANDLER || r->routing)
			return;
		h1_queue_release(queue, r);
	}
}

/* RFC 9110, section 10.1.1: in its turn, and not when the body comes anyway. */
void h1_queue_say_continue(struct h1_queue *queue)
{
	struct h1_request *r = queue->reading;

	if (!r || !r->owes_continue || r != oldest(queue) || queue->final)
		return;
	r->owes_continue = false;
	buffer_add_literal(conn_out(queue->conn), "HTTP/1.1 100 Continue\r\n\r\n");
}

/* The server drains, or what the connection was accepted by is no more. */
static bool is_ending(const struct h1_queue *queue)
{
	return queue->worker->group.draining || atomic_load(queue->ends);
}

/* An early answer leaves a sender that waits for 100 Continue with the choice
 * to send its body or not, so nobody knows what comes next; and a long body is
 * not read for nothing. */
static bool ends_with_early_answer(const struct h1_queue *queue, const struct h1_request *r)
{
	uint64_t most = (uint64_t)queue->worker->limits.linger_bytes;

	return r->phase != H1_IN_HANDLER &&
	       (r->parser.expects_continue || r->parser.content_length > most);
}

static bool must_close(const struct h1_queue *queue, const struct h1_request *r)
{
	if (!r->persists || ends_with_early_answer(queue, r))
		return true;
	return is_ending(queue) && is_newest(queue, r);
}

static void write_answer(struct h1_queue *queue, struct h1_request *r,
			 const struct http_response *response)
{
	bool is_next = r == oldest(queue);
	struct h1_answer answer = {
		.response = response,
		.date = http_worker_date(queue->worker),
		.closes = must_close(queue, r),
		.old = r->parser.minor == 0,
		.bodiless = slice_is(r->request.method, "HEAD"),
	};

	h1_answer_write(&answer, is_next ? conn_out(queue->conn) : &r->answer);
	if (!answer.closes)
		return;
	r->closes = true;
	h1_queue_end(queue, is_ending(queue) ? CONN_DRAINED : CONN_ANSWERED,
		     r->phase != H1_IN_HANDLER);
	r->phase = H1_IN_HANDLER;
	if (queue->reading == r)
		queue->reading = NULL;
}

static void respond(struct http_transport *transport, struct http_request *request,
		    const struct http_response *response)
{
	struct h1_queue *queue = container_of(transport, struct h1_queue, transport);
	struct h1_request *r = container_of(request, struct h1_request, request);

	r->answered = true;
	if (!queue->conn) {
		h1_queue_release(queue, r);
		end_if_over(queue);
		return;
	}
	if (!queue->final)
		write_answer(queue, r, response);
	h1_queue_pump(queue);
	h1_queue_say_continue(queue);
	conn_wake(queue->conn);
}

static const struct http_transport_operations operations = {.respond = respond};

void h1_queue_refuse(struct h1_queue *queue, struct h1_request *r, enum http_refusal refusal,
		     enum conn_reason reason)
{
	int status = http_refusal_status(refusal);

	h1_queue_end(queue, reason, true);
	queue->reading = NULL;
	r->phase = H1_IN_HANDLER;
	r->persists = false;
	if (r->answered) { /* and counted: this is about the rest of its body */
		h1_queue_pump(queue);
		return;
	}
	http_refusal_count(refusal);
	r->request.reason = http_refusal_label(refusal);
	http_respond_problem(&r->request, status, http_refusal_text(refusal),
			     status == 503 ? RETRY_AFTER_S : 0);
}

/* ---- the beginning and the end of it --------------------------------------------- */

void h1_queue_init(struct h1_queue *queue, struct http_worker *worker, const atomic_bool *ends,
		   void (*over)(struct h1_queue *queue))
{
	*queue = (struct h1_queue){
		.transport.operations = &operations,
		.worker = worker,
		.ends = ends,
		.over = over,
	};
	list_init(&queue->requests);
}

void h1_queue_detach(struct h1_queue *queue)
{
	queue->conn = NULL;
	LIST_EACH_SAFE(node, &queue->requests) {
		struct h1_request *r = container_of(node, struct h1_request, node);
		if (r->answered || r->phase != H1_IN_HANDLER)
			h1_queue_release(queue, r);
	}
	end_if_over(queue);
}

void h1_queue_fini(struct h1_queue *queue)
{
	struct h1_request *r;

	while ((r = oldest(queue)))
		h1_queue_release(queue, r);
}
