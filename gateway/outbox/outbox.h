/* The journal: what is acknowledged is here. One SQLite file in WAL mode with
 * synchronous=FULL behind one writer thread; SQL stays in this folder. */
#ifndef OUTBOX_OUTBOX_H
#define OUTBOX_OUTBOX_H

#include <leadgate/option.h>

#include "base/error.h"
#include "outbox/chore.h"
#include "outbox/settlement.h"
#include "outbox/submission.h"

struct outbox;

/* Sections `store:` and `dedup:` of the configuration. */
struct store_settings {
	struct lg_slice path;
	int64_t max_size_bytes;
	int64_t warn_percent;	   /* of max_size */
	int64_t wal_bytes;	   /* threshold of a checkpoint */
	int64_t page_bytes;	   /* 4096 or 8192, when the file is made */
	int64_t queue_submissions; /* bound of the writer's mailbox */
	int64_t queue_bytes;
	int64_t batch_captures; /* at most in one transaction */
	int64_t retention_ms;	/* what is older may be pruned; 0: kept for ever */
	int64_t wait_ms;	/* for another process to leave the store */
};
extern const struct lg_option store_options[];
extern const size_t store_option_count;

struct dedup_settings {
	struct lg_list keys;	      /* email, phone, profile */
	int64_t person_window_ms;     /* 365d */
	int64_t submission_window_ms; /* 5m */
	int64_t weak_after;	      /* persons that share a key until it is weak: 3 */
};
#define OUTBOX_WEAK_AFTER_MAX 16
extern const struct lg_option dedup_options[];
extern const size_t dedup_option_count;

/* The bits 1 << IDENTITY_... of the names in dedup.keys; false with a reason at one that is
 * none. Pure. */
bool outbox_dedup_kinds(const struct lg_list *names, unsigned int *bits, struct error *error);

/* Opens or makes the store, takes its lock, rebuilds the index, starts the
 * writer and the checkpointer. NULL with a sentence and a way out when the file
 * is foreign, corrupt, newer than us, owned by another process, or unreadable;
 * nothing is ever overwritten. Main thread. */
struct outbox *outbox_open(const struct store_settings *store, const struct dedup_settings *dedup,
			   const struct lead_limits *limits, struct error *error);

/* The same for who can wait: as long as another process has the store, at most
 * store.max_wait. Meanwhile the index is read beside that process, so that only what
 * comes last is left to be read. */
enum outbox_stage {
	OUTBOX_WAITS, /* for the store's owner to end */
	OUTBOX_READS, /* the index */
};
#define OUTBOX_GIVEN_UP "opening the store was given up"
struct outbox_patience {
	/* Asked every few milliseconds on the caller's thread; false gives up. */
	bool (*goes_on)(void *arg, enum outbox_stage stage);
	void *arg;
};
struct outbox *outbox_open_patiently(const struct store_settings *store,
				     const struct dedup_settings *dedup,
				     const struct lead_limits *limits,
				     const struct outbox_patience *patience, struct error *error);

/* Commits what was submitted, checkpoints, closes. Main thread; nobody may
 * submit any more. */
void outbox_close(struct outbox **outbox);

/* Secret under which identity keys are hashed; lives as long as the outbox. */
const uint8_t *outbox_secret(const struct outbox *outbox);
/* Bits 1 << IDENTITY_… of the kinds in dedup.keys. */
unsigned int outbox_key_kinds(const struct outbox *outbox);

/* Takes a place in the queue for a submission. False when the queue is full or
 * the store has no room: then the caller answers 503. Any thread. */
bool outbox_admit(struct outbox *outbox, const struct submission *submission);
/* Hands over what was admitted, oldest first, linked by the letters. What comes
 * together wakes the writer once and shares a transaction and its sync, so a
 * loop sends what one of its rounds has brought. Any thread. */
void outbox_send(struct outbox *outbox, struct letter *oldest);
/* Both, for one alone. False: it still belongs to the caller. */
bool outbox_submit(struct outbox *outbox, struct submission *submission);

/* Whether submissions are taken now; otherwise a reason that lives for ever. */
bool outbox_ready(const struct outbox *outbox, const char **reason);

/* Whether the queue is full, so that a submission would not be admitted now. Any
 * thread. */
bool outbox_is_busy(const struct outbox *outbox);

/* How many submissions were admitted since the store was opened: who has some of its own
 * among them can tell whether others have, too. Any thread. */
int64_t outbox_admitted(const struct outbox *outbox);

/* Hands a settlement over; it always comes back. Any thread. */
void outbox_settle(struct outbox *outbox, struct settlement *settlement);

/* Hands a chore over; it always comes back. Any thread. */
void outbox_do(struct outbox *outbox, struct chore *chore);
/* The same, and waits for it; `reply` need not be set. For a thread that serves
 * nobody else: a command that owns the store, a test. False: not done, for the
 * reason in chore->error. */
bool outbox_do_now(struct outbox *outbox, struct chore *chore);

/* Rises with every chore that touches what lanes go by: a sink's open events or
 * its pause. Every watcher is poked then, whatever it awaits; a lane that finds
 * another number than before forgets when the next event is due and reads its
 * reader_sink_state again. Any thread. */
int64_t outbox_sink_epoch(const struct outbox *outbox);

/* Rises with every order of an operator about claims: who had a reason to wait has it no
 * more. Watchers are poked as above. Any thread. */
int64_t outbox_claim_epoch(const struct outbox *outbox);

/* Pokes `mailbox` (mailbox_poke) after each commit that added events, until
 * outbox_unwatch. At most OUTBOX_WATCHERS. Any thread. */
#define OUTBOX_WATCHERS 256
bool outbox_watch(struct outbox *outbox, struct mailbox *mailbox);
/* From now on a watching mailbox is poked once, by the commit that reaches `seq`
 * (INT64_MAX: by none), so that a lane which gathers sleeps through the others.
 * False: it is committed already, there will be no poke. Any thread. */
bool outbox_await(struct outbox *outbox, const struct mailbox *mailbox, int64_t seq);
void outbox_unwatch(struct outbox *outbox, struct mailbox *mailbox);

/* Last committed seq. Any thread. */
int64_t outbox_last_seq(const struct outbox *outbox);

/* How long the writer has been at one step, a transaction with its sync or a part of
 * a chore; 0: it waits. Any thread. */
int64_t outbox_busy_ms(const struct outbox *outbox);

/* How it stands, for status and metrics. Any thread. */
struct outbox_stats {
	int64_t last_seq, leads; /* number of the last event; leads in the index */
	int64_t index_bytes, index_keys;
	int64_t queue_submissions, queue_bytes;
	int64_t store_bytes, wal_bytes;	    /* in use */
	int64_t file_bytes, log_file_bytes; /* as the folder shows them */
	int64_t commits, captures, checkpoints;
	int64_t sync_p50_us, sync_p99_us, checkpoint_hold_p99_us;
};
void outbox_stats(const struct outbox *outbox, struct outbox_stats *stats);

#endif
