#include "codec/multipart.h"

#include "codec/media_type.h"

#define BOUNDARY_BYTES 70 /* RFC 2046, section 5.1.1 */
#define FIRST_PARTS 16

/* What is known while a body is read. */
struct reading {
	struct arena *arena;
	const struct multipart_limits *limits;
	struct multipart *out;
	struct error *error;
	struct lg_slice delimiter; /* "\r\n--" and the boundary */
	size_t room;
};

/* ---- boundaries ------------------------------------------------------------- */

static bool is_boundary(struct lg_slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		char c = text.data[i];
		bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
				    (c >= 'A' && c <= 'Z');
		if (!alphanumeric && (c == '\0' || !strchr("'()+_,-./:=? ", c)))
			return false;
	}
	return text.length > 0 && text.length <= BOUNDARY_BYTES &&
	       text.data[text.length - 1] != ' ';
}

/* What follows a boundary: the end of its line, with the blanks that mail puts
 * before it, or the two dashes that end the body. */
enum edge { EDGE_NONE, EDGE_PART, EDGE_END };

static enum edge edge_at(struct lg_slice *rest)
{
	size_t at = 0;

	if (slice_starts(*rest, "--")) {
		*rest = slice_cut(*rest, 2, SIZE_MAX);
		return EDGE_END;
	}
	while (at < rest->length && (rest->data[at] == ' ' || rest->data[at] == '\t'))
		at++;
	if (!slice_starts(slice_cut(*rest, at, 2), "\r\n"))
		return EDGE_NONE;
	*rest = slice_cut(*rest, at + 2, SIZE_MAX);
	return EDGE_PART;
}

/* Takes all before the next boundary off `rest`, and the boundary with its line.
 * A line that only begins as one belongs to the value. */
static enum edge take_until_boundary(const struct reading *reading, struct lg_slice *rest,
				     struct lg_slice *before)
{
	struct lg_slice all = *rest, delimiter = reading->delimiter;
	const char *at;

	while (rest->length > 0 &&
	       (at = memmem(rest->data, rest->length, delimiter.data, delimiter.length))) {
		enum edge edge;

		*rest = slice_cut(*rest, (size_t)(at - rest->data) + delimiter.length, SIZE_MAX);
		edge = edge_at(rest);
		if (edge != EDGE_NONE) {
			*before = slice_of(all.data, (size_t)(at - all.data));
			return edge;
		}
	}
	return EDGE_NONE;
}

/* The first one may open the body, without a line end before it. */
static enum edge take_first_boundary(const struct reading *reading, struct lg_slice *rest)
{
	struct lg_slice opening = slice_cut(reading->delimiter, 2, SIZE_MAX);
	struct lg_slice after = slice_cut(*rest, opening.length, SIZE_MAX), preamble;

	if (slice_equal(slice_cut(*rest, 0, opening.length), opening)) {
		enum edge edge = edge_at(&after);
		if (edge != EDGE_NONE) {
			*rest = after;
			return edge;
		}
	}
	return take_until_boundary(reading, rest, &preamble);
}

/* ---- the header lines of a part ---------------------------------------------- */

/* Takes a line off `rest`; false: none is whole. */
static bool take_line(struct lg_slice *rest, struct lg_slice *line)
{
	const char *end = rest->length ? memmem(rest->data, rest->length, "\r\n", 2) : NULL;

	if (!end)
		return false;
	*line = slice_of(rest->data, (size_t)(end - rest->data));
	*rest = slice_cut(*rest, line->length + 2, SIZE_MAX);
	return true;
}

/* How long a quoted string is, with its quotes. The quote that ends it has the end
 * or a semicolon after it: browsers of today send a backslash as it is, so one
 * before a quote escapes only where the quote does not end the string. 0: it does
 * not end. */
static size_t quoted_length(struct lg_slice text)
{
	for (size_t i = 1; i < text.length; i++) {
		struct lg_slice after;

		if (text.data[i] != '"')
			continue;
		after = slice_trim(slice_cut(text, i + 1, SIZE_MAX));
		if (after.length == 0 || after.data[0] == ';')
			return i + 1;
		if (text.data[i - 1] != '\\')
			return 0;
	}
	return 0;
}

/* Without the escapes: of today's browsers %22, %0D and %0A, of older ones \". */
static struct lg_slice unescape(struct arena *arena, struct lg_slice text)
{
	static const struct {
		const char *escape;
		char c;
	} escapes[] = {{"%22", '"'}, {"%0D", '\r'}, {"%0A", '\n'}, {"\\\"", '"'}};
	char *out = arena_alloc(arena, text.length + 1), *to = out;

	if (!out)
		return slice_of(NULL, 0);
	while (text.length > 0) {
		size_t row = 0, length = 1;

		while (row < 4 && !slice_starts(text, escapes[row].escape))
			row++;
		if (row < 4)
			length = strlen(escapes[row].escape);
		*to++ = row < 4 ? escapes[row].c : text.data[0];
		text = slice_cut(text, length, SIZE_MAX);
	}
	*to = '\0';
	return slice_of(out, (size_t)(to - out));
}

/* Takes a parameter of Content-Disposition off `rest`, which begins with ';'. */
static bool take_parameter(struct lg_slice *rest, struct lg_slice *name, struct lg_slice *value)
{
	struct lg_slice text = slice_trim(slice_cut(*rest, 1, SIZE_MAX));
	ptrdiff_t equals = slice_find(text, '=');
	size_t length;

	if (rest->data[0] != ';' || equals <= 0)
		return false;
	*name = slice_trim(slice_cut(text, 0, (size_t)equals));
	text = slice_trim(slice_cut(text, (size_t)equals + 1, SIZE_MAX));
	if (text.length > 0 && text.data[0] == '"') {
		length = quoted_length(text);
		if (length == 0)
			return false;
		*value = slice_cut(text, 1, length - 2);
	} else {
		ptrdiff_t end = slice_find(text, ';');
		length = end < 0 ? text.length : (size_t)end;
		*value = slice_trim(slice_cut(text, 0, length));
	}
	*rest = slice_trim(slice_cut(text, length, SIZE_MAX));
	return true;
}

/* form-data; name="…"; filename="…" (RFC 7578, section 4.2). filename* must not be
 * sent; where it is all the same, the part is a file. */
static bool read_disposition(struct reading *reading, struct lg_slice value,
			     struct multipart_part *part)
{
	ptrdiff_t semicolon = slice_find(value, ';');
	struct lg_slice rest = semicolon < 0 ? slice_of(NULL, 0)
					     : slice_cut(value, (size_t)semicolon, SIZE_MAX);

	if (!media_type_is(value, "form-data"))
		return error_set(reading->error, "a part of the multipart body is no form-data");
	if (slice_present(part->name))
		return error_set(reading->error,
				 "a part of the multipart body has two Content-Dispositions");
	while (rest.length > 0) {
		struct lg_slice name, text;

		if (!take_parameter(&rest, &name, &text))
			return error_set(reading->error, "a Content-Disposition of the multipart "
							 "body cannot be read");
		if (slice_equal_nocase(name, LG_SLICE("name")) && !slice_present(part->name))
			part->name = unescape(reading->arena, text);
		else if (slice_equal_nocase(name, LG_SLICE("filename")) ||
			 (slice_equal_nocase(name, LG_SLICE("filename*")) &&
			  !slice_present(part->filename)))
			part->filename = unescape(reading->arena, text);
	}
	return true;
}

/* RFC 7578, section 4.7: nobody may encode a part; a value that would be taken for
 * plain would be wrong. */
static bool is_plain(struct lg_slice encoding)
{
	return slice_equal_nocase(encoding, LG_SLICE("7bit")) ||
	       slice_equal_nocase(encoding, LG_SLICE("8bit")) ||
	       slice_equal_nocase(encoding, LG_SLICE("binary"));
}

static bool read_header(struct reading *reading, struct lg_slice line, struct multipart_part *part)
{
	ptrdiff_t colon = slice_find(line, ':');
	struct lg_slice name, value;

	if (colon <= 0 || line.data[0] == ' ' || line.data[0] == '\t')
		return error_set(reading->error,
				 "a header line of a part of the multipart body cannot be read");
	name = slice_cut(line, 0, (size_t)colon);
	value = slice_trim(slice_cut(line, (size_t)colon + 1, SIZE_MAX));
	if (slice_equal_nocase(name, LG_SLICE("Content-Disposition")))
		return read_disposition(reading, value, part);
	if (slice_equal_nocase(name, LG_SLICE("Content-Type")))
		part->type = value;
	if (slice_equal_nocase(name, LG_SLICE("Content-Transfer-Encoding")) && !is_plain(value))
		return error_set(reading->error, "a part of the multipart body has a "
						 "Content-Transfer-Encoding: send it as it is");
	return true;
}

/* ---- parts -------------------------------------------------------------------- */

static bool read_part(struct reading *reading, struct lg_slice content)
{
	struct multipart_part part = {0};
	/* The line end before the boundary may be the blank line's own. */
	struct lg_slice rest = content, line;

	for (;;) {
		if (!take_line(&rest, &line))
			return error_set(reading->error,
					 "a part of the multipart body has no blank line "
					 "after its header lines");
		if ((size_t)(rest.data - content.data) > reading->limits->head_bytes)
			return error_set(reading->error,
					 "the header lines of a part of the multipart body have "
					 "more than %zu bytes",
					 reading->limits->head_bytes);
		if (line.length == 0)
			break;
		if (!read_header(reading, line, &part))
			return false;
	}
	if (!slice_present(part.name))
		return error_set(reading->error, "a part of the multipart body has no name");
	part.value = rest;
	reading->out->parts[reading->out->count++] = part;
	return !reading->arena->failed;
}

static bool make_room(struct reading *reading)
{
	struct multipart *out = reading->out;
	struct multipart_part *parts;

	if (out->count == reading->limits->parts)
		return error_set(reading->error, "the multipart body has more than %zu parts",
				 reading->limits->parts);
	if (out->count < reading->room)
		return true;
	reading->room = reading->room ? reading->room * 2 : FIRST_PARTS;
	parts = arena_alloc(reading->arena, reading->room * sizeof(*parts));
	if (!parts)
		return error_set(reading->error, "there is no memory for the multipart body");
	if (out->count)
		memcpy(parts, out->parts, out->count * sizeof(*parts));
	out->parts = parts;
	return true;
}

static bool read_parts(struct reading *reading, struct lg_slice rest)
{
	enum edge edge = take_first_boundary(reading, &rest);

	if (edge == EDGE_NONE)
		return error_set(reading->error, "the multipart body does not have the boundary "
						 "that its Content-Type names");
	while (edge == EDGE_PART) {
		struct lg_slice content;

		edge = take_until_boundary(reading, &rest, &content);
		if (edge == EDGE_NONE)
			return error_set(reading->error,
					 "the multipart body ends before its last boundary");
		/* A value without bytes has its line end before the boundary: the
		 * blank line that ends the header lines needs one as well. */
		if (!make_room(reading) || !read_part(reading, content))
			return false;
	}
	return true;
}

bool multipart_parse(struct arena *arena, struct lg_slice type, struct lg_slice bytes,
		     const struct multipart_limits *limits, struct multipart *multipart,
		     struct error *error)
{
	struct lg_slice boundary = media_type_parameter(type, "boundary");
	struct reading reading = {arena, limits, multipart, error, {NULL, 0}, 0};

	*multipart = (struct multipart){NULL, 0};
	if (!media_type_is(type, "multipart/form-data") || !is_boundary(boundary))
		return error_set(error, "the Content-Type of a multipart body must name a "
					"boundary of 1 to 70 characters");
	reading.delimiter = arena_printf(arena, "\r\n--%.*s", SLICE_ARGS(boundary));
	if (!slice_present(reading.delimiter))
		return error_set(error, "there is no memory for the multipart body");
	return read_parts(&reading, bytes);
}
