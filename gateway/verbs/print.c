#include "verbs/print.h"

#include <errno.h>
#include <string.h>

#include "base/utf8.h"

#define PATH_BYTES 256
#define PATH_COLUMNS 34

/* How many bytes come before DEL or a C1 control character: U+0080 to U+009F,
 * which are C2 and one more byte. */
static size_t harmless_bytes(struct lg_slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];
		unsigned char next = i + 1 < text.length ? (unsigned char)text.data[i + 1] : 0;

		if (c == 0x7f || (c == 0xc2 && next >= 0x80 && next < 0xa0))
			return i;
	}
	return text.length;
}

bool print_escaped(FILE *stream, struct lg_slice text)
{
	for (;;) {
		size_t length = harmless_bytes(text);

		if (fwrite(text.data, 1, length, stream) != length)
			return false;
		text = slice_cut(text, length, text.length);
		if (text.length == 0)
			return true;
		if (fprintf(stream, "\\u%04x", (unsigned int)utf8_next(&text)) < 0)
			return false;
	}
}

bool print_buffer(struct buffer *out)
{
	bool good = !out->failed;

	if (!good)
		fprintf(stderr, "leadgate: not enough memory\n");
	else if (!print_escaped(stdout, buffer_slice(out)) || fflush(stdout) != 0) {
		fprintf(stderr, "leadgate: writing the answer: %s\n", strerror(errno));
		good = false;
	}
	buffer_clear(out);
	return good;
}

void print_cell(struct buffer *out, struct lg_slice text, size_t width)
{
	size_t columns = 0;

	while (text.length > 0 && (width == 0 || columns < width)) {
		const char *start = text.data;
		int32_t c = utf8_next(&text);

		if (c == UTF8_INVALID || c < 0x20 || (c >= 0x7f && c < 0xa0))
			buffer_add_byte(out, '?');
		else
			buffer_add(out, start, (size_t)(text.data - start));
		columns++;
	}
	for (; columns < width; columns++)
		buffer_add_byte(out, ' ');
}

static struct lg_slice scalar_text(const struct json *value)
{
	switch (value->kind) {
	case JSON_NULL: return LG_SLICE("null");
	case JSON_TRUE: return LG_SLICE("true");
	case JSON_FALSE: return LG_SLICE("false");
	default: return value->text;
	}
}

static void print_below(struct buffer *out, const struct json *value, const char *path)
{
	int index = 0;

	if (value->kind != JSON_OBJECT && value->kind != JSON_ARRAY) {
		print_cell(out, slice_from(path), PATH_COLUMNS);
		buffer_add_byte(out, ' ');
		print_cell(out, scalar_text(value), 0);
		buffer_add_byte(out, '\n');
		return;
	}
	for (const struct json *child = value->first; child; child = child->next) {
		char below[PATH_BYTES];

		if (value->kind == JSON_ARRAY)
			snprintf(below, sizeof(below), "%s[%d]", path, index++);
		else
			snprintf(below, sizeof(below), "%s%s%.*s", path, *path ? "." : "",
				 SLICE_ARGS(child->name));
		print_below(out, child, below);
	}
}

/* The reader bounds the depth. */
void print_flat(struct buffer *out, const struct json *value)
{
	print_below(out, value, "");
}
