/* A tree of names with expressions at its leaves, as the configuration has it:
 * what a mapping makes of each event. Immutable; whoever made it owns all of it. */
#ifndef BASE_OUTLINE_H
#define BASE_OUTLINE_H

#include "base/slice.h"

/* The type of an option row whose value is a `struct outline`; beside the types
 * of leadgate/option.h, for the gateway's own rows alone: a plugin gets what was
 * made by it. */
#define OUTLINE_OPTION 64

#define OUTLINE_DEPTH_MAX 16 /* mappings and lists within one another */

enum outline_kind {
	OUTLINE_ABSENT, /* of an option that is not given */
	OUTLINE_VALUE,
	OUTLINE_MAP,
	OUTLINE_LIST,
};

struct outline {
	enum outline_kind kind;
	struct lg_slice name; /* within a mapping */
	struct lg_slice text; /* of a value: its expression */
	const struct outline *items;
	size_t count;
};

/* Whether both say the same, in the same order. */
bool outline_equal(const struct outline *a, const struct outline *b);

#endif
