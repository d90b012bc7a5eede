/* The index of identity keys as it is read from a store's file: everything up to
 * one row. Whoever waits for a store reads it beside the present owner, and what
 * has come since when the store is his. One thread. */
#ifndef OUTBOX_IDENTITY_INDEX_H
#define OUTBOX_IDENTITY_INDEX_H

#include <sqlite3.h>

#include "outbox/outbox.h"
#include "outbox/recent.h"

struct identity_index {
	struct index persons; /* keys of persons and deliveries */
	struct recent recent; /* submissions */
	unsigned int key_kinds;
	int64_t window_ms;
	int64_t last_seq;    /* rows up to here are in it */
	int64_t rows, leads; /* so many, and so many of them made their lead */
};

void identity_index_init(struct identity_index *index, const struct dedup_settings *dedup,
			 unsigned int key_kinds);
void identity_index_fini(struct identity_index *index);

/* Reads the rows behind last_seq; `patience` may be NULL. False with a reason, also
 * when patience has ended; the index is then good for nothing but its fini. */
bool identity_index_read(struct identity_index *index, sqlite3 *db,
			 const struct outbox_patience *patience, struct error *error);

/* Whether the rows that it was made of are all there still. Rows are only added and
 * removed, and no number is given twice, so counting tells. */
bool identity_index_holds(const struct identity_index *index, sqlite3 *db);

#endif
