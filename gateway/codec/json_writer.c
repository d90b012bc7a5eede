#include "codec/json_writer.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "base/word.h"

void json_writer_init(struct json_writer *writer, struct buffer *out)
{
	*writer = (struct json_writer){.out = out, .comma = false};
}

static void write_comma(struct json_writer *writer)
{
	if (writer->comma)
		buffer_add_byte(writer->out, ',');
	writer->comma = true;
}

static bool is_plain(char c)
{
	unsigned char byte = (unsigned char)c;

	return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

/* Marks what needs an escape or is not ASCII. */
static uint64_t odd_bytes(uint64_t word)
{
	return word | word_below(word, ' ') | word_equal(word, '"') | word_equal(word, '\\');
}

bool json_copy_plain(char *to, struct lg_slice text)
{
	return !word_any_copied(to, text, odd_bytes, 'x');
}

/* How many bytes from the front need no escape. */
static size_t plain_length(const char *at, const char *end)
{
	const char *from = at;

	while (end - at >= (ptrdiff_t)WORD_BYTES && !(odd_bytes(word_load(at)) & WORD_HIGH_BITS))
		at += WORD_BYTES;
	while (at < end && is_plain(*at))
		at++;
	return (size_t)(at - from);
}

/* Most names and values need no escape: they go in as one piece. */
static void write_quoted(struct buffer *out, struct lg_slice text)
{
	char *room = buffer_room(out, text.length + 2);

	if (!room)
		return;
	if (json_copy_plain(room + 1, text)) {
		room[0] = '"';
		room[text.length + 1] = '"';
		buffer_added(out, text.length + 2);
		return;
	}
	buffer_add_byte(out, '"');
	json_escape(out, text);
	buffer_add_byte(out, '"');
}

void json_write_open(struct json_writer *writer, char bracket)
{
	write_comma(writer);
	buffer_add_byte(writer->out, bracket);
	writer->comma = false;
}

void json_write_close(struct json_writer *writer, char bracket)
{
	buffer_add_byte(writer->out, bracket);
	writer->comma = true;
}

void json_write_name(struct json_writer *writer, struct lg_slice name)
{
	write_comma(writer);
	write_quoted(writer->out, name);
	buffer_add_byte(writer->out, ':');
	writer->comma = false;
}

void json_write_text(struct json_writer *writer, struct lg_slice text)
{
	write_comma(writer);
	write_quoted(writer->out, text);
}

void json_write_int(struct json_writer *writer, int64_t number)
{
	write_comma(writer);
	if (number < 0)
		buffer_add_byte(writer->out, '-');
	buffer_add_u64(writer->out, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

void json_write_bool(struct json_writer *writer, bool value)
{
	json_write_raw(writer, value ? LG_SLICE("true") : LG_SLICE("false"));
}

void json_write_null(struct json_writer *writer)
{
	json_write_raw(writer, LG_SLICE("null"));
}

void json_write_number(struct json_writer *writer, double number)
{
	char text[32];

	/* 17 digits give every number back, 15 those that people write. */
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	json_write_raw(writer, slice_from(text));
}

void json_write_value(struct json_writer *writer, const struct json *value)
{
	bool object = value->kind == JSON_OBJECT;

	switch (value->kind) {
	case JSON_NULL: json_write_null(writer); return;
	case JSON_TRUE:
	case JSON_FALSE: json_write_bool(writer, value->kind == JSON_TRUE); return;
	case JSON_NUMBER: json_write_raw(writer, value->text); return;
	case JSON_STRING: json_write_text(writer, value->text); return;
	case JSON_ARRAY:
	case JSON_OBJECT: break;
	}
	json_write_open(writer, object ? '{' : '[');
	for (const struct json *item = value->first; item; item = item->next) {
		if (object)
			json_write_name(writer, item->name);
		json_write_value(writer, item);
	}
	json_write_close(writer, object ? '}' : ']');
}

void json_write_raw(struct json_writer *writer, struct lg_slice json)
{
	write_comma(writer);
	buffer_add_slice(writer->out, json);
}

void json_write_member_text(struct json_writer *writer, const char *name, struct lg_slice text)
{
	if (!slice_present(text))
		return;
	json_write_name(writer, slice_from(name));
	json_write_text(writer, text);
}

void json_write_member_int(struct json_writer *writer, const char *name, int64_t number)
{
	json_write_name(writer, slice_from(name));
	json_write_int(writer, number);
}

void json_write_member_bool(struct json_writer *writer, const char *name, bool value)
{
	json_write_name(writer, slice_from(name));
	json_write_bool(writer, value);
}

void json_write_member_time(struct json_writer *writer, const char *name, int64_t at_ms)
{
	char text[CLOCK_RFC3339_BYTES];

	if (at_ms == 0)
		return;
	clock_format(at_ms, text);
	json_write_member_text(writer, name, slice_from(text));
}

static void escape_ascii(struct buffer *out, char c)
{
	static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* byte, letter */
	char text[8];

	for (size_t i = 0; i + 1 < sizeof(short_forms); i += 2) {
		if (short_forms[i] == c) {
			text[0] = '\\';
			text[1] = short_forms[i + 1];
			buffer_add(out, text, 2);
			return;
		}
	}
	snprintf(text, sizeof(text), "\\u%04x", (unsigned char)c);
	buffer_add(out, text, 6);
}

/* One character above ASCII, as it is but for the two line ends that JSON
 * allows in strings and JavaScript once did not. Returns the bytes it took. */
static size_t escape_wide(struct buffer *out, struct lg_slice text)
{
	struct lg_slice rest = text;
	int32_t point = utf8_next(&rest);
	size_t taken = text.length - rest.length;

	if (point == UTF8_INVALID)
		buffer_add_literal(out, "\xef\xbf\xbd");
	else if (point == 0x2028)
		buffer_add_literal(out, "\\u2028");
	else if (point == 0x2029)
		buffer_add_literal(out, "\\u2029");
	else
		buffer_add(out, text.data, taken);
	return taken;
}

void json_escape(struct buffer *out, struct lg_slice text)
{
	/* An absent slice has no address to count from. */
	const char *at = text.length ? text.data : "", *end = at + text.length;

	while (at < end) {
		size_t plain = plain_length(at, end);

		buffer_add(out, at, plain);
		at += plain;
		if (at == end)
			break;
		if ((unsigned char)*at < 0x80)
			escape_ascii(out, *at++);
		else
			at += escape_wide(out, slice_of(at, (size_t)(end - at)));
	}
}
