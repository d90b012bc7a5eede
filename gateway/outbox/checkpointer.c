#include "outbox/checkpointer.h"

#include "base/clock.h"
#include "base/counter.h"
#include "base/histogram.h"
#include "base/log.h"
#include "outbox/fault.h"
#include "outbox/schema.h"
#include "outbox/store.h"

/* What stands before each page in the log. */
#define FRAME_HEAD_BYTES 24
/* So few frames left that the writer may be held for them. */
#define FEW_FRAMES 256
/* Passes that try to catch up with a busy writer before it is held. */
#define PASSES_MAX 8
/* A reader in the middle of a SELECT is gone after milliseconds; one that stays
 * is asked for less and less often. */
#define READER_MS 3
#define READER_MAX_MS 200
#define OLD_READER_MS 5000
/* A log in use is sized beforehand to this many thresholds, where the disk has
 * several times that, in steps of so many bytes. */
#define SIZE_TIMES 2
#define SIZE_STEP_BYTES (256 << 10)
/* SQLite's unix layer keeps 17 bits of the size of a write. */
#define SIZE_WRITE_BYTES (64 << 10)
/* A log is in use when it has reached this part of its threshold. */
#define SIZE_FROM_PART 16

struct progress {
	int frames, done;
};

/* One pass. False: the disk is full, or another process is at it. */
static bool pass(struct checkpointer *checkpointer, struct progress *progress)
{
	int rc = sqlite3_wal_checkpoint_v2(checkpointer->db, NULL, SQLITE_CHECKPOINT_PASSIVE,
					   &progress->frames, &progress->done);

	outbox_fault("in-checkpoint");
	if (rc == SQLITE_OK)
		return true;
	rc = store_plain_result(checkpointer->db, rc);
	store_abort_if_broken(checkpointer->db, rc);
	progress->frames = progress->done = 0;
	if (rc == SQLITE_FULL)
		room_exhausted(checkpointer->room);
	else if ((rc & 0xff) != SQLITE_BUSY)
		log_error("store.checkpoint_failed", LOG_TEXT("reason", sqlite3_errstr(rc)),
			  LOG_INT("code", rc));
	return false;
}

/* Syncs what the passes have written, so that the pass under the held writer
 * finds little left. */
static void sync_journal(struct checkpointer *checkpointer)
{
	sqlite3_file *file = NULL;

	sqlite3_file_control(checkpointer->db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
	if (file && file->pMethods)
		store_abort_if_broken(checkpointer->db,
				      file->pMethods->xSync(file, SQLITE_SYNC_NORMAL));
}

/* A reader's snapshot keeps frames from being brought over. */
static void note_blocked(struct checkpointer *checkpointer, bool blocked)
{
	int64_t now_ms = clock_monotonic_ms();

	if (!blocked) {
		checkpointer->blocked_since_ms = 0;
		checkpointer->warned = false;
		counter_set(checkpointer->blocked, 0);
		return;
	}
	if (checkpointer->blocked_since_ms == 0)
		checkpointer->blocked_since_ms = now_ms;
	if (now_ms - checkpointer->blocked_since_ms < OLD_READER_MS || checkpointer->warned)
		return;
	checkpointer->warned = true;
	counter_set(checkpointer->blocked, 1);
	log_warning("store.old_reader",
		    LOG_TEXT("reason", "somebody has long been reading the journal: its log grows"),
		    LOG_INT("frames", atomic_load(&checkpointer->frames)));
}

/* The last pass, while nothing can be added: then the log is empty, and the next
 * commit begins it anew (unless a reader is in it just then: that commit says
 * how long it is, and all begins again). */
static bool finish(struct checkpointer *checkpointer)
{
	struct progress progress;

	gate_hold(checkpointer->gate);
	int64_t began_us = clock_monotonic_us();
	bool done = pass(checkpointer, &progress) && progress.frames == progress.done;
	/* Until a commit says otherwise. */
	if (done)
		atomic_store(&checkpointer->frames, 0);
	gate_release(checkpointer->gate);
	histogram_add_us(checkpointer->hold_histogram, clock_monotonic_us() - began_us);
	return done;
}

/* False: a reader or the disk is in the way. */
static bool checkpoint(struct checkpointer *checkpointer)
{
	struct progress progress = {0, 0};
	int passes = 0;

	do
		if (!pass(checkpointer, &progress))
			return false;
	while (progress.frames - progress.done > FEW_FRAMES && ++passes < PASSES_MAX);
	if (progress.frames - progress.done > FEW_FRAMES) {
		note_blocked(checkpointer, true);
		return false;
	}
	sync_journal(checkpointer);
	if (!pass(checkpointer, &progress))
		return false;
	bool done = finish(checkpointer);
	note_blocked(checkpointer, !done);
	if (done)
		counter_inc(checkpointer->counter);
	return done;
}

/* One step. False: it is long enough, or cannot be made so. */
static bool lengthen(sqlite3_file *log, int64_t bytes)
{
	static const char zeroes[SIZE_WRITE_BYTES];
	sqlite3_int64 size = 0;

	if (log->pMethods->xFileSize(log, &size) != SQLITE_OK || size >= bytes)
		return false;
	for (int written = 0; written < SIZE_STEP_BYTES; written += SIZE_WRITE_BYTES)
		if (log->pMethods->xWrite(log, zeroes, SIZE_WRITE_BYTES, size + written) !=
		    SQLITE_OK)
			return false;
	return true;
}

/* Makes the log longer with zeroes, which are no frames, so that commits need
 * not: a sync that changes no size is much cheaper. The writer is held for the
 * write of each step, for it may be at the end of the file; then the step is
 * synced, or the next commit would find all of them to sync. */
static void size_log(struct checkpointer *checkpointer)
{
	int64_t bytes = checkpointer->room->store->wal_bytes * SIZE_TIMES;
	sqlite3_file *log = NULL;
	bool more = room_on_disk(checkpointer->room) / 4 > bytes &&
		    sqlite3_file_control(checkpointer->db, "main", SQLITE_FCNTL_JOURNAL_POINTER,
					 &log) == SQLITE_OK &&
		    log && log->pMethods;

	while (more && !atomic_load(&checkpointer->stopping)) {
		gate_hold(checkpointer->gate);
		more = lengthen(log, bytes);
		gate_release(checkpointer->gate);
		if (more && log->pMethods->xSync(log, SQLITE_SYNC_NORMAL) != SQLITE_OK)
			store_abort_if_broken(checkpointer->db, SQLITE_IOERR_FSYNC);
	}
	atomic_store(&checkpointer->sized, true);
}

static bool wants_size(const struct checkpointer *checkpointer)
{
	return !atomic_load(&checkpointer->sized) &&
	       atomic_load(&checkpointer->frames) >=
		       checkpointer->threshold_frames / SIZE_FROM_PART;
}

static bool due(const struct checkpointer *checkpointer)
{
	return atomic_load(&checkpointer->frames) >= checkpointer->threshold_frames;
}

static int64_t longer_wait(int64_t wait_ms)
{
	if (wait_ms < 0)
		return READER_MS;
	return wait_ms * 2 < READER_MAX_MS ? wait_ms * 2 : READER_MAX_MS;
}

static void *run(void *argument)
{
	struct checkpointer *checkpointer = argument;
	int64_t wait_ms = -1;

	while (!atomic_load(&checkpointer->stopping)) {
		mailbox_wait(&checkpointer->wake, wait_ms);
		mailbox_take(&checkpointer->wake);
		if (wants_size(checkpointer))
			size_log(checkpointer);
		if (!due(checkpointer) || checkpoint(checkpointer))
			wait_ms = -1;
		else
			wait_ms = longer_wait(wait_ms);
	}
	return NULL;
}

static int after_commit(void *argument, sqlite3 *db, const char *name, int frames)
{
	struct checkpointer *checkpointer = argument;

	(void)db;
	(void)name;
	int64_t before = atomic_exchange(&checkpointer->frames, frames);
	int64_t bytes = frames * (checkpointer->room->page_bytes + FRAME_HEAD_BYTES);
	atomic_store(&checkpointer->room->log_bytes, bytes);
	counter_set(checkpointer->gauge_log, bytes);
	if ((frames >= checkpointer->threshold_frames && before < checkpointer->threshold_frames) ||
	    wants_size(checkpointer))
		mailbox_poke(&checkpointer->wake);
	return SQLITE_OK;
}

static void set_up_counters(struct checkpointer *checkpointer)
{
	checkpointer->hold_histogram = histogram_register("leadgate_store_checkpoint_hold_seconds",
							  "",
							  "Time that checkpoints hold the writer");
	checkpointer->counter = counter_register(COUNTER_COUNTER,
						 "leadgate_store_checkpoints_total", "",
						 "Checkpoints that emptied the log");
	checkpointer->blocked = counter_register(COUNTER_GAUGE, "leadgate_store_old_reader", "",
						 "Whether a reader older than 5 s keeps the log");
	checkpointer->gauge_log = counter_register(COUNTER_GAUGE, "leadgate_store_log_bytes", "",
						   "Bytes of the write-ahead log in use");
}

bool checkpointer_start(struct checkpointer *checkpointer, sqlite3 *writing, struct gate *gate,
			struct room *room, struct error *error)
{
	checkpointer->gate = gate;
	checkpointer->room = room;
	checkpointer->threshold_frames = room->store->wal_bytes /
					 (room->page_bytes + FRAME_HEAD_BYTES);
	checkpointer->blocked_since_ms = 0;
	checkpointer->warned = false;
	atomic_init(&checkpointer->frames, 0);
	atomic_init(&checkpointer->stopping, false);
	atomic_init(&checkpointer->sized, false);
	set_up_counters(checkpointer);
	checkpointer->db = store_open(room->store->path, error);
	if (!checkpointer->db)
		return false;
	/* Its log is open once something was read. */
	schema_integer(checkpointer->db, "SELECT count(*) FROM sqlite_schema");
	if (!mailbox_init(&checkpointer->wake)) {
		sqlite3_close(checkpointer->db);
		return error_set(error, "no descriptor is left for the checkpoints of the store");
	}
	if (pthread_create(&checkpointer->thread, NULL, run, checkpointer) != 0) {
		mailbox_fini(&checkpointer->wake);
		sqlite3_close(checkpointer->db);
		return error_set(error, "the checkpoints cannot be started: no thread is left");
	}
	pthread_setname_np(checkpointer->thread, "checkpointer");
	sqlite3_wal_hook(writing, after_commit, checkpointer);
	return true;
}

void checkpointer_stop(struct checkpointer *checkpointer)
{
	atomic_store(&checkpointer->stopping, true);
	mailbox_poke(&checkpointer->wake);
	pthread_join(checkpointer->thread, NULL);
	mailbox_fini(&checkpointer->wake);
	sqlite3_close(checkpointer->db);
}

void checkpointer_stats(const struct checkpointer *checkpointer, struct outbox_stats *stats)
{
	stats->wal_bytes = atomic_load(&checkpointer->room->log_bytes);
	stats->checkpoints = counter_read(checkpointer->counter);
	stats->checkpoint_hold_p99_us = histogram_quantile_us(checkpointer->hold_histogram, 0.99);
}
