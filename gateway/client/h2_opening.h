/* Sharing a plain HTTP/2 connection with a curl older than 8.0.0, which fails
 * every call that asks for prior knowledge on a connection that already speaks
 * HTTP/2 (https://github.com/curl/curl/issues/10634; Debian 12 has 7.88.1).
 *
 * A call therefore first tries to join: it asks for no protocol, and must open
 * no socket. Where there is nothing to join, one call opens a connection with
 * prior knowledge, and the others wait until it is there and join it.
 *
 * Inner header of client/; the loop's thread. */
#ifndef CLIENT_H2_OPENING_H
#define CLIENT_H2_OPENING_H

#include "base/list.h"
#include "base/loop.h"

struct http_exchange;

struct h2_opening {
	struct http_exchange *opener; /* NULL: nobody opens */
	struct list waiting;
	struct loop_timer timer;
	void (*start)(struct http_exchange *exchange); /* gives it to curl */
};

/* A call's part in it. */
struct h2_joining {
	struct list link;
	struct h2_opening *opening; /* of the one that opens; otherwise NULL */
	bool joins;		    /* it must not open a socket … */
	bool alone;		    /* … and was about to */
};

void h2_opening_init(struct h2_opening *opening, struct loop *loop,
		     void (*start)(struct http_exchange *exchange));
void h2_opening_fini(struct h2_opening *opening);

/* Whether this curl needs all that. */
bool h2_opening_needed(void);

/* Sets a call that curl does not have yet to join. */
void h2_opening_join(struct http_exchange *exchange);

/* Whether a call ended because it found nothing to join. */
bool h2_opening_alone(const struct http_exchange *exchange);
/* Such a call, when curl has let go of it: it opens, or waits for who does. */
void h2_opening_retry(struct h2_opening *opening, struct http_exchange *exchange);

/* The opener has its connection. From curl's callbacks, too. */
void h2_opening_done(struct h2_opening *opening);

/* The call ends, or is cancelled. */
void h2_opening_leave(struct h2_opening *opening, struct http_exchange *exchange);

#endif
