#include "codec/csv_dialect.h"

#include "base/utf8.h"
#include "codec/charset.h"
#include "codec/utf16.h"

/* ---- what is no text --------------------------------------------------------------- */

#define SAVE_AS "; save it as CSV (UTF-8) and import that"

static const struct {
	struct lg_slice start;
	const char *what;
} others[] = {
	{LG_SLICE("PK\x03\x04"), "this is a ZIP archive or an Excel workbook" SAVE_AS},
	{LG_SLICE("\xd0\xcf\x11\xe0"), "this is a workbook of an old Excel" SAVE_AS},
	{LG_SLICE("%PDF"), "this is a PDF document" SAVE_AS},
	{LG_SLICE("\x1f\x8b"), "this is compressed with gzip: unpack it first"},
	{LG_SLICE("\xff\xfe\0\0"), "this is UTF-32" SAVE_AS},
	{LG_SLICE("\0\0\xfe\xff"), "this is UTF-32" SAVE_AS},
};

static bool begins(struct lg_slice text, struct lg_slice start)
{
	return slice_equal(slice_cut(text, 0, start.length), start);
}

static bool is_text(struct lg_slice head, struct error *error)
{
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (begins(head, others[i].start))
			return error_set(error, "%s", others[i].what);
	return true;
}

/* ---- the character set ----------------------------------------------------------------- */

bool csv_is_cut(struct lg_slice text)
{
	size_t tail = 0;
	unsigned char lead;

	/* Of the last character as many bytes as follow its first, three at most. */
	while (tail < 3 && tail < text.length &&
	       ((unsigned char)text.data[text.length - 1 - tail] & 0xc0) == 0x80)
		tail++;
	if (tail == text.length)
		return false;
	lead = (unsigned char)text.data[text.length - 1 - tail];
	return lead >= 0xc2 && lead < 0xf5 &&
	       tail < (lead < 0xe0   ? 1u
		       : lead < 0xf0 ? 2u
				     : 3u) &&
	       utf8_valid(slice_cut(text, 0, text.length - 1 - tail));
}

/* Whether bytes beyond ASCII are there, and none of them is UTF-8. What is cut off at
 * the end proves nothing. */
static bool is_latin(struct lg_slice head)
{
	bool invalid = false;
	int32_t c;

	while (head.length > 0) {
		if (head.length < 4 && csv_is_cut(head))
			break;
		c = utf8_next(&head);
		if (c >= 0x80)
			return false;
		invalid = invalid || c == UTF8_INVALID;
	}
	return invalid;
}

static bool is_label(struct lg_slice charset, const char *label)
{
	return slice_equal_nocase(charset, slice_from(label));
}

static void be_utf16(struct csv_dialect *dialect, bool big_endian)
{
	dialect->encoding = big_endian ? CSV_UTF16BE : CSV_UTF16LE;
	dialect->charset = big_endian ? LG_SLICE("utf-16be") : LG_SLICE("utf-16le");
}

/* By the mark at the beginning; a file that says it is right. */
static bool read_mark(struct lg_slice head, struct csv_dialect *dialect)
{
	if (begins(head, LG_SLICE("\xef\xbb\xbf"))) {
		dialect->start = 3;
		return dialect->encoding == CSV_GUESSED;
	}
	if (!begins(head, LG_SLICE("\xff\xfe")) && !begins(head, LG_SLICE("\xfe\xff")))
		return false;
	if (dialect->encoding == CSV_NAMED)
		return false;
	be_utf16(dialect, head.data[0] == '\xfe');
	dialect->start = 2;
	return true;
}

/* The first character of a header is one of ASCII. */
static void guess(struct lg_slice head, struct csv_dialect *dialect)
{
	if (head.length >= 2 && (head.data[0] == '\0') != (head.data[1] == '\0')) {
		be_utf16(dialect, head.data[0] == '\0');
	} else if (is_latin(head)) {
		dialect->latin = true;
		dialect->charset = LG_SLICE("windows-1252");
	}
}

static bool find_charset(struct lg_slice head, struct lg_slice said, struct csv_dialect *dialect,
			 struct error *error)
{
	said = slice_trim(said);
	dialect->charset = LG_SLICE("utf-8");
	if (said.length == 0 || is_label(said, "auto")) {
		if (!read_mark(head, dialect))
			guess(head, dialect);
		return true;
	}
	if (is_label(said, "utf-16") || is_label(said, "utf-16le") || is_label(said, "utf-16be")) {
		be_utf16(dialect, is_label(said, "utf-16be"));
	} else if (charset_known(said)) {
		dialect->encoding = CSV_NAMED;
		dialect->charset = said;
	} else {
		return error_set(error, "the character set \"%.*s\" is not known",
				 SLICE_ARGS(slice_cut(said, 0, 40)));
	}
	read_mark(head, dialect);
	return true;
}

/* ---- Excel's first line ------------------------------------------------------------------ */

#define SEP_BYTES 32 /* of a head in any encoding: more than the line has */

bool csv_delimiter_fits(char c)
{
	return (unsigned char)c < 0x80 && c != '"' && c != '\r' && c != '\n' && c != '\0' &&
	       !(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* The length of a line end that stands here or would, at the end of the file; -1: none. */
static int line_end(struct lg_slice text)
{
	if (text.length == 0)
		return 0;
	if (text.data[0] == '\n')
		return 1;
	if (text.data[0] != '\r')
		return -1;
	return text.length > 1 && text.data[1] == '\n' ? 2 : 1;
}

static void read_sep(struct lg_slice head, struct csv_dialect *dialect)
{
	bool wide = dialect->encoding == CSV_UTF16LE || dialect->encoding == CSV_UTF16BE;
	struct lg_slice raw = slice_cut(head, dialect->start, SEP_BYTES), text = raw;
	char plain[UTF16_GROWN(SEP_BYTES)];
	size_t taken, quotes, length;
	int end;

	if (wide)
		text = slice_of(plain,
				utf16_decode(raw, dialect->encoding == CSV_UTF16BE, plain, &taken));
	quotes = text.length && text.data[0] == '"';
	length = quotes + strlen("sep=x") + quotes;
	if (text.length < length ||
	    !slice_equal_nocase(slice_cut(text, quotes, 4), LG_SLICE("sep=")) ||
	    !csv_delimiter_fits(text.data[quotes + 4]) || (quotes && text.data[length - 1] != '"'))
		return;
	end = line_end(slice_cut(text, length, SIZE_MAX));
	if (end < 0)
		return;
	dialect->delimiter = text.data[quotes + 4];
	dialect->start += (length + (size_t)end) * (wide ? 2 : 1);
	dialect->line = 2;
}

bool csv_dialect_find(struct lg_slice head, struct lg_slice charset, struct csv_dialect *dialect,
		      struct error *error)
{
	*dialect = (struct csv_dialect){.line = 1};
	if (!is_text(head, error) || !find_charset(head, charset, dialect, error))
		return false;
	read_sep(head, dialect);
	return true;
}
