/* The part of the services table that knows nothing of leads: log, clock,
 * counters, once, digests, encodings, JSON. ingest and sink add theirs. */
#ifndef HOST_SERVICES_H
#define HOST_SERVICES_H

#include <leadgate/services.h>

/* Fills the general members; the others stay NULL. */
void services_init(struct lg_services *services);

#endif
