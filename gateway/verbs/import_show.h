/* An import as it is shown: one line that is written again and again on a terminal, a
 * line every few seconds elsewhere, or the gateway's own lines; and what became of it. */
#ifndef VERBS_IMPORT_SHOW_H
#define VERBS_IMPORT_SHOW_H

#include "base/buffer.h"
#include "codec/json.h"
#include "verbs/import_bar.h"

struct import_show {
	/* Set by the caller; the texts outlive it. */
	bool json, dry_run, again;
	const char *source, *file, *rejects;
	int rejects_file; /* -1: none */

	bool terminal, drawn; /* a line stands there that is not ended */
	int64_t started_ms;   /* monotonic: when the command began */
	int64_t shown_ms;     /* when the last line was shown */
	int64_t begun_ms;     /* when reading began; 0: not yet */
	int64_t begun_rows;   /* that were stored by then */
	bool resumed;
	bool heard; /* a line came */
	struct import_standing standing;
	int status; /* of the command; -1: it is under way */
};

void import_show_init(struct import_show *show);
/* One of the lines that import_order.h describes. */
void import_show_line(struct import_show *show, struct lg_slice line);
/* There will be no more. Returns the exit status. */
int import_show_end(struct import_show *show);

#endif
