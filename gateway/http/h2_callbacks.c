#include "http/h2_callbacks.h"

#include "http/h2_answer.h"
#include "http/h2_head.h"
#include "http/h2_request.h"
#include "http/h2_window.h"

#include <nghttp2/nghttp2.h>

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
	s->request.started_us = h2->heard_us;
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
	h2_session_calm(h2, CONN_H2_HEAD);
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
		h2_request_refuse(s, refusal);
}

static void drop_body(struct h2_session *h2, struct h2_stream *s, size_t length)
{
	s->dropped_bytes += length;
	if (s->dropped_bytes > (size_t)h2->worker->limits.linger_bytes)
		h2_session_reset(h2, s, NGHTTP2_NO_ERROR);
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

/* Such DATA is empty, too, though its header does not show it. */
static bool is_padding_alone(const nghttp2_data *data)
{
	return data->hd.length > 0 && data->hd.length == data->padlen &&
	       !(data->hd.flags & NGHTTP2_FLAG_END_STREAM);
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
			h2_request_take_head(s, ends);
		else if (s && ends)
			h2_request_finish(s);
		break;
	case NGHTTP2_DATA:
		if (is_padding_alone(&frame->data))
			h2_session_count(h2, H2_GUARD_EMPTY_DATA);
		s = ends ? nghttp2_session_get_stream_user_data(library, frame->hd.stream_id)
			 : NULL;
		if (s)
			h2_request_finish(s);
		break;
	case NGHTTP2_SETTINGS:
		if (h2_window_bears(h2, &frame->settings))
			break;
		h2_session_end(h2, CONN_H2_BROKEN, NGHTTP2_FLOW_CONTROL_ERROR);
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	case NGHTTP2_PING:
		if (frame->hd.flags & NGHTTP2_FLAG_ACK)
			h2_session_take_pong(h2, frame->ping.opaque_data);
		break;
	case NGHTTP2_GOAWAY: h2_session_note_end(h2, CONN_PEER_CLOSED); break;
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

static void note_reset(struct h2_session *h2, uint32_t id)
{
	if (id > h2->reset)
		h2->reset = id;
}

/* A stream for which the library has no place never begins; that it is reset may
 * be said long after more of it has come. */
static int on_invalid_frame(nghttp2_session *library, const nghttp2_frame *frame, int error,
			    void *context)
{
	(void)library;
	if (error == NGHTTP2_ERR_REFUSED_STREAM)
		note_reset(context, (uint32_t)frame->hd.stream_id);
	return 0;
}

/* We gave it up, or it is one too many, which the peer could not know. */
static bool is_blameless(const struct h2_session *h2, uint32_t id, uint32_t error)
{
	return error == NGHTTP2_NO_ERROR || error == NGHTTP2_CANCEL ||
	       (error == NGHTTP2_REFUSED_STREAM && id <= h2->untold);
}

static void reset_sent(struct h2_session *h2, uint32_t id, uint32_t error)
{
	note_reset(h2, id);
	if (error == NGHTTP2_PROTOCOL_ERROR)
		http_refusal_count(HTTP_REFUSED_MALFORMED);
	if (!is_blameless(h2, id, error))
		h2_session_count(h2, H2_GUARD_ERRORS);
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
			h2_session_decide_end(h2, CONN_H2_BROKEN);
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
		h2_session_release(h2, s);
	return 0;
}

void h2_callbacks_fill(nghttp2_session_callbacks *callbacks)
{
	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, on_invalid_header);
	nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_closed);
	nghttp2_session_callbacks_set_send_data_callback(callbacks, h2_answer_send_data);
}
