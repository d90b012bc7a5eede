/* The parts of the file plugin. Nothing here is seen outside of it. A sink belongs to the
 * thread that opened it. */
#ifndef SINKS_FILE_H
#define SINKS_FILE_H

#include <leadgate/sink.h>

#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define FILE_OPTION_COUNT 5
#define IOVECS 1024	    /* of one write: UIO_MAXIOV of Linux */
#define BATCH_BYTES 4194304 /* of one batch, which is synced at its end */
#define STAMP_BYTES 19	    /* behind path and a dot: 20260102T030405678Z */

struct settings {
	struct lg_slice path;
	struct lg_slice mode;
	int64_t rotate_size;
	int64_t rotate_interval;
	int64_t keep;
};

struct sink {
	struct lg_host *host;
	const struct settings *settings;
	char path[PATH_MAX];
	char folder[PATH_MAX];
	const char *name; /* in path, after the last '/' */
	mode_t mode;
	int fd;
	struct stat file; /* as it was after the last open or write */
	off_t paced;	  /* up to here the kernel was told to write */
	int32_t rotations, cuts;
	struct iovec iovecs[IOVECS];
};

/* ---- settings.c ---- */

extern const struct lg_option file_options[FILE_OPTION_COUNT];

/* The `check` of the plugin. LG_FAIL with `problem`. Any thread, no side effects. */
int32_t file_settings_check(const void *settings, struct lg_text problem);

/* Reads permissions in octal. False: they are none, or not good for this sink. Any thread. */
bool file_settings_mode(struct lg_slice text, mode_t *mode);

/* ---- output.c: the file itself ---- */

/* Opens what is called `path`, for this sink alone, makes it where it is missing, and
 * repairs its last line. False with errno and a sentence: nothing is open. */
bool output_open(struct sink *sink, struct lg_text problem);

/* Makes sure that we write into what is called `path` now: somebody may have renamed the
 * file (logrotate), removed or emptied it. False as output_open. */
bool output_follow(struct sink *sink, struct lg_text problem);

/* Appends the events of a batch, a line each, and syncs them. False with errno: the file is
 * as it was before, or closed. */
bool output_append(struct sink *sink, struct lg_batch *batch);

/* Does nothing when none is open. */
void output_close(struct sink *sink);

/* ---- repair.c ---- */

/* Makes the open file end with a whole line: cuts off what a crash left of one, and ends a
 * whole one that lacks its line feed. False with errno and a sentence. */
bool repair_tail(struct sink *sink, struct lg_text problem);

/* ---- rotation.c ---- */

/* Renames the open file and begins a new one when it is large or old enough at `now_ms`
 * (wall clock), and removes the oldest ones beyond `keep`. Between two batches, when the
 * file is whole and synced. False with errno and a sentence: the old file is open still,
 * or none is. */
bool rotation_apply(struct sink *sink, int64_t now_ms, struct lg_text problem);

/* ---- for all ---- */

/* Writes a sentence, which is cut when it is too long, and returns LG_FAIL. */
__attribute__((format(printf, 2, 3))) static inline int32_t say(struct lg_text problem,
								const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(problem.data, problem.capacity, format, args);
	va_end(args);
	return LG_FAIL;
}

/* What stands where a file should. */
static inline const char *file_kind(mode_t mode)
{
	return S_ISDIR(mode)	? "a folder"
	       : S_ISFIFO(mode) ? "a pipe"
	       : S_ISSOCK(mode) ? "a socket"
				: "a device";
}

#endif
