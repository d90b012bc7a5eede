/* Leads of an errand that the gateway cannot store. Nobody waits for an answer who could
 * be told, and a poll does not bring them again: they are kept as dead claims and told in
 * the log. A claim of which nothing could be stored says it itself, and so does one whose
 * own key is that of such a lead (fetch_verdict.h). Inner header of ingest/; the errand thread. */
#ifndef INGEST_FETCH_REFUSED_H
#define INGEST_FETCH_REFUSED_H

#include "ingest/fetch.h"

/* Adds a dead claim under the delivery key of each, so that an operator finds it and can
 * have it fetched again; its memory is the turn's. Where that is the key of a claim of this
 * errand, the fetch remembers it for the end. One whose key cannot be that of a claim
 * is told alone. After intake_prepare_all. False: memory ran out. */
bool fetch_refused_keep(struct fetch *fetch);

/* Tells of each, or counts those for which there are too many lines. When the turn is
 * stored, or nothing of it is to be. */
void fetch_refused_tell(struct fetch *fetch);

#endif
