/* Who is it? Leads that share a key with a capture. Writer thread. */
#ifndef OUTBOX_PERSON_H
#define OUTBOX_PERSON_H

#include "outbox/journal.h"

#define PERSON_CANDIDATES_MAX 16

/* A lead that shares a key. */
struct person_candidate {
	uint8_t lead_id[UUID_BYTES];
	unsigned int kinds;  /* bits 1 << IDENTITY_… of the keys that they share */
	uint32_t keys;	     /* bits 1 << position in the capture's keys */
	struct lead *record; /* in the journal's arena; NULL: not read, or not readable */
	int64_t last_at_ms;  /* its last event's time */
	bool same;	     /* is the same person, within the window */
};

struct person_match {
	struct person_candidate candidates[PERSON_CANDIDATES_MAX + 1];
	size_t count;
	struct person_candidate *known; /* the one; NULL: nobody */
	uint32_t weak;			/* keys that many persons have */
};

/* Finds who shares a strong key with the capture and which of them is the same
 * person: of several the one who shares more kinds of keys, then one whose name
 * agrees, then the one whom the first key gives, the oldest of them. A trap is like
 * nobody. Fills `match` anew. An SQLite result. */
int person_find(struct journal *journal, const struct capture *capture, struct person_match *match);

/* Makes `known` the lead that a delivery belongs to, whatever its keys say;
 * nobody when it is no longer there. An SQLite result. */
int person_of_delivery(struct journal *journal, const uint8_t lead_id[UUID_BYTES],
		       struct person_match *match);

/* Reads the candidate's present record, from its beginning when it was read and
 * changed before. An SQLite result; SQLITE_NOTFOUND: the lead is no longer there. */
int person_read(struct journal *journal, struct person_candidate *candidate);

#endif
