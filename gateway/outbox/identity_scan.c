#include "outbox/identity_scan.h"

#include <pthread.h>

#include "base/buffer.h"
#include "outbox/identity_row.h"
#include "outbox/statements.h"
#include "outbox/store.h"

/* More than there are cores: most of them wait for the disk. */
#define THREADS 6
/* Stretches under way; so much memory is in use at most. */
#define SLOTS 12
#define STRETCH_ROWS 8192

/* One stretch on its way from a reader to the caller. */
struct slot {
	bool full;
	struct buffer persons, recent; /* of struct index_entry */
	int64_t rows, leads;
};

struct scan {
	struct lg_slice path;
	const struct identity_scan_rules *rules;
	int64_t first_seq, last_seq;
	int64_t count; /* of stretches */

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	struct slot slots[SLOTS];
	int64_t next; /* that no reader has begun */
	int64_t taken;
	bool failed;
	struct error error;
};

static void fail(struct scan *scan, const struct error *error)
{
	pthread_mutex_lock(&scan->lock);
	if (!scan->failed)
		scan->error = *error;
	scan->failed = true;
	pthread_cond_broadcast(&scan->changed);
	pthread_mutex_unlock(&scan->lock);
}

/* ---- readers ---------------------------------------------------------------- */

static void add_key(const struct scan *scan, struct slot *slot, const struct identity_key *key,
		    int64_t seq, int64_t at_ms)
{
	const struct index_entry entry = {key->hash, seq};

	switch (identity_row_place(key, scan->rules->key_kinds)) {
	case IDENTITY_PLACE_NONE: break;
	case IDENTITY_PLACE_PERSONS: buffer_add(&slot->persons, &entry, sizeof(entry)); break;
	case IDENTITY_PLACE_RECENT:
		if (at_ms >= scan->rules->recent_from_ms)
			buffer_add(&slot->recent, &entry, sizeof(entry));
		break;
	}
}

static bool read_row(const struct scan *scan, struct slot *slot, sqlite3_stmt *select,
		     struct error *error)
{
	int64_t seq = sqlite3_column_int64(select, 0);
	int64_t at_ms = sqlite3_column_int64(select, 1);
	struct identity_row row;

	if (seq <= 0 || seq > INDEX_SEQ_MAX ||
	    !identity_row_unpack(&row, statement_column(select, 2)))
		return error_set(error, "row %lld of its table identity is damaged",
				 (long long)seq);
	slot->rows++;
	slot->leads += row.flags & IDENTITY_ROW_CREATED;
	for (size_t i = 0; i < row.key_count; i++)
		add_key(scan, slot, &row.keys[i], seq, at_ms);
	return (!slot->persons.failed && !slot->recent.failed) ||
	       error_set(error, "there is not enough memory for the index of persons");
}

static bool read_stretch(const struct scan *scan, struct slot *slot, sqlite3_stmt *select,
			 int64_t first_seq, struct error *error)
{
	int64_t last_seq = first_seq + STRETCH_ROWS - 1;
	int rc;

	buffer_clear(&slot->persons);
	buffer_clear(&slot->recent);
	slot->rows = slot->leads = 0;
	sqlite3_bind_int64(select, 1, first_seq);
	sqlite3_bind_int64(select, 2, last_seq < scan->last_seq ? last_seq : scan->last_seq);
	while ((rc = sqlite3_step(select)) == SQLITE_ROW)
		if (!read_row(scan, slot, select, error))
			return false;
	if (rc != SQLITE_DONE)
		return error_set(error, "%s", sqlite3_errmsg(sqlite3_db_handle(select)));
	sqlite3_reset(select);
	return true;
}

/* The number of a stretch that nobody has begun, when there is a slot for it;
 * -1: there is nothing more to do. */
static int64_t begin_stretch(struct scan *scan)
{
	int64_t number = -1;

	pthread_mutex_lock(&scan->lock);
	while (!scan->failed && scan->next < scan->count && scan->next >= scan->taken + SLOTS)
		pthread_cond_wait(&scan->changed, &scan->lock);
	if (!scan->failed && scan->next < scan->count)
		number = scan->next++;
	pthread_mutex_unlock(&scan->lock);
	return number;
}

static void end_stretch(struct scan *scan, struct slot *slot)
{
	pthread_mutex_lock(&scan->lock);
	slot->full = true;
	pthread_cond_broadcast(&scan->changed);
	pthread_mutex_unlock(&scan->lock);
}

static bool read_stretches(struct scan *scan, sqlite3_stmt *select, struct error *error)
{
	int64_t number;

	while ((number = begin_stretch(scan)) >= 0) {
		struct slot *slot = &scan->slots[number % SLOTS];

		if (!read_stretch(scan, slot, select, scan->first_seq + number * STRETCH_ROWS,
				  error))
			return false;
		end_stretch(scan, slot);
	}
	return true;
}

static void *reader_main(void *arg)
{
	struct scan *scan = arg;
	struct error error = {""};
	sqlite3 *db = store_open_reader(scan->path, &error);
	sqlite3_stmt *select = NULL;

	if (!db)
		fail(scan, &error);
	else if (sqlite3_prepare_v2(db,
				    "SELECT seq, at, keys FROM identity"
				    " WHERE seq BETWEEN ? AND ? ORDER BY seq",
				    -1, &select, NULL) != SQLITE_OK) {
		error_set(&error, "%s", sqlite3_errmsg(db));
		fail(scan, &error);
	} else if (!read_stretches(scan, select, &error)) {
		fail(scan, &error);
	}
	sqlite3_finalize(select);
	sqlite3_close(db);
	return NULL;
}

/* ---- the caller ------------------------------------------------------------- */

/* Waits for a stretch; NULL: a reader has failed. */
static struct slot *wait_for(struct scan *scan, int64_t number)
{
	struct slot *slot = &scan->slots[number % SLOTS];

	pthread_mutex_lock(&scan->lock);
	while (!scan->failed && !slot->full)
		pthread_cond_wait(&scan->changed, &scan->lock);
	if (scan->failed)
		slot = NULL;
	pthread_mutex_unlock(&scan->lock);
	return slot;
}

static void give_back(struct scan *scan, struct slot *slot)
{
	pthread_mutex_lock(&scan->lock);
	slot->full = false;
	scan->taken++;
	pthread_cond_broadcast(&scan->changed);
	pthread_mutex_unlock(&scan->lock);
}

static struct identity_stretch stretch_of(const struct slot *slot)
{
	struct lg_slice persons = buffer_slice(&slot->persons);
	struct lg_slice recent = buffer_slice(&slot->recent);

	return (struct identity_stretch){
		.persons = (const void *)persons.data,
		.recent = (const void *)recent.data,
		.person_count = persons.length / sizeof(struct index_entry),
		.recent_count = recent.length / sizeof(struct index_entry),
		.rows = slot->rows,
		.leads = slot->leads,
	};
}

static void take_all(struct scan *scan,
		     bool (*take)(void *arg, const struct identity_stretch *stretch,
				  struct error *error),
		     void *arg)
{
	struct error error = {""};

	for (int64_t number = 0; number < scan->count; number++) {
		struct slot *slot = wait_for(scan, number);
		struct identity_stretch stretch;

		if (!slot)
			return;
		stretch = stretch_of(slot);
		if (!take(arg, &stretch, &error)) {
			fail(scan, &error);
			return;
		}
		give_back(scan, slot);
	}
}

/* The rows' numbers, and how many stretches that makes. */
static bool find_rows(struct scan *scan, sqlite3 *db, struct error *error)
{
	/* At first a number that nobody gave is looked for too. */
	int64_t after_seq = scan->rules->after_seq > 0 ? scan->rules->after_seq : INT64_MIN;
	sqlite3_stmt *select = NULL;
	bool found = sqlite3_prepare_v2(db,
					"SELECT (SELECT min(seq) FROM identity WHERE seq > ?1),"
					" (SELECT max(seq) FROM identity WHERE seq > ?1)",
					-1, &select, NULL) == SQLITE_OK &&
		     sqlite3_bind_int64(select, 1, after_seq) == SQLITE_OK &&
		     sqlite3_step(select) == SQLITE_ROW;

	if (!found)
		error_set(error, "%s", sqlite3_errmsg(db));
	else if (sqlite3_column_type(select, 0) != SQLITE_NULL) {
		scan->first_seq = sqlite3_column_int64(select, 0);
		scan->last_seq = sqlite3_column_int64(select, 1);
		if (scan->first_seq <= 0 || scan->last_seq > INDEX_SEQ_MAX)
			found = error_set(error, "row %lld of its table identity is damaged",
					  (long long)(scan->first_seq <= 0 ? scan->first_seq
									   : scan->last_seq));
		else
			scan->count = (scan->last_seq - scan->first_seq) / STRETCH_ROWS + 1;
	}
	sqlite3_finalize(select);
	return found;
}

static void run(struct scan *scan,
		bool (*take)(void *arg, const struct identity_stretch *stretch,
			     struct error *error),
		void *arg)
{
	pthread_t threads[THREADS];
	size_t started = 0;

	while (started < THREADS && (int64_t)started < scan->count &&
	       pthread_create(&threads[started], NULL, reader_main, scan) == 0)
		started++;
	if (started == 0) {
		struct error error;

		error_set(&error, "no thread could be started to read the identity table");
		fail(scan, &error);
	}
	take_all(scan, take, arg);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
}

bool identity_scan(sqlite3 *db, const struct identity_scan_rules *rules,
		   bool (*take)(void *arg, const struct identity_stretch *stretch,
				struct error *error),
		   void *arg, int64_t *last_seq, struct error *error)
{
	struct scan scan = {.path = slice_from(sqlite3_db_filename(db, "main")), .rules = rules};

	if (!find_rows(&scan, db, error))
		return false;
	if (scan.count == 0)
		return true;
	pthread_mutex_init(&scan.lock, NULL);
	pthread_cond_init(&scan.changed, NULL);
	for (size_t i = 0; i < SLOTS; i++) {
		buffer_init(&scan.slots[i].persons, SIZE_MAX);
		buffer_init(&scan.slots[i].recent, SIZE_MAX);
	}
	run(&scan, take, arg);
	for (size_t i = 0; i < SLOTS; i++) {
		buffer_fini(&scan.slots[i].persons);
		buffer_fini(&scan.slots[i].recent);
	}
	pthread_mutex_destroy(&scan.lock);
	pthread_cond_destroy(&scan.changed);
	if (scan.failed)
		*error = scan.error;
	else
		*last_seq = scan.last_seq;
	return !scan.failed;
}
