#include "ingest/folder_verdict.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

static void judge_done(const struct import_counts *counts, struct folder_exit *exit)
{
	exit->failed = false;
	exit->rows = counts->rows;
	exit->refused = counts->by_result[IMPORT_REFUSED];
	*exit->reason = '\0';
}

void folder_verdict_unread(const char *reason, struct folder_exit *exit)
{
	exit->failed = true;
	exit->rows = exit->refused = 0;
	snprintf(exit->reason, sizeof(exit->reason), "%s\n", reason);
}

static struct import_counts counts_of(const struct import_progress *progress)
{
	struct import_counts counts = {.rows = atomic_load(&progress->rows)};

	for (int i = 0; i < IMPORT_RESULTS; i++)
		counts.by_result[i] = atomic_load(&progress->by_result[i]);
	return counts;
}

/* A file that is not whole is no loss: what came before is stored. */
static void judge_unreadable(const struct import_job *job, struct folder_exit *exit)
{
	struct import_counts counts = counts_of(&job->progress);
	const char *reason = job->error.text;

	if (counts.rows == 0) {
		folder_verdict_unread(reason, exit);
		return;
	}
	exit->failed = true;
	exit->rows = counts.rows;
	exit->refused = counts.by_result[IMPORT_REFUSED];
	snprintf(exit->reason, sizeof(exit->reason),
		 "%s\nIts first %" PRId64 " rows are stored. When it is put into \"incoming\" "
		 "again, it goes on behind them, if its content is still the same; leadgate import "
		 "--again %.*s FILE begins anew.\n",
		 reason, counts.rows, SLICE_ARGS(job->source));
}

static void judge_known(const struct import_job *job, struct folder_exit *exit)
{
	char at[CLOCK_RFC3339_BYTES];
	struct error reason;

	clock_format(job->known_ms, at);
	error_set(&reason,
		  "a file with the same content was imported at %s; leadgate import --again %.*s "
		  "FILE imports it once more",
		  at, SLICE_ARGS(job->source));
	folder_verdict_unread(reason.text, exit);
}

bool folder_verdict(const struct import_job *job, bool is_known_itself, struct folder_exit *exit)
{
	struct import_counts counts;

	switch (job->end) {
	case IMPORT_ENDED:
		counts = counts_of(&job->progress);
		judge_done(&counts, exit);
		return true;
	case IMPORT_KNOWN:
		if (is_known_itself)
			judge_done(&job->known, exit);
		else
			judge_known(job, exit);
		return true;
	case IMPORT_UNREADABLE: judge_unreadable(job, exit); return true;
	case IMPORT_INTERRUPTED:
	case IMPORT_CANCELLED: break;
	}
	return false;
}
