/* The door of a server: who is let in, to which of its loops, and at whose cost
 * where a bound is reached; and what the service hears of those who leave, or were
 * turned away. Inside of gateway/http alone. */
#ifndef HTTP_DOOR_H
#define HTTP_DOOR_H

#include "http/worker.h"

/* What an endpoint's listener does with a connection that it accepted, the endpoint as
 * its context: takes `fd` over and deals it to a loop, or closes it and tells the service
 * why. `peer` NULL: it has no address, on a unix socket. The first loop. */
void http_door_accept(struct listener *listener, int fd, const struct address *peer);
/* What the endpoint's listener does when descriptors run out, and how many it leaves
 * to others. The first loop, or before it runs. */
void http_door_set(struct http_endpoint *endpoint, const struct http_limits *limits);

/* Hooks of each worker's conn_group, on its loop. */

/* A connection was sent here to take the place of an idle one, and the longest-idle one
 * here is idle since `since_ms` (INT64_MAX: none is): the loop that may have one that is
 * idle for longer; NULL: none has. */
struct conn_group *http_door_on_full(struct conn_group *group, const struct conn *conn,
				     int64_t since_ms);
/* Tells the service that a connection has ended. */
void http_door_on_close(struct conn_group *group, enum conn_reason reason);

#endif
