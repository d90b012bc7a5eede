/* The part of the services table that knows nothing of leads: log, clock,
 * counters, once, digests, encodings, and the walk over JSON values, which are
 * `struct json` of codec under the name `struct lg_json`. ingest adds what
 * belongs to a request (the reading of JSON too, for it owns the memory), sink
 * adds batches. */
#ifndef HOST_SERVICES_H
#define HOST_SERVICES_H

#include <leadgate/services.h>

#define SERVICES_ONCE_KEYS 65536    /* nonces that lg_once remembers, all plugins together */
#define SERVICES_COUNTER_NAMES 1024 /* names and helps of counters that plugins register */

/* Fills the general members; the others are NULL. */
void services_init(struct lg_services *services);

#endif
