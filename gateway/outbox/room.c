#include "outbox/room.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/counter.h"
#include "base/log.h"
#include "outbox/schema.h"

#define REASON_MAX_SIZE "the journal has reached store.max_size"
#define REASON_DISK "the disk of the journal is full"

/* Kept free below max_size for settlements: 1/64 of it, at least this much. */
#define RESERVE_BYTES_MIN ((int64_t)256 << 10)
/* Free bytes on the disk, beside what the log must bring over, that are worth
 * another try. */
#define DISK_BYTES_MIN ((int64_t)1 << 20)

static int64_t reserve_of(int64_t max_bytes)
{
	int64_t part = max_bytes / 64;

	return part > RESERVE_BYTES_MIN ? part : RESERVE_BYTES_MIN;
}

static void refuse(struct room *room, const char *reason)
{
	const char *taken = NULL;

	/* The first reason stays until all is well again. */
	if (!atomic_compare_exchange_strong(&room->reason, &taken, reason))
		return;
	counter_set(room->gauge_ready, 0);
	log_error("store.full", LOG_TEXT("reason", reason),
		  LOG_INT("used_bytes", atomic_load(&room->used_bytes)));
}

static void resume(struct room *room)
{
	if (!atomic_exchange(&room->reason, NULL))
		return;
	counter_set(room->gauge_ready, 1);
	log_notice("store.resumed", LOG_INT("used_bytes", atomic_load(&room->used_bytes)));
}

bool room_init(struct room *room, struct journal *journal, const struct store_settings *store,
	       struct error *error)
{
	char pragma[64];
	sqlite3 *db = journal->db;
	int64_t max_pages;

	room->store = store;
	room->page_bytes = schema_integer(db, "PRAGMA page_size");
	if (room->page_bytes <= 0)
		return error_set(error, "%s", sqlite3_errmsg(db));
	max_pages = store->max_size_bytes / room->page_bytes;
	if (max_pages > INT_MAX)
		max_pages = INT_MAX;
	snprintf(pragma, sizeof(pragma), "PRAGMA max_page_count = %lld", (long long)max_pages);
	if (schema_integer(db, pragma) < 0)
		return error_set(error, "%s", sqlite3_errmsg(db));
	room->gauge_used = counter_register(COUNTER_GAUGE, "leadgate_store_used_bytes", "",
					    "Bytes of the journal in use");
	room->gauge_ready = counter_register(COUNTER_GAUGE, "leadgate_store_ready", "",
					     "Whether the journal takes leads");
	atomic_init(&room->reason, NULL);
	atomic_init(&room->used_bytes, 0);
	atomic_init(&room->log_bytes, 0);
	room->warned = false;
	counter_set(room->gauge_ready, 1);
	room_check(room, journal);
	return true;
}

static int64_t read_pages(struct journal *journal, enum statement statement)
{
	sqlite3_stmt *select = journal_statement(journal, statement);
	int64_t pages = sqlite3_step(select) == SQLITE_ROW ? sqlite3_column_int64(select, 0) : 0;

	sqlite3_reset(select);
	return pages;
}

static void warn_once(struct room *room, int64_t used)
{
	bool above = used > room->store->max_size_bytes / 100 * room->store->warn_percent;

	if (above && !room->warned)
		log_warning("store.fills", LOG_INT("used_bytes", used),
			    LOG_INT("max_size", room->store->max_size_bytes));
	room->warned = above;
}

void room_measure(struct room *room, struct journal *journal)
{
	int64_t max = room->store->max_size_bytes;
	int64_t used = (read_pages(journal, STATEMENT_PAGES) -
			read_pages(journal, STATEMENT_FREE_PAGES)) *
		       room->page_bytes;

	atomic_store(&room->used_bytes, used);
	counter_set(room->gauge_used, used);
	warn_once(room, used);
	journal->reserve_bytes = reserve_of(max);
	journal->spare_bytes = max - journal->reserve_bytes - used;
	/* A disk is full at another size. */
	if (atomic_load(&room->reason) && journal->spare_bytes > 0)
		journal->spare_bytes = 0;
	if (!room->warned && !atomic_load(&room->reason))
		journal->history_told = false;
}

bool room_check(struct room *room, struct journal *journal)
{
	room_measure(room, journal);
	if (journal->spare_bytes >= 0)
		return true;
	refuse(room, REASON_MAX_SIZE);
	return false;
}

/* SQLite has one word for both. What is nearer to its end is what was met: a
 * single batch may be larger than all that max_size leaves. */
void room_exhausted(struct room *room)
{
	int64_t left = room->store->max_size_bytes - atomic_load(&room->used_bytes);

	refuse(room, left < room_on_disk(room) ? REASON_MAX_SIZE : REASON_DISK);
	mailbox_poke(room->prober);
}

int64_t room_on_disk(const struct room *room)
{
	struct statvfs disk;
	char path[PATH_MAX], *slash;

	/* The folder: the file itself is SQLite's alone. */
	slice_to_text(room->store->path, path, sizeof(path));
	slash = strrchr(path, '/');
	if (!slash)
		slice_to_text(LG_SLICE("."), path, sizeof(path));
	else
		slash[slash == path] = '\0';
	if (statvfs(path, &disk) != 0)
		return INT64_MAX; /* the next try will tell */
	return (int64_t)(disk.f_bavail * disk.f_frsize);
}

void room_probe(struct room *room, struct journal *journal)
{
	if (room_on_disk(room) >= DISK_BYTES_MIN + atomic_load(&room->log_bytes) &&
	    room_check(room, journal))
		resume(room);
}
