/* The journal as a lane has it before it: ranges of seqs in order, from what is
 * settled to what was never read. A range that was delivered waits for those
 * before it; one that failed as a whole is open again and is read anew, while
 * later ones go on. Nothing lies between two ranges.
 *
 * Two open ranges never touch, and what is open at the end is the unread rest, so
 * there are at most as many open ranges as there are others. Lane thread. */
#ifndef SINK_STRETCH_H
#define SINK_STRETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

enum stretch_stage {
	STRETCH_OPEN,	/* to be read */
	STRETCH_FLYING, /* with the plugin */
	STRETCH_DONE,	/* goes to the writer when nothing is before it */
};

struct run;

struct stretch {
	struct list link;
	int64_t first_seq, last_seq;
	enum stretch_stage stage;
	struct run *run; /* NULL while open */
};

struct stretches {
	struct list all;   /* ascending */
	struct list spare; /* of the pool */
	struct stretch *pool;
	int64_t cursor; /* behind it all is unread */
};

/* Room for `flying` ranges that are with the plugin or done. False: no memory. */
bool stretches_init(struct stretches *stretches, size_t flying, int64_t cursor);
void stretches_fini(struct stretches *stretches);

/* The first open range that ends after `seq`; NULL: the unread rest is next. */
struct stretch *stretches_open(const struct stretches *stretches, int64_t seq);
/* Whether the first of all is open. */
bool stretches_open_first(const struct stretches *stretches);
/* Whether `stretch` is the first of all: nothing before it waits any more. */
bool stretches_is_first(const struct stretches *stretches, const struct stretch *stretch);
/* The first of all when it is done, otherwise NULL. */
struct stretch *stretches_done(const struct stretches *stretches);
/* The next one when it is done, too. */
struct stretch *stretches_done_after(const struct stretches *stretches,
				     const struct stretch *stretch);

/* Takes first_seq to last_seq, which lie in one open range or in the unread
 * rest, for `run`: they fly. */
struct stretch *stretches_take(struct stretches *stretches, int64_t first_seq, int64_t last_seq,
			       struct run *run);
/* What flies ends at last_seq; the rest of it is to be read again. */
void stretches_cut(struct stretches *stretches, struct stretch *stretch, int64_t last_seq);
/* What flew or was done is to be read again. */
void stretches_reopen(struct stretches *stretches, struct stretch *stretch);
/* Forgets a range: it is with the writer, or there is no event in it. */
void stretches_drop(struct stretches *stretches, struct stretch *stretch);

#endif
