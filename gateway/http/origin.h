/* Where a request comes from: its peer, its client, and what it asked for.
 * Inside of gateway/http alone. */
#ifndef HTTP_ORIGIN_H
#define HTTP_ORIGIN_H

#include "http/endpoint.h"
#include "http/request.h"

/* Sets peer_address, client_address and the origins of a request whose headers,
 * scheme and host stand as they were sent; scheme and host become the likeliest
 * origin's. Forwarding headers are believed when the peer is; one from a peer in
 * a private network that is not gives a warning now and then, for it may be a
 * proxy that nobody named. Text comes from the request's arena, which fails when
 * memory ran out. The connection's loop thread. */
void origin_fill(struct http_request *request, struct http_endpoint *endpoint,
		 const struct conn *conn);

#endif
