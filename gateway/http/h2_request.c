#include "http/h2_request.h"

#include "base/error.h"
#include "http/h2_answer.h"
#include "http/h2_head.h"
#include "http/room.h"

/* Seconds after which a sender whose request met a full server may try again. */
#define RETRY_AFTER_S 2

static struct h2_session *session_of(const struct h2_stream *s)
{
	return container_of(s->request.transport, struct h2_session, transport);
}

/* ---- answers ---------------------------------------------------------------------- */

static void submit(struct h2_session *h2, struct h2_stream *s, const struct http_response *response)
{
	struct http_worker *worker = h2->worker;

	s->phase = H2_ANSWERED;
	if (!h2_answer_submit(h2, s, response)) {
		h2_session_fail(h2);
		return;
	}
	h2_stream_forget(s, worker);
	h2_worker_watch(&worker->h2, &worker->h2.answers, &s->deadline,
			worker->limits.write_timeout_ms);
}

static void respond(struct http_transport *transport, struct http_request *request,
		    const struct http_response *response)
{
	struct h2_session *h2 = container_of(transport, struct h2_session, transport);
	struct h2_stream *s = container_of(request, struct h2_stream, request);

	if (s->id == 0) {
		h2_session_release(h2, s);
		return;
	}
	submit(h2, s, response);
	if (h2->inside)
		return;
	h2_session_draw(h2);
	conn_wake(h2->conn);
}

const struct http_transport_operations h2_request_operations = {.respond = respond};

/* A malformed request is a stream error (RFC 9113, section 8.1.1), which is
 * counted when it is sent, as are those that the library finds. */
void h2_request_refuse(struct h2_stream *s, enum http_refusal refusal)
{
	int status = http_refusal_status(refusal);

	if (refusal == HTTP_REFUSED_MALFORMED) {
		h2_session_reset(session_of(s), s, NGHTTP2_PROTOCOL_ERROR);
		return;
	}
	http_refusal_count(refusal);
	s->request.reason = http_refusal_label(refusal);
	http_respond_problem(&s->request, status, http_refusal_text(refusal),
			     status == 503 ? RETRY_AFTER_S : 0);
}

/* ---- from the head to the handler ------------------------------------------------- */

void h2_request_finish(struct h2_stream *s)
{
	s->is_whole = true;
	if (s->phase == H2_ANSWERED)
		return;
	list_remove(&s->deadline.node);
	if (!h2_stream_complete(s)) {
		h2_request_refuse(s, HTTP_REFUSED_NO_MEMORY);
		return;
	}
	s->phase = H2_IN_HANDLER;
	s->request.route.handle(&s->request, s->request.route.arg);
}

static void start_body(struct h2_session *h2, struct h2_stream *s)
{
	struct http_worker *worker = h2->worker;
	const struct conn_settings *settings = &worker->group.settings;

	if (s->has_length && s->content_length > s->request.route.body_limit_bytes) {
		h2_request_refuse(s, HTTP_REFUSED_BODY_TOO_LARGE);
		return;
	}
	if (!h2_stream_hold_head(s, worker) ||
	    !http_room_has(worker, &s->request, s->content_length)) {
		h2_request_refuse(s, HTTP_REFUSED_BUSY);
		return;
	}
	s->phase = H2_IN_BODY;
	h2_worker_watch(&worker->h2, &worker->h2.bodies, &s->deadline,
			worker->limits.body_timeout_ms);
	http_room_note(worker);
	if (settings->minimum_rate_bytes > 0)
		h2_worker_arm(&worker->h2, s->deadline.since_ms + settings->rate_grace_ms);
	if (s->expects_continue && !h2_answer_continue(h2, s))
		h2_session_fail(h2);
}

void h2_request_take_head(struct h2_stream *s, bool is_whole)
{
	struct h2_session *h2 = session_of(s);
	enum http_refusal refusal = h2_head_finish(s, h2->endpoint, h2->conn);

	s->request.received_ms = h2->heard_ms;
	s->is_whole = is_whole;
	if (refusal != HTTP_ACCEPTED) {
		h2_request_refuse(s, refusal);
		return;
	}
	bool routed = http_worker_route(h2->worker, h2->endpoint, &s->request);
	ALWAYS(routed != (s->phase == H2_ANSWERED));
	if (!routed)
		return;
	if (is_whole)
		h2_request_finish(s);
	else
		start_body(h2, s);
}

/* ---- what does not end by itself -------------------------------------------------- */

/* RFC 9113, section 8.1. */
void h2_request_dismiss(struct h2_stream *s)
{
	struct h2_session *h2 = session_of(s);

	h2_session_reset(h2, s, NGHTTP2_NO_ERROR);
	h2_session_draw(h2);
	conn_wake(h2->conn);
}

void h2_request_give_up(struct h2_stream *s)
{
	struct h2_session *h2 = session_of(s);

	h2_session_reset(h2, s, NGHTTP2_CANCEL);
	h2_session_count(h2, H2_GUARD_STALLS);
	h2_session_draw(h2);
	conn_wake(h2->conn);
}
