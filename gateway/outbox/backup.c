#include "outbox/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "outbox/reader_private.h"
#include "outbox/schema.h"

/* Pages of one step: some megabytes. */
#define STEP_PAGES 512

struct copy {
	sqlite3 *from, *to;
	const char *file;
	char partial[PATH_MAX];
	void (*progress)(void *arg, int64_t done, int64_t all);
	void *arg;
};

static bool fail(struct copy *copy, const char *what, struct error *error)
{
	return error_set(error, "%s: %s: %s", copy->file, what, strerror(errno));
}

/* Ours alone from its first moment, and no file of anybody's. */
static bool make_file(struct copy *copy, struct error *error)
{
	struct stat there;
	int fd;

	if (lstat(copy->file, &there) == 0)
		return error_set(error, "%s is there already; a backup overwrites nothing",
				 copy->file);
	if (snprintf(copy->partial, PATH_MAX, "%s.partial", copy->file) >= PATH_MAX)
		return error_set(error, "the name of the file is too long");
	fd = open(copy->partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0) {
		close(fd);
		return true;
	}
	if (errno == EEXIST)
		return error_set(error,
				 "%s is there: another backup is under way, or one was broken off; "
				 "then remove it",
				 copy->partial);
	return fail(copy, "making it", error);
}

/* Nothing of it is worth anything before the end, so it has no journal and is
 * synced once. */
static bool open_target(struct copy *copy, struct error *error)
{
	if (sqlite3_open_v2(copy->partial, &copy->to, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
	    sqlite3_exec(copy->to, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", NULL,
			 NULL, NULL) == SQLITE_OK)
		return true;
	return error_set(error, "%s: %s", copy->file, sqlite3_errmsg(copy->to));
}

static bool copy_pages(struct copy *copy, struct error *error)
{
	int64_t page_bytes = schema_integer(copy->from, "PRAGMA page_size");
	sqlite3_backup *backup = sqlite3_backup_init(copy->to, "main", copy->from, "main");
	int rc = SQLITE_OK;

	while (backup && (rc = sqlite3_backup_step(backup, STEP_PAGES)) == SQLITE_OK) {
		int64_t all = sqlite3_backup_pagecount(backup);
		int64_t done = all - sqlite3_backup_remaining(backup);
		if (copy->progress)
			copy->progress(copy->arg, done * page_bytes, all * page_bytes);
	}
	sqlite3_backup_finish(backup);
	if (backup && rc == SQLITE_DONE)
		return true;
	return error_set(error, "%s: %s", copy->file,
			 backup ? sqlite3_errstr(rc) : sqlite3_errmsg(copy->to));
}

/* The transaction keeps one state of the journal in sight; without it every
 * commit of the gateway would send the copy back to its beginning. */
static bool copy_snapshot(struct copy *copy, struct error *error)
{
	if (sqlite3_exec(copy->from, "BEGIN; SELECT count(*) FROM sqlite_schema", NULL, NULL,
			 NULL) != SQLITE_OK)
		return error_set(error, "reading the journal: %s", sqlite3_errmsg(copy->from));
	bool done = copy_pages(copy, error);
	sqlite3_exec(copy->from, "COMMIT", NULL, NULL, NULL);
	return done;
}

static bool sync_path(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);
	bool done = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return done;
}

static bool sync_folder(const char *file)
{
	char folder[PATH_MAX], *slash;

	snprintf(folder, sizeof(folder), "%s", file);
	slash = strrchr(folder, '/');
	if (!slash)
		snprintf(folder, sizeof(folder), ".");
	else
		slash[slash == folder] = '\0';
	return sync_path(folder, O_RDONLY | O_DIRECTORY);
}

/* Some file systems cannot refuse to replace; there the look at the beginning
 * must do. */
static bool name_it(struct copy *copy)
{
	if (renameat2(AT_FDCWD, copy->partial, AT_FDCWD, copy->file, RENAME_NOREPLACE) == 0)
		return true;
	return errno == EINVAL && rename(copy->partial, copy->file) == 0;
}

static bool finish(struct copy *copy, struct error *error)
{
	if (!sync_path(copy->partial, O_RDWR))
		return fail(copy, "syncing it", error);
	if (!name_it(copy))
		return fail(copy, "giving it its name", error);
	if (!sync_folder(copy->file))
		return fail(copy, "it is there, but syncing its folder", error);
	return true;
}

bool backup_write(struct reader *reader, const char *file,
		  void (*progress)(void *arg, int64_t done, int64_t all), void *arg,
		  struct error *error)
{
	struct copy copy = {.from = reader->db, .file = file, .progress = progress, .arg = arg};

	if (!make_file(&copy, error))
		return false;
	bool done = open_target(&copy, error) && copy_snapshot(&copy, error);
	sqlite3_close(copy.to);
	done = done && finish(&copy, error);
	if (!done)
		unlink(copy.partial);
	return done;
}
