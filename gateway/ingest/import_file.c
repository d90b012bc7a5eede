#include "ingest/import_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REJECTS "the file of refused rows"

bool import_file_open(struct import_file *file, int fd, int rejects, struct error *error)
{
	struct stat status;

	*file = (struct import_file){.fd = fd, .rejects = rejects};
	sha256_sum_init(&file->sum);
	if (fstat(fd, &status) != 0)
		return error_set(error, "it cannot be read: %s", strerror(errno));
	if (!S_ISREG(status.st_mode))
		return error_set(error,
				 "it is no regular file: an import that is interrupted reads it "
				 "again, so write it to a file first");
	file->bytes = status.st_size;
	file->changed = status.st_mtim;
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return true;
}

static bool read_all(const struct import_file *file, int64_t offset, char *to, size_t size,
		     struct error *error)
{
	while (size > 0) {
		ssize_t got = pread(file->fd, to, size, offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set(error, "it cannot be read: %s", strerror(errno));
		if (got == 0)
			return error_set(error, "it has become shorter while it was read");
		to += got;
		offset += got;
		size -= (size_t)got;
	}
	return true;
}

bool import_file_sum(struct import_file *file, char *room, size_t size, struct error *error)
{
	if ((int64_t)size > file->bytes - file->summed)
		size = (size_t)(file->bytes - file->summed);
	if (!read_all(file, file->summed, room, size, error))
		return false;
	sha256_sum_add(&file->sum, slice_of(room, size));
	file->summed += (int64_t)size;
	if (file->summed == file->bytes)
		sha256_sum_end(&file->sum, file->digest);
	return true;
}

/* The digest would not be that of what is imported. */
static bool is_same(const struct import_file *file, struct error *error)
{
	struct stat status;

	if (fstat(file->fd, &status) != 0)
		return error_set(error, "it cannot be read: %s", strerror(errno));
	if (status.st_size == file->bytes && status.st_mtim.tv_sec == file->changed.tv_sec &&
	    status.st_mtim.tv_nsec == file->changed.tv_nsec)
		return true;
	return error_set(error, "it was written to while it was read: import what it is now when "
				"that is over");
}

bool import_file_read(const struct import_file *file, int64_t offset, char *to, size_t size,
		      struct error *error)
{
	return is_same(file, error) && read_all(file, offset, to, size, error);
}

static bool fail_rejects(const char *what, struct error *error)
{
	return error_set(error, REJECTS " cannot be %s: %s", what, strerror(errno));
}

bool import_file_lacks_rejects(const struct import_file *file)
{
	struct stat status;

	return file->rejects >= 0 && fstat(file->rejects, &status) == 0 && status.st_size == 0;
}

bool import_file_cut_rejects(const struct import_file *file, int64_t bytes, struct error *error)
{
	struct stat status;

	if (file->rejects < 0)
		return true;
	if (fstat(file->rejects, &status) != 0)
		return fail_rejects("read", error);
	if (status.st_size < bytes)
		return error_set(error,
				 REJECTS " has %lld bytes, the import had written %lld before it "
					 "was interrupted: give that file, or import from the "
					 "start",
				 (long long)status.st_size, (long long)bytes);
	while (ftruncate(file->rejects, bytes) != 0)
		if (errno != EINTR)
			return fail_rejects("cut", error);
	return true;
}

bool import_file_reject(struct import_file *file, int64_t offset, struct lg_slice rows,
			struct error *error)
{
	const char *from = rows.data;
	size_t left = rows.length;

	while (left > 0) {
		ssize_t put = pwrite(file->rejects, from, left, offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return fail_rejects("written", error);
		from += put;
		offset += put;
		left -= (size_t)put;
	}
	file->unsynced |= rows.length > 0;
	return true;
}

bool import_file_sync_rejects(struct import_file *file, struct error *error)
{
	if (!file->unsynced)
		return true;
	while (fdatasync(file->rejects) != 0)
		if (errno != EINTR)
			return fail_rejects("written", error);
	file->unsynced = false;
	return true;
}
