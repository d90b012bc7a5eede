/* One owner a store: an flock on FILE.lock, never on the store itself (an open
 * and close of the store beside SQLite would drop SQLite's own locks). */
#ifndef OUTBOX_STORE_LOCK_H
#define OUTBOX_STORE_LOCK_H

#include "base/error.h"
#include "base/slice.h"

/* Takes the lock of the store at `path` and writes our pid into its file, which
 * stays. Returns a descriptor to give back with store_lock_drop; -1 with a
 * sentence that names the owner, and then `busy` says whether there is one. */
int store_lock_take(struct lg_slice path, bool *busy, struct error *error);
void store_lock_drop(int fd);

#endif
