/* Other listeners and limits for a running server, without closing what stays.
 *
 * An address that stays keeps its socket and its connections; when its terms
 * change, connections that are open keep the old ones and end with their next
 * answer. A new one is bound before anything else happens. One that is gone
 * stops accepting, its idle connections are closed, requests under way are
 * answered. Limits are for what comes next: a request keeps those that it began
 * with, a time that has begun to run is cut to the new one, counted from now.
 *
 * One change at a time. All functions: the thread that opened the server. */
#ifndef HTTP_CHANGE_H
#define HTTP_CHANGE_H

#include "http/server.h"

struct http_change;

/* Binds what is new. NULL with a sentence; nothing has changed then. */
struct http_change *http_change_new(struct http_server *server, const struct http_listen *listens,
				    size_t count, const struct http_limits *limits,
				    struct error *error);
/* Gives up one that was not begun. */
void http_change_free(struct http_change **change);

/* Hands it to the loops; cannot fail. When all of them have taken it, a letter
 * comes to `home`, of which http_change_end says that it is over. */
void http_change_begin(struct http_change *change, struct mailbox *home);
struct http_change *http_change_of(struct letter *letter);
void http_change_end(struct http_change *change);

#endif
