#include "verbs/import_refusals.h"

#include <unistd.h>

/* The length of the record at the start, with its line ending; 0: it is not whole. */
static size_t record_length(struct lg_slice text)
{
	bool quoted = false;

	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] == '"')
			quoted = !quoted;
		else if (text.data[i] == '\n' && !quoted)
			return i + 1;
	}
	return 0;
}

static struct lg_slice first_field(struct lg_slice text, char delimiter)
{
	bool quoted = text.length > 0 && text.data[0] == '"';
	size_t end = quoted;

	if (!quoted) {
		while (end < text.length && text.data[end] != delimiter)
			end++;
		return slice_cut(text, 0, end);
	}
	while (end < text.length && (text.data[end] != '"' ||
				     (end + 1 < text.length && text.data[end + 1] == '"' && ++end)))
		end++;
	return slice_cut(text, 1, end - 1);
}

/* The delimiter is what stands behind the digits of the line. */
static bool read_record(struct lg_slice record, struct import_refusal *refusal)
{
	size_t digits = 0;
	uint64_t line;

	while (digits < record.length && record.data[digits] >= '0' && record.data[digits] <= '9')
		digits++;
	if (digits == record.length || record.data[digits] == '\n' || record.data[digits] == '\r' ||
	    !slice_to_u64(slice_cut(record, 0, digits), &line))
		return false;
	refusal->line = (int64_t)line;
	refusal->reason = first_field(slice_cut(record, digits + 1, record.length),
				      record.data[digits]);
	return true;
}

size_t import_refusals(struct lg_slice text, struct import_refusal *refusals)
{
	size_t length = record_length(text), count = 0;

	while (length > 0 && count < IMPORT_REFUSALS_MAX) {
		text = slice_cut(text, length, text.length);
		length = record_length(text);
		if (length > 0 && read_record(slice_cut(text, 0, length), &refusals[count]))
			count++;
	}
	return count;
}

struct lg_slice import_refusals_read(int file, char *room, size_t capacity)
{
	size_t length = 0;
	ssize_t got;

	while (length < capacity &&
	       (got = pread(file, room + length, capacity - length, (off_t)length)) > 0)
		length += (size_t)got;
	return slice_of(room, length);
}
