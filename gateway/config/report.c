#include "config/report.h"

/* How much of a long line is shown: before the place, and in all. */
#define BEFORE_BYTES 72
#define SHOWN_BYTES 120

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t line_start(struct lg_slice text, size_t offset)
{
	while (offset > 0 && text.data[offset - 1] != '\n')
		offset--;
	return offset;
}

static size_t line_end(struct lg_slice text, size_t offset)
{
	while (offset < text.length && text.data[offset] != '\n')
		offset++;
	if (offset > 0 && text.data[offset - 1] == '\r')
		offset--;
	return offset;
}

static size_t characters(struct lg_slice text, size_t from, size_t to)
{
	size_t count = 0;

	for (size_t i = from; i < to; i++)
		count += !is_continuation(text.data[i]);
	return count;
}

/* The part of the line between two offsets; what is not to be shown as stars. */
static void print_line(struct buffer *out, struct lg_slice text, const struct mask *mask,
		       size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		char c = text.data[i];
		bool blank = c == ' ' || c == '\t';
		bool control = ((unsigned char)c < 0x20 && !blank) || c == 0x7f;
		bool hidden = !blank && !control && !mask_shows(mask, i);

		if (!hidden || !is_continuation(c))
			buffer_add_byte(out, control ? '?' : hidden ? '*' : c);
	}
}

/* Blanks up to the place; tabs stay tabs, so that the caret keeps its column. */
static void print_caret(struct buffer *out, struct lg_slice before)
{
	for (size_t i = 0; i < before.length; i++) {
		if (!is_continuation(before.data[i]))
			buffer_add_byte(out, before.data[i] == '\t' ? '\t' : ' ');
	}
	buffer_add_literal(out, "^\n");
}

static void print_excerpt(struct buffer *out, struct lg_slice text, const struct mask *mask,
			  size_t start, size_t offset)
{
	size_t end = line_end(text, offset), from = start, to = end;

	if (offset > end)
		offset = end;
	if (offset - from > BEFORE_BYTES)
		from = offset - BEFORE_BYTES;
	while (from < offset && is_continuation(text.data[from]))
		from++;
	if (to - from > SHOWN_BYTES)
		to = from + SHOWN_BYTES;
	while (to < end && is_continuation(text.data[to]))
		to++;
	buffer_add_literal(out, "  ");
	if (from > start)
		buffer_add_literal(out, "...");
	print_line(out, text, mask, from, to);
	buffer_add(out, "...\n", to < end ? 4 : 0);
	if (to == end)
		buffer_add_byte(out, '\n');
	buffer_add_literal(out, "  ");
	if (from > start)
		buffer_add_literal(out, "   ");
	print_caret(out, slice_of(text.data + from, offset - from));
}

void report_error(struct buffer *out, const char *path, struct lg_slice text,
		  const struct mask *mask, size_t offset, const char *message)
{
	size_t start;

	if (offset > text.length)
		offset = text.length;
	start = line_start(text, offset);
	buffer_printf(out, "%s:%d:%zu: error: %s\n", path, report_line(text, offset),
		      characters(text, start, offset) + 1, message);
	print_excerpt(out, text, mask, start, offset);
}

size_t report_offset(struct lg_slice text, int line, int column)
{
	size_t offset = 0;

	for (; line > 1 && offset < text.length; offset++)
		line -= text.data[offset] == '\n';
	while (column > 1 && offset < text.length && text.data[offset] != '\n') {
		offset++;
		column -= offset == text.length || !is_continuation(text.data[offset]);
	}
	return offset;
}

int report_line(struct lg_slice text, size_t offset)
{
	int line = 1;

	for (size_t i = 0; i < offset && i < text.length; i++)
		line += text.data[i] == '\n';
	return line;
}
