/* A request as an HTTP/2 stream carries it. Streams are kept per worker, with
 * some of their memory, so that a busy loop allocates none. Loop thread. */
#ifndef HTTP_H2_STREAM_H
#define HTTP_H2_STREAM_H

#include "http/h2_worker.h"
#include "http/refusal.h"
#include "http/worker.h"

enum h2_phase { H2_IN_HEAD, H2_IN_BODY, H2_IN_HANDLER, H2_ANSWERED };

struct h2_stream {
	struct http_request request;
	struct list node; /* in a session's streams, or in those that are kept */
	struct h2_deadline deadline;
	int32_t id; /* 0: the stream is closed, but a handler has its request */
	enum h2_phase phase;
	struct buffer body, answer;
	size_t body_bytes;	 /* seen, kept or not */
	size_t held_bytes;	 /* of head and body, that count in the budget */
	size_t dropped_bytes;	 /* of the body, after the answer */
	size_t list_bytes;	 /* of the head, as RFC 9113, section 6.5.2, counts */
	size_t cookies;		 /* crumbs, section 8.2.3 */
	enum http_refusal fault; /* the first of its head */
	bool is_whole;		 /* the peer has ended it */
	bool has_length;	 /* the peer has said how long the body is */
	bool expects_continue;
	uint64_t content_length;
	size_t capacity;
	struct http_header headers[]; /* a place for host, and then `capacity` */
};

/* NULL: no memory. */
struct h2_stream *h2_stream_new(struct http_worker *worker, int32_t id);
/* Gives it back to the worker. */
void h2_stream_free(struct h2_stream *stream, struct http_worker *worker);
/* Frees what the worker keeps. */
void h2_stream_free_kept(struct h2_worker *worker);

/* Its body is to come: the head counts in the budget from here on. False: there is no
 * room for it. */
bool h2_stream_hold_head(struct h2_stream *stream, struct http_worker *worker);
/* Adds a piece of the body. */
enum http_refusal h2_stream_add(struct h2_stream *stream, struct lg_slice piece,
				struct http_worker *worker);
/* The body is whole. False: no memory. */
bool h2_stream_complete(struct h2_stream *stream);
/* It is answered: what it brought is forgotten, however long the peer takes to
 * read the answer. */
void h2_stream_forget(struct h2_stream *stream, struct http_worker *worker);

#endif
