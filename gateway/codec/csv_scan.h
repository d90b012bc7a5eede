/* One look at one record of delimited text: where its fields and its lines end. It knows bytes
 * alone: chunks, character sets and what becomes of a record are csv.h's. Pure; one thread at
 * a time. */
#ifndef CODEC_CSV_SCAN_H
#define CODEC_CSV_SCAN_H

#include "base/arena.h"

/* Where a field or a record ends. */
enum csv_stop {
	CSV_STOP_FIELD,
	CSV_STOP_RECORD,
	CSV_STOP_FILE,	/* as CSV_STOP_RECORD, without a line end */
	CSV_STOP_MORE,	/* it depends on what follows */
	CSV_STOP_OPEN,	/* the file ends between quotes */
	CSV_STOP_STRAY, /* nobody can tell which quote of the last field ends it */
	CSV_STOP_FAILED,
};

struct csv_scan {
	const char *at, *end;
	bool last; /* nothing follows `end` */
	char delimiter;
	struct arena *arena;
	const char *content_end; /* of the record, before its line end */
	const char *field_begin; /* of the last field */
	int64_t lines;		 /* line ends passed … */
	int64_t lines_above;	 /* … above the last field */
	uint64_t seen;		 /* bytes passed, or'ed, some behind the record among them */
	struct lg_slice *fields; /* the caller's: room for `columns` and one more */
	size_t columns, count;
	const char *too_far; /* what ends behind it is too long; NULL: nothing is */
};

/* Reads the fields of the record that begins at `at`, which then stands behind it, and counts
 * them; those beyond `columns` share the last slot. They point into the text, or into the
 * arena where doubled quotes became one. CSV_STOP_RECORD, CSV_STOP_FILE and CSV_STOP_OPEN say
 * how it ended. CSV_STOP_STRAY: it is to be given up up to the end of the line in which its last
 * field begins, which is in the text. CSV_STOP_MORE: look again from its beginning with more text,
 * or it is too long. CSV_STOP_FAILED: memory ran out. */
enum csv_stop csv_scan_fields(struct csv_scan *scan);

/* Goes to the first line end from `at` on, whatever is quoted, or to the end. */
void csv_scan_find_line_end(struct csv_scan *scan);

/* Passes the line end that stands at `at`. False: it depends on what follows. */
bool csv_scan_pass_line_end(struct csv_scan *scan);

#endif
