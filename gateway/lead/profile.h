/* Profiles on networks: which are some, and their one form. Pure; any thread. */
#ifndef LEAD_PROFILE_H
#define LEAD_PROFILE_H

#include "lead/lead.h"

/* Brings the lead's profiles to one form. An id that says nothing ("-", "n/a") and
 * a URL that is none go to `extra`, under the network's name and as they were sent;
 * a profile without network, or without both, goes. False: memory ran out. */
bool profile_normalize(struct lead *lead);

#endif
