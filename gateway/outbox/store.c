#include "outbox/store.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "outbox/pacer_vfs.h"
#include "outbox/schema.h"

/* How long closing waits for readers. */
#define CLOSE_BUSY_MS 200

#define WAY_OUT_DAMAGED                                                                \
	"keep a copy of it and of its -wal, then restore a backup or recover it with " \
	"\"sqlite3 FILE .recover\""

static bool run(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

bool store_explain(sqlite3 *db, struct lg_slice path, struct error *error)
{
	int rc = sqlite3_errcode(db) & 0xff;

	if (rc == SQLITE_NOTADB)
		return error_set(
			error,
			"%.*s is no SQLite database, so it is not a journal of leadgate; give "
			"store.path another name",
			SLICE_ARGS(path));
	if (rc == SQLITE_CORRUPT)
		return error_set(error, "%.*s is damaged (%s); " WAY_OUT_DAMAGED, SLICE_ARGS(path),
				 sqlite3_errmsg(db));
	if (rc == SQLITE_CANTOPEN)
		return error_set(error,
				 "%.*s cannot be opened: %s; the folder of store.path must "
				 "exist, and folder and file must be writable for this user",
				 SLICE_ARGS(path), strerror(sqlite3_system_errno(db)));
	if (rc == SQLITE_READONLY)
		return error_set(error, "%.*s may not be written by this user", SLICE_ARGS(path));
	return error_set(error, "%.*s: %s", SLICE_ARGS(path), sqlite3_errmsg(db));
}

static bool full_path(struct lg_slice path, const char *suffix, char out[PATH_MAX])
{
	return snprintf(out, PATH_MAX, "%.*s%s", SLICE_ARGS(path), suffix) < PATH_MAX;
}

bool store_check_files(struct lg_slice path, struct error *error)
{
	char file[PATH_MAX], log[PATH_MAX];
	struct stat journal = {.st_size = 0}, wal;

	if (!full_path(path, "", file) || !full_path(path, "-wal", log))
		return error_set(error, "store.path is longer than a path may be");
	if (stat(file, &journal) < 0 && errno != ENOENT)
		return error_set(error, "%s: %s", file, strerror(errno));
	if (journal.st_mode != 0 && !S_ISREG(journal.st_mode))
		return error_set(error, "%s is no file; give store.path another name", file);
	/* SQLite would take the log for a left-over and delete it. */
	if (journal.st_size == 0 && stat(log, &wal) == 0 && wal.st_size > 0)
		return error_set(
			error,
			"%s is missing or empty, but its log %s is there and may hold leads: put "
			"%s back beside it, or move the log away",
			file, log, file);
	return true;
}

/* SQLite's count of all memory is a lock that every allocation of every lane
 * takes. Refused, and no matter, when SQLite is in use already. */
static void set_up_sqlite(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static const char *no_vfs(void)
{
	return NULL;
}

/* `vfs` is asked once SQLite is set up. */
static sqlite3 *open_file(struct lg_slice path, int flags, const char *(*vfs)(void),
			  struct error *error)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	char file[PATH_MAX];
	sqlite3 *db = NULL;

	pthread_once(&once, set_up_sqlite);
	if (!full_path(path, "", file)) {
		error_set(error, "store.path is longer than a path may be");
		return NULL;
	}
	/* One thread a connection, so SQLite need not lock it. */
	int rc = sqlite3_open_v2(file, &db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
				 vfs());
	if (rc == SQLITE_OK && sqlite3_busy_timeout(db, STORE_BUSY_MS) == SQLITE_OK)
		return db;
	if (db)
		store_explain(db, path, error);
	else
		error_set(error, "%s: %s", file, sqlite3_errstr(rc));
	sqlite3_close(db);
	return NULL;
}

sqlite3 *store_open(struct lg_slice path, struct error *error)
{
	int persist = 1;
	sqlite3 *db = open_file(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
				pacer_vfs_register, error);
	if (!db)
		return NULL;
	/* The log stays as large as it is, after the last one closed it as well. */
	sqlite3_file_control(db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
	sqlite3_wal_autocheckpoint(db, 0);
	if (run(db,
		"PRAGMA synchronous = FULL; PRAGMA secure_delete = OFF; PRAGMA cache_size = -4096;"
		" PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF"))
		return db;
	store_explain(db, path, error);
	sqlite3_close(db);
	return NULL;
}

sqlite3 *store_open_reader(struct lg_slice path, struct error *error)
{
	sqlite3 *db = open_file(path, SQLITE_OPEN_READONLY, no_vfs, error);

	if (db && !run(db, "PRAGMA query_only = ON; PRAGMA cache_size = -1024; PRAGMA "
			   "trusted_schema = OFF")) {
		store_explain(db, path, error);
		sqlite3_close(db);
		db = NULL;
	}
	return db;
}

static bool is_ours(sqlite3 *db, struct lg_slice path, struct error *error)
{
	int64_t application = schema_integer(db, "PRAGMA application_id");
	int64_t version = schema_integer(db, "PRAGMA user_version");

	if (application < 0 || version < 0)
		return store_explain(db, path, error);
	if (application != SCHEMA_APPLICATION_ID)
		return error_set(
			error,
			"%.*s is an SQLite database of another program; give store.path another "
			"name",
			SLICE_ARGS(path));
	if (version > SCHEMA_VERSION)
		return error_set(
			error,
			"%.*s was written by a newer leadgate (its schema is %lld, this one knows "
			"up to %d); start that version again, or restore a backup from before",
			SLICE_ARGS(path), (long long)version, SCHEMA_VERSION);
	if (version < SCHEMA_VERSION_FIRST)
		return error_set(error,
				 "%.*s has schema %lld, which no released leadgate has "
				 "written; " WAY_OUT_DAMAGED,
				 SLICE_ARGS(path), (long long)version);
	return true;
}

static int64_t file_bytes(sqlite3 *db, int which)
{
	sqlite3_file *file = NULL;
	sqlite3_int64 size = 0;

	if (sqlite3_file_control(db, "main", which, &file) != SQLITE_OK || !file ||
	    !file->pMethods || file->pMethods->xFileSize(file, &size) != SQLITE_OK)
		return -1;
	return size;
}

/* A file that was cut off has fewer pages than its header says. Only beside an
 * empty log: after a crash a part of the pages may be there alone. */
static bool is_whole(sqlite3 *db, struct lg_slice path, struct error *error)
{
	int64_t bytes = schema_integer(db, "PRAGMA page_count") *
			schema_integer(db, "PRAGMA page_size");
	int64_t size = file_bytes(db, SQLITE_FCNTL_FILE_POINTER);

	if (bytes <= 0 || size < 0)
		return store_explain(db, path, error);
	if (size >= bytes || file_bytes(db, SQLITE_FCNTL_JOURNAL_POINTER) > 0)
		return true;
	return error_set(error,
			 "%.*s is damaged: %lld of its %lld bytes are missing; " WAY_OUT_DAMAGED,
			 SLICE_ARGS(path), (long long)(bytes - size), (long long)bytes);
}

bool store_peek(struct lg_slice path, struct error *error)
{
	struct error unreadable = {""};
	sqlite3 *db = store_open_reader(path, &unreadable);
	bool ours = true;

	/* No file yet, or the rest of a first transaction to roll back. */
	if (!db)
		return true;
	int64_t tables = schema_integer(db, "SELECT count(*) FROM sqlite_schema");
	if (tables < 0 && (sqlite3_errcode(db) & 0xff) != SQLITE_READONLY &&
	    (sqlite3_errcode(db) & 0xff) != SQLITE_CANTOPEN)
		ours = store_explain(db, path, error);
	else if (tables > 0 || (tables == 0 && schema_integer(db, "PRAGMA application_id") != 0))
		ours = is_ours(db, path, error);
	sqlite3_close(db);
	return ours;
}

bool store_check(sqlite3 *db, struct lg_slice path, int64_t page_bytes, struct error *error)
{
	int64_t tables = schema_integer(db, "SELECT count(*) FROM sqlite_schema");
	struct error reason = {""};

	if (tables < 0)
		return store_explain(db, path, error);
	/* EXTRA: the journal of the first transaction is gone for good before a log
	 * can be there; rolled back beside a log, it would take the log's leads. */
	if (!run(db, "PRAGMA synchronous = EXTRA"))
		return store_explain(db, path, error);
	if (tables == 0 && schema_integer(db, "PRAGMA application_id") == 0 &&
	    !schema_create(db, page_bytes, error))
		return store_explain(db, path, error);
	if (!is_ours(db, path, error))
		return false;
	if (!run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"))
		return store_explain(db, path, error);
	if (!is_whole(db, path, error))
		return false;
	if (schema_migrate(db, &reason))
		return true;
	return error_set(error, "%.*s could not be brought up to date: %s", SLICE_ARGS(path),
			 reason.text);
}

bool store_check_reader(sqlite3 *db, struct lg_slice path, struct error *error)
{
	if (!is_ours(db, path, error))
		return false;
	if (schema_integer(db, "PRAGMA user_version") == SCHEMA_VERSION)
		return true;
	return error_set(error,
			 "%.*s was written by an older leadgate; start the gateway once, which "
			 "brings it up to date",
			 SLICE_ARGS(path));
}

void store_close(sqlite3 *db)
{
	if (!db)
		return;
	/* So that the next start need not read it. Who still reads may keep it. */
	sqlite3_busy_timeout(db, CLOSE_BUSY_MS);
	sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_close(db);
}

int store_plain_result(sqlite3 *db, int rc)
{
	int system = sqlite3_system_errno(db);

	if ((rc & 0xff) == SQLITE_IOERR && rc != SQLITE_IOERR_FSYNC &&
	    rc != SQLITE_IOERR_DIR_FSYNC && (system == ENOSPC || system == EDQUOT))
		return SQLITE_FULL;
	return rc;
}

void store_abort_if_broken(sqlite3 *db, int rc)
{
	switch (rc) {
	case SQLITE_IOERR_WRITE:
	case SQLITE_IOERR_FSYNC:
	case SQLITE_IOERR_DIR_FSYNC:
	case SQLITE_IOERR_TRUNCATE:
	case SQLITE_IOERR_FSTAT:
	case SQLITE_IOERR_CLOSE:
	case SQLITE_IOERR_SHMSIZE:
	case SQLITE_IOERR_SHMMAP:
		error_abort("the journal cannot be written: %s (SQLite %d, system %d); what was "
			    "acknowledged is safe: start again when the disk is repaired",
			    sqlite3_errstr(rc), rc, sqlite3_system_errno(db));
	default: break;
	}
}
