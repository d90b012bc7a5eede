#include "outbox/batch.h"

#include "base/clock.h"
#include "base/counter.h"
#include "base/log.h"
#include "outbox/attempts.h"
#include "outbox/capture.h"
#include "outbox/fault.h"
#include "outbox/settler.h"
#include "outbox/store.h"

#define REASON_DAMAGE "the journal is damaged"

static struct {
	int commits, settlements;
	int captures[CAPTURE_CONFLICT + 1]; /* by verdict */
	int full, failed;
} counters;

static int counter_of(const char *name, const char *labels, const char *help)
{
	return counter_register(COUNTER_COUNTER, name, labels, help);
}

void batch_setup(void)
{
	static const char name[] = "leadgate_store_captures_total";
	static const char help[] = "Leads that the journal has answered for";

	attempts_setup();
	counters.commits = counter_of("leadgate_store_commits_total", "", "Transactions committed");
	counters.settlements = counter_of("leadgate_store_settlements_total", "",
					  "Settlements of batches written");
	counters.captures[CAPTURE_CREATED] = counter_of(name, "result=\"created\"", help);
	counters.captures[CAPTURE_TOUCHED] = counter_of(name, "result=\"touched\"", help);
	counters.captures[CAPTURE_REPEATED] = counter_of(name, "result=\"repeated\"", help);
	counters.captures[CAPTURE_CONFLICT] = counter_of(name, "result=\"conflict\"", help);
	counters.full = counter_of(BATCH_REFUSED, "reason=\"full\"", BATCH_REFUSED_HELP);
	counters.failed = counter_of(BATCH_REFUSED, "reason=\"failed\"", BATCH_REFUSED_HELP);
}

static struct submission *submission_of(struct letter *letter)
{
	return (struct submission *)(void *)letter;
}

static struct settlement *settlement_of(struct letter *letter)
{
	return (struct settlement *)(void *)letter;
}

static int store_submission(struct journal *journal, struct submission *submission)
{
	int rc = SQLITE_OK;

	for (size_t i = 0; i < submission->count && rc == SQLITE_OK; i++)
		rc = capture_store(journal, &submission->captures[i]);
	if (rc == SQLITE_OK && submission->claims)
		rc = claim_store(journal, submission->claims, clock_wall_ms());
	if (rc == SQLITE_OK && submission->import)
		rc = import_store(journal, submission, clock_wall_ms());
	return rc;
}

static void prefetch(const struct batch *batch, const struct journal *journal)
{
	for (struct letter *l = batch->submissions; l; l = l->next) {
		const struct submission *submission = submission_of(l);
		for (size_t i = 0; i < submission->count; i++)
			capture_prefetch(journal, &submission->captures[i]);
	}
}

/* Everything between BEGIN and COMMIT; `*culprit` is the submission that failed. */
static int store_all(struct batch *batch, struct journal *journal, struct letter **culprit)
{
	int rc = SQLITE_OK;

	prefetch(batch, journal);
	for (struct letter *l = batch->settlements; l && rc == SQLITE_OK; l = l->next)
		rc = settler_store(journal, settlement_of(l));
	for (struct letter *l = batch->submissions; l && rc == SQLITE_OK; l = l->next) {
		rc = store_submission(journal, submission_of(l));
		if (rc != SQLITE_OK)
			*culprit = l;
	}
	return rc;
}

static bool made(const struct submission *submission, int64_t seq)
{
	for (size_t i = 0; i < submission->count; i++)
		if (submission->captures[i].seq == seq)
			return true;
	return false;
}

/* Whose event it is; who only got its receipt comes behind. */
static struct letter *maker_of(const struct batch *batch, int64_t seq)
{
	struct letter *letter = batch->submissions;

	while (letter && !made(submission_of(letter), seq))
		letter = letter->next;
	return letter;
}

/* The extended result, for the plain one does not tell a failed sync. */
static int transact(struct batch *batch, struct journal *journal, struct room *room,
		    struct letter **culprit)
{
	int rc = journal_begin(journal);

	*culprit = NULL;
	if (rc == SQLITE_OK && !batch->submissions)
		room_measure(room, journal);
	else if (rc == SQLITE_OK && !room_check(room, journal))
		rc = SQLITE_FULL;
	if (rc == SQLITE_OK)
		rc = store_all(batch, journal, culprit);
	outbox_fault("before-commit");
	if (rc == SQLITE_OK)
		rc = journal_commit(journal);
	if (rc == SQLITE_OK) {
		attempts_committed(journal);
		return rc;
	}
	/* A draft of its own may fail when another one's turn has come. */
	if (journal->failed_seq)
		*culprit = maker_of(batch, journal->failed_seq);
	rc = store_plain_result(journal->db, rc);
	store_abort_if_broken(journal->db, rc);
	journal_rollback(journal);
	return rc;
}

/* Whether it is the content that failed, and not the disk or the memory. */
static bool is_unfit(int rc)
{
	int kind = rc & 0xff;

	return kind == SQLITE_CONSTRAINT || kind == SQLITE_TOOBIG || kind == SQLITE_MISMATCH;
}

static void take_out(struct batch *batch, struct letter *culprit, int rc)
{
	struct letter **at = &batch->submissions;

	while (*at != culprit)
		at = &(*at)->next;
	*at = culprit->next;
	culprit->next = batch->failed;
	batch->failed = culprit;
	submission_of(culprit)->status = SUBMISSION_FAILED;
	submission_of(culprit)->unfit = is_unfit(rc) ? sqlite3_errstr(rc) : NULL;
	counter_inc(counters.failed);
}

static void log_failure(int rc, const char *what)
{
	log_error("store.write_failed", LOG_TEXT("what", what),
		  LOG_TEXT("reason", sqlite3_errstr(rc)), LOG_INT("code", rc));
}

/* All submissions that are left share one fate. Where SQLite does not tell whose row it
 * was, that is known of one that is alone. */
static void refuse_all(struct batch *batch, enum submission_status status, int rc)
{
	bool is_alone = batch->submissions && !batch->submissions->next;

	for (struct letter *l = batch->submissions; l; l = l->next) {
		submission_of(l)->status = status;
		submission_of(l)->unfit = is_alone && is_unfit(rc) ? sqlite3_errstr(rc) : NULL;
		counter_inc(status == SUBMISSION_FULL ? counters.full : counters.failed);
	}
}

static void count_stored(struct batch *batch)
{
	counter_inc(counters.commits);
	for (struct letter *l = batch->settlements; l; l = l->next)
		counter_add(counters.settlements, settlement_of(l)->stored);
	for (struct letter *l = batch->submissions; l; l = l->next) {
		struct submission *submission = submission_of(l);
		submission->status = SUBMISSION_STORED;
		for (size_t i = 0; i < submission->count; i++)
			counter_inc(counters.captures[submission->captures[i].verdict]);
	}
}

/* Old attempts give their room to the outcomes of new ones; false: none did. */
static bool drop_attempts(struct journal *journal)
{
	int rc = journal_begin(journal);

	if (rc == SQLITE_OK)
		rc = attempts_drop_oldest(journal);
	if (rc == SQLITE_OK)
		rc = journal_commit(journal);
	if (rc == SQLITE_OK) {
		attempts_committed(journal);
		return journal->attempts_dropped > 0;
	}
	rc = store_plain_result(journal->db, rc);
	store_abort_if_broken(journal->db, rc);
	journal_rollback(journal);
	return false;
}

/* One that finds no room takes no other along. True: one of them was stored. */
static bool settle_each(struct batch *batch, struct journal *journal, struct room *room)
{
	struct letter *culprit;
	bool stored = false;

	for (struct letter *l = batch->settlements, *next; l; l = next) {
		struct batch one = {.settlements = l};
		next = l->next;
		l->next = NULL;
		if (transact(&one, journal, room, &culprit) == SQLITE_OK) {
			count_stored(&one);
			stored = true;
		} else {
			settlement_of(l)->stored = false;
		}
		l->next = next;
	}
	return stored;
}

/* Settlements alone, when the captures beside them found no room. */
static bool settle_alone(struct batch *batch, struct journal *journal, struct room *room)
{
	struct batch alone = {.settlements = batch->settlements};
	struct letter *culprit;

	if (!alone.settlements)
		return false;
	int rc = transact(&alone, journal, room, &culprit);
	if ((rc & 0xff) == SQLITE_FULL && drop_attempts(journal))
		rc = transact(&alone, journal, room, &culprit);
	if (rc == SQLITE_OK) {
		count_stored(&alone);
		return true;
	}
	if ((rc & 0xff) == SQLITE_FULL && alone.settlements->next)
		return settle_each(&alone, journal, room);
	for (struct letter *l = alone.settlements; l; l = l->next)
		settlement_of(l)->stored = false;
	return false;
}

/* An import finds out which of its rows it is and tells of that one; what follows a batch
 * of it that failed is not heard of twice. */
static bool is_told_by_import(const struct submission *submission, int rc)
{
	return submission->import &&
	       ((rc & 0xff) == SQLITE_ABORT || (submission->count > 0 && is_unfit(rc)));
}

/* The rest again, without one that failed by itself; false: there is none, or
 * the failure is not its own. */
static bool without_culprit(struct batch *batch, struct letter *culprit, int rc)
{
	int kind = rc & 0xff;

	if (!culprit || kind == SQLITE_FULL || kind == SQLITE_CORRUPT || kind == SQLITE_BUSY)
		return false;
	if (!is_told_by_import(submission_of(culprit), rc))
		log_failure(rc, "submission");
	take_out(batch, culprit, rc);
	return true;
}

static void tell_notes(const struct batch *batch)
{
	for (struct letter *l = batch->submissions; l; l = l->next) {
		struct claim_work *work = submission_of(l)->claims;

		if (work && work->notes && work->noted)
			work->noted(work);
	}
}

bool batch_write(struct batch *batch, struct journal *journal, struct room *room,
		 _Atomic(const char *) *damage)
{
	struct letter *culprit;
	int rc = SQLITE_FULL;

	if (!batch->submissions || !atomic_load(&room->reason)) {
		do
			rc = transact(batch, journal, room, &culprit);
		while (rc != SQLITE_OK && without_culprit(batch, culprit, rc));
		if (rc == SQLITE_OK) {
			outbox_fault("after-commit");
			count_stored(batch);
			tell_notes(batch);
			return true;
		}
		if ((rc & 0xff) == SQLITE_FULL)
			room_exhausted(room);
		else if (!batch->submissions || batch->submissions->next ||
			 !is_told_by_import(submission_of(batch->submissions), rc))
			log_failure(rc, "batch");
		if ((rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB)
			atomic_store(damage, REASON_DAMAGE);
	}
	refuse_all(batch, (rc & 0xff) == SQLITE_FULL ? SUBMISSION_FULL : SUBMISSION_FAILED, rc);
	return settle_alone(batch, journal, room);
}

/* Chains of answers, one a mailbox. */
#define CHAINS_MAX 64
struct chain {
	struct mailbox *mailbox;
	struct letter *first, **end;
};

static void chain_append(struct chain *chain, struct letter *letter)
{
	letter->next = NULL;
	*chain->end = letter;
	chain->end = &letter->next;
}

/* A letter whose mailbox finds no chain any more goes alone. */
static void chains_add(struct chain *chains, size_t *count, struct mailbox *mailbox,
		       struct letter *letter)
{
	for (size_t i = 0; i < *count; i++) {
		if (chains[i].mailbox == mailbox) {
			chain_append(&chains[i], letter);
			return;
		}
	}
	if (*count == CHAINS_MAX) {
		mailbox_send(mailbox, letter);
		return;
	}
	struct chain *chain = &chains[(*count)++];
	*chain = (struct chain){.mailbox = mailbox, .first = NULL};
	chain->end = &chain->first;
	chain_append(chain, letter);
}

static void add_submissions(struct letter *letter, int64_t now_us, struct chain *chains,
			    size_t *count)
{
	while (letter) {
		struct letter *next = letter->next;
		submission_of(letter)->stored_us = now_us;
		chains_add(chains, count, submission_of(letter)->reply, letter);
		letter = next;
	}
}

void batch_reply(struct batch *batch, int64_t now_us)
{
	struct chain chains[CHAINS_MAX];
	size_t count = 0;

	add_submissions(batch->failed, now_us, chains, &count);
	add_submissions(batch->submissions, now_us, chains, &count);
	for (struct letter *l = batch->settlements, *next; l; l = next) {
		next = l->next;
		chains_add(chains, &count, settlement_of(l)->reply, l);
	}
	for (size_t i = 0; i < count; i++)
		mailbox_send_chain(chains[i].mailbox, chains[i].first);
}

void batch_stats(struct outbox_stats *stats)
{
	stats->commits = counter_read(counters.commits);
	for (int verdict = CAPTURE_CREATED; verdict <= CAPTURE_CONFLICT; verdict++)
		stats->captures += counter_read(counters.captures[verdict]);
}
