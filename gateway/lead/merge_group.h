/* What of a touch belongs together, put into the known record or kept out together,
 * and noted: half of one and half of another would be what nobody ever sent. Pure;
 * any thread. Memory that runs out fails known's arena. */
#ifndef LEAD_MERGE_GROUP_H
#define LEAD_MERGE_GROUP_H

#include "lead/merge_value.h"

/* The names, with title and gender. Where known and touch have names that differ, LATEST
 * takes all of the touch's and leaves none of known's, FILL and LINK keep all of it out.
 * A given and a family name are halves of one name, and "Anna" in the field for all of it is
 * a given one. Else each goes its own way; but one name of two ("Meier") may be a relative's:
 * title and gender come in with a name that agrees, or where one of them has no name. */
void merge_name(struct merge *merge);

/* Street to country, by the same rule: a postal code of another country is another address;
 * other capitals, accents, blanks and punctuation are none, nor is a longer postal code. A
 * region does not tell, for it is written in many ways; it goes the way of the others. A touch
 * without street, town and postal code never takes a known one away: where its country is
 * another one, LATEST too keeps all of it out. */
void merge_address(struct merge *merge);

#endif
