/* An import while no gateway runs: the store is this process's for as long as it takes.
 * The writer and the errand thread work as ever; nothing is received, fetched or
 * delivered, which the next gateway catches up with. */
#ifndef SUPERVISE_LONE_IMPORT_H
#define SUPERVISE_LONE_IMPORT_H

#include "ingest/import.h"
#include "supervise/settings.h"

/* Imports a job's file through a source of the settings. `watch` is called on this thread
 * from time to time while the job is under way; it may set job->cancelled. False with a
 * reason: it was not begun. Otherwise the job says how it ended. Main thread; blocks. */
bool lone_import(struct settings *settings, struct source *source, struct import_job *job,
		 void (*watch)(void *arg), void *arg, struct error *error);

#endif
