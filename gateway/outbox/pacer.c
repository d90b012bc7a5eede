#include "outbox/pacer.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>

/* Writes this near each other are pushed as one. */
#define NEAR_BYTES ((int64_t)64 << 10)

void pacer_init(struct pacer *pacer, int fd)
{
	pacer->fd = fd;
	pacer_synced(pacer);
}

void pacer_synced(struct pacer *pacer)
{
	pacer->count = 0;
	pacer->written_bytes = 0;
}

static void push(struct pacer *pacer)
{
	for (int i = 0; i < pacer->count; i++) {
		const struct pacer_extent *e = &pacer->extents[i];
		if (sync_file_range(pacer->fd, e->start, e->end - e->start,
				    SYNC_FILE_RANGE_WRITE) == 0)
			continue;
		/* Not on this file system, or not this file: never again. A
		 * failed write-back is the next sync's to tell. */
		if (errno == ENOSYS || errno == EINVAL || errno == ESPIPE || errno == EBADF)
			pacer->fd = -1;
		break;
	}
	pacer_synced(pacer);
}

static struct pacer_extent *near_extent(struct pacer *pacer, int64_t at, int64_t end)
{
	for (int i = pacer->count - 1; i >= 0; i--) {
		struct pacer_extent *e = &pacer->extents[i];
		if (at <= e->end + NEAR_BYTES && end >= e->start - NEAR_BYTES)
			return e;
	}
	return NULL;
}

void pacer_written(struct pacer *pacer, int64_t at, int64_t size)
{
	if (pacer->fd < 0)
		return;
	struct pacer_extent *extent = near_extent(pacer, at, at + size);
	if (extent) {
		if (at < extent->start)
			extent->start = at;
		if (at + size > extent->end)
			extent->end = at + size;
	} else {
		if (pacer->count == PACER_EXTENTS)
			push(pacer);
		pacer->extents[pacer->count++] = (struct pacer_extent){at, at + size};
	}
	pacer->written_bytes += size;
	if (pacer->written_bytes >= PACER_STEP_BYTES)
		push(pacer);
}
