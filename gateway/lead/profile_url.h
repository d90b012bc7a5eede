/* What of a profile's URL names the person. Pure; any thread. */
#ifndef LEAD_PROFILE_URL_H
#define LEAD_PROFILE_URL_H

#include "lead/lead.h"

/* The same for all spellings of one profile's URL: without scheme, "www." and
 * closing slashes, characters not encoded that need not be. On well-known networks
 * also in lower case, without the subdomain of a country or a device, without
 * query and fragment but for the `id` of a page that has persons by it. Elsewhere
 * these may be what names the person, and stay. Absent when it is no URL, or one of
 * such a network that does not say whose it is: what it shows who is not logged in,
 * or everybody of himself ("/in/me"), would make one person of all. `out` holds
 * what is returned. */
struct lg_slice profile_url_identity(struct lg_slice url, char out[LEAD_PROFILE_URL_BYTES]);

/* Whether there may be somebody behind it, though it need not say who. False when it
 * is no URL, or ends where a well-known network has nobody yet: "linkedin.com/in/". */
bool profile_url_leads_on(struct lg_slice url);

#endif
