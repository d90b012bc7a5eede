/* One request and its answer, the same whatever protocol carried it.
 *
 * A request lives on one loop thread. It belongs to its transport, which makes
 * it, hands it to a handler when it is whole, and frees it after the answer.
 * Its slices and its arena live until http_respond. */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "base/arena.h"

struct http_header {
	struct lg_slice name;
	struct lg_slice value;
};

/* What a sender may have asked for, before the path. */
struct http_origin {
	struct lg_slice scheme, host; /* "https", "forms.example:8443" */
};
#define HTTP_ORIGINS 6

struct http_transport;
struct http_request;
struct http_response;
struct http_service;

/* What the route hook decides when the head is known, before the body is read. */
struct http_route {
	/* Called once with the whole request; calls http_respond exactly once, now
	 * or later, on the same loop. The peer may be gone by then: the request
	 * stays valid all the same. */
	void (*handle)(struct http_request *request, void *arg);
	void *arg;
	size_t body_limit_bytes; /* larger bodies get 413 */
	/* Called once when the request is forgotten, whether it was handled or its
	 * peer left before it was whole; may be NULL. On the loop's thread, or in
	 * http_server_close. */
	void (*ended)(struct http_request *request);
};

struct http_request {
	struct arena arena;
	struct lg_slice method, target;		  /* raw */
	struct lg_slice path, query;		  /* of the target; query absent without '?' */
	struct lg_slice scheme, host;		  /* as the sender saw them: the likeliest origin */
	struct http_origin origins[HTTP_ORIGINS]; /* all that are likely, the likeliest first */
	size_t origin_count;
	struct http_header *headers; /* in order, duplicates kept */
	size_t header_count;
	struct lg_slice body;		/* followed by at least HTTP_BODY_PADDING readable bytes */
	struct lg_slice peer_address;	/* text, without port; absent: a unix socket */
	struct lg_slice client_address; /* behind trusted proxies; else the peer's */
	int64_t received_ms;		/* wall clock, when the head was whole */
	int64_t started_us;		/* monotonic, first byte */
	struct http_route route;
	struct http_transport *transport;   /* who carries the answer */
	size_t loop_index;		    /* of its loop, as given to http_server_open */
	const struct http_service *service; /* of the server; lives as long as that */
	const char *protocol;		    /* "http/1.1" or "h2", for logs alone */
	const char *reason;		    /* why it was refused, for logs; NULL: it was not */
	void *context;			    /* the handler's own */
	struct http_header *added;	    /* to whatever answer: of the arena; NULL: none */
	size_t added_count;
};

#define HTTP_BODY_PADDING 64

struct http_response {
	int status;
	const struct http_header *headers; /* without Content-Length, Connection, Date */
	size_t header_count;
	struct lg_slice body; /* HEAD: not sent, its length is; 204, 205, 304: not sent */
};

/* The index-th value of a header, name in any case. False: not that many. */
bool http_request_header(const struct http_request *request, const char *name, size_t index,
			 struct lg_slice *value);

/* Adds an origin behind those that are there, unless it is one of them, has no
 * host, or HTTP_ORIGINS are there. Slices live as long as the request. */
void http_request_add_origin(struct http_request *request, struct lg_slice scheme,
			     struct lg_slice host);

/* The whole URL with the index-th origin, of the request's arena. Absent: there
 * are not that many, or memory ran out. */
struct lg_slice http_request_url(struct http_request *request, size_t index);

/* Sends the answer with the headers that were added (all is copied) and ends the handler's use of the request:
 * it must not be touched afterwards. The request's loop thread. */
void http_respond(struct http_request *request, const struct http_response *response);

/* Answers with application/problem+json (RFC 9457), or a plain page when the
 * sender prefers HTML. `retry_after_s` 0: no such header. */
void http_respond_problem(struct http_request *request, int status, const char *detail,
			  int retry_after_s);

/* The reason phrase of RFC 9110, "Unknown" for others. */
const char *http_status_text(int status);

#endif
