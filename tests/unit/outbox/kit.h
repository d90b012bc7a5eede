/* A store in a folder of its own and captures made as a loop makes them: for
 * the unit tests, the rigs of tests/fault and the bench. */
#ifndef TESTS_UNIT_OUTBOX_KIT_H
#define TESTS_UNIT_OUTBOX_KIT_H

#include "outbox/outbox.h"
#include "outbox/reader.h"

/* What is sent; NULL: absent. */
struct post {
	const char *name, *email, *phone, *message, *source;
	const char *extra_name, *extra; /* a field that nobody knows */
	const char *delivery;		/* key; with `idempotent` an Idempotency-Key */
	bool idempotent, trapped;
	enum merge_policy policy;
	int64_t at_ms;	     /* 0: now */
	int64_t occurred_ms; /* 0: not said */
};

struct kit {
	char folder[128], path[160];
	struct store_settings store;
	struct dedup_settings dedup;
	struct lead_limits limits;
	struct outbox *outbox;
	struct mailbox replies;
};

/* A folder below $TMPDIR or /tmp and small settings; opens nothing. */
void kit_init(struct kit *kit);
/* Closes what is open and removes the folder. */
void kit_fini(struct kit *kit);

/* Opens the store; the test fails when it cannot. */
void kit_open(struct kit *kit);
/* What kit_open would have failed with. */
bool kit_try_open(struct kit *kit, struct error *error);
void kit_close(struct kit *kit);
/* Another one on the same store, which waits for the kit's to be closed; not the kit's. */
struct outbox *kit_open_patiently(struct kit *kit, const struct outbox_patience *patience,
				  struct error *error);

/* A submission with its captures, in one arena; gone with kit_free. */
struct submission *kit_make(struct kit *kit, const struct post *posts, size_t count);
void kit_free(struct submission *submission);

/* Submits, waits for the answer and returns the submission with its results. */
struct submission *kit_submit(struct kit *kit, const struct post *posts, size_t count);
/* One post; the status must be SUBMISSION_STORED. */
struct capture kit_post(struct kit *kit, struct post post);

/* The next reply. */
struct letter *kit_reply(struct kit *kit);

/* Rows of a query through a connection of its own. */
int64_t kit_count(struct kit *kit, const char *sql);
/* Runs SQL through a connection of its own. */
void kit_sql(struct kit *kit, const char *sql);

/* The present record of a lead as JSON in static memory. */
const char *kit_record(struct kit *kit, const uint8_t lead_id[UUID_BYTES]);

/* What broke; ends the program. Also for threads, where cmocka cannot jump. */
void kit_fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
