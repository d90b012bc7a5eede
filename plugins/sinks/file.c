/* file: one event a line, as JSON, appended to a file and synced before it is
 * said to be delivered.
 *
 *   sinks:
 *     archive: { plugin: file, path: var/leads.ndjson, rotate_interval: 1d, keep: 30 }
 *
 * A batch is all or nothing: what could not be written whole is cut off again,
 * and a line that a crash left torn is cut off when the file is opened. Such a
 * line was never acknowledged; its event comes again. */
#define _GNU_SOURCE 1
#include <leadgate/sink.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define IOVECS 1024 /* of one write: UIO_MAXIOV of Linux */
/* Bytes after which the kernel is told to begin writing, so that the sync at
 * the end finds little left and does not stall others on the same disk. */
#define PACE_BYTES ((off_t)262144)
/* What one deliver writes before it syncs is below this, so a crash leaves
 * nothing unsynced further from the end. */
#define BATCH_BYTES 4194304
#define TAIL_BYTES ((off_t)16777216)
#define STAMP_BYTES 19 /* 20260102T030405678Z */

struct settings {
	struct lg_slice path;
	struct lg_slice mode;
	int64_t rotate_size;
	int64_t rotate_interval;
	int64_t keep;
};

static const struct lg_option options[] = {
	{.name = "path",
	 .type = LG_PATH,
	 .flags = LG_REQUIRED,
	 .offset = offsetof(struct settings, path),
	 .help = "the file that receives one line of JSON an event; it is made when it is missing"},
	{.name = "mode",
	 .type = LG_STRING,
	 .offset = offsetof(struct settings, mode),
	 .fallback = "0600",
	 .help = "permissions of a new file, in octal"},
	{.name = "rotate_size",
	 .type = LG_SIZE,
	 .offset = offsetof(struct settings, rotate_size),
	 .fallback = "0",
	 .min = 0,
	 .max = INT64_C(1) << 50,
	 .help = "a file of this size is renamed to path.YYYYMMDDTHHMMSSmmmZ and a new one is "
		 "begun; 0: never"},
	{.name = "rotate_interval",
	 .type = LG_DURATION,
	 .offset = offsetof(struct settings, rotate_interval),
	 .fallback = "0s",
	 .min = 0,
	 .max = INT64_C(366) * 86400000,
	 .help = "the same when a new period of this length has begun (counted in UTC, so 1d turns "
		 "at midnight) and an event arrives; 0s: never"},
	{.name = "keep",
	 .type = LG_INTEGER,
	 .offset = offsetof(struct settings, keep),
	 .fallback = "0",
	 .min = 0,
	 .max = 100000,
	 .help = "how many renamed files are kept, the oldest are removed; 0: all"},
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

/* ---- words ----------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static int32_t say(struct lg_text problem, const char *format,
							 ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(problem.data, problem.capacity, format, args);
	va_end(args);
	return LG_FAIL;
}

__attribute__((format(printf, 3, 4))) static void note(struct sink *sink, int32_t level,
						       const char *format, ...)
{
	char text[PATH_MAX + 256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	lg_log(sink->host, level, (struct lg_slice){text, strlen(text)});
}

static bool parse_mode(struct lg_slice text, mode_t *mode)
{
	*mode = 0;
	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] < '0' || text.data[i] > '7' || i > 4)
			return false;
		*mode = *mode * 8 + (mode_t)(text.data[i] - '0');
	}
	/* A file that we cannot read back could not be repaired after a crash. */
	return text.length && (*mode & 0600) == 0600 && *mode <= 0777;
}

static const char *kind_of(mode_t mode)
{
	return S_ISDIR(mode)	? "a folder"
	       : S_ISFIFO(mode) ? "a pipe"
	       : S_ISSOCK(mode) ? "a socket"
				: "a device";
}

static int32_t check(const void *memory, struct lg_text problem)
{
	const struct settings *settings = memory;
	char path[PATH_MAX];
	struct stat found;
	mode_t mode;

	if (settings->path.length == 0 || settings->path.length + STAMP_BYTES + 2 > sizeof(path) ||
	    memchr(settings->path.data, '\0', settings->path.length))
		return say(problem, "path must name a file, in at most %zu bytes",
			   sizeof(path) - STAMP_BYTES - 2);
	memcpy(path, settings->path.data, settings->path.length);
	path[settings->path.length] = '\0';
	if (path[settings->path.length - 1] == '/')
		return say(problem, "path %s is a folder: name a file in it", path);
	if (!parse_mode(settings->mode, &mode))
		return say(problem, "mode must be octal permissions that let the owner read and "
				    "write, such as 0640");
	if (stat(path, &found) == 0 && !S_ISREG(found.st_mode))
		return say(problem, "path %s is %s: it must be a file, or not be there yet", path,
			   kind_of(found.st_mode));
	return LG_OK;
}

/* ---- the file -------------------------------------------------------------- */

static void close_file(struct sink *sink)
{
	if (sink->fd >= 0)
		close(sink->fd);
	sink->fd = -1;
}

/* A new name is only safe after a crash when its folder is synced. */
static bool sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return good;
}

/* The last offset at or before `end` that follows a line feed; 0: none. */
static off_t line_start(int fd, off_t end)
{
	char block[65536];

	while (end > 0) {
		size_t size = end < (off_t)sizeof(block) ? (size_t)end : sizeof(block);
		ssize_t got = pread(fd, block, size, end - (off_t)size);
		char *at;
		if (got != (ssize_t)size)
			return -1;
		at = memrchr(block, '\n', size);
		if (at)
			return end - (off_t)size + (at - block) + 1;
		end -= (off_t)size;
	}
	return 0;
}

/* The first zero byte of the tail, or `size`: a power cut can leave a hole of
 * zeros before blocks that did reach the disk. JSON has no zero bytes. */
static off_t first_hole(int fd, off_t size)
{
	char block[65536];
	off_t at = size > TAIL_BYTES ? size - TAIL_BYTES : 0;

	while (at < size) {
		ssize_t got = pread(fd, block, sizeof(block), at);
		char *zero;
		if (got <= 0)
			return got < 0 ? -1 : size;
		zero = memchr(block, '\0', (size_t)got);
		if (zero)
			return at + (zero - block);
		at += got;
	}
	return size;
}

/* Cuts off what a crash left after the last whole line. */
static bool repair(struct sink *sink, struct lg_text problem)
{
	off_t size = sink->file.st_size, hole = first_hole(sink->fd, size);
	off_t whole = hole < 0 ? -1 : line_start(sink->fd, hole);
	char first = '\0';

	if (whole < 0)
		say(problem, "%s cannot be read: %s", sink->path, strerror(errno));
	if (whole < 0 || whole == size)
		return whole == size;
	/* Only what looks like one of our lines is ours to cut. */
	if (pread(sink->fd, &first, 1, whole) != 1 || (first != '{' && first != '\0')) {
		say(problem,
		    "%s does not end with a line that this sink wrote: move the file away, or end "
		    "its last line with a line feed",
		    sink->path);
		errno = EPERM; /* a person has to look */
		return false;
	}
	if (ftruncate(sink->fd, whole) != 0 || fsync(sink->fd) != 0) {
		say(problem, "%s has a torn last line that cannot be cut off: %s", sink->path,
		    strerror(errno));
		return false;
	}
	lg_count(sink->host, sink->cuts, 1);
	note(sink, LG_LOG_NOTICE, "%s: cut %lld bytes of a torn last line, its event comes again",
	     sink->path, (long long)(size - whole));
	return true;
}

static bool make_folder(const char *folder)
{
	char parent[PATH_MAX + 4];

	snprintf(parent, sizeof(parent), "%s/..", folder);
	return mkdir(folder, 0750) == 0 && sync_folder(parent);
}

/* The folder of the file is made when it alone is missing: a first start needs
 * no preparation. */
static int open_or_make(struct sink *sink, bool *made)
{
	int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	int fd = open(sink->path, flags);

	*made = false;
	if (fd >= 0 || errno != ENOENT)
		return fd;
	fd = open(sink->path, flags | O_CREAT | O_EXCL, sink->mode);
	if (fd < 0 && errno == ENOENT && make_folder(sink->folder))
		fd = open(sink->path, flags | O_CREAT | O_EXCL, sink->mode);
	*made = fd >= 0;
	return fd;
}

/* False with errno and a sentence. */
static bool open_file(struct sink *sink, struct lg_text problem)
{
	bool made;
	int error;

	sink->fd = open_or_make(sink, &made);
	if (sink->fd < 0 || fstat(sink->fd, &sink->file) != 0) {
		say(problem, "%s cannot be opened: %s", sink->path, strerror(errno));
	} else if (!S_ISREG(sink->file.st_mode)) {
		say(problem, "%s is %s: it must be a file", sink->path,
		    kind_of(sink->file.st_mode));
		errno = EISDIR;
	} else if (flock(sink->fd, LOCK_EX | LOCK_NB) != 0) {
		say(problem, "%s is already written by another sink or gateway", sink->path);
	} else if (made && (fchmod(sink->fd, sink->mode) != 0 || !sync_folder(sink->folder))) {
		say(problem, "%s was made but its folder cannot be synced: %s", sink->path,
		    strerror(errno));
	} else if (repair(sink, problem) && fstat(sink->fd, &sink->file) == 0) {
		sink->paced = sink->file.st_size;
		return true;
	}
	error = errno;
	close_file(sink);
	errno = error;
	return false;
}

/* ---- rotation -------------------------------------------------------------- */

static void stamp(int64_t wall_ms, char out[STAMP_BYTES + 1])
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm utc;
	size_t length;

	gmtime_r(&seconds, &utc);
	length = strftime(out, STAMP_BYTES + 1, "%Y%m%dT%H%M%S", &utc);
	snprintf(out + length, STAMP_BYTES + 1 - length, "%03uZ", (unsigned int)(wall_ms % 1000));
}

/* Whether a file of the folder is one that we renamed. */
static bool is_rotated(const struct sink *sink, const char *file)
{
	size_t length = strlen(sink->name);
	const char *at;

	if (strlen(file) != length + 1 + STAMP_BYTES || strncmp(file, sink->name, length) != 0 ||
	    file[length] != '.')
		return false;
	at = file + length + 1;
	for (size_t i = 0; i < STAMP_BYTES; i++)
		if (i == 8 ? at[i] != 'T' : i == 18 ? at[i] != 'Z' : at[i] < '0' || at[i] > '9')
			return false;
	return true;
}

/* Removes the oldest of more than `keep` renamed files: their names sort by
 * age. One a call, so that nothing has to be remembered; `keep` is reached as
 * rotations go on. True when there may be more. */
static bool remove_oldest(const struct sink *sink)
{
	DIR *dir = opendir(sink->folder);
	char oldest[NAME_MAX + 1] = "";
	int64_t count = 0;
	bool more = false;

	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		if (!is_rotated(sink, entry->d_name))
			continue;
		count++;
		if (!*oldest || strcmp(entry->d_name, oldest) < 0)
			snprintf(oldest, sizeof(oldest), "%s", entry->d_name);
	}
	if (dir && count > sink->settings->keep)
		more = unlinkat(dirfd(dir), oldest, 0) == 0 && count - 1 > sink->settings->keep;
	if (dir)
		closedir(dir);
	return more;
}

/* Renames without ever replacing a file; some file systems cannot promise that
 * in one step (EINVAL). */
static bool rename_new(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return true;
	if (errno != EINVAL && errno != ENOSYS)
		return false;
	if (access(to, F_OK) == 0) {
		errno = EEXIST;
		return false;
	}
	return rename(from, to) == 0;
}

/* Renames the file, which is whole and synced between two batches. A kill
 * before the new one is made leaves no file: the next open makes it. */
static bool rotate(struct sink *sink, int64_t now_ms, struct lg_text problem)
{
	char target[PATH_MAX + STAMP_BYTES + 2], when[STAMP_BYTES + 1];
	bool renamed = false;

	for (int tries = 0; !renamed && tries < 1000; tries++) {
		stamp(now_ms + tries, when);
		snprintf(target, sizeof(target), "%s.%s", sink->path, when);
		renamed = rename_new(sink->path, target);
		if (!renamed && errno != EEXIST)
			break;
	}
	if (!renamed) {
		say(problem, "%s cannot be renamed for rotation: %s", sink->path, strerror(errno));
		return false;
	}
	close_file(sink);
	lg_count(sink->host, sink->rotations, 1);
	if (!open_file(sink, problem))
		return false;
	for (int most = 16; sink->settings->keep && most && remove_oldest(sink);)
		most--;
	return true;
}

static bool is_full(const struct sink *sink, int64_t now_ms)
{
	const struct settings *settings = sink->settings;
	int64_t written_ms = (int64_t)sink->file.st_mtim.tv_sec * 1000;

	if (sink->file.st_size == 0)
		return false;
	if (settings->rotate_size && sink->file.st_size >= settings->rotate_size)
		return true;
	return settings->rotate_interval &&
	       now_ms / settings->rotate_interval > written_ms / settings->rotate_interval;
}

/* Makes sure that we write into what is called `path` now: somebody may have
 * renamed the file (logrotate), removed or emptied it. */
static bool prepare(struct sink *sink, struct lg_text problem)
{
	struct stat now;
	int64_t now_ms = lg_now(sink->host);

	if (sink->fd >= 0 && (stat(sink->path, &now) != 0 || now.st_ino != sink->file.st_ino ||
			      now.st_dev != sink->file.st_dev))
		close_file(sink);
	else if (sink->fd >= 0)
		sink->file = now;
	if (sink->fd < 0 && !open_file(sink, problem))
		return false;
	if (sink->paced > sink->file.st_size)
		sink->paced = sink->file.st_size;
	return !is_full(sink, now_ms) || rotate(sink, now_ms, problem);
}

/* ---- delivery -------------------------------------------------------------- */

/* Writes `count` iovecs whole; false with errno when they did not fit. */
static bool write_whole(struct sink *sink, int count, size_t size)
{
	ssize_t put;

	do
		put = writev(sink->fd, sink->iovecs, count);
	while (put < 0 && errno == EINTR);
	if (put >= 0 && (size_t)put < size)
		errno = ENOSPC; /* a short write to a file means that there is no room */
	if (put != (ssize_t)size)
		return false;
	sink->file.st_size += put;
	if (sink->file.st_size - sink->paced >= PACE_BYTES) {
		/* Only a hint: a file system that does not know it syncs later. */
		sync_file_range(sink->fd, sink->paced, sink->file.st_size - sink->paced,
				SYNC_FILE_RANGE_WRITE);
		sink->paced = sink->file.st_size;
	}
	return true;
}

static bool write_batch(struct sink *sink, struct lg_batch *batch)
{
	static char line_feed[] = "\n";
	size_t events = lg_batch_count(batch), size = 0;
	int count = 0;

	for (size_t i = 0; i < events; i++) {
		struct lg_event event;
		struct lg_slice body;
		if (lg_batch_event(batch, i, &event) != LG_OK) {
			errno = EINVAL;
			return false;
		}
		/* writev only reads what an iovec points at. */
		body = lg_event_body(&event);
		memcpy(&sink->iovecs[count].iov_base, &body.data, sizeof(void *));
		sink->iovecs[count].iov_len = body.length;
		sink->iovecs[count + 1] = (struct iovec){line_feed, 1};
		count += 2;
		size += body.length + 1;
		if (count == IOVECS || (off_t)size >= PACE_BYTES || i + 1 == events) {
			if (!write_whole(sink, count, size))
				return false;
			count = 0;
			size = 0;
		}
	}
	return true;
}

/* Cuts the file back to what was there before the batch. When that fails too
 * the file is closed: opening repairs the torn line. */
static void roll_back(struct sink *sink, off_t size)
{
	if (ftruncate(sink->fd, size) != 0)
		close_file(sink);
	sink->file.st_size = size;
	sink->paced = size;
}

/* What an error of the system means for the batch: a configuration that will
 * not get better by itself parks the lane, all else is tried again. */
static int32_t outcome_of(int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
	case EROFS:
	case ENOTDIR:
	case EISDIR:
	case ELOOP:
	case ENAMETOOLONG: return LG_PARK;
	default: return LG_RETRY;
	}
}

static int32_t settle_failed(struct lg_batch *batch, int32_t outcome, const char *reason)
{
	struct lg_settlement settlement = {
		.size = sizeof(settlement),
		.outcome = outcome,
		.reason = {reason, strlen(reason)},
	};

	lg_settle_all(batch, &settlement);
	return LG_OK;
}

static int32_t deliver(void *instance, struct lg_batch *batch, int64_t deadline)
{
	struct lg_settlement delivered = {.size = sizeof(delivered), .outcome = LG_DELIVERED};
	struct sink *sink = instance;
	char reason[PATH_MAX + 128] = "";
	off_t before;

	(void)deadline; /* the disk answers when it does */
	errno = 0;
	if (!prepare(sink, (struct lg_text){reason, sizeof(reason)}))
		return settle_failed(batch, outcome_of(errno), reason);
	before = sink->file.st_size;
	/* After a failed sync the kernel may have dropped the pages: they are
	 * cut off and written anew, never synced again as if they were there. */
	if (!write_batch(sink, batch) || fdatasync(sink->fd) != 0) {
		int error = errno;
		snprintf(reason, sizeof(reason), "%s: %s", sink->path, strerror(error));
		roll_back(sink, before);
		return settle_failed(batch, outcome_of(error), reason);
	}
	lg_settle_all(batch, &delivered);
	return LG_OK;
}

/* ---- life ------------------------------------------------------------------ */

static void close_sink(void *instance)
{
	struct sink *sink = instance;

	close_file(sink);
	free(sink);
}

static int32_t open_sink(struct lg_host *host, const void *memory, void **instance,
			 struct lg_text problem)
{
	const struct settings *settings = memory;
	struct sink *sink = calloc(1, sizeof(*sink));
	const char *slash;

	if (!sink)
		return say(problem, "no memory");
	sink->host = host;
	sink->settings = settings;
	sink->fd = -1;
	memcpy(sink->path, settings->path.data, settings->path.length);
	slash = strrchr(sink->path, '/');
	sink->name = slash ? slash + 1 : sink->path;
	if (slash)
		memcpy(sink->folder, sink->path,
		       slash == sink->path ? 1 : (size_t)(slash - sink->path));
	else
		sink->folder[0] = '.';
	sink->rotations = lg_counter(host, "file_rotations",
				     "Files that were renamed and begun anew");
	sink->cuts = lg_counter(host, "file_torn_lines", "Torn last lines that were cut off");
	if (check(settings, problem) != LG_OK || !parse_mode(settings->mode, &sink->mode) ||
	    !open_file(sink, problem)) {
		close_sink(sink);
		return LG_FAIL;
	}
	*instance = sink;
	return LG_OK;
}

static const struct lg_sink_operations operations = {
	.size = sizeof(operations),
	.check = check,
	.open = open_sink,
	.deliver = deliver,
	.close = close_sink,
	.batch_bytes = BATCH_BYTES,
};

LG_SINK_PLUGIN(0, 1, "file", .version = "0.1",
	       .summary = "One line of JSON an event, appended to a file and synced",
	       .sink = &operations, LG_OPTIONS(options, struct settings));
