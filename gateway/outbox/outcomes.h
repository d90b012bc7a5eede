/* How a run of events ended, run-length coded as an operator can read it:
 * "delivered*98 filtered dead". "none" stands for a seq that the row says
 * nothing of. */
#ifndef OUTBOX_OUTCOMES_H
#define OUTBOX_OUTCOMES_H

#include "base/buffer.h"
#include "outbox/settlement.h"

#define OUTCOME_NONE (-1)

struct outcomes_writer {
	struct buffer *out;
	int state; /* of the run under way */
	int64_t length;
};

void outcomes_begin(struct outcomes_writer *writer, struct buffer *out);
/* `count` seqs in a row that ended as `state`, or OUTCOME_NONE. */
void outcomes_add(struct outcomes_writer *writer, int state, int64_t count);
void outcomes_end(struct outcomes_writer *writer);

/* Takes the next run off `*rest`. False at the end or at what it cannot read. */
bool outcomes_next(struct lg_slice *rest, int *state, int64_t *count);

/* The state of a name; -1: none. */
int outcomes_state(struct lg_slice name);

#endif
