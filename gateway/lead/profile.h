/* Profiles on networks: which are some, and their one form. Pure; any thread. */
#ifndef LEAD_PROFILE_H
#define LEAD_PROFILE_H

#include "lead/lead.h"

/* Brings the lead's profiles to one form. An id that says nothing ("-", "n/a") and
 * a URL that is none, or nobody's, go to `extra`, under the network's name and as they were sent;
 * a profile without network, or without both, goes there in its parts, by their paths. One that
 * is there already goes. False: memory ran out. */
bool profile_normalize(struct lead *lead);

/* Whether two are equal to the letter. */
bool profile_equal(const struct lead_profile *a, const struct lead_profile *b);

/* Whether it says whose it is: by an id, or by a URL that is not what the network shows
 * everybody. */
bool profile_names_somebody(const struct lead_profile *profile);

/* Whether two are one person's profile: of one network, with an equal id or a URL
 * that is the same but for its spelling. */
bool profile_same(const struct lead_profile *a, const struct lead_profile *b);

/* Whether they are two persons': of one network, each with an id or each with a
 * URL, and not the same. An id and a URL say nothing of each other. */
bool profile_differs(const struct lead_profile *a, const struct lead_profile *b);

#endif
