/* What a verdict comes to: where it leaves the rows of a claim, when these are due again,
 * and what it says of the vendor. Inner header of ingest/; the errand thread. */
#ifndef INGEST_FETCH_VERDICT_H
#define INGEST_FETCH_VERDICT_H

#include "ingest/fetch.h"

/* All read the verdict of the present turn, and cannot fail. */

/* Why the journal does not take the verdict's blob, a sentence; NULL: it does, or the
 * verdict changes none. */
const char *fetch_verdict_problem(const struct fetch *fetch);

/* Fills the end of the rows, in the intake's claims. Its texts are the verdict's or an
 * item's. Where the fetch does not go on, the end is counted, and told if somebody has to
 * look at it. */
void fetch_verdict_end(struct fetch *fetch);

/* Why a claim that is done is dead all the same: nothing of what it brought could be
 * stored. Absent: something was, or it brought no lead. */
struct lg_slice fetch_verdict_refusal(const struct fetch *fetch);

/* Tells the desk what this attempt says of the others: whether its vendor is well. */
void fetch_verdict_tell(struct fetch *fetch);

#endif
