/* What of a profile's URL names the person. Pure; any thread. */
#ifndef LEAD_PROFILE_URL_H
#define LEAD_PROFILE_URL_H

#include "lead/lead.h"

/* The same for all spellings of one profile's URL: without scheme, "www." and
 * closing slashes, characters not encoded that need not be. On well-known networks
 * also in lower case, without the subdomain of a country or a device, without
 * query and fragment but for the query's `id`. Elsewhere these may be what names
 * the person, and stay. Absent when it is no URL, or leads to a network and nobody
 * there. `out` holds what is returned. */
struct lg_slice profile_url_identity(struct lg_slice url, char out[LEAD_PROFILE_URL_BYTES]);

#endif
