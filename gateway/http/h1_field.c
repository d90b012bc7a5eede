#include "http/h1_char.h"
#include "http/h1_parser.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct lg_slice trim_blanks(struct lg_slice s)
{
	while (s.length > 0 && is_blank(s.data[0]))
		s = slice_cut(s, 1, s.length);
	while (s.length > 0 && is_blank(s.data[s.length - 1]))
		s.length--;
	return s;
}

/* What is wrong with a line whose name ends at `end`, which is not a colon. */
static enum http_refusal name_refusal(struct lg_slice line, size_t end)
{
	if (end == 0 && line.length > 0 && is_blank(line.data[0]))
		return HTTP_REFUSED_FIELD_FOLDED;
	if (end > 0 && (end == line.length || is_blank(line.data[end])))
		return HTTP_REFUSED_FIELD_COLON;
	return HTTP_REFUSED_FIELD_NAME;
}

enum http_refusal h1_field_parse(struct lg_slice line, size_t at, struct h1_field *field)
{
	size_t colon = h1_span(line.data, line.length, H1_TOKEN);

	if (colon == 0 || colon == line.length || line.data[colon] != ':')
		return name_refusal(line, colon);
	struct lg_slice value = trim_blanks(slice_cut(line, colon + 1, line.length));
	if (!h1_is_value(value))
		return HTTP_REFUSED_FIELD_VALUE;
	field->name = (struct h1_part){(uint32_t)at, (uint32_t)colon};
	field->value = (struct h1_part){(uint32_t)(at + (size_t)(value.data - line.data)),
					(uint32_t)value.length};
	return HTTP_ACCEPTED;
}
