/* Dead letters as an operator looks at them, and what a replay of a sink would
 * come to: read beside a running gateway or without one. */
#ifndef OUTBOX_READER_REPLAY_H
#define OUTBOX_READER_REPLAY_H

#include "outbox/reader.h"

/* Slices live in the arena of the call. */
struct dead_letter {
	int64_t seq;
	struct lg_slice event_id, type;
	char lead_id[UUID_TEXT_BYTES];
	int64_t captured_ms;
	int64_t attempts;
	struct lg_slice reason; /* absent: none was given */
	/* of the last attempt, where one is on record */
	int64_t tried_ms; /* 0: none is */
	int32_t status;	  /* 0: it brought none */
	struct lg_slice answer;
};

/* Dead letters of a sink after `after_seq`, in order. How many; -1 with a reason. */
ptrdiff_t reader_replay_dead(struct reader *reader, struct arena *arena, struct lg_slice sink,
			     int64_t after_seq, size_t count, struct dead_letter **letters,
			     struct error *error);

/* What CHORE_REPLAY would do now; adds to `plan`. `each` (may be NULL) is told of
 * every event that is taken, in order; it says whether to go on, and gives the
 * reason otherwise. False with a reason. */
bool reader_replay_plan(struct reader *reader, struct lg_slice sink, const struct replay *replay,
			struct replay_plan *plan,
			bool (*each)(void *context, int64_t seq, struct error *error),
			void *context, struct error *error);

/* The seqs that an id stands for, ascending: that of an event (a receipt), or those
 * of all events of a lead. How many, at most `count`; -1 with a reason. Passes
 * over the journal from the id's time on, in short pieces. */
ptrdiff_t reader_replay_find(struct reader *reader, const uint8_t id[UUID_BYTES], int64_t *seqs,
			     size_t count, struct error *error);

#endif
