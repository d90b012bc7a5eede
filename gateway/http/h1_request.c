#include "http/h1_request.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "http/origin.h"
#include "http/room.h"

/* Kept by a worker for the next connections, with so much memory each. */
#define KEPT_REQUESTS 32
#define KEPT_BYTES 4096
#define ARENA_BLOCK_BYTES 8192 /* as for HTTP/2 */
/* What handlers may make of one request, whatever its body holds. */
#define ARENA_LIMIT_BYTES (64u << 20)

static const char no_body[HTTP_BODY_PADDING];

static struct h1_request *take_kept(struct http_worker *worker)
{
	struct list *first = list_first(&worker->requests);

	if (!first)
		return NULL;
	list_remove(first);
	worker->request_count--;
	return container_of(first, struct h1_request, node);
}

static struct h1_request *make(size_t field_capacity)
{
	struct h1_request *r = alloc_zalloc(sizeof(*r) + field_capacity * sizeof(struct h1_field));

	if (!r)
		return NULL;
	list_init(&r->node);
	r->field_capacity = field_capacity;
	arena_init(&r->request.arena, ARENA_BLOCK_BYTES, ARENA_LIMIT_BYTES);
	buffer_init(&r->body, SIZE_MAX);
	buffer_init(&r->answer, SIZE_MAX);
	return r;
}

struct h1_request *h1_request_new(struct http_worker *worker)
{
	const struct http_limits *limits = &worker->limits;
	struct h1_request *r = take_kept(worker);

	if (!r)
		r = make((size_t)limits->headers);
	if (!r)
		return NULL;
	h1_parser_init(&r->parser, r->fields, (size_t)limits->headers, (size_t)limits->head_bytes);
	r->request.started_us = clock_monotonic_us();
	r->request.loop_index = worker->index;
	r->request.service = &worker->server->service;
	r->request.protocol = "http/1.1";
	return r;
}

static void destroy(struct h1_request *r)
{
	arena_fini(&r->request.arena);
	buffer_fini(&r->body);
	buffer_fini(&r->answer);
	alloc_free(r);
}

/* Empties it, with as much memory as the next one is likely to need. */
static void reset(struct h1_request *r)
{
	struct arena arena = r->request.arena;

	arena_reset(&arena);
	buffer_clear(&r->body);
	buffer_shrink(&r->body, KEPT_BYTES);
	buffer_clear(&r->answer);
	buffer_shrink(&r->answer, KEPT_BYTES);
	r->request = (struct http_request){.arena = arena};
	r->body_bytes = 0;
	r->phase = H1_IN_HEAD;
	r->routing = r->answered = r->closes = r->persists = r->owes_continue = false;
}

void h1_request_free(struct h1_request *r, struct http_worker *worker)
{
	if (r->request.route.ended)
		r->request.route.ended(&r->request);
	budget_give(&worker->server->budget, buffer_length(&r->body));
	if (worker->request_count == KEPT_REQUESTS ||
	    r->field_capacity != (size_t)worker->limits.headers) {
		destroy(r);
		return;
	}
	reset(r);
	list_prepend(&worker->requests, &r->node);
	worker->request_count++;
}

void h1_request_free_kept(struct http_worker *worker)
{
	struct h1_request *r;

	while ((r = take_kept(worker)))
		destroy(r);
}

static struct lg_slice part_of(struct lg_slice head, struct h1_part part)
{
	return slice_of(head.data + part.at, part.length);
}

static bool fill_headers(struct h1_request *r, struct lg_slice head)
{
	size_t count = r->parser.field_count;
	struct http_header *headers = arena_alloc(&r->request.arena, count * sizeof(*headers));

	if (!headers)
		return false;
	for (size_t i = 0; i < count; i++)
		headers[i] = (struct http_header){part_of(head, r->fields[i].name),
						  part_of(head, r->fields[i].value)};
	r->request.headers = headers;
	r->request.header_count = count;
	return true;
}

static void fill_target(struct h1_request *r, struct lg_slice head, bool is_tls)
{
	const struct h1_parser *parser = &r->parser;
	struct http_request *request = &r->request;

	request->method = part_of(head, parser->method);
	request->target = part_of(head, parser->target);
	request->path = part_of(head, parser->path);
	if (request->path.length == 0)
		request->path = LG_SLICE("/"); /* http://host, RFC 9110, section 4.2.3 */
	if (parser->has_query)
		request->query = part_of(head, parser->query);
	request->scheme = is_tls ? LG_SLICE("https") : LG_SLICE("http");
	if (parser->is_absolute)
		request->scheme = part_of(head, parser->scheme);
	if (parser->is_absolute || parser->has_host)
		request->host = part_of(head, parser->host);
}

bool h1_request_fill(struct h1_request *r, struct lg_slice head, struct http_endpoint *endpoint,
		     const struct conn *conn)
{
	struct http_request *request = &r->request;
	struct lg_slice copy = arena_copy(&request->arena, head);

	if (!slice_present(copy) || !fill_headers(r, copy))
		return false;
	fill_target(r, copy, conn_is_tls(conn));
	request->received_ms = clock_wall_ms();
	origin_fill(request, endpoint, conn);
	return !request->arena.failed;
}

enum http_refusal h1_request_add(struct h1_request *r, struct lg_slice piece,
				 struct http_worker *worker)
{
	bool is_kept = !r->answered;
	/* After an early answer what comes is dropped, up to a bound. */
	size_t limit = is_kept ? r->request.route.body_limit_bytes
			       : (size_t)worker->limits.linger_bytes;

	/* A reload may have lowered it. */
	if (r->body_bytes > limit || piece.length > limit - r->body_bytes)
		return HTTP_REFUSED_BODY_TOO_LARGE;
	r->body_bytes += piece.length;
	if (!is_kept || piece.length == 0)
		return HTTP_ACCEPTED;
	if (!http_room_take(worker, &r->request, piece.length))
		return HTTP_REFUSED_BUSY;
	if (buffer_add_slice(&r->body, piece))
		return HTTP_ACCEPTED;
	budget_give(&worker->server->budget, piece.length);
	return HTTP_REFUSED_NO_MEMORY;
}

bool h1_request_complete(struct h1_request *r)
{
	if (buffer_length(&r->body) == 0) {
		r->request.body = slice_of(no_body, 0);
		return true;
	}
	char *padding = buffer_room(&r->body, HTTP_BODY_PADDING);
	if (!padding)
		return false;
	memset(padding, 0, HTTP_BODY_PADDING);
	r->request.body = buffer_slice(&r->body);
	return true;
}
