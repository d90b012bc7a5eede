/* A touch's fields that nobody knows, put into the known record or kept out, and noted.
 * Pure; any thread. */
#ifndef LEAD_MERGE_EXTRA_H
#define LEAD_MERGE_EXTRA_H

#include "lead/merge_value.h"

/* The values of one name go together: FILL takes those of a name that known has not, LATEST
 * those of any, in the place of what known had, LINK none. A name of which known has every
 * value already is passed over. What is taken is copied into known's arena, and a value for
 * which known has no room is noted as kept out. Memory that runs out fails known's arena. */
void merge_extra(struct merge *merge);

#endif
