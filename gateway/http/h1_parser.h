/* The head of an HTTP/1.1 request (RFC 9112): pure, strict, resumable.
 *
 * It reads line by line; a line is looked at once it is whole, so the answer
 * depends on the bytes alone and not on how they came. Nothing is allocated:
 * fields go into the caller's table, as places in the head, so that the bytes
 * may move between two calls.
 *
 * Where the RFC lets a server be lenient and that could make two servers see
 * two different requests, it is not. */
#ifndef HTTP_H1_PARSER_H
#define HTTP_H1_PARSER_H

#include "base/slice.h"
#include "http/refusal.h"

struct h1_part {
	uint32_t at, length; /* within the head */
};

struct h1_field {
	struct h1_part name, value;
};

enum h1_result { H1_MORE, H1_WHOLE, H1_REFUSED };

struct h1_parser {
	struct h1_field *fields;
	size_t field_capacity, field_count;
	size_t head_limit; /* bytes, empty lines before it and at its end included */
	size_t line_at;	   /* where the line that is not whole yet begins */
	size_t scanned;	   /* up to here there is no end of that line */
	size_t empty_lines;
	bool has_request_line;

	/* When it is whole. */
	size_t head_length;
	struct h1_part method, target, path, query, scheme, host;
	bool has_query;
	bool is_absolute; /* scheme and host are the target's */
	int minor;	  /* of HTTP/1.x */
	bool has_host, has_length, is_chunked;
	uint64_t content_length;
	bool closes, keeps_alive; /* what Connection asks for */
	bool expects_continue;

	enum http_refusal refusal; /* when it is refused */
};

/* `head_limit` is at most UINT32_MAX. */
void h1_parser_init(struct h1_parser *parser, struct h1_field *fields, size_t field_capacity,
		    size_t head_limit);

/* `bytes` is everything from the request's first byte on: what the call before
 * saw, and more. H1_WHOLE: the head is the first head_length of them. After
 * H1_WHOLE or H1_REFUSED it is not to be fed again. */
enum h1_result h1_parser_feed(struct h1_parser *parser, struct lg_slice bytes);

/* Whether anything but empty lines has come. */
static inline bool h1_parser_has_begun(const struct h1_parser *parser, size_t length)
{
	return parser->has_request_line || length > parser->line_at;
}

/* Whether the connection may carry another request after this one. */
static inline bool h1_parser_persists(const struct h1_parser *parser)
{
	return !parser->closes && (parser->minor > 0 || parser->keeps_alive);
}

/* Checks one field line without its CR LF, which begins at `at` of `bytes`.
 * For trailers too. */
enum http_refusal h1_field_parse(struct lg_slice line, size_t at, struct h1_field *field);

#endif
