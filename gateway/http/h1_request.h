/* A request as HTTP/1.1 carries it: what the parser found, the body as it
 * grows, the answer while it waits for its turn. Requests are kept per worker,
 * with some of their memory, so that a busy loop allocates none. Loop thread. */
#ifndef HTTP_H1_REQUEST_H
#define HTTP_H1_REQUEST_H

#include "http/h1_body.h"
#include "http/worker.h"

enum h1_phase { H1_IN_HEAD, H1_IN_BODY, H1_IN_HANDLER };

struct h1_request {
	struct http_request request;
	struct list node; /* in a queue of requests, or in the worker's */
	struct h1_parser parser;
	struct h1_body framing;
	struct buffer body, answer;
	size_t body_bytes; /* seen, kept or not; what is kept counts in the budget */
	enum h1_phase phase;
	size_t field_capacity;
	bool routing; /* the route hook is looking at it */
	bool answered;
	bool closes;	    /* its answer says that it is the last */
	bool persists;	    /* the sender would send another */
	bool owes_continue; /* the sender waits for 100 Continue */
	struct h1_field fields[];
};

/* NULL: no memory. */
struct h1_request *h1_request_new(struct http_worker *worker);
/* Gives it back to the worker. */
void h1_request_free(struct h1_request *r, struct http_worker *worker);
/* Frees what the worker keeps. */
void h1_request_free_kept(struct http_worker *worker);

/* Fills the request from its whole head, whose bytes are copied. False: no
 * memory. */
bool h1_request_fill(struct h1_request *r, struct lg_slice head, struct http_endpoint *endpoint,
		     const struct conn *conn);

/* Adds a piece of the body. */
enum http_refusal h1_request_add(struct h1_request *r, struct lg_slice piece,
				 struct http_worker *worker);
/* The body is whole. False: no memory. */
bool h1_request_complete(struct h1_request *r);

#endif
