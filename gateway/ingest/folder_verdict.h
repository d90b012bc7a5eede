/* What becomes of a file whose import is over: whether it goes to `done` or to `failed`, with
 * which reason for people, or stays. Inner header of ingest/; the errand thread. */
#ifndef INGEST_FOLDER_VERDICT_H
#define INGEST_FOLDER_VERDICT_H

#include "ingest/folder_exit.h"
#include "ingest/import.h"

/* Of a job that is back. `is_known_itself`: when the journal knows its content, then by this
 * very file. Fills the exit but for its names. False: the file stays where it is and is
 * imported again; nothing was filled. */
bool folder_verdict(const struct import_job *job, bool is_known_itself, struct folder_exit *exit);

/* The same of a file that no job could be made of; `reason` is copied. */
void folder_verdict_unread(const char *reason, struct folder_exit *exit);

#endif
