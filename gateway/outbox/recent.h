/* Submissions of the last few minutes, to know a double click: two indexes, of
 * which the older is thrown away whole when the younger has been filled for a
 * window's time. So it holds at most two windows. One thread at a time. */
#ifndef OUTBOX_RECENT_H
#define OUTBOX_RECENT_H

#include "outbox/index.h"

struct recent {
	struct index halves[2];
	size_t young;
	int64_t window_ms, turned_ms; /* monotonic */
};

void recent_init(struct recent *recent, int64_t window_ms, int64_t now_ms);
void recent_fini(struct recent *recent);

/* Forgets what is older than the window, at times. */
void recent_turn(struct recent *recent, int64_t now_ms);

/* As index_find; the caller compares times, for what is found may be older. */
size_t recent_find(const struct recent *recent, uint64_t hash, int64_t *seqs, size_t capacity);
void recent_prefetch(const struct recent *recent, uint64_t hash);

int64_t recent_bytes(const struct recent *recent);

/* The index that new ones go into, until the next turn. */
struct index *recent_young(struct recent *recent);

#endif
