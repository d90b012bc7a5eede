/* A shim over the default VFS for the journal and its log: what was written is
 * pushed towards the disk every 256 KiB (sync_file_range), so that a sync finds
 * little left to do and never waits for megabytes of a checkpoint. It passes
 * every call on at once: it neither merges nor delays nor answers itself. On a
 * file without a descriptor of its own or a file system that knows no
 * sync_file_range it does nothing. */
#ifndef OUTBOX_PACER_VFS_H
#define OUTBOX_PACER_VFS_H

#include <sqlite3.h>

#include "outbox/outbox.h"

/* Registers it over today's default VFS; NULL when there is none. Returns its
 * name. Only while no file is open through it may the default change. */
const char *pacer_vfs_register(void);

/* Fills the percentiles of syncs of the log. Any thread. */
void pacer_vfs_stats(struct outbox_stats *stats);

#endif
