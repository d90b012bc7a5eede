/* How a file leaves `working`: it goes to `done` or to `failed`, and with it, under the same
 * name, its refused rows and the reason why it failed. Those are several steps. What they
 * are to come to is on disk before the first of them, so that a gateway that was killed
 * amid them finishes them when it is back, and nothing is taken apart or imported twice.
 * Inner header of ingest/; the errand thread. */
#ifndef INGEST_FOLDER_EXIT_H
#define INGEST_FOLDER_EXIT_H

#include "ingest/folder_files.h"

#define FOLDER_REASON_BYTES 2048

struct folder_exit {
	bool failed;
	char name[NAME_MAX + 1];	  /* in `working` */
	char other[NAME_MAX + 1];	  /* there */
	int64_t rows, refused;		  /* what came of it, for the log */
	char reason[FOLDER_REASON_BYTES]; /* of a file that failed */
};

/* Each gives false with errno. */

/* Finds a name for a file where it goes, fills `other`, and puts on disk what is to be done.
 * EEXIST: there is no name left. */
bool folder_exit_begin(const struct folder_files *files, struct folder_exit *exit);

/* Does what has not been done yet. To be called again, until it has succeeded. */
bool folder_exit_finish(const struct folder_files *files, const struct folder_exit *exit);

/* Finds one that was begun and not finished, and fills it. ENOENT: there is none. */
bool folder_exit_find(const struct folder_files *files, struct folder_exit *exit);

#endif
