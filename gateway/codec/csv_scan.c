#include "codec/csv_scan.h"

#include "base/word.h"

/* ---- bytes -------------------------------------------------------------------------- */

/* Marks zero bytes; the lowest mark is right always. */
static inline uint64_t zero_bytes(uint64_t word)
{
	return (word - WORD_EACH(1)) & ~word & WORD_HIGH_BITS;
}

/* The first of three bytes from `at` on, or the end. */
static inline const char *find_any(struct csv_scan *scan, char a)
{
	const char *at = scan->at, *end = scan->end;

	for (; (size_t)(end - at) >= WORD_BYTES; at += WORD_BYTES) {
		uint64_t word = word_load(at);
		uint64_t marks = zero_bytes(word ^ WORD_EACH(a)) |
				 zero_bytes(word ^ WORD_EACH('\r')) |
				 zero_bytes(word ^ WORD_EACH('\n'));

		scan->seen |= word;
		if (marks)
			return at + __builtin_ctzll(marks) / 8;
	}
	for (; at < end && *at != a && *at != '\r' && *at != '\n'; at++)
		scan->seen |= (unsigned char)*at;
	return at;
}

bool csv_scan_pass_line_end(struct csv_scan *scan)
{
	if (*scan->at == '\r') {
		if (scan->end - scan->at == 1 && !scan->last)
			return false;
		if (scan->end - scan->at > 1 && scan->at[1] == '\n')
			scan->at++;
	}
	scan->at++;
	scan->lines++;
	return true;
}

void csv_scan_find_line_end(struct csv_scan *scan)
{
	scan->at = find_any(scan, '\n');
}

/* Passes what ends a field. */
static enum csv_stop pass_stop(struct csv_scan *scan)
{
	if (scan->at == scan->end) {
		scan->content_end = scan->at;
		return scan->last ? CSV_STOP_FILE : CSV_STOP_MORE;
	}
	if (*scan->at == scan->delimiter) {
		scan->at++;
		return CSV_STOP_FIELD;
	}
	scan->content_end = scan->at;
	return csv_scan_pass_line_end(scan) ? CSV_STOP_RECORD : CSV_STOP_MORE;
}

/* ---- fields --------------------------------------------------------------------------- */

static enum csv_stop read_plain(struct csv_scan *scan, struct lg_slice *field)
{
	const char *stop = find_any(scan, scan->delimiter);

	*field = slice_of(scan->at, (size_t)(stop - scan->at));
	scan->at = stop;
	return pass_stop(scan);
}

/* Doubled quotes become one. */
static bool undouble(struct arena *arena, struct lg_slice *field)
{
	char *out = arena_alloc(arena, field->length), *to = out;

	if (!out)
		return false;
	for (size_t i = 0; i < field->length; i++) {
		*to++ = field->data[i];
		if (field->data[i] == '"' && i + 1 < field->length && field->data[i + 1] == '"')
			i++;
	}
	*field = slice_of(out, (size_t)(to - out));
	return true;
}

/* Behind a quote that may be the last: past blanks. */
static const char *skip_blanks(const struct csv_scan *scan, const char *at)
{
	while (at < scan->end && (*at == ' ' || *at == '\t') && *at != scan->delimiter)
		at++;
	return at;
}

static bool ends_field(const struct csv_scan *scan, const char *at)
{
	return at == scan->end || *at == scan->delimiter || *at == '\r' || *at == '\n';
}

/* Looks for the quote that ends the field: `at` then stands on it. CSV_STOP_STRAY: it stands on a
 * quote that does not, and is not doubled. */
static enum csv_stop find_last_quote(struct csv_scan *scan, const char **behind, bool *doubled)
{
	for (;;) {
		scan->at = find_any(scan, '"');
		if (scan->at == scan->end)
			return scan->last ? CSV_STOP_OPEN : CSV_STOP_MORE;
		if (*scan->at != '"') {
			if (!csv_scan_pass_line_end(scan))
				return CSV_STOP_MORE;
			continue;
		}
		if (scan->end - scan->at > 1 && scan->at[1] == '"') {
			*doubled = true;
			scan->at += 2;
			continue;
		}
		*behind = skip_blanks(scan, scan->at + 1);
		if (*behind == scan->end && !scan->last)
			return CSV_STOP_MORE;
		return ends_field(scan, *behind) ? CSV_STOP_FIELD : CSV_STOP_STRAY;
	}
}

/* A field between two quotes, of which `at` is the last. */
static enum csv_stop take_quoted(struct csv_scan *scan, struct lg_slice *field, const char *behind,
				 bool doubled)
{
	field->length = (size_t)(scan->at - field->data);
	scan->at = behind;
	if (doubled && !undouble(scan->arena, field))
		return CSV_STOP_FAILED;
	return pass_stop(scan);
}

/* ---- quotes that are not doubled ----------------------------------------------------------- */

/* Goes to the next quote, delimiter or line end, or to the end. */
static void find_mark(struct csv_scan *scan)
{
	for (; !ends_field(scan, scan->at) && *scan->at != '"'; scan->at++)
		scan->seen |= (unsigned char)*scan->at;
}

static bool at_line_end(const struct csv_scan *scan)
{
	return scan->at == scan->end || *scan->at == '\r' || *scan->at == '\n';
}

/* Gives up the line: its end is passed. */
static enum csv_stop refuse_line(struct csv_scan *scan)
{
	csv_scan_find_line_end(scan);
	if (scan->at == scan->end)
		return scan->last ? CSV_STOP_STRAY : CSV_STOP_MORE;
	return csv_scan_pass_line_end(scan) ? CSV_STOP_STRAY : CSV_STOP_MORE;
}

/* Whether the next quote of this line, if there is one, opens a field: one that does not may be
 * the last quote of the field before. */
static bool quote_opens_field(struct csv_scan *look)
{
	do {
		const char *begin = ++look->at;

		find_mark(look);
		if (look->at < look->end && *look->at == '"')
			return look->at == begin;
	} while (!at_line_end(look));
	return true;
}

/* As it stands, with its quotes, up to what ends a field without them: `at` is there. */
static enum csv_stop take_as_it_is(struct csv_scan *scan, struct lg_slice *field)
{
	struct csv_scan look = *scan;

	if (!at_line_end(scan) && !quote_opens_field(&look))
		return refuse_line(scan);
	if (look.at == look.end && !look.last)
		return CSV_STOP_MORE;
	*field = slice_of(scan->field_begin, (size_t)(scan->at - scan->field_begin));
	return pass_stop(scan);
}

/* Goes on behind a quote that is followed by text. Such a field ends in its own line, for
 * otherwise it takes rows until one of them has a quote that happens to fit. Where text in
 * quotes begins with it (a blank is in front of it) delimiters are text up to the quote behind
 * which the field may end, and quotes must come in pairs. Otherwise the field ends at that quote
 * or at a delimiter, whichever comes first. */
static enum csv_stop read_stray(struct csv_scan *scan, struct lg_slice *field)
{
	bool inner = scan->at[-1] == ' ' || scan->at[-1] == '\t', paired = true;

	for (scan->at++;; scan->at++) {
		const char *behind;

		find_mark(scan);
		if (at_line_end(scan) || (*scan->at != '"' && !inner))
			break;
		if (*scan->at != '"')
			continue;
		paired = !paired;
		behind = skip_blanks(scan, scan->at + 1);
		if (behind == scan->end && !scan->last)
			return CSV_STOP_MORE;
		if (ends_field(scan, behind) && (paired || !inner))
			return take_quoted(scan, field, behind, true);
		if (ends_field(scan, behind))
			return refuse_line(scan);
	}
	return inner || !paired ? refuse_line(scan) : take_as_it_is(scan, field);
}

static enum csv_stop read_quoted(struct csv_scan *scan, struct lg_slice *field)
{
	const char *behind = ++scan->at;
	bool doubled = false;
	enum csv_stop stop;

	*field = slice_of(scan->at, 0); /* until its end is known */
	stop = find_last_quote(scan, &behind, &doubled);
	if (scan->too_far && scan->at > scan->too_far)
		return CSV_STOP_MORE;
	if (stop == CSV_STOP_FIELD)
		return take_quoted(scan, field, behind, doubled);
	if (stop != CSV_STOP_STRAY)
		return stop;
	if (scan->lines == scan->lines_above)
		return read_stray(scan, field);
	scan->at = behind + 1; /* of all that this was told by */
	return CSV_STOP_STRAY;
}

enum csv_stop csv_scan_fields(struct csv_scan *scan)
{
	enum csv_stop stop;

	do {
		size_t slot = scan->count < scan->columns ? scan->count : scan->columns;

		scan->lines_above = scan->lines;
		scan->field_begin = scan->at;
		stop = scan->at < scan->end && *scan->at == '"'
			       ? read_quoted(scan, &scan->fields[slot])
			       : read_plain(scan, &scan->fields[slot]);
		scan->count++;
	} while (stop == CSV_STOP_FIELD);
	return stop;
}
