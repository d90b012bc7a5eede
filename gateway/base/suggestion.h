/* "Did you mean …?": the known name that is nearest to a misspelt word.
 *
 *   struct suggestion suggestion;
 *   suggestion_init(&suggestion, word);
 *   … suggestion_try(&suggestion, name) with every known name …
 *   suggestion.nearest is absent when none is near
 *
 * Pure; any thread. Slices are borrowed. */
#ifndef BASE_SUGGESTION_H
#define BASE_SUGGESTION_H

#include "base/slice.h"

#define SUGGESTION_WORD_MAX 48 /* longer words and names are never near */

struct suggestion {
	struct lg_slice word, nearest;
	int least; /* mistakes between the two that still count as near */
};

void suggestion_init(struct suggestion *suggestion, struct lg_slice word);
void suggestion_try(struct suggestion *suggestion, struct lg_slice name);

#endif
