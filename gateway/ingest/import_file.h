/* The two files of an import: the one that is read, and the one that refused rows are
 * written to. Both are open already and are read and written in pieces that a loop can
 * bear. Inner header of ingest/; the errand thread. */
#ifndef INGEST_IMPORT_FILE_H
#define INGEST_IMPORT_FILE_H

#include <time.h>

#include "base/error.h"
#include "codec/digest.h"

struct import_file {
	int fd, rejects; /* rejects -1: there is none */
	int64_t bytes;	 /* as it was when it was opened */
	struct timespec changed;
	struct sha256_sum sum;
	int64_t summed; /* bytes of it that are in `sum` */
	uint8_t digest[SHA256_BYTES];
	bool unsynced;	/* refused rows were written since the last sync */
	int64_t spared; /* bytes that lie where refused rows go and may be another import's */
};

/* Each gives false with a reason, as it is told to an operator. */

/* The descriptors stay the caller's. Fails where the first is no regular file. */
bool import_file_open(struct import_file *file, int fd, int rejects, struct error *error);

/* Adds the next piece to the digest, through `room`. It is whole when `summed` is
 * `bytes`. */
bool import_file_sum(struct import_file *file, char *room, size_t size, struct error *error);

/* Reads all of a piece. Fails, too, where the file is not any more what it was. */
bool import_file_read(const struct import_file *file, int64_t offset, char *to, size_t size,
		      struct error *error);

/* Whether there is a file of refused rows, with nothing in it. */
bool import_file_lacks_rejects(const struct import_file *file);

/* Fails, for it holds rows of another import, which nobody may have repaired yet. */
bool import_file_fail_others(struct error *error);

/* Whether the file of refused rows can be the one that an import of so many rows has
 * committed `bytes` to, more than 0: a row ends there, and what follows is of a later one.
 * One that is shorter fails when it is cut. */
bool import_file_fits_rejects(const struct import_file *file, int64_t bytes, int64_t rows,
			      struct error *error);

/* Leaves what lies in the file of refused rows, of which nothing is committed, until rows
 * are written: they must begin as it does, or they are not written. */
bool import_file_spare_rejects(struct import_file *file, struct error *error);

/* Cuts the file of refused rows to what is committed; fails where it is shorter. One that
 * is spared stays. */
bool import_file_cut_rejects(const struct import_file *file, int64_t bytes, struct error *error);

/* Writes refused rows at a place, and has all that was written on disk. Fails where what is
 * spared is not of this import. */
bool import_file_reject(struct import_file *file, int64_t offset, struct lg_slice rows,
			struct error *error);
bool import_file_sync_rejects(struct import_file *file, struct error *error);

#endif
