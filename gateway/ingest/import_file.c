#include "ingest/import_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REJECTS "the file of refused rows"
/* The end of a row and the longest number. */
#define ROW_START_BYTES 24

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

bool import_file_fail_others(struct error *error)
{
	return error_set(error, "the file for refused rows has those of an earlier import: "
				"repair and import them and remove it, or name another with "
				"--rejects");
}

/* What lies at a place of the file of refused rows, as far as it goes; -1: an error. */
static ssize_t look(const struct import_file *file, int64_t offset, char *room, size_t size)
{
	ssize_t got;

	do
		got = pread(file->rejects, room, size, offset);
	while (got < 0 && errno == EINTR);
	return got;
}

bool import_file_fits_rejects(const struct import_file *file, int64_t bytes, int64_t rows,
			      struct error *error)
{
	char room[ROW_START_BYTES];
	ssize_t got = look(file, bytes - 1, room, sizeof(room));
	struct lg_slice start = slice_of(room, got > 0 ? (size_t)got : 0);
	size_t digits = 0;
	uint64_t line;

	if (got < 0)
		return fail_rejects("read", error);
	if (got == 0)
		return true;
	if (room[0] != '\n')
		return import_file_fail_others(error);
	start = slice_cut(start, 1, SIZE_MAX);
	while (digits < start.length && start.data[digits] >= '0' && start.data[digits] <= '9')
		digits++;
	/* A row has a line of its own at least. */
	return !slice_to_u64(slice_cut(start, 0, digits), &line) || line > (uint64_t)rows ||
	       import_file_fail_others(error);
}

bool import_file_spare_rejects(struct import_file *file, struct error *error)
{
	struct stat status;

	if (file->rejects < 0)
		return true;
	if (fstat(file->rejects, &status) != 0)
		return fail_rejects("read", error);
	file->spared = status.st_size;
	return true;
}

bool import_file_cut_rejects(const struct import_file *file, int64_t bytes, struct error *error)
{
	struct stat status;

	if (file->rejects < 0 || file->spared)
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

/* What is spared goes when it begins as the first rows that are written, for then a run of
 * this import that was killed has left it. */
static bool take_spared(struct import_file *file, struct lg_slice rows, struct error *error)
{
	char room[4096];

	for (size_t at = 0; at < rows.length && (int64_t)at < file->spared;) {
		size_t left = rows.length - at;
		ssize_t got = look(file, (int64_t)at, room,
				   left < sizeof(room) ? left : sizeof(room));
		if (got < 0)
			return fail_rejects("read", error);
		if (got == 0)
			break;
		if (memcmp(room, rows.data + at, (size_t)got) != 0)
			return import_file_fail_others(error);
		at += (size_t)got;
	}
	file->spared = 0;
	return import_file_cut_rejects(file, 0, error);
}

bool import_file_reject(struct import_file *file, int64_t offset, struct lg_slice rows,
			struct error *error)
{
	const char *from = rows.data;
	size_t left = rows.length;

	if (file->spared && !take_spared(file, rows, error))
		return false;
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
