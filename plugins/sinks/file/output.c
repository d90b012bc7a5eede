#define _GNU_SOURCE 1
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* Bytes after which the kernel is told to begin writing, so that the sync at
 * the end finds little left and does not stall others on the same disk. */
#define PACE_BYTES ((off_t)262144)

/* ---- opening --------------------------------------------------------------- */

void output_close(struct sink *sink)
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

bool output_open(struct sink *sink, struct lg_text problem)
{
	bool made;
	int error;

	sink->fd = open_or_make(sink, &made);
	if (sink->fd < 0 || fstat(sink->fd, &sink->file) != 0) {
		say(problem, "%s cannot be opened: %s", sink->path, strerror(errno));
	} else if (!S_ISREG(sink->file.st_mode)) {
		say(problem, "%s is %s: it must be a file", sink->path,
		    file_kind(sink->file.st_mode));
		errno = EISDIR;
	} else if (flock(sink->fd, LOCK_EX | LOCK_NB) != 0) {
		say(problem, "%s is already written by another sink or gateway", sink->path);
	} else if (made && (fchmod(sink->fd, sink->mode) != 0 || !sync_folder(sink->folder))) {
		say(problem, "%s was made but its folder cannot be synced: %s", sink->path,
		    strerror(errno));
	} else if (repair_tail(sink, problem) && fstat(sink->fd, &sink->file) == 0) {
		sink->paced = sink->file.st_size;
		return true;
	}
	error = errno;
	output_close(sink);
	errno = error;
	return false;
}

bool output_follow(struct sink *sink, struct lg_text problem)
{
	struct stat now;

	if (sink->fd >= 0 && (stat(sink->path, &now) != 0 || now.st_ino != sink->file.st_ino ||
			      now.st_dev != sink->file.st_dev))
		output_close(sink);
	else if (sink->fd >= 0)
		sink->file = now;
	if (sink->fd < 0 && !output_open(sink, problem))
		return false;
	if (sink->paced > sink->file.st_size)
		sink->paced = sink->file.st_size;
	return true;
}

/* ---- writing --------------------------------------------------------------- */

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
		output_close(sink);
	sink->file.st_size = size;
	sink->paced = size;
}

bool output_append(struct sink *sink, struct lg_batch *batch)
{
	off_t before = sink->file.st_size;
	int error;

	if (write_batch(sink, batch) && fdatasync(sink->fd) == 0)
		return true;
	/* After a failed sync the kernel may have dropped the pages: they are
	 * cut off and written anew, never synced again as if they were there. */
	error = errno;
	roll_back(sink, before);
	errno = error;
	return false;
}
