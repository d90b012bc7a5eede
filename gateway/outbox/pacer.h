/* What was written to a descriptor and not yet pushed towards the disk. One
 * thread at a time. */
#ifndef OUTBOX_PACER_H
#define OUTBOX_PACER_H

#include <stdint.h>

#define PACER_STEP_BYTES ((int64_t)256 << 10)
#define PACER_EXTENTS 16

struct pacer_extent {
	int64_t start, end;
};

struct pacer {
	int fd; /* -1: nothing to pace */
	int count;
	int64_t written_bytes;
	struct pacer_extent extents[PACER_EXTENTS];
};

void pacer_init(struct pacer *pacer, int fd);

/* Notes a write; after each PACER_STEP_BYTES starts writing back what was
 * noted, and only that: a whole file would make the next sync wait for it. */
void pacer_written(struct pacer *pacer, int64_t at, int64_t size);

/* The file was synced: nothing is left to push. */
void pacer_synced(struct pacer *pacer);

#endif
