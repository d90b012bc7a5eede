/* A touch put into the known record. */
#ifndef LEAD_MERGE_H
#define LEAD_MERGE_H

#include "base/buffer.h"
#include "lead/lead.h"

enum merge_policy { MERGE_FILL = 0, MERGE_LATEST = 1, MERGE_LINK = 2 };

/* Puts a touch (prepared as lead_status_new does) into `known`, in known's arena.
 *
 * FILL fills blanks and never overwrites; LATEST overwrites; LINK takes nothing.
 * A second email or phone goes into other_emails or other_phones. A name and an
 * address go as a whole where they differ: one's name is not completed with another's
 * title, a street not with another one's postal code (merge_group.h).
 * Where the touch came from (source, client) is never written over.
 * attribution.first stays; attribution.last becomes the touch's when it has any.
 * Temperature is never lowered and a hard intent stays hard; stage, score and
 * screening stay. Lists are joined; of the profiles on one network that do not say whose
 * they are the first stays.
 *
 * Consent never widens by a merge: a touch's own statement is appended with its
 * time and nothing is taken away, but a grant (or a pending one) that is not
 * later than a denial or withdrawal of the same purpose and channel stays
 * outside. When the list is full a refusal takes the place of the oldest grant.
 *
 * Counts the touch and widens first_seen and last_seen. `matched_kinds` (bits
 * 1 << IDENTITY_EMAIL …) is added to identity.matched_by.
 *
 * Appends to `changes` one JSON object of what this touch brought; absent parts
 * are left out, and no value is dropped:
 *   {"matched_by":["email"],
 *    "filled":{path:value}, "added":{path:[value]},
 *    "overwritten":{path:{"from":value,"to":value}},
 *    "kept":{path:value that the touch had and that was not taken}}
 * Paths are the record's; lists of objects are in their own form: "consent" and
 * "person.profiles". A path may stand for several values: then it has a list.
 *
 * False: memory ran out. */
bool lead_merge(struct lead *known, const struct lead *touch, enum merge_policy policy,
		unsigned int matched_kinds, struct buffer *changes);

/* Adds `lead_id` to identity.possible_duplicates, once. False: the list is full,
 * or memory ran out. */
bool lead_link_duplicate(struct lead *lead, struct lg_slice lead_id);

#endif
