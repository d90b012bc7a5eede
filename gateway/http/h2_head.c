#include "http/h2_head.h"

#include "http/h1_char.h"
#include "http/origin.h"

/* RFC 9113, section 6.5.2. */
#define FIELD_OVERHEAD_BYTES 32
/* A head may be so many times too large before the connection ends for it. */
#define BOMB_FACTOR 4

static void refuse(struct h2_stream *s, enum http_refusal refusal)
{
	if (s->fault == HTTP_ACCEPTED)
		s->fault = refusal;
}

/* ---- field by field --------------------------------------------------------------- */

static void take_pseudo(struct http_request *request, struct lg_slice name, struct lg_slice value)
{
	if (slice_is(name, ":method"))
		request->method = value;
	else if (slice_is(name, ":path"))
		request->target = value;
	else if (slice_is(name, ":scheme"))
		request->scheme = value;
	else
		request->host = value;
}

/* Section 8.3.1: a Host that names another than :authority would let two
 * servers see two requests. */
static void take_host(struct h2_stream *s, struct lg_slice value)
{
	struct http_request *request = &s->request;

	if (!slice_present(request->host))
		request->host = value;
	else if (!slice_equal_nocase(request->host, value))
		refuse(s, HTTP_REFUSED_MALFORMED);
}

static void take_length(struct h2_stream *s, struct lg_slice value)
{
	s->has_length = slice_to_u64(value, &s->content_length);
	if (!s->has_length)
		refuse(s, HTTP_REFUSED_MALFORMED);
}

/* Few names are as long as one of ours, so most fields end at the switch. */
static void look_at(struct h2_stream *s, struct lg_slice name, struct lg_slice value)
{
	switch (name.length) {
	case 6:
		if (slice_is(name, "cookie"))
			s->cookies++;
		else if (slice_is(name, "expect")) {
			s->expects_continue = slice_equal_nocase(value, LG_SLICE("100-continue"));
			if (!s->expects_continue)
				refuse(s, HTTP_REFUSED_EXPECTATION);
		}
		break;
	case 14:
		if (slice_is(name, "content-length"))
			take_length(s, value);
		break;
	default: break;
	}
}

static bool copy(struct h2_stream *s, struct lg_slice *name, struct lg_slice *value)
{
	char *bytes = arena_alloc(&s->request.arena, name->length + value->length + 1);

	if (!bytes) {
		refuse(s, HTTP_REFUSED_NO_MEMORY);
		return false;
	}
	memcpy(bytes, name->data, name->length);
	memcpy(bytes + name->length, value->data, value->length);
	*name = slice_of(bytes, name->length);
	*value = slice_of(bytes + name->length, value->length);
	return true;
}

/* The first place is host's, as HTTP/1.1 would have sent it. */
static void add_header(struct h2_stream *s, struct lg_slice name, struct lg_slice value)
{
	if (s->request.header_count == s->capacity) {
		refuse(s, HTTP_REFUSED_FIELDS_TOO_MANY);
		return;
	}
	s->headers[++s->request.header_count] = (struct http_header){name, value};
}

void h2_head_add(struct h2_stream *s, struct lg_slice name, struct lg_slice value, bool is_trailer,
		 const struct http_limits *limits)
{
	s->list_bytes += name.length + value.length + FIELD_OVERHEAD_BYTES;
	if (is_trailer)
		return;
	if (s->list_bytes > (size_t)limits->head_bytes)
		refuse(s, HTTP_REFUSED_HEAD_TOO_LARGE);
	/* The pseudo-headers come first, and the answer to a head that is too large
	 * needs its method. */
	if (s->fault != HTTP_ACCEPTED || !copy(s, &name, &value))
		return;
	if (name.data[0] == ':')
		take_pseudo(&s->request, name, value);
	else if (slice_is(name, "host"))
		take_host(s, value);
	else {
		look_at(s, name, value);
		add_header(s, name, value);
	}
}

bool h2_head_is_bomb(const struct h2_stream *s, const struct http_limits *limits)
{
	return s->list_bytes > BOMB_FACTOR * (size_t)limits->head_bytes;
}

/* ---- the whole of it -------------------------------------------------------------- */

/* Section 8.2.3: they are one header for whoever does not speak HTTP/2; it
 * stands where the first crumb stood. */
static bool join_cookies(struct h2_stream *s)
{
	struct http_request *request = &s->request;
	struct http_header *first = NULL, *to = request->headers;
	struct buffer joined;

	buffer_init(&joined, SIZE_MAX);
	for (size_t i = 0; i < request->header_count; i++) {
		struct http_header *header = &request->headers[i];
		if (!slice_is(header->name, "cookie")) {
			*to++ = *header;
			continue;
		}
		if (first)
			buffer_add_literal(&joined, "; ");
		buffer_add_slice(&joined, header->value);
		if (!first) {
			first = to;
			*to++ = *header;
		}
	}
	request->header_count = (size_t)(to - request->headers);
	struct lg_slice whole = joined.failed ? (struct lg_slice){0}
					      : arena_copy(&request->arena, buffer_slice(&joined));
	buffer_fini(&joined);
	if (first)
		first->value = whole;
	return slice_present(whole);
}

/* As if :authority had been a Host header: handlers read headers by name. */
static void place_host(struct h2_stream *s)
{
	s->request.headers = &s->headers[1];
	if (!slice_present(s->request.host))
		return;
	s->headers[0] = (struct http_header){LG_SLICE("host"), s->request.host};
	s->request.headers = s->headers;
	s->request.header_count++;
}

static void cut_target(struct http_request *request)
{
	ptrdiff_t mark = slice_find(request->target, '?');

	request->path = request->target;
	if (mark < 0)
		return;
	request->path = slice_cut(request->target, 0, (size_t)mark);
	request->query = slice_cut(request->target, (size_t)mark + 1, request->target.length);
}

static bool is_target(const struct http_request *request)
{
	struct lg_slice target = request->target;

	if (slice_is(target, "*"))
		return slice_is(request->method, "OPTIONS");
	return slice_starts(target, "/") &&
	       h1_span(target.data, target.length, H1_TARGET) == target.length;
}

static bool is_scheme(struct lg_slice scheme)
{
	return slice_equal_nocase(scheme, LG_SLICE("http")) ||
	       slice_equal_nocase(scheme, LG_SLICE("https"));
}

static enum http_refusal check(const struct h2_stream *s)
{
	const struct http_request *request = &s->request;

	if (s->fault != HTTP_ACCEPTED)
		return s->fault;
	if (slice_is(request->method, "CONNECT"))
		return HTTP_REFUSED_CONNECT;
	/* Section 8.3.1: no user information; an authority that is not empty. */
	if (!h1_is_token(request->method) || !is_scheme(request->scheme) || !is_target(request) ||
	    !h1_is_authority(request->host))
		return HTTP_REFUSED_MALFORMED;
	return HTTP_ACCEPTED;
}

enum http_refusal h2_head_finish(struct h2_stream *s, struct http_endpoint *endpoint,
				 const struct conn *conn)
{
	struct http_request *request = &s->request;
	enum http_refusal refusal = check(s);

	place_host(s);
	if (refusal != HTTP_ACCEPTED)
		return refusal;
	cut_target(request);
	if (http_endpoint_probes(endpoint, request->path)) /* needs no more */
		return HTTP_ACCEPTED;
	if (s->cookies > 1 && !join_cookies(s))
		return HTTP_REFUSED_NO_MEMORY;
	origin_fill(request, endpoint, conn);
	return request->arena.failed ? HTTP_REFUSED_NO_MEMORY : HTTP_ACCEPTED;
}
