#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads until the end or until `capacity` is full. -1: errno says why. */
static ssize_t read_fully(int fd, char *data, size_t capacity)
{
	size_t length = 0;

	while (length < capacity) {
		ssize_t n = read(fd, data + length, capacity - length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		length += (size_t)n;
	}
	return (ssize_t)length;
}

static bool read_open(int fd, const struct stat *status, size_t limit_bytes, struct arena *arena,
		      struct lg_slice *bytes, struct error *error)
{
	size_t capacity = limit_bytes;
	ssize_t length;
	char *data;

	/* A pipe does not say how much will come. */
	if (S_ISREG(status->st_mode) && (uint64_t)status->st_size < limit_bytes)
		capacity = (size_t)status->st_size;
	data = arena_alloc(arena, capacity + 1);
	if (!data)
		return error_set(error, "cannot be read: no memory");
	length = read_fully(fd, data, capacity + 1);
	if (length < 0)
		return error_set(error, "cannot be read: %s", strerror(errno));
	if ((size_t)length > limit_bytes)
		return error_set(error, "is larger than %zu bytes", limit_bytes);
	if ((size_t)length > capacity)
		return error_set(error, "changed while it was read");
	*bytes = slice_of(data, (size_t)length);
	return true;
}

static const char *kind_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR: return "a folder";
	case S_IFIFO: return "a pipe";
	case S_IFSOCK: return "a socket";
	default: return "a device";
	}
}

/* A pipe is opened without its writer. -1 with a reason. */
static int open_regular(const char *path, struct stat *status, struct error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd >= 0 && fstat(fd, status) == 0 && S_ISREG(status->st_mode))
		return fd;
	if (fd < 0 || fstat(fd, status) != 0)
		error_set(error, "%s", strerror(errno));
	else
		error_set(error, "it is %s, and must be a regular file", kind_of(status->st_mode));
	if (fd >= 0)
		close(fd);
	return -1;
}

bool file_read(const char *path, size_t limit_bytes, struct arena *arena, struct lg_slice *bytes,
	       mode_t *mode, struct error *error)
{
	struct stat status;
	int fd = open_regular(path, &status, error);
	bool done;

	if (fd < 0)
		return error_prefix(error, "cannot be read: ");
	done = read_open(fd, &status, limit_bytes, arena, bytes, error);
	if (done && mode)
		*mode = status.st_mode;
	close(fd);
	return done;
}

bool file_read_input(const char *path, size_t limit_bytes, struct arena *arena,
		     struct lg_slice *bytes, struct error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat status;
	bool done;

	if (fd < 0)
		return error_set(error, "cannot be read: %s", strerror(errno));
	done = fstat(fd, &status) == 0 || error_set(error, "cannot be read: %s", strerror(errno));
	done = done && read_open(fd, &status, limit_bytes, arena, bytes, error);
	close(fd);
	return done;
}

bool file_check(const char *path, size_t limit_bytes, struct error *error)
{
	struct stat status;
	int fd = open_regular(path, &status, error);

	if (fd < 0)
		return false;
	close(fd);
	return (uint64_t)status.st_size <= limit_bytes ||
	       error_set(error, "it is larger than %zu bytes", limit_bytes);
}
