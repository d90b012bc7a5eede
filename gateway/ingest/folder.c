#include "ingest/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "ingest/folder_exit.h"
#include "ingest/folder_files.h"
#include "ingest/import.h"

#define REJECTS_MODE 0600

/* What was last seen of a file. */
struct sighting {
	ino_t inode;
	off_t size;
	struct timespec modified;
	int64_t since_ms; /* monotonic: for so long it has looked like that */
	bool seen;	  /* in this scan */
	bool stuck;	  /* it could not be taken: after the others */
};

struct watcher {
	struct folder folder;
	struct fetcher *fetcher;
	struct loop_task *turn;
	struct arena arena; /* of the texts that are its own */
	struct lg_slice path;
	int64_t interval_ms, settle_ms;
	struct folder_files files;
	int64_t next_ms;      /* monotonic: when to look again */
	struct error trouble; /* that was told last */
	bool troubled;	      /* in this look */
	int64_t others;	      /* that were told last */

	struct sighting sightings[FOLDER_SIGHTINGS];
	size_t sighting_count;

	/* The file that is to be taken, as far as the scan has come. */
	char chosen[NAME_MAX + 1]; /* "": none */
	struct timespec arrived;
	struct sighting *chosen_sighting;

	struct mailbox mailbox;
	struct loop_mailbox letters;
	struct import_job job;
	char name[NAME_MAX + 1]; /* in `working` */
	int64_t taken_ms;	 /* wall clock: when it came there */
	bool is_new;		 /* it came there just now: nothing was imported of it yet */
	struct folder_exit exit; /* how it, or one before, leaves */
};

static struct watcher *watcher_of(struct folder *folder)
{
	return container_of(folder, struct watcher, folder);
}

/* Once for the same trouble: a look comes every few seconds. Names of files and of their
 * columns are not for the log. */
static void tell_trouble(struct watcher *watcher, const char *text)
{
	watcher->troubled = true;
	if (strcmp(watcher->trouble.text, text) == 0)
		return;
	error_set(&watcher->trouble, "%s", text);
	log_error("folder.trouble", LOG_SLICE("source", watcher->folder.source),
		  LOG_TEXT("reason", text));
}

static void tell_relief(struct watcher *watcher)
{
	if (watcher->troubled || !*watcher->trouble.text)
		return;
	watcher->trouble = (struct error){""};
	log_notice("folder.relief", LOG_SLICE("source", watcher->folder.source));
}

static void tell_failure(struct watcher *watcher, const char *what, int failure)
{
	struct error error;

	error_set(&error, "%s: %s", what, strerror(failure));
	tell_trouble(watcher, error.text);
}

/* ---- the end of a file --------------------------------------------------------------- */

static void log_end(const struct watcher *watcher)
{
	const struct folder_exit *exit = &watcher->exit;
	struct lg_slice source = watcher->folder.source;

	if (!exit->failed)
		log_notice("folder.done", LOG_SLICE("source", source), LOG_INT("rows", exit->rows),
			   LOG_INT("refused", exit->refused));
	else
		log_warning("folder.failed", LOG_SLICE("source", source),
			    LOG_INT("rows", exit->rows),
			    LOG_TEXT("reason", "it lies in \"failed\" with its .reason.txt"));
}

static bool tell_stuck(struct watcher *watcher)
{
	tell_failure(watcher,
		     watcher->exit.failed ? "moving a file to \"failed\""
					  : "moving a file to \"done\"",
		     errno);
	return false;
}

/* False: a part is still in `working`, and tried again. */
static bool finish_exit(struct watcher *watcher)
{
	if (!folder_exit_finish(&watcher->files, &watcher->exit))
		return tell_stuck(watcher);
	watcher->next_ms = 0;
	log_end(watcher);
	return true;
}

/* What a gateway before us had begun, or what could not be done before. */
static bool finish_exits(struct watcher *watcher)
{
	while (folder_exit_find(&watcher->files, &watcher->exit))
		if (!finish_exit(watcher))
			return false;
	return true;
}

/* `reason` NULL: it is done. */
static void put_away(struct watcher *watcher, const char *reason,
		     const struct import_counts *counts)
{
	struct folder_exit *exit = &watcher->exit;

	exit->failed = reason != NULL;
	memcpy(exit->name, watcher->name, sizeof(exit->name));
	exit->rows = counts->rows;
	exit->refused = counts->by_result[IMPORT_REFUSED];
	snprintf(exit->reason, sizeof(exit->reason), "%s", reason ? reason : "");
	if (folder_exit_begin(&watcher->files, exit))
		finish_exit(watcher);
	else
		tell_stuck(watcher);
}

static void fail_unread(struct watcher *watcher, const char *reason)
{
	static const struct import_counts none;
	char text[FOLDER_REASON_BYTES];

	snprintf(text, sizeof(text), "%s\n", reason);
	put_away(watcher, text, &none);
}

static struct import_counts counts_of(const struct import_progress *progress)
{
	struct import_counts counts = {.rows = atomic_load(&progress->rows)};

	for (int i = 0; i < IMPORT_RESULTS; i++)
		counts.by_result[i] = atomic_load(&progress->by_result[i]);
	return counts;
}

static void finish(struct watcher *watcher)
{
	struct import_counts counts = counts_of(&watcher->job.progress);

	put_away(watcher, NULL, &counts);
}

/* A file that is not whole is no loss: what came before is stored. */
static void fail(struct watcher *watcher)
{
	struct import_counts counts = counts_of(&watcher->job.progress);
	const char *reason = watcher->job.error.text;
	char text[FOLDER_REASON_BYTES];

	if (counts.rows == 0) {
		fail_unread(watcher, reason);
		return;
	}
	snprintf(text, sizeof(text),
		 "%s\nIts first %" PRId64 " rows are stored. When it is put into \"incoming\" "
		 "again, it goes on behind them, if its content is still the same; leadgate import "
		 "--again %.*s FILE begins anew.\n",
		 reason, counts.rows, SLICE_ARGS(watcher->folder.source));
	put_away(watcher, text, &counts);
}

/* A gateway that was killed may not have come to move it: what was imported after the file
 * came here is this file. Of one that has just come that is never so, though the clock of the
 * filesystem, which is coarser than ours, may say it, or ours was set back. */
static void end_known(struct watcher *watcher)
{
	const struct import_job *job = &watcher->job;
	char at[CLOCK_RFC3339_BYTES];
	struct error reason;

	if (!watcher->is_new && job->known_ms >= watcher->taken_ms) {
		put_away(watcher, NULL, &job->known);
		return;
	}
	clock_format(job->known_ms, at);
	error_set(&reason,
		  "a file with the same content was imported at %s; leadgate import --again %.*s "
		  "FILE imports it once more",
		  at, SLICE_ARGS(watcher->folder.source));
	fail_unread(watcher, reason.text);
}

/* It stays where it is. Not at once again, for the digest of a large file is much work. */
static void end_interrupted(struct watcher *watcher)
{
	watcher->next_ms = clock_monotonic_ms() + watcher->interval_ms;
	if (!watcher->folder.retired)
		tell_trouble(watcher, watcher->job.error.text);
}

static void end_import(struct watcher *watcher)
{
	switch (watcher->job.end) {
	case IMPORT_ENDED: finish(watcher); break;
	case IMPORT_KNOWN: end_known(watcher); break;
	case IMPORT_UNREADABLE: fail(watcher); break;
	case IMPORT_INTERRUPTED:
	case IMPORT_CANCELLED: end_interrupted(watcher); break;
	}
}

static void close_job(struct watcher *watcher)
{
	if (watcher->job.file >= 0)
		close(watcher->job.file);
	if (watcher->job.rejects >= 0)
		close(watcher->job.rejects);
	import_job_fini(&watcher->job);
}

static void take_job_back(struct watcher *watcher)
{
	end_import(watcher);
	close_job(watcher);
	folder_files_close(&watcher->files);
	watcher->folder.busy = false;
}

static void on_letter(struct loop_mailbox *box, struct letter *letter)
{
	struct watcher *watcher = container_of(box, struct watcher, letters);

	(void)letter;
	take_job_back(watcher);
	loop_task_post(watcher->turn);
}

/* ---- its beginning ------------------------------------------------------------------- */

/* Whoever could read the file may read what was refused of it. */
static int open_rejects(struct watcher *watcher, const struct stat *status)
{
	char hidden[NAME_MAX + 1];
	int fd;

	folder_name_hidden(watcher->name, hidden);
	fd = openat(watcher->files.working, hidden, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
		    REJECTS_MODE);
	if (fd >= 0 && fchmod(fd, (status->st_mode & 0666) | REJECTS_MODE) < 0)
		errno = 0;
	return fd;
}

static int64_t wall_ms(const struct timespec *at)
{
	return (int64_t)at->tv_sec * 1000 + at->tv_nsec / 1000000;
}

/* Imports the file of this name, which is in `working`. */
static void begin(struct watcher *watcher)
{
	struct import_job *job = &watcher->job;
	struct error error;
	struct stat status;
	int file = folder_open(watcher->files.working, watcher->name, &status, &error);

	if (file < 0) {
		fail_unread(watcher, error.text);
		return;
	}
	*job = (struct import_job){
		.reply = &watcher->mailbox,
		.source = watcher->folder.source,
		.name = slice_from(watcher->name),
		.file = file,
		.rejects = open_rejects(watcher, &status),
		/* When it was in `failed`, those of before lie there. */
		.new_rejects = true,
	};
	if (job->rejects < 0) {
		tell_failure(watcher, "making a file for refused rows", errno);
		close(file);
		return;
	}
	watcher->taken_ms = wall_ms(&status.st_ctim);
	watcher->folder.busy = true;
	fetcher_import(watcher->fetcher, job);
}

/* ---- looking ------------------------------------------------------------------------- */

/* One a gateway before us had begun with, or that is to be tried again. */
static bool choose_first(void *arg, const char *name, const struct stat *status)
{
	struct watcher *watcher = arg;

	(void)status;
	if (!*watcher->chosen || strcmp(name, watcher->chosen) < 0)
		slice_to_text(slice_from(name), watcher->chosen, sizeof(watcher->chosen));
	return true;
}

static bool is_same(const struct sighting *sighting, const struct stat *status)
{
	return sighting->size == status->st_size &&
	       sighting->modified.tv_sec == status->st_mtim.tv_sec &&
	       sighting->modified.tv_nsec == status->st_mtim.tv_nsec;
}

/* NULL: there is no room for one more. */
static struct sighting *sight(struct watcher *watcher, const struct stat *status)
{
	struct sighting *sighting = watcher->sightings, *end = sighting + watcher->sighting_count;

	while (sighting < end && sighting->inode != status->st_ino)
		sighting++;
	if (sighting == end && watcher->sighting_count == FOLDER_SIGHTINGS)
		return NULL;
	if (sighting == end)
		watcher->sighting_count++;
	if (sighting == end || !is_same(sighting, status))
		*sighting = (struct sighting){
			.inode = status->st_ino,
			.size = status->st_size,
			.modified = status->st_mtim,
			.since_ms = clock_monotonic_ms(),
		};
	sighting->seen = true;
	return sighting;
}

/* By when they were put there or last written to: the clock of the filesystem. */
static bool comes_before(const struct watcher *watcher, const struct sighting *sighting,
			 const struct stat *status, const char *name)
{
	const struct timespec *a = &status->st_ctim, *b = &watcher->arrived;

	if (!*watcher->chosen)
		return true;
	if (sighting->stuck != watcher->chosen_sighting->stuck)
		return watcher->chosen_sighting->stuck;
	if (a->tv_sec != b->tv_sec)
		return a->tv_sec < b->tv_sec;
	if (a->tv_nsec != b->tv_nsec)
		return a->tv_nsec < b->tv_nsec;
	return strcmp(name, watcher->chosen) < 0;
}

static bool choose_settled(void *arg, const char *name, const struct stat *status)
{
	struct watcher *watcher = arg;
	struct sighting *sighting = sight(watcher, status);

	if (!sighting)
		return false;
	if (clock_monotonic_ms() - sighting->since_ms < watcher->settle_ms ||
	    !comes_before(watcher, sighting, status, name))
		return true;
	slice_to_text(slice_from(name), watcher->chosen, sizeof(watcher->chosen));
	watcher->chosen_sighting = sighting;
	watcher->arrived = status->st_ctim;
	return true;
}

static void forget_unseen(struct watcher *watcher)
{
	size_t kept = 0;

	for (size_t i = 0; i < watcher->sighting_count; i++)
		if (watcher->sightings[i].seen)
			watcher->sightings[kept++] = watcher->sightings[i];
	watcher->sighting_count = kept;
}

static void tell_others(struct watcher *watcher, int64_t others)
{
	if (others > watcher->others)
		log_warning("folder.left-alone", LOG_SLICE("source", watcher->folder.source),
			    LOG_INT("entries", others),
			    LOG_TEXT("reason", "only regular files are imported"));
	watcher->others = others;
}

/* True: a file is in `working` now. One that has vanished is nobody's concern. */
static bool take_chosen(struct watcher *watcher)
{
	bool named = folder_name_free(watcher->files.working, watcher->chosen, watcher->name);

	watcher->is_new = named && folder_move(watcher->files.incoming, watcher->chosen,
					       watcher->files.working, watcher->name);
	if (watcher->is_new)
		return true;
	if (named && errno == ENOENT)
		return false;
	watcher->chosen_sighting->stuck = true;
	tell_failure(watcher, "taking a file out of \"incoming\"", named ? errno : EEXIST);
	return false;
}

static bool find_in_working(struct watcher *watcher)
{
	int64_t others;

	*watcher->chosen = '\0';
	watcher->is_new = false;
	if (!folder_each(watcher->files.working, choose_first, watcher, &others))
		tell_failure(watcher, "reading \"working\"", errno);
	memcpy(watcher->name, watcher->chosen, sizeof(watcher->name));
	return *watcher->name;
}

static bool find_in_incoming(struct watcher *watcher)
{
	int64_t others;
	bool found;

	*watcher->chosen = '\0';
	for (size_t i = 0; i < watcher->sighting_count; i++)
		watcher->sightings[i].seen = false;
	if (!folder_each(watcher->files.incoming, choose_settled, watcher, &others)) {
		tell_failure(watcher, "reading \"incoming\"", errno);
		return false;
	}
	tell_others(watcher, others);
	found = *watcher->chosen && take_chosen(watcher);
	forget_unseen(watcher);
	return found;
}

/* Anew each time: somebody may have moved or mounted something. */
static void look(struct watcher *watcher)
{
	struct error error;

	watcher->troubled = false;
	if (!folder_files_open(&watcher->files, watcher->path, &error)) {
		tell_trouble(watcher, error.text);
		return;
	}
	if (finish_exits(watcher) && (find_in_working(watcher) || find_in_incoming(watcher)))
		begin(watcher);
	else
		tell_relief(watcher);
	if (!watcher->folder.busy)
		folder_files_close(&watcher->files);
}

int64_t folder_look(struct folder *folder)
{
	struct watcher *watcher = watcher_of(folder);
	int64_t now_ms = clock_monotonic_ms();

	if (folder->busy)
		return INT64_MAX;
	if (now_ms >= watcher->next_ms) {
		watcher->next_ms = now_ms + watcher->interval_ms;
		look(watcher);
	}
	if (folder->busy)
		return INT64_MAX;
	return watcher->next_ms > now_ms ? watcher->next_ms - now_ms : 0;
}

/* ---- from start to end --------------------------------------------------------------- */

struct folder *folder_new(struct fetcher *fetcher, const struct source *source, struct loop *loop,
			  struct loop_task *turn)
{
	struct watcher *watcher = alloc_zalloc(sizeof(*watcher));

	if (!watcher)
		return NULL;
	watcher->fetcher = fetcher;
	watcher->turn = turn;
	watcher->files = (struct folder_files){-1, -1, -1, -1};
	watcher->interval_ms = source->settings.imports.folder_interval_ms;
	watcher->settle_ms = source->settings.imports.folder_settle_ms;
	arena_init(&watcher->arena, 1024, 0);
	watcher->folder.source = arena_copy(&watcher->arena, source->instance->name);
	watcher->path = arena_copy(&watcher->arena, source->settings.imports.folder);
	list_init(&watcher->folder.link);
	if (!watcher->arena.failed && mailbox_init(&watcher->mailbox)) {
		if (loop_mailbox_init(&watcher->letters, loop, &watcher->mailbox, on_letter))
			return &watcher->folder;
		mailbox_fini(&watcher->mailbox);
	}
	arena_fini(&watcher->arena);
	alloc_free(watcher);
	return NULL;
}

void folder_free(struct folder **folder)
{
	struct watcher *watcher = watcher_of(*folder);

	*folder = NULL;
	list_remove(&watcher->folder.link);
	loop_mailbox_fini(&watcher->letters);
	mailbox_fini(&watcher->mailbox);
	folder_files_close(&watcher->files);
	arena_fini(&watcher->arena);
	alloc_free(watcher);
}

void folder_end(struct folder *folder)
{
	struct watcher *watcher = watcher_of(folder);

	folder->retired = true;
	if (folder->busy && mailbox_take(&watcher->mailbox))
		take_job_back(watcher);
	ALWAYS(!folder->busy);
}
