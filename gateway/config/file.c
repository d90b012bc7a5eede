#include "config/file.h"

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

static bool read_open(int fd, size_t limit_bytes, struct arena *arena, struct lg_slice *bytes,
		      mode_t *mode, struct error *error)
{
	struct stat status;
	size_t capacity = limit_bytes;
	ssize_t length;
	char *data;

	if (fstat(fd, &status) != 0)
		return error_set(error, "cannot be read: %s", strerror(errno));
	/* A pipe does not say how much will come. */
	if (S_ISREG(status.st_mode) && (uint64_t)status.st_size < limit_bytes)
		capacity = (size_t)status.st_size;
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
	if (mode)
		*mode = status.st_mode;
	return true;
}

bool file_read(const char *path, size_t limit_bytes, struct arena *arena, struct lg_slice *bytes,
	       mode_t *mode, struct error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	bool done;

	if (fd < 0)
		return error_set(error, "cannot be read: %s", strerror(errno));
	done = read_open(fd, limit_bytes, arena, bytes, mode, error);
	close(fd);
	return done;
}
