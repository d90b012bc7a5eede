/* The batches of an import: those that were made, those that the writer has, and those that
 * can be filled again. Inner header of ingest/; the errand thread. */
#ifndef INGEST_IMPORT_QUEUE_H
#define INGEST_IMPORT_QUEUE_H

#include "base/list.h"
#include "ingest/import_batch.h"

struct import_queue {
	struct list spare;
	struct list ready; /* in the file's order */
	struct list sent;
	size_t ready_count, sent_count;
	/* The journal does not take it: since when (0: it does), how long is waited. Nothing
	 * is sent before `wait_until_ms`, be it for that or for requests. Monotonic. */
	int64_t trouble_ms, delay_ms, wait_until_ms;
	bool is_gentle; /* requests brought leads when the last one was sent */
	/* A batch has a row that the journal can never store: what is not stored is read
	 * again, in batches of so many rows (0: as many as usual), until that row is alone.
	 * Then `unfit` says why it is refused, the first behind what is stored. */
	bool reads_again;
	size_t narrow_rows;
	const char *unfit;
	bool unfit_told;
};

void import_queue_init(struct import_queue *queue);
/* Nothing may be ready or sent. */
void import_queue_fini(struct import_queue *queue);

/* A batch to be filled, which is the caller's until it is added or spared. NULL: memory ran
 * out. */
struct import_batch *import_queue_take(struct import_run *run);
void import_queue_spare(struct import_run *run, struct import_batch *batch);
void import_queue_add(struct import_run *run, struct import_batch *batch);

/* Whether one more may be made; and whether none is ready or sent. */
bool import_queue_has_room(const struct import_run *run);
bool import_queue_is_empty(const struct import_run *run);

/* Hands what is ready to the writer, as far as it is wise; a rehearsal's is done with at
 * once. Ends the run where that fails for good. */
void import_queue_send(struct import_run *run);

/* Forgets what is ready: the run is where it is committed. */
void import_queue_drop(struct import_run *run);

/* As many rows as usual again, and none is to be refused. */
void import_queue_widen(struct import_run *run);

/* The writer has given a batch back. */
void import_queue_take_back(struct import_run *run, struct import_batch *batch);

#endif
