/* What a loop hands to the writer: the captures of one request, prepared as far
 * as history does not matter, and where the results go. */
#ifndef OUTBOX_SUBMISSION_H
#define OUTBOX_SUBMISSION_H

#include "base/mailbox.h"
#include "base/random.h"
#include "lead/identity.h"
#include "lead/lead.h"
#include "lead/merge.h"
#include "outbox/claim.h"
#include "outbox/import_row.h"

enum capture_verdict {
	CAPTURE_CREATED = 1,
	CAPTURE_TOUCHED = 2,
	CAPTURE_REPEATED = 3, /* delivery or submission seen before: first receipt */
	CAPTURE_CONFLICT = 4, /* same Idempotency-Key, other content: not stored */
};

/* One lead. The writer reads it and fills the results; memory is the loop's. */
struct capture {
	/* prepared by the loop */
	struct lead *lead;	    /* normalized; read by the writer on a match only */
	struct lg_slice event_json; /* body of the lead.created event, ready to append */
	uint8_t lead_id[UUID_BYTES];
	uint8_t event_id[UUID_BYTES];
	int64_t at_ms;
	int64_t occurred_ms; /* when it happened, as the sender says; 0: it does not */
	bool trapped;	     /* kept as lead.discarded, settled so for every sink,
				     * delivered to nobody, and makes nobody known */
	struct identity_keys person;
	bool has_delivery_key;
	struct identity_key delivery;
	struct identity_key submission;
	uint8_t digest[IDENTITY_DIGEST_BYTES];
	enum merge_policy policy;

	/* filled by the writer */
	enum capture_verdict verdict;
	int64_t seq;
	uint8_t receipt[UUID_BYTES]; /* the event's id */
};

enum submission_status {
	SUBMISSION_STORED = 1, /* committed and synced; every capture has its verdict */
	SUBMISSION_FULL = 2,   /* no room on disk or store.max_size reached: nothing stored */
	SUBMISSION_FAILED = 3, /* the store refused: nothing stored; logged */
};

/* All captures, and what is done to claims and to an import, commit together or not at
 * all. The struct and all it points at belong to the writer from outbox_send until it
 * comes back through `reply`. */
struct submission {
	struct letter letter; /* first; used for both ways */
	struct mailbox *reply;
	struct capture *captures;
	size_t count;		    /* may be 0 */
	struct claim_work *claims;  /* NULL: none */
	struct import_work *import; /* NULL: the captures are no rows of a file */
	size_t bytes;	   /* about what it will take in the journal, for the queue's bound */
	int64_t sent_us;   /* monotonic: when it was handed over; 0: nobody waits for it */
	int64_t stored_us; /* filled by the writer: when it was committed or refused */
	enum submission_status status;
	/* Filled by the writer where the status is SUBMISSION_FAILED: why the store can never
	 * hold what is in it, while it holds others; a static text. NULL: it may, later. */
	const char *unfit;
};

#endif
