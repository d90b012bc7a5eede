#include "outbox/outbox.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "outbox/batch.h"
#include "outbox/checkpointer.h"
#include "outbox/pacer_vfs.h"
#include "outbox/schema.h"
#include "outbox/store.h"
#include "outbox/store_lock.h"
#include "outbox/watchers.h"
#include "outbox/writer.h"

/* How often the lock of a store that another process has is tried. */
#define LOCK_POLL_MS 5

struct outbox {
	struct store_settings store;
	struct dedup_settings dedup;
	int lock_fd;
	uint8_t secret[IDENTITY_SECRET_BYTES];
	sqlite3 *db;
	struct journal journal;
	struct room room;
	struct gate gate;
	struct writer writer;
	struct checkpointer checkpointer;
	struct watchers watchers;
};

static void committed(struct writer *writer)
{
	struct outbox *outbox = container_of(writer, struct outbox, writer);

	watchers_announce(&outbox->watchers, atomic_load(&writer->last_seq),
			  atomic_load(&writer->sink_epoch));
}

bool outbox_dedup_kinds(const struct lg_list *names, unsigned int *bits, struct error *error)
{
	static const char *const kinds[] = {[IDENTITY_EMAIL] = "email",
					    [IDENTITY_PHONE] = "phone",
					    [IDENTITY_PROFILE] = "profile"};

	*bits = 0;
	for (size_t i = 0; i < names->count; i++) {
		unsigned int kind = IDENTITY_EMAIL;
		while (kind <= IDENTITY_PROFILE && !slice_is(names->items[i], kinds[kind]))
			kind++;
		if (kind > IDENTITY_PROFILE)
			return error_set(error, "\"%.*s\" is none of email, phone, profile",
					 SLICE_ARGS(names->items[i]));
		*bits |= 1u << kind;
	}
	return true;
}

static bool open_journal(struct outbox *outbox, const struct lead_limits *limits,
			 unsigned int kinds, const struct journal_opening *opening,
			 struct error *error)
{
	const struct store_settings *store = &outbox->store;

	if (!store_check_files(store->path, error) || !store_peek(store->path, error))
		return false;
	outbox->db = store_open(store->path, error);
	if (!outbox->db || !store_check(outbox->db, store->path, store->page_bytes, error) ||
	    !schema_secret(outbox->db, outbox->secret, error))
		return false;
	if (journal_init(&outbox->journal, outbox->db, &outbox->dedup, limits, kinds, opening,
			 error))
		return true;
	if ((sqlite3_errcode(outbox->db) & 0xff) == SQLITE_CORRUPT)
		return store_explain(outbox->db, store->path, error);
	return error_prefix(error, "%.*s: ", SLICE_ARGS(store->path));
}

static void close_journal(struct outbox *outbox)
{
	if (outbox->journal.db)
		journal_fini(&outbox->journal);
	store_close(outbox->db);
}

static bool start_threads(struct outbox *outbox, struct error *error)
{
	outbox->writer.journal = &outbox->journal;
	outbox->writer.room = &outbox->room;
	outbox->writer.gate = &outbox->gate;
	outbox->writer.store = &outbox->store;
	outbox->writer.committed = committed;
	outbox->watchers.announced_seq = outbox->journal.last_seq;
	outbox->room.prober = &outbox->writer.submissions;
	if (!checkpointer_start(&outbox->checkpointer, outbox->db, &outbox->gate, &outbox->room,
				error))
		return false;
	if (writer_start(&outbox->writer, error))
		return true;
	checkpointer_stop(&outbox->checkpointer);
	return false;
}

/* ---- another process has it ------------------------------------------------------ */

/* Reads what is there beside the store's owner. What goes wrong is no matter: then all
 * is read later. */
static void read_ahead(struct outbox *outbox, struct identity_index *ahead,
		       const struct outbox_patience *patience)
{
	struct error error = {""};
	sqlite3 *db = store_open_reader(outbox->store.path, &error);
	bool done = db && store_check_reader(db, outbox->store.path, &error) &&
		    identity_index_read(ahead, db, patience, &error);

	sqlite3_close(db);
	if (done) {
		log_info("store.read_ahead", LOG_INT("rows", ahead->rows));
		return;
	}
	log_info("store.not_read_ahead", LOG_TEXT("reason", error.text));
	identity_index_fini(ahead);
	identity_index_init(ahead, &outbox->dedup, ahead->key_kinds);
}

static bool wait_for_lock(struct outbox *outbox, const struct outbox_patience *patience,
			  int64_t until_ms, struct error *error)
{
	bool busy = true;

	while (outbox->lock_fd < 0 && busy && clock_monotonic_ms() < until_ms) {
		if (!patience->goes_on(patience->arg, OUTBOX_WAITS))
			return error_set(error, OUTBOX_GIVEN_UP);
		clock_sleep_ms(LOCK_POLL_MS);
		outbox->lock_fd = store_lock_take(outbox->store.path, &busy, error);
	}
	return outbox->lock_fd >= 0;
}

/* The lock, at once or after a wait that is used to read ahead. */
static bool take_lock(struct outbox *outbox, struct identity_index *ahead,
		      const struct outbox_patience *patience, struct error *error)
{
	int64_t began_ms = clock_monotonic_ms();
	bool busy;

	outbox->lock_fd = store_lock_take(outbox->store.path, &busy, error);
	if (outbox->lock_fd >= 0)
		return true;
	if (!busy || !patience || outbox->store.wait_ms == 0)
		return false;
	log_notice("store.waiting", LOG_TEXT("reason", error->text),
		   LOG_INT("at_most_ms", outbox->store.wait_ms));
	read_ahead(outbox, ahead, patience);
	if (!wait_for_lock(outbox, patience, began_ms + outbox->store.wait_ms, error))
		return false;
	log_notice("store.taken_over", LOG_INT("waited_ms", clock_monotonic_ms() - began_ms));
	return true;
}

/* ---- opening ----------------------------------------------------------------------- */

static bool start(struct outbox *outbox, const struct lead_limits *limits,
		  const struct outbox_patience *patience, struct error *error)
{
	struct identity_index ahead;
	const struct journal_opening opening = {.ahead = &ahead, .patience = patience};
	unsigned int kinds;

	if (!outbox_dedup_kinds(&outbox->dedup.keys, &kinds, error))
		return false;
	identity_index_init(&ahead, &outbox->dedup, kinds);
	bool done = take_lock(outbox, &ahead, patience, error) &&
		    open_journal(outbox, limits, kinds, &opening, error) &&
		    room_init(&outbox->room, &outbox->journal, &outbox->store, error) &&
		    start_threads(outbox, error);
	identity_index_fini(&ahead);
	return done;
}

struct outbox *outbox_open(const struct store_settings *store, const struct dedup_settings *dedup,
			   const struct lead_limits *limits, struct error *error)
{
	return outbox_open_patiently(store, dedup, limits, NULL, error);
}

struct outbox *outbox_open_patiently(const struct store_settings *store,
				     const struct dedup_settings *dedup,
				     const struct lead_limits *limits,
				     const struct outbox_patience *patience, struct error *error)
{
	struct outbox *outbox = alloc_zalloc(sizeof(*outbox));

	if (!outbox) {
		error_set(error, "there is not enough memory to open the store");
		return NULL;
	}
	outbox->lock_fd = -1;
	outbox->store = *store;
	outbox->dedup = *dedup;
	batch_setup();
	gate_init(&outbox->gate);
	watchers_init(&outbox->watchers);
	if (start(outbox, limits, patience, error)) {
		log_info("store.opened", LOG_SLICE("path", store->path),
			 LOG_INT("last_seq", outbox->journal.committed_seq),
			 LOG_INT("leads", outbox->journal.committed_leads));
		return outbox;
	}
	close_journal(outbox);
	store_lock_drop(outbox->lock_fd);
	gate_fini(&outbox->gate);
	watchers_fini(&outbox->watchers);
	alloc_free(outbox);
	return NULL;
}

void outbox_close(struct outbox **pointer)
{
	struct outbox *outbox = *pointer;

	*pointer = NULL;
	if (!outbox)
		return;
	writer_stop(&outbox->writer);
	checkpointer_stop(&outbox->checkpointer);
	writer_fini(&outbox->writer);
	close_journal(outbox);
	store_lock_drop(outbox->lock_fd);
	gate_fini(&outbox->gate);
	watchers_fini(&outbox->watchers);
	alloc_free(outbox);
}

const uint8_t *outbox_secret(const struct outbox *outbox)
{
	return outbox->secret;
}

unsigned int outbox_key_kinds(const struct outbox *outbox)
{
	return outbox->journal.key_kinds;
}

bool outbox_admit(struct outbox *outbox, const struct submission *submission)
{
	return writer_admit(&outbox->writer, submission);
}

void outbox_send(struct outbox *outbox, struct letter *oldest)
{
	writer_send(&outbox->writer, oldest);
}

bool outbox_submit(struct outbox *outbox, struct submission *submission)
{
	if (!outbox_admit(outbox, submission))
		return false;
	submission->letter.next = NULL;
	outbox_send(outbox, &submission->letter);
	return true;
}

bool outbox_ready(const struct outbox *outbox, const char **reason)
{
	const char *why = atomic_load(&outbox->writer.damage);

	if (!why)
		why = atomic_load(&outbox->room.reason);
	if (reason)
		*reason = why;
	return !why;
}

bool outbox_is_busy(const struct outbox *outbox)
{
	return writer_is_busy(&outbox->writer);
}

int64_t outbox_admitted(const struct outbox *outbox)
{
	return atomic_load_explicit(&outbox->writer.admitted, memory_order_relaxed);
}

void outbox_settle(struct outbox *outbox, struct settlement *settlement)
{
	writer_settle(&outbox->writer, settlement);
}

void outbox_do(struct outbox *outbox, struct chore *chore)
{
	writer_do(&outbox->writer, chore);
}

bool outbox_do_now(struct outbox *outbox, struct chore *chore)
{
	struct mailbox reply;

	if (!mailbox_init(&reply))
		return error_set(&chore->error, "no descriptor is left");
	chore->reply = &reply;
	outbox_do(outbox, chore);
	while (!mailbox_take(&reply))
		mailbox_wait(&reply, -1);
	mailbox_fini(&reply);
	chore->reply = NULL;
	return chore->done;
}

int64_t outbox_sink_epoch(const struct outbox *outbox)
{
	return atomic_load(&outbox->writer.sink_epoch);
}

int64_t outbox_claim_epoch(const struct outbox *outbox)
{
	return atomic_load(&outbox->writer.claim_epoch);
}

bool outbox_watch(struct outbox *outbox, struct mailbox *mailbox)
{
	return watchers_add(&outbox->watchers, mailbox);
}

/* The seq is looked at after it was written down: a commit that comes between
 * is seen here, a later one sees what is awaited. */
bool outbox_await(struct outbox *outbox, const struct mailbox *mailbox, int64_t seq)
{
	watchers_await(&outbox->watchers, mailbox, seq);
	return outbox_last_seq(outbox) < seq;
}

void outbox_unwatch(struct outbox *outbox, struct mailbox *mailbox)
{
	watchers_remove(&outbox->watchers, mailbox);
}

int64_t outbox_last_seq(const struct outbox *outbox)
{
	return atomic_load(&outbox->writer.last_seq);
}

int64_t outbox_busy_ms(const struct outbox *outbox)
{
	int64_t since_ms = atomic_load(&outbox->writer.busy_since_ms);

	return since_ms ? clock_monotonic_ms() - since_ms : 0;
}

/* Asks the folder alone: the files are opened through SQLite only. */
static int64_t size_of(struct lg_slice path, const char *suffix)
{
	char name[PATH_MAX];
	struct stat about;
	int length = snprintf(name, sizeof(name), "%.*s%s", SLICE_ARGS(path), suffix);

	if (length < 0 || (size_t)length >= sizeof(name) || stat(name, &about) != 0)
		return 0;
	return about.st_size;
}

void outbox_stats(const struct outbox *outbox, struct outbox_stats *stats)
{
	const struct writer *writer = &outbox->writer;

	memset(stats, 0, sizeof(*stats));
	stats->last_seq = atomic_load(&writer->last_seq);
	stats->leads = atomic_load(&writer->leads);
	stats->index_bytes = atomic_load(&writer->index_bytes);
	stats->index_keys = atomic_load(&writer->index_keys);
	stats->queue_submissions = atomic_load(&writer->queued);
	stats->queue_bytes = atomic_load(&writer->queued_bytes);
	stats->store_bytes = atomic_load(&outbox->room.used_bytes);
	stats->file_bytes = size_of(outbox->store.path, "");
	stats->log_file_bytes = size_of(outbox->store.path, "-wal");
	batch_stats(stats);
	checkpointer_stats(&outbox->checkpointer, stats);
	pacer_vfs_stats(stats);
}
