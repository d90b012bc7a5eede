#include "codec/csv.h"

#include "base/utf8.h"
#include "base/word.h"
#include "codec/charset.h"
#include "codec/utf16.h"

#define SHOWN_BYTES ((size_t)64 << 10) /* of a record that cannot be read */
#define FIRST_WINDOW ((size_t)64 << 10)

static const char too_long[] = "the record is too long: a quote that opens a field may not be "
			       "closed";
static const char too_many[] = "the record has more columns than this gateway reads";
static const char cut_off[] = "the file is cut off in the middle of a character";

/* A look at the record that begins `text`; `last`: nothing follows it. */
static struct csv_scan scan_of(const struct csv *csv, struct lg_slice text, bool last)
{
	return (struct csv_scan){
		.at = text.data,
		.end = text.data + text.length,
		.last = last,
		.delimiter = csv->dialect.delimiter,
		.arena = csv->arena,
		.fields = csv->fields,
		.columns = csv->limits.columns,
	};
}

/* ---- the text of a chunk ----------------------------------------------------------------- */

static bool is_wide(const struct csv *csv)
{
	return csv->dialect.encoding == CSV_UTF16LE || csv->dialect.encoding == CSV_UTF16BE;
}

/* Makes text of `covers` bytes from where the reading stands. */
static bool make_text(struct csv *csv, size_t covers)
{
	struct lg_slice raw = slice_cut(csv->chunk, csv->at, covers);
	char *out;

	csv->text_last = csv->last && csv->at + raw.length == csv->chunk.length;
	if (!is_wide(csv)) {
		csv->text = raw;
		csv->text_covers = raw.length;
		return true;
	}
	out = arena_alloc(csv->arena, UTF16_GROWN(raw.length) + 1);
	if (!out)
		return false;
	csv->text = slice_of(out, utf16_decode(raw, csv->dialect.encoding == CSV_UTF16BE, out,
					       &csv->text_covers));
	return true;
}

/* More text from the same place on. False: the chunk holds no more, or no memory is left
 * (then the arena has failed). */
static bool more_text(struct csv *csv)
{
	size_t covered = csv->text_covers, covers = covered * 2;

	if (covers < FIRST_WINDOW)
		covers = FIRST_WINDOW;
	return csv->chunk.length - csv->at > covered && make_text(csv, covers) &&
	       csv->text_covers > covered;
}

/* Takes the first bytes of the text, and what they were in the chunk. */
static size_t take_text(struct csv *csv, size_t length)
{
	struct lg_slice text = slice_cut(csv->text, 0, length);
	size_t raw = is_wide(csv) ? utf16_length(text) : length;

	csv->text = slice_cut(csv->text, length, SIZE_MAX);
	csv->text_covers -= raw;
	csv->at += raw;
	return raw;
}

/* Behind the last text nothing follows but half a character. */
static void pass_half_character(struct csv *csv)
{
	if (csv->text_last && csv->text.length == 0)
		csv->at = csv->chunk.length;
}

/* ---- rows --------------------------------------------------------------------------------- */

/* As one quoted field, so that it harms nobody who reads it again. */
static bool show_quoted(struct csv *csv, struct lg_slice raw, struct csv_row *row)
{
	struct lg_slice text = charset_decode(
		csv->arena,
		csv->dialect.encoding == CSV_NAMED ? csv->dialect.charset : LG_SLICE("utf-8"),
		utf8_cut(raw, SHOWN_BYTES));
	char *out = slice_present(text) ? arena_alloc(csv->arena, 2 * text.length + 2) : NULL;
	char *to = out;

	if (!out)
		return false;
	*to++ = '"';
	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] == '"')
			*to++ = '"';
		*to++ = text.data[i];
	}
	*to++ = '"';
	row->text = slice_of(out, (size_t)(to - out));
	return true;
}

/* A row of which only `raw` is known and why; `length` bytes of text are done with. */
static enum csv_step problem_row(struct csv *csv, struct csv_row *row, const char *problem,
				 struct lg_slice raw, size_t length)
{
	row->problem = problem;
	row->count = 0;
	if (!show_quoted(csv, raw, row))
		return CSV_FAILED;
	take_text(csv, length);
	pass_half_character(csv);
	row->end = csv->at;
	return CSV_ROW;
}

/* Gives up the first line of what is too long; the rest is read as if it began a record. */
static enum csv_step give_up_line(struct csv *csv, struct csv_row *row)
{
	struct lg_slice text = slice_cut(csv->text, 0, csv->limits.record_bytes);
	struct csv_scan scan = scan_of(csv, text, true);

	csv_scan_find_line_end(&scan);
	text.length = (size_t)(scan.at - text.data);
	if (scan.at < scan.end) {
		scan.end = csv->text.data + csv->text.length;
		csv_scan_pass_line_end(&scan);
		row->next.line++;
	} else {
		text = utf8_cut(csv->text, csv->limits.record_bytes);
		scan.at = text.data + text.length;
		row->next.inside = true;
	}
	return problem_row(csv, row, too_long, text, (size_t)(scan.at - text.data));
}

/* The rest of the file is between quotes: nobody can tell the text of that field from the
 * rows that a stray quote has taken, so it is one row, which says how much that is. */
static enum csv_step give_up_rest(struct csv *csv, struct csv_row *row, const struct csv_scan *scan)
{
	bool unended = csv->text.data[csv->text.length - 1] != '\n' &&
		       csv->text.data[csv->text.length - 1] != '\r';
	int64_t line = row->place.line + scan->lines_above;
	int64_t lines = scan->lines - scan->lines_above + unended;
	struct lg_slice problem;

	problem = arena_printf(csv->arena,
			       "a quote that opens field %zu in line %lld is not closed: %lld "
			       "line%s up to the end of the file %s taken for its text",
			       scan->count, (long long)line, (long long)lines,
			       lines == 1 ? "" : "s", lines == 1 ? "is" : "are");
	if (!slice_present(problem))
		return CSV_FAILED;
	row->next.line += scan->lines;
	return problem_row(csv, row, problem.data, csv->text, csv->text.length);
}

/* Whether a record has to become UTF-8, and from what; absent: it is UTF-8. */
static struct lg_slice charset_of(const struct csv *csv, struct lg_slice raw, uint64_t seen)
{
	static const struct lg_slice none = {NULL, 0};

	if (!(seen & WORD_HIGH_BITS) || is_wide(csv))
		return none;
	if (csv->dialect.encoding == CSV_NAMED)
		return csv->dialect.charset;
	return utf8_valid(raw) ? none : LG_SLICE("windows-1252");
}

/* A quote in the last field may be its own or that of a row below: it is given up up to the end
 * of its first line, and what follows is read as if it began a record. */
static enum csv_step give_up_field(struct csv *csv, struct csv_row *row,
				   const struct csv_scan *scan)
{
	int64_t line = row->place.line + scan->lines_above;
	struct csv_scan rest = *scan;
	struct lg_slice raw, problem;

	problem = arena_printf(csv->arena,
			       "a quote in field %zu of line %lld is not doubled, and nobody can "
			       "tell where that field ends: double the quotes in it, or close it",
			       scan->count, (long long)line);
	if (!slice_present(problem))
		return CSV_FAILED;
	rest.at = scan->field_begin;
	rest.lines = scan->lines_above;
	csv_scan_find_line_end(&rest);
	raw = slice_of(csv->text.data, (size_t)(rest.at - csv->text.data));
	if (rest.at < rest.end)
		csv_scan_pass_line_end(&rest);
	row->next.line += rest.lines;
	/* Somebody is to repair it: it keeps its letters. */
	if (csv->dialect.encoding == CSV_GUESSED && slice_present(charset_of(csv, raw, scan->seen)))
		raw = charset_decode(csv->arena, charset_of(csv, raw, scan->seen), raw);
	if (!slice_present(raw))
		return CSV_FAILED;
	return problem_row(csv, row, problem.data, raw, (size_t)(rest.at - csv->text.data));
}

/* What is left of a line that was given up, as a row of nothing. */
static enum csv_step skip_line(struct csv *csv, struct csv_row *row)
{
	size_t length;

	do {
		struct csv_scan scan = scan_of(csv, csv->text, csv->text_last);

		csv_scan_find_line_end(&scan);
		if (scan.at < scan.end && csv_scan_pass_line_end(&scan)) {
			row->next.line++;
			row->next.inside = false;
		}
		length = (size_t)(scan.at - csv->text.data);
	} while (length == 0 && more_text(csv));
	if (csv->arena->failed)
		return CSV_FAILED;
	take_text(csv, length);
	if (row->next.inside)
		pass_half_character(csv);
	row->end = csv->at;
	return row->end > row->begin ? CSV_ROW : CSV_END;
}

/* Whether the last record of a file ends with a part of a character: `text` is what
 * became of it in UTF-8. */
static bool ends_cut(const struct csv *csv, struct lg_slice raw, struct lg_slice text)
{
	if (is_wide(csv))
		return csv->chunk.length - csv->at > csv->text_covers;
	if (csv->dialect.encoding == CSV_NAMED)
		return slice_ends(text, "\xef\xbf\xbd");
	return !csv->dialect.latin && csv_is_cut(raw);
}

/* A whole record: what was scanned as bytes is text now. */
static enum csv_step give_row(struct csv *csv, struct csv_row *row, struct csv_scan *scan,
			      enum csv_stop stop)
{
	struct lg_slice raw = slice_of(csv->text.data,
				       (size_t)(scan->content_end - csv->text.data));
	struct lg_slice charset = charset_of(csv, raw, scan->seen);
	size_t length = (size_t)(scan->at - csv->text.data);

	row->text = slice_present(charset) ? charset_decode(csv->arena, charset, raw) : raw;
	row->next.line += scan->lines;
	if (!slice_present(row->text))
		return CSV_FAILED;
	if (stop == CSV_STOP_FILE && ends_cut(csv, raw, row->text))
		return problem_row(csv, row, cut_off, raw, length);
	if (slice_present(charset)) {
		*scan = scan_of(csv, row->text, true);
		if (csv_scan_fields(scan) == CSV_STOP_FAILED)
			return CSV_FAILED;
	}
	row->count = raw.length ? scan->count : 0;
	if (row->count > csv->limits.columns) {
		row->problem = too_many;
		row->count = 0;
	}
	take_text(csv, length);
	row->end = csv->at;
	return CSV_ROW;
}

static enum csv_step read_record(struct csv *csv, struct csv_row *row)
{
	for (;;) {
		struct csv_scan scan = scan_of(csv, csv->text, csv->text_last);
		enum csv_stop stop = CSV_STOP_MORE;

		if (csv->text.length > csv->limits.record_bytes)
			scan.too_far = csv->text.data + csv->limits.record_bytes;
		if (csv->text.length)
			stop = csv_scan_fields(&scan);
		if (stop == CSV_STOP_FAILED)
			return CSV_FAILED;
		if (stop != CSV_STOP_MORE &&
		    (size_t)(scan.at - csv->text.data) <= csv->limits.record_bytes) {
			return stop == CSV_STOP_OPEN	? give_up_rest(csv, row, &scan)
			       : stop == CSV_STOP_STRAY ? give_up_field(csv, row, &scan)
							: give_row(csv, row, &scan, stop);
		}
		if (csv->text.length > csv->limits.record_bytes)
			return give_up_line(csv, row);
		if (!more_text(csv))
			break;
	}
	if (csv->arena->failed)
		return CSV_FAILED;
	if (csv->text.length == 0 && csv->last && csv->at < csv->chunk.length)
		return problem_row(csv, row, cut_off, csv->text, 0);
	return CSV_END;
}

/* ---- the reader -------------------------------------------------------------------------- */

bool csv_init(struct csv *csv, struct arena *arena, const struct csv_dialect *dialect,
	      const struct csv_limits *limits)
{
	*csv = (struct csv){.dialect = *dialect, .limits = *limits, .arena = arena};
	csv->fields = arena_alloc(arena, (limits->columns + 1) * sizeof(*csv->fields));
	return csv->fields != NULL;
}

void csv_feed(struct csv *csv, struct arena *arena, struct lg_slice chunk, bool last,
	      struct csv_place place)
{
	csv->arena = arena;
	csv->chunk = slice_present(chunk) ? chunk : slice_of("", 0);
	csv->last = last;
	csv->place = place;
	csv->at = 0;
	csv->text = slice_of("", 0);
	csv->text_covers = 0;
	csv->text_last = false;
	if (!is_wide(csv))
		make_text(csv, chunk.length);
}

enum csv_step csv_next(struct csv *csv, struct csv_row *row)
{
	enum csv_step step;

	*row = (struct csv_row){
		.fields = csv->fields,
		.text = slice_of("", 0),
		.begin = csv->at,
		.place = csv->place,
		.next = csv->place,
	};
	step = csv->place.inside ? skip_line(csv, row) : read_record(csv, row);
	if (step == CSV_ROW)
		csv->place = row->next;
	return step;
}
