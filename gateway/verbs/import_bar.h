/* How far an import is, in one line for a terminal. Pure. */
#ifndef VERBS_IMPORT_BAR_H
#define VERBS_IMPORT_BAR_H

#include "base/buffer.h"

/* What a line of the gateway says, all of it committed. */
struct import_standing {
	bool reading; /* otherwise the digest of the file is being made */
	int64_t bytes, bytes_done, bytes_begun;
	int64_t rows, created, touched, repeated, held, refused, ignored;
};

/* Whole per cent of the file, rounded down: 100 only when all of it is done, and never more,
 * though a file may grow while it is read. */
int import_bar_percent(const struct import_standing *standing);

/* Appends the line, at most `width` columns (0: as long as it is), without an end: in a
 * narrow one without its bar.
 * `elapsed_ms` and `new_rows`: of this run, since it has been reading. */
void import_bar(struct buffer *out, const struct import_standing *standing, int64_t elapsed_ms,
		int64_t new_rows, size_t width);

/* 1234567 as "1,234,567". */
void import_bar_number(struct buffer *out, int64_t number);

#endif
