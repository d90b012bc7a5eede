/* Which bytes of a configuration an error may show. An error may end up in a log,
 * and a credential may stand anywhere: under a misspelt key, in a header, in a
 * comment. So nothing is shown but what is known to be harmless: keys and the
 * marks between them from the start, and values once a row has claimed them that
 * is no secret. One thread at a time. */
#ifndef CONFIG_MASK_H
#define CONFIG_MASK_H

#include "base/arena.h"

struct mask {
	size_t length;
	bool *shown; /* by byte of the text; NULL: nothing is */
};

/* For a text in UTF-8 without control characters. Of one that is no YAML the keys
 * before the mistake are shown. Memory comes from the arena; without any, nothing
 * is ever shown. */
void mask_init(struct mask *mask, struct arena *arena, struct lg_slice text);

/* Shows the bytes from `from` up to `to`; what is beyond the text is passed over. */
void mask_show(struct mask *mask, size_t from, size_t to);

bool mask_shows(const struct mask *mask, size_t offset);

#endif
