#include "ingest/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "ingest/folder_exit.h"
#include "ingest/folder_files.h"
#include "ingest/folder_incoming.h"
#include "ingest/folder_verdict.h"
#include "ingest/import.h"

#define REJECTS_MODE 0600

struct watcher {
	struct folder folder;
	struct fetcher *fetcher;
	struct loop_task *turn;
	struct arena arena; /* of the texts that are its own */
	struct lg_slice path;
	int64_t interval_ms;
	struct folder_files files;
	int64_t next_ms;      /* monotonic: when to look again */
	struct error trouble; /* that was told last */
	bool troubled;	      /* in this look */
	int64_t others;	      /* that were told last */

	struct folder_incoming incoming;

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

/* Where the exit says: that is whole but for its names. */
static void put_away(struct watcher *watcher)
{
	struct folder_exit *exit = &watcher->exit;

	memcpy(exit->name, watcher->name, sizeof(exit->name));
	if (folder_exit_begin(&watcher->files, exit))
		finish_exit(watcher);
	else
		tell_stuck(watcher);
}

/* A gateway that was killed may not have come to move it: what was imported after the file
 * came here is this file. Of one that has just come that is never so, though the clock of the
 * filesystem, which is coarser than ours, may say it, or ours was set back. */
static bool is_known_itself(const struct watcher *watcher)
{
	return !watcher->is_new && watcher->job.known_ms >= watcher->taken_ms;
}

static void end_import(struct watcher *watcher)
{
	if (folder_verdict(&watcher->job, is_known_itself(watcher), &watcher->exit)) {
		put_away(watcher);
		return;
	}
	/* Not at once again, for the digest of a large file is much work. */
	watcher->next_ms = clock_monotonic_ms() + watcher->interval_ms;
	if (!watcher->folder.retired)
		tell_trouble(watcher, watcher->job.error.text);
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
		folder_verdict_unread(error.text, &watcher->exit);
		put_away(watcher);
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
	if (!*watcher->name || strcmp(name, watcher->name) < 0)
		slice_to_text(slice_from(name), watcher->name, sizeof(watcher->name));
	return true;
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
	const char *chosen = watcher->incoming.chosen;
	bool named = folder_name_free(watcher->files.working, chosen, watcher->name);

	watcher->is_new = named && folder_move(watcher->files.incoming, chosen,
					       watcher->files.working, watcher->name);
	if (watcher->is_new)
		return true;
	if (named && errno == ENOENT)
		return false;
	folder_incoming_defer(&watcher->incoming);
	tell_failure(watcher, "taking a file out of \"incoming\"", named ? errno : EEXIST);
	return false;
}

static bool find_in_working(struct watcher *watcher)
{
	int64_t others;

	*watcher->name = '\0';
	watcher->is_new = false;
	if (!folder_each(watcher->files.working, choose_first, watcher, &others))
		tell_failure(watcher, "reading \"working\"", errno);
	return *watcher->name;
}

static bool find_in_incoming(struct watcher *watcher)
{
	int64_t others;

	if (!folder_incoming_choose(&watcher->incoming, watcher->files.incoming, &others)) {
		tell_failure(watcher, "reading \"incoming\"", errno);
		return false;
	}
	tell_others(watcher, others);
	return *watcher->incoming.chosen && take_chosen(watcher);
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
	watcher->incoming.settle_ms = source->settings.imports.folder_settle_ms;
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
