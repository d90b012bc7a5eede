/* The store's file as SQLite connections: is it ours, and how is it opened? */
#ifndef OUTBOX_STORE_H
#define OUTBOX_STORE_H

#include <sqlite3.h>

#include "base/error.h"
#include "base/slice.h"

/* How long a connection waits for another process's lock. */
#define STORE_BUSY_MS 5000

/* What comes before the first byte of the store is touched: a log without its
 * journal, or a path that is no file. By its name alone, nothing is opened. */
bool store_check_files(struct lg_slice path, struct error *error);

/* SQLite's word for what is wrong with `db`, as a sentence about its file and
 * what to do. Returns false. */
bool store_explain(sqlite3 *db, struct lg_slice path, struct error *error);

/* A first look without writing: refuses what is plainly not ours to write. A
 * connection that writes would bring a left-over log into the file. */
bool store_peek(struct lg_slice path, struct error *error);

/* Opens a connection that writes, through the pacing VFS, with synchronous=FULL
 * and without automatic checkpoints. NULL with a reason. */
sqlite3 *store_open(struct lg_slice path, struct error *error);

/* Brings the log into the journal and closes the last connection that writes;
 * NULL does nothing. */
void store_close(sqlite3 *db);

/* A connection that only reads. It leaves everything as it is. */
sqlite3 *store_open_reader(struct lg_slice path, struct error *error);

/* Whether the open file is a store that this program may write: an empty
 * database becomes one. Refuses foreign, newer and damaged ones with a way out. */
bool store_check(sqlite3 *db, struct lg_slice path, int64_t page_bytes, struct error *error);

/* SQLITE_FULL for every face of a full disk but a sync's. */
int store_plain_result(sqlite3 *db, int rc);

/* Ends the process when `rc` says that a write or sync has failed below SQLite:
 * what reached the disk nobody knows, and to go on would be to guess. */
void store_abort_if_broken(sqlite3 *db, int rc);

/* The same without ever writing, for readers. */
bool store_check_reader(sqlite3 *db, struct lg_slice path, struct error *error);

#endif
