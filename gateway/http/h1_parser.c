#include "http/h1_parser.h"

#include "http/h1_char.h"

/* RFC 9112, section 2.2, asks to skip at least one. */
#define EMPTY_LINES_MAX 4

/* "HTTP/1.1" */
#define VERSION_LENGTH 8

void h1_parser_init(struct h1_parser *parser, struct h1_field *fields, size_t field_capacity,
		    size_t head_limit)
{
	*parser = (struct h1_parser){
		.fields = fields, .field_capacity = field_capacity, .head_limit = head_limit};
}

static struct h1_part part_of(struct lg_slice s, const char *base)
{
	return (struct h1_part){(uint32_t)(s.data - base), (uint32_t)s.length};
}

/* ---- the request line -------------------------------------------------------- */

/* Cuts `target` at its '?'; `path` begins at `start` of it. */
static void set_path(struct h1_parser *parser, struct lg_slice target, size_t start,
		     const char *base)
{
	struct lg_slice path = slice_cut(target, start, target.length);
	const char *mark = path.length > 0 ? memchr(path.data, '?', path.length) : NULL;
	size_t length = mark ? (size_t)(mark - path.data) : path.length;

	parser->path = part_of(slice_cut(path, 0, length), base);
	parser->has_query = mark != NULL;
	if (mark)
		parser->query = part_of(slice_cut(path, length + 1, path.length), base);
}

static size_t scheme_length(struct lg_slice target)
{
	static const char *const schemes[] = {"http://", "https://"};

	for (size_t i = 0; i < 2; i++) {
		struct lg_slice scheme = slice_from(schemes[i]);
		if (slice_equal_nocase(slice_cut(target, 0, scheme.length), scheme))
			return scheme.length;
	}
	return 0;
}

/* http://host/path?query: its host counts, not the Host header (RFC 9112,
 * section 3.2.2). */
static enum http_refusal parse_absolute(struct h1_parser *parser, struct lg_slice target,
					const char *base)
{
	size_t start = scheme_length(target), end = start;

	if (start == 0)
		return HTTP_REFUSED_TARGET;
	while (end < target.length && target.data[end] != '/' && target.data[end] != '?')
		end++;
	struct lg_slice host = slice_cut(target, start, end - start);
	if (!h1_is_authority(host))
		return HTTP_REFUSED_TARGET;
	parser->is_absolute = true;
	parser->scheme = part_of(slice_cut(target, 0, start - 3), base);
	parser->host = part_of(host, base);
	set_path(parser, target, end, base);
	return HTTP_ACCEPTED;
}

static enum http_refusal parse_target(struct h1_parser *parser, struct lg_slice method,
				      struct lg_slice target, const char *base)
{
	parser->target = part_of(target, base);
	if (target.data[0] == '/') {
		set_path(parser, target, 0, base);
		return HTTP_ACCEPTED;
	}
	if (slice_is(method, "CONNECT"))
		return HTTP_REFUSED_CONNECT;
	if (slice_is(target, "*") && slice_is(method, "OPTIONS")) {
		parser->path = parser->target;
		return HTTP_ACCEPTED;
	}
	return parse_absolute(parser, target, base);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static enum http_refusal parse_version(struct h1_parser *parser, struct lg_slice version)
{
	const char *at = version.data;

	if (version.length != VERSION_LENGTH || memcmp(at, "HTTP/", 5) != 0 || !is_digit(at[5]) ||
	    at[6] != '.' || !is_digit(at[7]))
		return HTTP_REFUSED_REQUEST_LINE;
	if (at[5] != '1' || at[7] > '1')
		return HTTP_REFUSED_VERSION;
	parser->minor = at[7] - '0';
	return HTTP_ACCEPTED;
}

/* METHOD SP TARGET SP VERSION, one blank each: a recipient that splits at any
 * white space sees another target than one that does not. */
static enum http_refusal parse_request_line(struct h1_parser *parser, struct lg_slice line,
					    const char *base)
{
	size_t method = h1_span(line.data, line.length, H1_TOKEN);

	if (method == 0 || method == line.length || line.data[method] != ' ')
		return method == line.length ? HTTP_REFUSED_REQUEST_LINE : HTTP_REFUSED_METHOD;
	struct lg_slice rest = slice_cut(line, method + 1, line.length);
	size_t target = h1_span(rest.data, rest.length, H1_TARGET);
	if (target == 0 || target == rest.length)
		return HTTP_REFUSED_REQUEST_LINE;
	if (rest.data[target] != ' ')
		return HTTP_REFUSED_TARGET;
	enum http_refusal refusal = parse_version(parser, slice_cut(rest, target + 1, rest.length));
	if (refusal != HTTP_ACCEPTED)
		return refusal;
	parser->method = part_of(slice_cut(line, 0, method), base);
	return parse_target(parser, slice_cut(line, 0, method), slice_cut(rest, 0, target), base);
}

/* ---- the fields that frame the message ------------------------------------------ */

static enum http_refusal take_host(struct h1_parser *parser, struct lg_slice value,
				   const char *base)
{
	if (parser->has_host)
		return HTTP_REFUSED_HOST_REPEATED;
	if (!h1_is_authority(value))
		return HTTP_REFUSED_HOST;
	parser->has_host = true;
	if (!parser->is_absolute)
		parser->host = part_of(value, base);
	return HTTP_ACCEPTED;
}

/* Digits alone: "+5", "5, 5" and "0x5" are read differently by different
 * servers. */
static enum http_refusal take_length(struct h1_parser *parser, struct lg_slice value)
{
	if (parser->has_length)
		return HTTP_REFUSED_LENGTH_REPEATED;
	if (!slice_to_u64(value, &parser->content_length) || parser->content_length > INT64_MAX)
		return HTTP_REFUSED_LENGTH;
	parser->has_length = true;
	return HTTP_ACCEPTED;
}

/* RFC 9112, section 6.3: without chunked at its end nobody knows where the
 * message ends. */
static enum http_refusal take_coding(struct h1_parser *parser, struct lg_slice value)
{
	struct lg_slice chunked = LG_SLICE("chunked");
	struct lg_slice part = {0};
	size_t count = 0, chunked_count = 0;

	if (parser->is_chunked)
		return HTTP_REFUSED_CODING;
	while (slice_split(&value, ',', &part)) {
		part = slice_trim(part);
		if (!h1_is_token(part))
			return HTTP_REFUSED_CODING;
		count++;
		chunked_count += slice_equal_nocase(part, chunked);
	}
	if (chunked_count != 1 || !slice_equal_nocase(part, chunked))
		return HTTP_REFUSED_CODING;
	if (count > 1)
		return HTTP_REFUSED_CODING_UNKNOWN;
	parser->is_chunked = true;
	return HTTP_ACCEPTED;
}

static enum http_refusal take_connection(struct h1_parser *parser, struct lg_slice value)
{
	struct lg_slice part;

	while (slice_split(&value, ',', &part)) {
		part = slice_trim(part);
		if (slice_equal_nocase(part, LG_SLICE("close")))
			parser->closes = true;
		else if (slice_equal_nocase(part, LG_SLICE("keep-alive")))
			parser->keeps_alive = true;
	}
	return HTTP_ACCEPTED;
}

/* A server must ignore it in HTTP/1.0 (RFC 9110, section 10.1.1). */
static enum http_refusal take_expect(struct h1_parser *parser, struct lg_slice value)
{
	if (parser->minor == 0)
		return HTTP_ACCEPTED;
	if (!slice_equal_nocase(value, LG_SLICE("100-continue")))
		return HTTP_REFUSED_EXPECTATION;
	parser->expects_continue = true;
	return HTTP_ACCEPTED;
}

/* Few names are as long as one of ours, so most fields end at the switch. */
static enum http_refusal take_field(struct h1_parser *parser, const struct h1_field *field,
				    const char *base)
{
	struct lg_slice name = slice_of(base + field->name.at, field->name.length);
	struct lg_slice value = slice_of(base + field->value.at, field->value.length);

	switch (name.length) {
	case 4:
		if (slice_equal_nocase(name, LG_SLICE("host")))
			return take_host(parser, value, base);
		break;
	case 6:
		if (slice_equal_nocase(name, LG_SLICE("expect")))
			return take_expect(parser, value);
		break;
	case 10:
		if (slice_equal_nocase(name, LG_SLICE("connection")))
			return take_connection(parser, value);
		break;
	case 14:
		if (slice_equal_nocase(name, LG_SLICE("content-length")))
			return take_length(parser, value);
		break;
	case 17:
		if (slice_equal_nocase(name, LG_SLICE("transfer-encoding")))
			return take_coding(parser, value);
		break;
	default: break;
	}
	return HTTP_ACCEPTED;
}

static enum http_refusal parse_field(struct h1_parser *parser, struct lg_slice line,
				     const char *base)
{
	if (parser->field_count == parser->field_capacity)
		return HTTP_REFUSED_FIELDS_TOO_MANY;
	struct h1_field *field = &parser->fields[parser->field_count];
	enum http_refusal refusal = h1_field_parse(line, (size_t)(line.data - base), field);
	if (refusal != HTTP_ACCEPTED)
		return refusal;
	parser->field_count++;
	return take_field(parser, field, base);
}

/* ---- lines ----------------------------------------------------------------------- */

static enum http_refusal check_whole(const struct h1_parser *parser)
{
	if (parser->minor > 0 && !parser->has_host)
		return HTTP_REFUSED_HOST_MISSING;
	if (parser->is_chunked && parser->has_length)
		return HTTP_REFUSED_LENGTH_CHUNKED;
	if (parser->is_chunked && parser->minor == 0)
		return HTTP_REFUSED_CODING_OLD;
	return HTTP_ACCEPTED;
}

static enum h1_result refuse(struct h1_parser *parser, enum http_refusal refusal)
{
	parser->refusal = refusal;
	return H1_REFUSED;
}

static enum h1_result take_empty_line(struct h1_parser *parser)
{
	if (!parser->has_request_line) {
		if (++parser->empty_lines > EMPTY_LINES_MAX)
			return refuse(parser, HTTP_REFUSED_EMPTY_LINES);
		return H1_MORE;
	}
	enum http_refusal refusal = check_whole(parser);
	if (refusal != HTTP_ACCEPTED)
		return refuse(parser, refusal);
	parser->head_length = parser->line_at;
	return H1_WHOLE;
}

/* `line` is without its LF; `base` is where the head begins. */
static enum h1_result take_line(struct h1_parser *parser, struct lg_slice line, const char *base)
{
	enum http_refusal refusal;

	if (line.length == 0 || line.data[line.length - 1] != '\r')
		return refuse(parser, HTTP_REFUSED_LINE_END);
	line.length--;
	if (line.length == 0)
		return take_empty_line(parser);
	if (parser->has_request_line) {
		refusal = parse_field(parser, line, base);
	} else {
		refusal = parse_request_line(parser, line, base);
		parser->has_request_line = true;
	}
	return refusal == HTTP_ACCEPTED ? H1_MORE : refuse(parser, refusal);
}

static enum h1_result refuse_size(struct h1_parser *parser)
{
	return refuse(parser, parser->has_request_line ? HTTP_REFUSED_HEAD_TOO_LARGE
						       : HTTP_REFUSED_TARGET_TOO_LONG);
}

/* A peer that speaks something else altogether, TLS above all, may never send
 * a line end and would wait for its answer until the deadline. */
static bool begins_badly(const struct h1_parser *parser, struct lg_slice bytes)
{
	char first = bytes.data[parser->line_at];

	return !parser->has_request_line && first != '\r' && first != '\n' &&
	       !h1_is(first, H1_TOKEN);
}

enum h1_result h1_parser_feed(struct h1_parser *parser, struct lg_slice bytes)
{
	size_t seen = bytes.length < parser->head_limit ? bytes.length : parser->head_limit;
	enum h1_result result = H1_MORE;

	while (result == H1_MORE && parser->line_at < seen) {
		if (begins_badly(parser, bytes))
			return refuse(parser, HTTP_REFUSED_METHOD);
		const char *end = memchr(bytes.data + parser->scanned, '\n',
					 seen - parser->scanned);
		if (!end) {
			parser->scanned = seen;
			break;
		}
		struct lg_slice line = slice_cut(bytes, parser->line_at,
						 (size_t)(end - bytes.data) - parser->line_at);
		parser->line_at = parser->scanned = (size_t)(end - bytes.data) + 1;
		result = take_line(parser, line, bytes.data);
	}
	if (result == H1_MORE && bytes.length > parser->head_limit)
		return refuse_size(parser);
	return result;
}
