/* What a reload would do: two configurations compared item by item, by their
 * resolved options. Pure. */
#ifndef SUPERVISE_DIFFERENCE_H
#define SUPERVISE_DIFFERENCE_H

#include "supervise/settings.h"

enum change {
	CHANGE_KEPT,	/* goes on as it is */
	CHANGE_CHANGED, /* is replaced by what the new configuration says */
	CHANGE_NEW,
	CHANGE_REMOVED,
	CHANGE_RESTART, /* cannot change while the process runs: stays as it was */
	CHANGE_COUNT
};

struct difference_item {
	enum change change;
	const char *kind;     /* "source", "sink", "listener" or "option" */
	struct lg_slice name; /* of options: "store.path" */
};

struct difference {
	struct difference_item *items;
	size_t count;
	size_t counts[CHANGE_COUNT];
};

/* Compares in the order of the manual: options that differ, then every
 * listener, source and sink. Memory comes from the arena, names are borrowed
 * from the settings. False: no memory. */
bool difference_make(struct arena *arena, const struct settings *running,
		     const struct settings *next, struct difference *difference);

/* Whether any address of the listeners comes, goes or changes. */
bool difference_moves(const struct difference *difference);

/* Whether a sink's lane may go on when `a` becomes `b`. */
bool difference_same_sink(const struct sink_section *a, const struct sink_section *b);

/* "kept", "changed", "new", "removed", "needs a restart". */
const char *difference_word(enum change change);

#endif
