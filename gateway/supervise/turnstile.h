/* Who is let in to a source, asked when the head of a request is known and before
 * anything else is done for it: the rates of the client's address and of the
 * source, and whether the journal has room. Whoever is not let in is answered at
 * once, 429 (RFC 6585, section 4) or 503, with Retry-After; whatever carries the
 * request then sees to it that no body is read for nothing. */
#ifndef SUPERVISE_TURNSTILE_H
#define SUPERVISE_TURNSTILE_H

#include "base/meter.h"
#include "conn/prefix_list.h"
#include "ingest/source.h"
#include "supervise/settings.h"

/* One generation's terms; constant while loops run. */
struct turnstile {
	const struct outbox *outbox;
	struct meter_table *addresses; /* of all generations */
	struct meter_rate address_rate;
	struct prefix_list *exempt; /* a reference */
};

/* False with a sentence when an entry of http.rate_exempt is no prefix. Copies
 * what it needs. Main thread. */
bool turnstile_init(struct turnstile *turnstile, const struct http_limits *limits,
		    const struct outbox *outbox, struct meter_table *addresses,
		    struct error *error);
void turnstile_fini(struct turnstile *turnstile);

/* Each: whether the request may go on; otherwise it has been answered and counted.
 * The request's loop thread. */

/* By the client's rate, which all requests draw from; `source` NULL: it is for
 * none. */
bool turnstile_admits_client(const struct turnstile *turnstile, const struct source *source,
			     struct http_request *request);
/* By the source's rate and the journal's room. */
bool turnstile_admits_to(const struct turnstile *turnstile, struct source *source,
			 struct http_request *request);

#endif
