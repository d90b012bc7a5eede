#include "http/h2_session.h"

#include "base/alloc.h"
#include "base/error.h"
#include "http/h2_answer.h"
#include "http/h2_head.h"

#include <nghttp2/nghttp2.h>

/* So much is drawn before it is sent. */
#define DRAWN_BYTES 65536
/* Seconds after which a sender whose request met a full server may try again. */
#define RETRY_AFTER_S 2
/* Our answers have the same few headers; a larger table would only be held by
 * idle connections. */
#define ANSWER_TABLE_BYTES 512
/* Between the notice of a drain and its end, where no answer to a PING tells us
 * that the peer has heard it. */
#define FAREWELL_MS 1000

static const uint8_t farewell_ping[8] = "leadgate";

static void note_end(struct h2_session *h2, enum conn_reason reason)
{
	if (h2->ends)
		return;
	h2->ends = true;
	h2->end = reason;
}

/* Memory ran out inside of the library: it cannot go on. */
static void fail(struct h2_session *h2)
{
	h2->broken = true;
	note_end(h2, CONN_NO_MEMORY);
}

void h2_session_end(struct h2_session *h2, enum conn_reason reason, uint32_t error)
{
	note_end(h2, reason);
	h2->closing = true;
	if (nghttp2_session_terminate_session(h2->library, error) != 0)
		fail(h2);
}

static int64_t now_ms(const struct h2_session *h2)
{
	return loop_now_ms(h2->worker->group.loop);
}

static void calm(struct h2_session *h2, enum conn_reason reason)
{
	h2_session_end(h2, reason, NGHTTP2_ENHANCE_YOUR_CALM);
}

static void count(struct h2_session *h2, enum h2_guard_kind kind)
{
	enum conn_reason reason;

	if (!h2_guard_count(&h2->guard, kind, now_ms(h2), &reason))
		calm(h2, reason);
}

static void reset(struct h2_session *h2, const struct h2_stream *s, uint32_t error)
{
	if (nghttp2_submit_rst_stream(h2->library, NGHTTP2_FLAG_NONE, s->id, error) != 0)
		fail(h2);
}

/* ---- streams ---------------------------------------------------------------------- */

static void free_if_over(struct h2_session *h2)
{
	if (h2->conn || !list_empty(&h2->streams))
		return;
	list_remove(&h2->node);
	http_endpoint_unref(h2->endpoint);
	alloc_free(h2);
}

static void release(struct h2_session *h2, struct h2_stream *s)
{
	h2->under_way--;
	h2->restart = true;
	h2_stream_free(s, h2->worker);
}

static void submit(struct h2_session *h2, struct h2_stream *s, const struct http_response *response)
{
	struct http_worker *worker = h2->worker;

	s->phase = H2_ANSWERED;
	if (!h2_answer_submit(h2, s, response)) {
		fail(h2);
		return;
	}
	h2_worker_watch(&worker->h2, &worker->h2.answers, &s->deadline,
			worker->limits.write_timeout_ms);
}

static void respond(struct http_transport *transport, struct http_request *request,
		    const struct http_response *response)
{
	struct h2_session *h2 = container_of(transport, struct h2_session, transport);
	struct h2_stream *s = container_of(request, struct h2_stream, request);

	if (s->id == 0) {
		release(h2, s);
		free_if_over(h2);
		return;
	}
	submit(h2, s, response);
	if (h2->inside)
		return;
	h2_session_draw(h2);
	conn_wake(h2->conn);
}

static const struct http_transport_operations operations = {.respond = respond};

/* A malformed request is a stream error (RFC 9113, section 8.1.1), which is
 * counted when it is sent, as are those that the library finds. */
static void refuse(struct h2_session *h2, struct h2_stream *s, enum http_refusal refusal)
{
	int status = http_refusal_status(refusal);

	if (refusal == HTTP_REFUSED_MALFORMED) {
		reset(h2, s, NGHTTP2_PROTOCOL_ERROR);
		return;
	}
	http_refusal_count(refusal);
	s->request.reason = http_refusal_label(refusal);
	http_respond_problem(&s->request, status, http_refusal_text(refusal),
			     status == 503 ? RETRY_AFTER_S : 0);
}

void h2_session_refuse_late(struct h2_stream *s, enum http_refusal refusal)
{
	refuse(container_of(s->request.transport, struct h2_session, transport), s, refusal);
}

/* RFC 9113, section 8.1. */
void h2_session_dismiss(struct h2_stream *s)
{
	struct h2_session *h2 = container_of(s->request.transport, struct h2_session, transport);

	reset(h2, s, NGHTTP2_NO_ERROR);
	h2_session_draw(h2);
	conn_wake(h2->conn);
}

void h2_session_give_up(struct h2_stream *s)
{
	struct h2_session *h2 = container_of(s->request.transport, struct h2_session, transport);

	reset(h2, s, NGHTTP2_CANCEL);
	count(h2, H2_GUARD_STALLS);
	h2_session_draw(h2);
	conn_wake(h2->conn);
}

/* ---- requests --------------------------------------------------------------------- */

static void finish(struct h2_session *h2, struct h2_stream *s)
{
	s->is_whole = true;
	if (s->phase == H2_ANSWERED)
		return;
	list_remove(&s->deadline.node);
	if (!h2_stream_complete(s)) {
		refuse(h2, s, HTTP_REFUSED_NO_MEMORY);
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
		refuse(h2, s, HTTP_REFUSED_BODY_TOO_LARGE);
		return;
	}
	if (!budget_has(&worker->server->budget, s->content_length)) {
		refuse(h2, s, HTTP_REFUSED_BUSY);
		return;
	}
	s->phase = H2_IN_BODY;
	h2_worker_watch(&worker->h2, &worker->h2.bodies, &s->deadline,
			worker->limits.body_timeout_ms);
	if (settings->minimum_rate_bytes > 0)
		h2_worker_arm(&worker->h2, s->deadline.since_ms + settings->rate_grace_ms);
	if (s->expects_continue && !h2_answer_continue(h2, s))
		fail(h2);
}

static void take_head(struct h2_session *h2, struct h2_stream *s, bool is_whole)
{
	enum http_refusal refusal = h2_head_finish(s, h2->endpoint, h2->conn);

	s->is_whole = is_whole;
	if (refusal != HTTP_ACCEPTED) {
		refuse(h2, s, refusal);
		return;
	}
	bool routed = http_worker_route(h2->worker, h2->endpoint, &s->request);
	ALWAYS(routed != (s->phase == H2_ANSWERED));
	if (!routed)
		return;
	if (is_whole)
		finish(h2, s);
	else
		start_body(h2, s);
}

/* ---- what the library says -------------------------------------------------------- */

/* A handler that still has the request of a stream that was reset takes a place
 * (CVE-2023-44487: else resets would buy any number of them). */
static int on_begin_headers(nghttp2_session *library, const nghttp2_frame *frame, void *context)
{
	struct h2_session *h2 = context;
	struct h2_stream *s = NULL;

	h2->heading = NULL;
	if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
		h2->heading = nghttp2_session_get_stream_user_data(library, frame->hd.stream_id);
		return 0;
	}
	if (h2->under_way < h2->stream_limit)
		s = h2_stream_new(h2->worker, frame->hd.stream_id);
	if (!s) {
		nghttp2_submit_rst_stream(library, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
					  NGHTTP2_REFUSED_STREAM);
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	}
	s->request.transport = &h2->transport;
	list_append(&h2->streams, &s->node);
	h2->under_way++;
	h2->heading = s;
	return nghttp2_session_set_stream_user_data(library, s->id, s);
}

/* Trailers are counted and forgotten. */
static int on_header(nghttp2_session *library, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags,
		     void *context)
{
	struct h2_session *h2 = context;
	struct h2_stream *s = h2->heading;
	bool is_trailer = frame->headers.cat != NGHTTP2_HCAT_REQUEST;

	(void)library;
	(void)flags;
	if (!s)
		return 0;
	h2_head_add(s, slice_of((const char *)name, name_length),
		    slice_of((const char *)value, value_length), is_trailer, &h2->worker->limits);
	if (!h2_head_is_bomb(s, &h2->worker->limits))
		return 0;
	calm(h2, CONN_H2_HEAD);
	return NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* Without this the library would leave out what it finds wrong. */
static int on_invalid_header(nghttp2_session *library, const nghttp2_frame *frame,
			     const uint8_t *name, size_t name_length, const uint8_t *value,
			     size_t value_length, uint8_t flags, void *context)
{
	(void)library;
	(void)frame;
	(void)name;
	(void)name_length;
	(void)value;
	(void)value_length;
	(void)flags;
	(void)context;
	return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static void take_body(struct h2_session *h2, struct h2_stream *s, struct lg_slice piece)
{
	enum http_refusal refusal = h2_stream_add(s, piece, h2->worker);

	if (refusal != HTTP_ACCEPTED)
		refuse(h2, s, refusal);
}

static void drop_body(struct h2_session *h2, struct h2_stream *s, size_t length)
{
	s->dropped_bytes += length;
	if (s->dropped_bytes > (size_t)h2->worker->limits.linger_bytes)
		reset(h2, s, NGHTTP2_NO_ERROR);
}

static int on_data(nghttp2_session *library, uint8_t flags, int32_t id, const uint8_t *data,
		   size_t length, void *context)
{
	struct h2_session *h2 = context;
	struct h2_stream *s = nghttp2_session_get_stream_user_data(library, id);

	(void)flags;
	if (s && s->phase == H2_IN_BODY)
		take_body(h2, s, slice_of((const char *)data, length));
	else if (s)
		drop_body(h2, s, length);
	/* Kept or dropped, it is out of the way: what bounds bodies is their limit and
	 * the server's budget. */
	return nghttp2_is_fatal(nghttp2_session_consume(library, id, length))
		       ? NGHTTP2_ERR_CALLBACK_FAILURE
		       : 0;
}

static void take_ping(struct h2_session *h2, const nghttp2_ping *ping)
{
	bool is_ours = ping->hd.flags & NGHTTP2_FLAG_ACK &&
		       memcmp(ping->opaque_data, farewell_ping, sizeof(farewell_ping)) == 0;

	if (is_ours && h2->leaving)
		h2_session_leave(h2);
}

static int on_frame(nghttp2_session *library, const nghttp2_frame *frame, void *context)
{
	struct h2_session *h2 = context;
	bool ends = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
	struct h2_stream *s;

	switch (frame->hd.type) {
	case NGHTTP2_HEADERS:
		s = h2->heading;
		if (s && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
			take_head(h2, s, ends);
		else if (s && ends)
			finish(h2, s);
		break;
	case NGHTTP2_DATA:
		s = ends ? nghttp2_session_get_stream_user_data(library, frame->hd.stream_id)
			 : NULL;
		if (s)
			finish(h2, s);
		break;
	case NGHTTP2_PING: take_ping(h2, &frame->ping); break;
	case NGHTTP2_GOAWAY: note_end(h2, CONN_PEER_CLOSED); break;
	default: break;
	}
	return 0;
}

/* Nobody wants the rest of a request that is answered already; yet it is read
 * for a while, because senders that are reset may not look at the answer. */
static void answer_sent(struct h2_session *h2, int32_t id)
{
	struct http_worker *worker = h2->worker;
	struct h2_stream *s = nghttp2_session_get_stream_user_data(h2->library, id);

	if (s && !s->is_whole)
		h2_worker_watch(&worker->h2, &worker->h2.lingering, &s->deadline,
				worker->limits.linger_ms);
}

static void reset_sent(struct h2_session *h2, uint32_t id, uint32_t error)
{
	if (id > h2->reset)
		h2->reset = id;
	if (error == NGHTTP2_PROTOCOL_ERROR)
		http_refusal_count(HTTP_REFUSED_MALFORMED);
	if (error != NGHTTP2_NO_ERROR && error != NGHTTP2_CANCEL)
		count(h2, H2_GUARD_ERRORS);
}

static int on_frame_sent(nghttp2_session *library, const nghttp2_frame *frame, void *context)
{
	struct h2_session *h2 = context;

	(void)library;
	switch (frame->hd.type) {
	case NGHTTP2_HEADERS:
	case NGHTTP2_DATA:
		if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
			answer_sent(h2, frame->hd.stream_id);
		break;
	case NGHTTP2_RST_STREAM:
		reset_sent(h2, (uint32_t)frame->hd.stream_id, frame->rst_stream.error_code);
		break;
	case NGHTTP2_GOAWAY:
		if (frame->goaway.error_code != NGHTTP2_NO_ERROR)
			note_end(h2, CONN_H2_BROKEN);
		break;
	default: break;
	}
	return 0;
}

static int on_stream_closed(nghttp2_session *library, int32_t id, uint32_t error, void *context)
{
	struct h2_session *h2 = context;
	struct h2_stream *s = nghttp2_session_get_stream_user_data(library, id);

	(void)error;
	if (!s)
		return 0;
	if (h2->heading == s)
		h2->heading = NULL;
	s->id = 0;
	if (s->phase != H2_IN_HANDLER)
		release(h2, s);
	return 0;
}

void h2_session_prepare(struct h2_worker *worker)
{
	nghttp2_session_callbacks *callbacks = worker->callbacks;

	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, on_invalid_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_closed);
	nghttp2_session_callbacks_set_send_data_callback(callbacks, h2_answer_send_data);
	nghttp2_option_set_no_auto_window_update(worker->option, 1);
	nghttp2_option_set_no_closed_streams(worker->option, 1);
	nghttp2_option_set_max_deflate_dynamic_table_size(worker->option, ANSWER_TABLE_BYTES);
}

/* ---- bytes ------------------------------------------------------------------------ */

static void take_error(struct h2_session *h2, int error)
{
	switch (error) {
	case NGHTTP2_ERR_CALLBACK_FAILURE: break; /* it has said why */
	case NGHTTP2_ERR_BAD_CLIENT_MAGIC:
		h2_session_end(h2, CONN_H2_BROKEN, NGHTTP2_PROTOCOL_ERROR);
		break;
	case NGHTTP2_ERR_NOMEM: fail(h2); break;
	default: calm(h2, CONN_H2_BROKEN); break;
	}
}

static void give(struct h2_session *h2, struct lg_slice bytes)
{
	if (bytes.length == 0 || h2->broken)
		return;
	h2->inside = true;
	ssize_t result = nghttp2_session_mem_recv(h2->library, (const uint8_t *)bytes.data,
						  bytes.length);
	h2->inside = false;
	if (result < 0)
		take_error(h2, (int)result);
}

/* RFC 9113, section 5.1.1: streams are opened in the order of their numbers. The
 * library forgives what it no longer knows; only those that we have reset may
 * be meant in good faith. */
static bool is_stale(const struct h2_session *h2, uint32_t id)
{
	return id % 2 == 1 && id <= h2->newest && id > h2->reset &&
	       !nghttp2_session_find_stream(h2->library, (int32_t)id);
}

/* Whether the frame whose header ends at `at` may be understood. Gives the
 * library what is before it when it has to know that first. */
static bool admit(struct h2_session *h2, struct lg_slice bytes, size_t at, size_t *given)
{
	const struct h2_frame *frame = &h2->reader.frame;
	enum conn_reason reason;

	if (!h2_guard_frame(&h2->guard, frame, now_ms(h2), &reason)) {
		calm(h2, reason);
		return false;
	}
	/* The library, which has no use for priorities, looks at none of them. */
	if (frame->type == NGHTTP2_PRIORITY && frame->stream == 0) {
		h2_session_end(h2, CONN_H2_BROKEN, NGHTTP2_PROTOCOL_ERROR);
		return false;
	}
	if (frame->type != NGHTTP2_HEADERS)
		return true;
	if (frame->stream > h2->newest) {
		h2->newest = frame->stream;
		return true;
	}
	if (at - *given >= H2_FRAME_HEADER_LENGTH) {
		size_t before = at - H2_FRAME_HEADER_LENGTH;
		give(h2, slice_cut(bytes, *given, before - *given));
		*given = before;
	}
	if (h2->closing || !is_stale(h2, frame->stream))
		return true;
	h2_session_end(h2, CONN_H2_BROKEN, NGHTTP2_PROTOCOL_ERROR);
	return false;
}

void h2_session_feed(struct h2_session *h2, struct lg_slice bytes)
{
	size_t at = 0, given = 0;

	while (!h2->closing && h2_frame_next(&h2->reader, bytes, &at))
		if (!admit(h2, bytes, at, &given))
			break;
	if (!h2->closing)
		give(h2, slice_cut(bytes, given, bytes.length));
	h2_session_draw(h2);
}

void h2_session_draw(struct h2_session *h2)
{
	const uint8_t *data;
	ssize_t length = 0;

	h2->inside = true;
	while (!h2->broken && buffer_length(&h2->conn->out) < DRAWN_BYTES &&
	       (length = nghttp2_session_mem_send(h2->library, &data)) > 0)
		buffer_add(conn_out(h2->conn), data, (size_t)length);
	h2->inside = false;
	if (length < 0)
		fail(h2);
}

bool h2_session_is_over(const struct h2_session *h2)
{
	return h2->broken || (!nghttp2_session_want_read(h2->library) &&
			      !nghttp2_session_want_write(h2->library));
}

/* ---- the end of it ---------------------------------------------------------------- */

void h2_session_peer_ended(struct h2_session *h2)
{
	bool is_between = true;

	LIST_EACH(node, &h2->streams) {
		struct h2_stream *s = container_of(node, struct h2_stream, node);
		is_between &= s->is_whole;
		if (s->id != 0 && !s->is_whole)
			reset(h2, s, NGHTTP2_CANCEL);
	}
	note_end(h2, is_between ? CONN_PEER_CLOSED : CONN_PEER_LEFT);
	h2_session_draw(h2);
}

void h2_session_drain(struct h2_session *h2)
{
	struct h2_worker *worker = &h2->worker->h2;

	if (h2->leaving || h2->closing)
		return;
	h2->leaving = true;
	if (nghttp2_submit_shutdown_notice(h2->library) != 0 ||
	    nghttp2_submit_ping(h2->library, NGHTTP2_FLAG_NONE, farewell_ping) != 0)
		fail(h2);
	h2_worker_watch(worker, &worker->farewells, &h2->farewell, FAREWELL_MS);
	h2_session_draw(h2);
}

void h2_session_leave(struct h2_session *h2)
{
	list_remove(&h2->farewell.node);
	if (h2->closing)
		return;
	note_end(h2, CONN_DRAINED);
	int32_t last = nghttp2_session_get_last_proc_stream_id(h2->library);
	if (nghttp2_submit_goaway(h2->library, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, NULL,
				  0) != 0)
		fail(h2);
	if (h2->inside)
		return;
	h2_session_draw(h2);
	conn_wake(h2->conn);
}

void h2_session_detach(struct h2_session *h2)
{
	nghttp2_session_del(h2->library);
	h2->library = NULL;
	h2->conn = NULL;
	list_remove(&h2->farewell.node);
	list_append(&h2->worker->h2.orphans, &h2->node);
	LIST_EACH_SAFE(node, &h2->streams) {
		struct h2_stream *s = container_of(node, struct h2_stream, node);
		s->id = 0;
		if (s->phase != H2_IN_HANDLER)
			release(h2, s);
	}
	free_if_over(h2);
}

void h2_session_free_orphans(struct h2_worker *worker)
{
	struct list *first, *stream;

	while ((first = list_first(&worker->orphans))) {
		struct h2_session *h2 = container_of(first, struct h2_session, node);
		while ((stream = list_first(&h2->streams)))
			release(h2, container_of(stream, struct h2_stream, node));
		free_if_over(h2);
	}
}

/* ---- the beginning of it ---------------------------------------------------------- */

static bool submit_settings(struct h2_session *h2)
{
	const struct http_limits *limits = &h2->worker->limits;
	const nghttp2_settings_entry entries[] = {
		{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, (uint32_t)limits->streams},
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, (uint32_t)limits->stream_window_bytes},
		{NGHTTP2_SETTINGS_MAX_FRAME_SIZE, (uint32_t)limits->frame_bytes},
		{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)limits->head_bytes},
		{NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, (uint32_t)limits->header_table_bytes},
		{NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
	};

	return nghttp2_submit_settings(h2->library, NGHTTP2_FLAG_NONE, entries,
				       sizeof(entries) / sizeof(entries[0])) == 0 &&
	       nghttp2_session_set_local_window_size(h2->library, NGHTTP2_FLAG_NONE, 0,
						     (int32_t)limits->connection_window_bytes) == 0;
}

struct h2_session *h2_session_new(struct http_worker *worker, struct http_endpoint *endpoint,
				  struct conn *conn)
{
	struct h2_session *h2 = alloc_zalloc(sizeof(*h2));

	if (!h2)
		return NULL;
	h2->transport.operations = &operations;
	h2->worker = worker;
	h2->conn = conn;
	h2->endpoint = http_endpoint_ref(endpoint);
	h2->stream_limit = (size_t)worker->limits.streams;
	list_init(&h2->node);
	list_init(&h2->streams);
	list_init(&h2->farewell.node);
	h2_frame_reader_init(&h2->reader);
	h2_guard_init(&h2->guard, &worker->limits);
	if (nghttp2_session_server_new2(&h2->library, worker->h2.callbacks, h2,
					worker->h2.option) == 0 &&
	    submit_settings(h2))
		return h2;
	nghttp2_session_del(h2->library);
	http_endpoint_unref(endpoint);
	alloc_free(h2);
	return NULL;
}
