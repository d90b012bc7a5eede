/* One connection that speaks HTTP/2 (RFC 9113): where it stands as a whole. Its
 * streams have deadlines of their own. Loop thread. */
#ifndef HTTP_H2_TRANSPORT_H
#define HTTP_H2_TRANSPORT_H

#include "http/worker.h"

extern const struct conn_protocol h2_protocol;

/* Makes a connection whose next bytes are the preface speak h2_protocol. Takes
 * its own reference to the endpoint. False: no memory. */
bool h2_transport_begin(struct conn *conn, struct http_worker *worker,
			struct http_endpoint *endpoint);

#endif
