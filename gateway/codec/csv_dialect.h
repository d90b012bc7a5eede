/* How a file of delimited text is written, as far as its first bytes tell: its
 * character set, and what stands before the first record. Pure; any thread. */
#ifndef CODEC_CSV_DIALECT_H
#define CODEC_CSV_DIALECT_H

#include "base/error.h"
#include "base/slice.h"

enum csv_encoding {
	CSV_GUESSED, /* UTF-8; a record that is not is windows-1252 */
	CSV_NAMED,   /* what `charset` says, of one byte or several, above ASCII */
	CSV_UTF16LE,
	CSV_UTF16BE,
};

struct csv_dialect {
	enum csv_encoding encoding;
	struct lg_slice charset; /* for people, and the label for CSV_NAMED */
	bool latin;		 /* of CSV_GUESSED: what was seen is not UTF-8 anywhere */
	char delimiter;		 /* 0: the file does not say it */
	size_t start;		 /* bytes before the first record: a mark and Excel's line */
	int64_t line;		 /* of the first record, from 1 */
};

/* What the first bytes of a file tell; `head` is all of it or a few KiB at least.
 * `charset` is one of charset.h, "utf-16", "utf-16le", "utf-16be", or absent or "auto" to
 * find out: by a byte order mark, or by the zero byte that every other byte of English is in
 * UTF-16. A first line "sep=;" says the delimiter, as Excel has it, and is no record.
 * False with a sentence: the charset is not known, or this is something else, such as
 * an Excel workbook. `charset` must live as long as the dialect. */
bool csv_dialect_find(struct lg_slice head, struct lg_slice charset, struct csv_dialect *dialect,
		      struct error *error);

/* Whether a byte can stand between fields: neither a letter or digit of ASCII, nor a
 * quote, a line end, a zero byte or beyond ASCII. */
bool csv_delimiter_fits(char c);

/* Whether a text ends with a character of UTF-8 that is not all there, and is UTF-8
 * otherwise. */
bool csv_is_cut(struct lg_slice text);

#endif
