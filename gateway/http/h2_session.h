/* The streams of one HTTP/2 connection, and what libnghttp2 says of them. The
 * library does no I/O: bytes go in by h2_session_feed, answers are drawn out of
 * it into the connection's out. Loop thread. */
#ifndef HTTP_H2_SESSION_H
#define HTTP_H2_SESSION_H

#include "http/h2_guard.h"
#include "http/h2_stream.h"
#include "http/transport.h"

struct nghttp2_session;

struct h2_session {
	struct http_transport transport; /* of its requests */
	struct http_worker *worker;
	struct http_endpoint *endpoint; /* a reference */
	struct conn *conn;		/* NULL: gone */
	struct nghttp2_session *library;
	struct h2_block *memory;   /* the library's */
	struct list node;	   /* in the worker's orphans */
	struct list streams;	   /* those that handlers have outlive their HTTP/2 stream */
	size_t under_way;	   /* streams in the list */
	size_t stream_limit;	   /* as the peer was told */
	struct h2_stream *heading; /* whose header block is coming */
	struct h2_frame_reader reader;
	struct h2_guard guard;
	struct h2_deadline farewell; /* from the first GOAWAY of a drain to the last */
	struct h2_deadline piece;    /* of a frame, while nothing else is under way */
	int64_t heard_us, heard_ms;  /* when the bytes came: monotonic and wall clock */
	uint32_t newest;	     /* the highest stream that the peer has opened */
	uint32_t untold;      /* the highest one begun before the peer could know our settings */
	int64_t told_ms;      /* monotonic: it must know them from then on */
	uint32_t reset;	      /* the highest one that we have reset: the peer may not know yet */
	uint32_t block;	      /* reader.blocks when the present state began or was kept */
	int64_t surplus;      /* of the streams' windows, as h2_window.h notes it */
	enum conn_reason end; /* why the connection will be closed, when `ends` */
	bool is_told;	      /* the peer has said that it knows our settings */
	bool ends;	      /* nothing more is wanted from this peer */
	bool is_decided;      /* what ends it, which no further reason changes */
	bool leaving;	      /* the first GOAWAY of a drain was sent */
	bool closing;	      /* the last GOAWAY is on its way, and with it the end */
	bool is_wrong;	      /* the peer broke a rule or a budget */
	bool broken;	      /* memory ran out; the library cannot go on */
	bool inside;	      /* of the library: its answers are drawn out later */
	bool restart;	      /* the time of the connection's state begins anew */
};

/* Takes its own reference to the endpoint; tells the peer our settings with the
 * first answer. NULL: no memory. It is freed with h2_session_detach, or with
 * the last of its requests. */
struct h2_session *h2_session_new(struct http_worker *worker, struct http_endpoint *endpoint,
				  struct conn *conn);
/* The connection is gone: forgets all requests but those that handlers have. */
void h2_session_detach(struct h2_session *h2);
/* Frees those whose connection is gone, with their unanswered requests. */
void h2_session_free_orphans(struct h2_worker *worker);

/* Bytes from the peer; all are taken. */
void h2_session_feed(struct h2_session *h2, struct lg_slice bytes);
/* Draws what the library has to say into the connection's out, up to a bound;
 * again when that is empty. */
void h2_session_draw(struct h2_session *h2);
/* Nothing more will be said or heard. */
bool h2_session_is_over(const struct h2_session *h2);

/* Ends with GOAWAY and an error of HTTP/2; the first reason counts. */
void h2_session_end(struct h2_session *h2, enum conn_reason reason, uint32_t error);
/* The peer sends nothing more: forgets what will never be whole. */
void h2_session_peer_ended(struct h2_session *h2);
/* The same peer will make no more room: ends answers that wait for some though all
 * that there was room for has been sent. */
void h2_session_give_up_stuck(struct h2_session *h2);
/* The rest of a frame has not come in time. */
void h2_session_give_up_frame(struct h2_session *h2);
/* Says that no further requests are wanted (RFC 9113, section 6.8): first a
 * notice, then, when it must have been heard, what the last request was. */
void h2_session_drain(struct h2_session *h2);
void h2_session_leave(struct h2_session *h2);

/* For h2_request.c and h2_callbacks.c. */

/* Why the connection will be closed when all is done and nothing worse ends it; the
 * first reason counts. */
void h2_session_note_end(struct h2_session *h2, enum conn_reason reason);
/* What does end it, whatever was noted before; the first reason counts. */
void h2_session_decide_end(struct h2_session *h2, enum conn_reason reason);
/* Memory ran out inside of the library: it cannot go on. */
void h2_session_fail(struct h2_session *h2);
/* Ends with ENHANCE_YOUR_CALM. */
void h2_session_calm(struct h2_session *h2, enum conn_reason reason);
/* Counts against a budget of the connection, and ends it when that is spent. */
void h2_session_count(struct h2_session *h2, enum h2_guard_kind kind);
/* Ends a stream by RST_STREAM. */
void h2_session_reset(struct h2_session *h2, const struct h2_stream *stream, uint32_t error);
/* Frees a request whose stream is closed, and with the last one the session when
 * its connection is gone. */
void h2_session_release(struct h2_session *h2, struct h2_stream *stream);
/* The peer has answered a PING of ours, with these 8 bytes. */
void h2_session_take_pong(struct h2_session *h2, const uint8_t *payload);

#endif
