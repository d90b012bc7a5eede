/* One connection that speaks HTTP/1.1 (RFC 9112): keep-alive, pipelining,
 * 100-continue, and the end of it. Loop thread. */
#ifndef HTTP_H1_TRANSPORT_H
#define HTTP_H1_TRANSPORT_H

#include "http/worker.h"

extern const struct conn_protocol h1_protocol;

struct h1_request;
struct h1_transport;

/* Makes a connection whose next byte is the first of a request speak
 * h1_protocol. Takes its own reference to the endpoint, which is given back
 * with the connection, or with the last of its requests. False: no memory. */
bool h1_transport_begin(struct conn *conn, struct http_worker *worker,
			struct http_endpoint *endpoint);

/* The request whose body is coming on a connection in CONN_BODY; NULL: none. */
const struct h1_request *h1_transport_reading(const struct conn *conn);

/* Frees one whose connection is gone, with its unanswered requests. */
void h1_transport_free(struct h1_transport *h1);
/* All of a worker. */
void h1_transport_free_orphans(struct http_worker *worker);

#endif
