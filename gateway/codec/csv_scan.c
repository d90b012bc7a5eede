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

/* Whether the field that goes on at `at` is known to end too far away. Inside of a run of
 * quotes, where they are not paired as they were before, nothing is known. */
static bool is_known_open(const struct csv_scan *scan)
{
	return scan->too_far && scan->at >= scan->open->begin && scan->at < scan->open->end &&
	       scan->open->end > scan->too_far && *scan->at != '"';
}

/* Looks for the quote that ends the field: `at` then stands on it. */
static enum csv_stop find_last_quote(struct csv_scan *scan, const char **behind, bool *doubled)
{
	for (;;) {
		if (is_known_open(scan))
			return CSV_STOP_MORE;
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
		if (ends_field(scan, *behind))
			return CSV_STOP_FIELD;
		scan->at++;
	}
}

static enum csv_stop read_quoted(struct csv_scan *scan, struct lg_slice *field)
{
	const char *from = ++scan->at, *behind = from;
	bool doubled = false;
	enum csv_stop stop = find_last_quote(scan, &behind, &doubled);

	if (scan->too_far && scan->at > scan->too_far) {
		*scan->open = (struct csv_stretch){from, scan->at};
		return CSV_STOP_MORE;
	}
	if (stop != CSV_STOP_FIELD)
		return stop;
	*field = slice_of(from, (size_t)(scan->at - from));
	scan->at = behind;
	if (doubled && !undouble(scan->arena, field))
		return CSV_STOP_FAILED;
	return pass_stop(scan);
}

enum csv_stop csv_scan_fields(struct csv_scan *scan)
{
	enum csv_stop stop;

	do {
		size_t slot = scan->count < scan->columns ? scan->count : scan->columns;

		scan->lines_above = scan->lines;
		stop = scan->at < scan->end && *scan->at == '"'
			       ? read_quoted(scan, &scan->fields[slot])
			       : read_plain(scan, &scan->fields[slot]);
		scan->count++;
	} while (stop == CSV_STOP_FIELD);
	return stop;
}
