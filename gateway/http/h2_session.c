#include "http/h2_session.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "http/h2_request.h"
#include "http/h2_window.h"

#include <nghttp2/nghttp2.h>

/* So much is drawn before it is sent. */
#define DRAWN_BYTES 65536
/* Between the notice of a drain and its end, where no answer to a PING tells us
 * that the peer has heard it. */
#define FAREWELL_MS 1000

static const uint8_t farewell_ping[8] = "leadgate";

void h2_session_note_end(struct h2_session *h2, enum conn_reason reason)
{
	if (h2->ends)
		return;
	h2->ends = true;
	h2->end = reason;
}

void h2_session_decide_end(struct h2_session *h2, enum conn_reason reason)
{
	if (h2->is_decided)
		return;
	h2->ends = h2->is_decided = true;
	h2->end = reason;
}

void h2_session_fail(struct h2_session *h2)
{
	h2->broken = true;
	h2_session_decide_end(h2, CONN_NO_MEMORY);
}

void h2_session_end(struct h2_session *h2, enum conn_reason reason, uint32_t error)
{
	h2_session_decide_end(h2, reason);
	h2->closing = true;
	h2->is_wrong = h2->is_wrong || error != NGHTTP2_NO_ERROR;
	if (nghttp2_session_terminate_session(h2->library, error) != 0)
		h2_session_fail(h2);
}

static int64_t now_ms(const struct h2_session *h2)
{
	return loop_now_ms(h2->worker->group.loop);
}

void h2_session_calm(struct h2_session *h2, enum conn_reason reason)
{
	h2_session_end(h2, reason, NGHTTP2_ENHANCE_YOUR_CALM);
}

void h2_session_count(struct h2_session *h2, enum h2_guard_kind kind)
{
	enum conn_reason reason;

	if (!h2_guard_count(&h2->guard, kind, now_ms(h2), &reason))
		h2_session_calm(h2, reason);
}

void h2_session_reset(struct h2_session *h2, const struct h2_stream *s, uint32_t error)
{
	if (nghttp2_submit_rst_stream(h2->library, NGHTTP2_FLAG_NONE, s->id, error) != 0)
		h2_session_fail(h2);
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

void h2_session_release(struct h2_session *h2, struct h2_stream *s)
{
	release(h2, s);
	if (h2->conn)
		conn_wake(h2->conn); /* perhaps it waited for this one alone */
	else
		free_if_over(h2);
}

/* ---- bytes ------------------------------------------------------------------------ */

static void take_error(struct h2_session *h2, int error)
{
	switch (error) {
	case NGHTTP2_ERR_CALLBACK_FAILURE: break; /* it has said why */
	case NGHTTP2_ERR_BAD_CLIENT_MAGIC:
		h2_session_end(h2, CONN_H2_BROKEN, NGHTTP2_PROTOCOL_ERROR);
		break;
	case NGHTTP2_ERR_NOMEM: h2_session_fail(h2); break;
	default: h2_session_calm(h2, CONN_H2_BROKEN); break;
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

/* Whether it was begun when no more were wanted: after our GOAWAY, or beyond their
 * number. */
static bool was_turned_away(const struct h2_session *h2, uint32_t id)
{
	return id > (uint32_t)nghttp2_session_get_last_proc_stream_id(h2->library);
}

/* RFC 9113, section 5.1.1: streams are opened in the order of their numbers. The
 * library forgives what it no longer knows; only of those that we have reset or
 * turned away may more, as trailers, be meant in good faith. */
static bool is_stale(const struct h2_session *h2, uint32_t id)
{
	return id % 2 == 1 && id <= h2->newest && id > h2->reset && !was_turned_away(h2, id) &&
	       !nghttp2_session_find_stream(h2->library, (int32_t)id);
}

/* RFC 9113, section 6.5.2: a peer that does not know our settings yet may begin as
 * many streams as it likes. It has the time of a head to say that it knows them. */
static void note_begun(struct h2_session *h2, uint32_t id)
{
	h2->newest = id;
	if (!h2->is_told && now_ms(h2) < h2->told_ms)
		h2->untold = id;
}

/* The library has to know what is before the frame whose header ends at `at`. Of a
 * header that began in earlier bytes nothing is held back: all before it was given. */
static void give_before(struct h2_session *h2, struct lg_slice bytes, size_t at, size_t *given)
{
	size_t before = at - H2_FRAME_HEADER_LENGTH;

	if (at < *given + H2_FRAME_HEADER_LENGTH)
		return;
	give(h2, slice_cut(bytes, *given, before - *given));
	*given = before;
}

/* Whether the frame whose header ends at `at` may be understood. */
static bool admit(struct h2_session *h2, struct lg_slice bytes, size_t at, size_t *given)
{
	const struct h2_frame *frame = &h2->reader.frame;
	enum conn_reason reason;

	if (!h2_guard_frame(&h2->guard, frame, now_ms(h2), &reason)) {
		h2_session_calm(h2, reason);
		return false;
	}
	/* The library, which has no use for priorities, looks at none of them. */
	if (frame->type == NGHTTP2_PRIORITY && frame->stream == 0) {
		h2_session_end(h2, CONN_H2_BROKEN, NGHTTP2_PROTOCOL_ERROR);
		return false;
	}
	if (frame->type == NGHTTP2_SETTINGS) {
		give_before(h2, bytes, at, given);
		h2_window_note(h2);
		h2->is_told = h2->is_told || frame->flags & NGHTTP2_FLAG_ACK;
		return true;
	}
	if (frame->type != NGHTTP2_HEADERS)
		return true;
	if (frame->stream > h2->newest) {
		note_begun(h2, frame->stream);
		return true;
	}
	give_before(h2, bytes, at, given);
	if (h2->closing || !is_stale(h2, frame->stream))
		return true;
	h2_session_end(h2, CONN_H2_BROKEN, NGHTTP2_PROTOCOL_ERROR);
	return false;
}

void h2_session_feed(struct h2_session *h2, struct lg_slice bytes)
{
	size_t at = 0, given = 0;

	/* Once for all requests that come with them. */
	h2->heard_us = clock_monotonic_us();
	h2->heard_ms = clock_wall_ms();
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
		h2_session_fail(h2);
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
			h2_session_reset(h2, s, NGHTTP2_CANCEL);
	}
	h2_session_note_end(h2, is_between ? CONN_PEER_CLOSED : CONN_PEER_LEFT);
	h2_session_draw(h2);
}

void h2_session_give_up_stuck(struct h2_session *h2)
{
	LIST_EACH(node, &h2->streams) {
		struct h2_stream *s = container_of(node, struct h2_stream, node);
		if (s->id != 0 && s->phase == H2_ANSWERED)
			h2_session_reset(h2, s, NGHTTP2_CANCEL);
	}
	h2_session_draw(h2);
}

void h2_session_give_up_frame(struct h2_session *h2)
{
	if (h2->closing)
		return;
	h2_session_end(h2, CONN_HEAD_TIMEOUT, NGHTTP2_NO_ERROR);
	h2_session_draw(h2);
	conn_wake(h2->conn);
}

void h2_session_drain(struct h2_session *h2)
{
	struct h2_worker *worker = &h2->worker->h2;

	if (h2->leaving || h2->closing)
		return;
	h2->leaving = true;
	if (nghttp2_submit_shutdown_notice(h2->library) != 0 ||
	    nghttp2_submit_ping(h2->library, NGHTTP2_FLAG_NONE, farewell_ping) != 0)
		h2_session_fail(h2);
	h2_worker_watch(worker, &worker->farewells, &h2->farewell, FAREWELL_MS);
	h2_session_draw(h2);
}

void h2_session_leave(struct h2_session *h2)
{
	list_remove(&h2->farewell.node);
	if (h2->closing)
		return;
	h2_session_note_end(h2, CONN_DRAINED);
	int32_t last = nghttp2_session_get_last_proc_stream_id(h2->library);
	if (nghttp2_submit_goaway(h2->library, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, NULL,
				  0) != 0)
		h2_session_fail(h2);
	if (h2->inside)
		return;
	h2_session_draw(h2);
	conn_wake(h2->conn);
}

void h2_session_take_pong(struct h2_session *h2, const uint8_t *payload)
{
	if (h2->leaving && memcmp(payload, farewell_ping, sizeof(farewell_ping)) == 0)
		h2_session_leave(h2);
}

static void forget_library(struct h2_session *h2)
{
	nghttp2_session_del(h2->library);
	h2->library = NULL;
	h2_memory_give(&h2->worker->h2.memory, h2->memory);
	h2->memory = NULL;
}

void h2_session_detach(struct h2_session *h2)
{
	forget_library(h2);
	h2->conn = NULL;
	list_remove(&h2->farewell.node);
	list_remove(&h2->piece.node);
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

static bool make_library(struct h2_session *h2)
{
	const struct h2_worker *worker = &h2->worker->h2;

	h2->memory = h2_memory_take(&h2->worker->h2.memory);
	if (!h2->memory)
		return false;
	nghttp2_mem memory = h2_memory_of(h2->memory);
	return nghttp2_session_server_new3(&h2->library, worker->callbacks, h2, worker->option,
					   &memory) == 0;
}

struct h2_session *h2_session_new(struct http_worker *worker, struct http_endpoint *endpoint,
				  struct conn *conn)
{
	struct h2_session *h2 = alloc_zalloc(sizeof(*h2));

	if (!h2)
		return NULL;
	h2->transport.operations = &h2_request_operations;
	h2->worker = worker;
	h2->conn = conn;
	h2->endpoint = http_endpoint_ref(endpoint);
	h2->told_ms = now_ms(h2) + worker->limits.head_timeout_ms;
	h2->stream_limit = (size_t)worker->limits.streams;
	list_init(&h2->node);
	list_init(&h2->streams);
	list_init(&h2->farewell.node);
	list_init(&h2->piece.node);
	h2_frame_reader_init(&h2->reader);
	h2_guard_init(&h2->guard, &worker->limits);
	if (make_library(h2) && submit_settings(h2))
		return h2;
	forget_library(h2);
	http_endpoint_unref(endpoint);
	alloc_free(h2);
	return NULL;
}
