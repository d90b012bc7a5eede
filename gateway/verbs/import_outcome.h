/* What became of an import, for people; of a dry run also for programs. */
#ifndef VERBS_IMPORT_OUTCOME_H
#define VERBS_IMPORT_OUTCOME_H

#include "verbs/import_show.h"

/* Each appends what is said of the end, which is the gateway's last line. */

/* All of the file was read: with show->json only what a dry run has refused. Reads
 * show->rejects_file. */
void import_outcome_done(struct buffer *out, const struct import_show *show,
			 const struct json *end);
/* It failed or was stopped, or had been imported before. */
void import_outcome_stop(struct buffer *out, const struct import_show *show,
			 const struct json *end);

/* How the rest is imported; with --again the same command would begin anew. Static. */
const char *import_outcome_next(const struct import_show *show);

#endif
