/* How an accepted connection comes to speak HTTP: its PROXY header first, where
 * the listener wants one, then TLS, then whoever reads requests. The first bytes
 * decide who that is: the preface of HTTP/2 (RFC 9113, section 3.3: h2c by prior
 * knowledge), otherwise HTTP/1.1. Under TLS ALPN decides. Inside of gateway/http
 * alone. */
#ifndef HTTP_OPENING_H
#define HTTP_OPENING_H

#include "http/worker.h"

/* A connection for a descriptor that was just accepted, counted by the server's
 * quota as `exempt`; it is given to no loop yet. `peer` NULL: a unix socket.
 * NULL: no memory, and the descriptor stays the caller's. The first loop. */
struct conn *http_opening_new(struct http_endpoint *endpoint, int fd, const struct address *peer,
			      bool exempt);

/* Has the connection's next bytes looked at as the first of HTTP: sets its
 * protocol and the protocol's context, which is a reference to the endpoint.
 * Its group must be a worker's when they come. The accepting thread, or the
 * connection's. */
void http_opening_begin(struct conn *conn, struct http_endpoint *endpoint);

/* Reads the PROXY header; its context is a reference to the endpoint. */
extern const struct conn_protocol proxy_opening_protocol;

#endif
