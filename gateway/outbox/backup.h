/* A copy of the journal, made beside a running gateway. */
#ifndef OUTBOX_BACKUP_H
#define OUTBOX_BACKUP_H

#include "outbox/reader.h"

/* Writes the journal as it stands now to `file`, which must not be there: a store
 * that a gateway can run on. Page by page out of one snapshot, so neither the
 * writer nor a checkpoint is held; but until it ends the gateway's log cannot
 * begin anew and grows with what comes in.
 *
 * It stands under a name with ".partial" behind until it is whole and synced, so
 * what has the name of a backup is one. Mode 0600. `progress` (may be NULL) hears
 * bytes done and bytes in all, some times a second at most. False with a reason;
 * then nothing is left. Blocks. */
bool backup_write(struct reader *reader, const char *file,
		  void (*progress)(void *arg, int64_t done, int64_t all), void *arg,
		  struct error *error);

#endif
