/* One connection that speaks HTTP/1.1 (RFC 9112): keep-alive, pipelining,
 * 100-continue, and the end of it. Loop thread, but for h1_transport_new. */
#ifndef HTTP_H1_TRANSPORT_H
#define HTTP_H1_TRANSPORT_H

#include "http/worker.h"

extern const struct conn_protocol h1_protocol;

struct h1_transport;

/* To be the context of a connection that speaks h1_protocol; it is freed with
 * that, or with the last of its requests. NULL: no memory. Any thread. */
struct h1_transport *h1_transport_new(struct http_worker *worker, struct http_endpoint *endpoint);
void h1_transport_attach(struct h1_transport *h1, struct conn *conn);

/* Frees one whose connection is gone, with its unanswered requests. */
void h1_transport_free(struct h1_transport *h1);
/* All of a worker. */
void h1_transport_free_orphans(struct http_worker *worker);

#endif
