/* All imports of the errand thread: who waits, who reads, and how far they stand back
 * behind requests. Each works in pieces between which the thread sees to its errands.
 * Inner header of ingest/; the errand thread. */
#ifndef INGEST_IMPORTER_H
#define INGEST_IMPORTER_H

#include "base/list.h"
#include "ingest/import.h"
#include "ingest/ingest.h"
#include "outbox/reader.h"

struct import_run;

struct importer {
	struct ingest_loop *ingest_loop;
	struct reader *reader;
	struct loop_task *turn; /* posted when a pause may be over */
	struct ingest *ingest;	/* of the present generation; NULL: none */
	struct mailbox mailbox; /* of jobs; any thread */
	struct loop_mailbox box;
	struct loop_timer timer;
	struct list runs; /* in the order in which they came */
	bool is_paused, has_ended;
	int base_niceness, niceness; /* of the thread: what it has, and what was added */

	/* Whether others submit, too. */
	int64_t admitted, mine; /* the outbox's number when it was looked at; ours since */
	int64_t others_ms;	/* monotonic: when there was somebody else */
};

/* All that is given outlives it. False: memory or descriptors ran out. */
bool importer_init(struct importer *importer, struct loop *loop, struct ingest_loop *ingest_loop,
		   struct reader *reader, struct loop_task *turn);
/* Nothing may be with the writer. Gives back what is left. */
void importer_fini(struct importer *importer);

/* Goes on with the sources of a generation. */
void importer_begin(struct importer *importer, struct ingest *ingest);

/* Leaves the sources of the present one. True: nothing is with its plugins or with the
 * writer; else `turn` is posted when it is to be asked again. */
bool importer_pause(struct importer *importer);

/* Ends all that is there, after a pause, and whatever comes. */
void importer_end(struct importer *importer);

/* There is something to do. */
void importer_wake(struct importer *importer);

/* Whether requests bring leads now, so that an import has to be small. */
bool importer_is_gentle(struct importer *importer);
/* A batch of ours was admitted. */
void importer_note_mine(struct importer *importer);

/* The run that has the content which this one wants; NULL: there is none. A rehearsal is in
 * nobody's way. */
const struct import_run *importer_other(const struct importer *importer,
					const struct import_run *run);

#endif
