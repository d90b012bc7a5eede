/* The plugin's reading of a run's file: how it begins, what the plugin says of the file, and
 * how it ends. In between batches are read (ingest/import_batch.h). Inner header of ingest/;
 * the errand thread. */
#ifndef INGEST_IMPORT_READING_H
#define INGEST_IMPORT_READING_H

#include "ingest/import_run.h"

/* Lets the plugin look at the file, and at where the run has got to. What it says is in the
 * run's `reading` until the next opening. False with a reason: the file cannot be read, or
 * the plugin does not know what to make of it. */
bool import_reading_open(struct import_run *run, struct error *error);

/* Tells whoever watches the job what the file looks like, in the job's memory, and that it
 * is read now. False: memory ran out. */
bool import_reading_tell(struct import_run *run);

/* Lets the plugin free what it has for an open one. */
void import_reading_close(struct import_run *run);

#endif
