/* Delimited text (RFC 4180 and what programs write instead) to records, chunk by chunk.
 * Pure; one thread at a time.
 *
 * A record ends with CRLF, LF or CR that is not between quotes. A quote counts only at
 * the very start of a field; then the field goes on to the quote behind which, but for
 * blanks, a delimiter or the record's end stands, and a doubled quote is one. Every other
 * quote is itself, and a field that has one ends in the line in which it begins: where the
 * quote that opens it is not closed there, it is text as it stands, up to the delimiter, or
 * nobody can tell where it ends. Nothing of a field is lost but the blanks behind its last quote.
 *
 * What cannot be read is a row with a problem, and reading goes on behind it. Of a record
 * that is longer than the limit, or has a quote in it that may be that of another row, only the
 * first line is given up (the lines up to that in which such a field begins), for a quote that
 * is not closed would otherwise take the rest of the file. Where the file ends before that
 * limit, the rest is one row, whose problem says in which line the quote stands and how many
 * it has taken. Rows are the same however the file is cut into chunks; of a file that is cut
 * off, all rows but the last are the same. */
#ifndef CODEC_CSV_H
#define CODEC_CSV_H

#include "base/arena.h"
#include "codec/csv_dialect.h"
#include "codec/csv_scan.h"

struct csv_limits {
	size_t record_bytes; /* longest record with its line end, as UTF-8 or as one of 8 bits */
	size_t columns;	     /* fields that a record may have */
};

/* Where a reading stands: all that it has to know to go on. */
struct csv_place {
	int64_t line; /* of the file, from 1 */
	bool inside;  /* in a line that was given up: what is left of it is skipped */
};

struct csv_row {
	const struct lg_slice *fields; /* UTF-8; live until the next row is read */
	size_t count;		       /* 0: an empty line, or a problem */
	/* The record in UTF-8, without its line end. With a problem it is one quoted field,
	 * cut where it is long. */
	struct lg_slice text;
	const char *problem;	      /* a sentence, of the arena or static; NULL: none */
	size_t begin, end;	      /* bytes of the chunk, its line end included */
	struct csv_place place, next; /* where it begins, and what stands behind it */
};

struct csv {
	struct csv_dialect dialect; /* its delimiter says what stands between fields */
	struct csv_limits limits;
	struct lg_slice *fields; /* room for limits.columns and one more */
	struct csv_place place;
	/* The chunk, and how much of it was given as rows. */
	struct arena *arena;
	struct lg_slice chunk;
	bool last;
	size_t at;
	/* What stands there in UTF-8 or 8 bits: the chunk itself, or what became of a part
	 * of it that is UTF-16. */
	struct lg_slice text;
	size_t text_covers; /* bytes of the chunk from `at` on */
	bool text_last;	    /* nothing of the file follows, but for half a character */
};

/* A reader; `dialect` is copied and has a delimiter. Its memory is the arena's. False:
 * none is left. */
bool csv_init(struct csv *csv, struct arena *arena, const struct csv_dialect *dialect,
	      const struct csv_limits *limits);

/* Hands over the next bytes: from dialect.start on at first, later from where the last
 * row that was taken ended, which `place` says. They, and what the arena holds, live as
 * long as the rows are used. `last`: the file ends with them. */
void csv_feed(struct csv *csv, struct arena *arena, struct lg_slice chunk, bool last,
	      struct csv_place place);

enum csv_step {
	CSV_ROW,
	CSV_END,    /* the chunk holds no further whole record; if it is the last: no record */
	CSV_FAILED, /* memory ran out */
};

/* The next record. A chunk of twice limits.record_bytes always holds one. */
enum csv_step csv_next(struct csv *csv, struct csv_row *row);

#endif
