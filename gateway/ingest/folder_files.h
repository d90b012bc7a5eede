/* The four folders of a drop folder, and how files go from one to the next: nothing is
 * ever overwritten, symbolic links are not followed. Inner header of ingest/; the errand
 * thread. */
#ifndef INGEST_FOLDER_FILES_H
#define INGEST_FOLDER_FILES_H

#include <limits.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/slice.h"

/* Longer names are cut, so that there is room for what goes beside a file. */
#define FOLDER_NAME_BYTES 200

struct folder_files {
	int incoming, working, done, failed; /* -1: not open */
};

/* Opens them, and makes those that are missing, with the rights of the folder that they
 * are in. False with a reason, and none is open. */
bool folder_files_open(struct folder_files *files, struct lg_slice path, struct error *error);
void folder_files_close(struct folder_files *files);

/* Whether a name is one that is left alone: what begins with a dot, and what programs call
 * a file that they have not finished: .tmp, .part, .crdownload. */
bool folder_name_waits(const char *name);

/* The names that go with a file: of its refused rows while it is read (hidden, so that it
 * is not taken for a file of leads) and afterwards, and of the reason why it failed. */
void folder_name_hidden(const char *name, char out[NAME_MAX + 1]);
void folder_name_rejects(const char *name, char out[NAME_MAX + 1]);
void folder_name_reason(const char *name, char out[NAME_MAX + 1]);

/* Finds a name in `folder` under which there is neither a file nor one that goes with it:
 * "may.csv", or else "may-2.csv" and so on. False: none of a thousand is free. */
bool folder_name_free(int folder, const char *name, char out[NAME_MAX + 1]);

/* Moves a file; false with errno, EEXIST when the other name is taken. */
bool folder_move(int from, const char *name, int to, const char *other);

/* Writes a small text to a new file, which is on disk then; false with errno. */
bool folder_write(int folder, const char *name, const char *text);

/* Opens a file of leads for reading; -1 with a reason. */
int folder_open(int folder, const char *name, struct stat *status, struct error *error);

/* Walks the regular files of a folder whose names are not left alone, until `take` says
 * false. `others`: how many it met that are no regular files. False with errno. */
bool folder_each(int folder, bool (*take)(void *arg, const char *name, const struct stat *status),
		 void *arg, int64_t *others);

#endif
