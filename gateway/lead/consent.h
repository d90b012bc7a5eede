/* Statements of consent: their one form, and merged so that consent never widens. */
#ifndef LEAD_CONSENT_H
#define LEAD_CONSENT_H

#include "lead/change.h"
#include "lead/lead.h"

/* Brings the lead's statements to one form, and gives their texts a digest. False: memory ran
 * out. */
bool consent_normalize(struct lead *lead);

/* Whether a statement refuses: denied or withdrawn. */
bool consent_refuses(const struct lead_consent *consent);

/* Whether both speak of one purpose and share a channel. A statement without
 * channels speaks of all. */
bool consent_overlaps(const struct lead_consent *a, const struct lead_consent *b);

/* Appends the touch's statements to known's by the rule of lead_merge and notes
 * in `changes` what was added, overwritten and kept. */
void consent_merge(struct lead *known, const struct lead *touch, struct change_list *changes);

#endif
