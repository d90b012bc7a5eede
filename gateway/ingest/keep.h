/* What plugins keep with lg_state_set, as it was committed last: a table in memory beside
 * the journal, so that reading it costs no disk. Any thread (a short lock). */
#ifndef INGEST_KEEP_H
#define INGEST_KEEP_H

#include "outbox/outbox.h"
#include "outbox/reader.h"

struct keep;

/* Reads all of it from the journal. NULL with a reason. */
struct keep *keep_open(struct reader *reader, struct error *error);
void keep_close(struct keep **keep);

/* The value in the arena; absent: there is none, or memory ran out. */
struct lg_slice keep_get(struct keep *keep, struct lg_slice source, struct lg_slice key,
			 struct arena *arena);

/* Whether a source may have one more key beside those that it has. */
bool keep_has_room(struct keep *keep, struct lg_slice source, struct lg_slice key, size_t most);

/* Takes notes over that were committed, in the order of commits. One for which there is
 * no memory is gone from the table until the next start, rather than old. */
void keep_take(struct keep *keep, struct lg_slice source, const struct state_note *notes);

/* Forgets all of a source. */
void keep_forget(struct keep *keep, struct lg_slice source);

#endif
