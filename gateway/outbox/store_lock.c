#include "outbox/store_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/log.h"

/* The pid that the owner wrote; 0 when there is none yet. */
static unsigned long owner_of(int fd)
{
	char text[24];
	ssize_t length = pread(fd, text, sizeof(text) - 1, 0);
	uint64_t pid = 0;

	if (length <= 0)
		return 0;
	return slice_to_u64(slice_trim(slice_of(text, (size_t)length)), &pid) ? (unsigned long)pid
									      : 0;
}

/* Best effort: the pid is a help for people, the flock is the lock. */
static void write_owner(int fd)
{
	char text[24];
	int length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (pwrite(fd, text, (size_t)length, 0) != length || ftruncate(fd, length) != 0)
		log_warning("store.lock_unnamed", LOG_TEXT("reason", strerror(errno)));
}

static bool refused(int fd, struct lg_slice path, struct error *error)
{
	if (errno != EWOULDBLOCK)
		return error_set(error, "%.*s.lock cannot be locked: %s", SLICE_ARGS(path),
				 strerror(errno));
	unsigned long pid = owner_of(fd);
	if (pid)
		return error_set(
			error,
			"the store %.*s is in use by process %lu; stop that gateway first, or "
			"give this one another store.path",
			SLICE_ARGS(path), pid);
	return error_set(
		error,
		"the store %.*s is in use by another process; stop that gateway first, or give "
		"this one another store.path",
		SLICE_ARGS(path));
}

int store_lock_take(struct lg_slice path, bool *busy, struct error *error)
{
	char file[PATH_MAX];

	*busy = false;
	if (snprintf(file, sizeof(file), "%.*s.lock", SLICE_ARGS(path)) >= (int)sizeof(file)) {
		error_set(error, "store.path is longer than a path may be");
		return -1;
	}
	int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		error_set(error,
			  "%s cannot be opened: %s; the folder of store.path must exist and be "
			  "writable for this user",
			  file, strerror(errno));
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		*busy = errno == EWOULDBLOCK;
		refused(fd, path, error);
		close(fd);
		return -1;
	}
	write_owner(fd);
	return fd;
}

void store_lock_drop(int fd)
{
	if (fd >= 0)
		close(fd);
}
