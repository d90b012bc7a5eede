/* A touch put into the known record. */
#ifndef LEAD_MERGE_H
#define LEAD_MERGE_H

#include "base/buffer.h"
#include "lead/lead.h"

enum merge_policy { MERGE_FILL = 0, MERGE_LATEST = 1, MERGE_LINK = 2 };

/* Fills `known` from `touch` (FILL: blanks only; LATEST: overwrites), never
 * first attribution, never a wider consent, temperature or stage lower. Counts
 * the touch, moves last_seen. Appends to `changes` a JSON object with what this
 * touch brought: {"filled":{path:value},"overwritten":{path:{from,to}},
 * "kept":{path:what the touch said and was not taken},…}. No value is dropped.
 * `matched` lists the key kinds that matched. False: memory ran out. */
bool lead_merge(struct lead *known, const struct lead *touch, enum merge_policy policy,
		unsigned int matched_kinds, struct buffer *changes);

/* Adds `lead_id` to identity.possible_duplicates, once. */
bool lead_link_duplicate(struct lead *lead, struct lg_slice lead_id);

#endif
