#include "http/h2_stream.h"

#include "base/alloc.h"
#include "http/room.h"

/* Kept by a worker for the next requests, with so much memory each. */
#define KEPT_STREAMS 256
#define KEPT_BYTES 4096
#define ARENA_BLOCK_BYTES 8192 /* a typical form with all that its source makes of it */
/* What handlers may make of one request, whatever its body holds. */
#define ARENA_LIMIT_BYTES (64u << 20)

static const char no_body[HTTP_BODY_PADDING];

static struct h2_stream *take_kept(struct h2_worker *worker)
{
	struct list *first = list_first(&worker->kept);

	if (!first)
		return NULL;
	list_remove(first);
	worker->kept_count--;
	return container_of(first, struct h2_stream, node);
}

static struct h2_stream *make(size_t capacity)
{
	struct h2_stream *s = alloc_zalloc(sizeof(*s) +
					   (capacity + 1) * sizeof(struct http_header));

	if (!s)
		return NULL;
	list_init(&s->node);
	list_init(&s->deadline.node);
	s->capacity = capacity;
	arena_init(&s->request.arena, ARENA_BLOCK_BYTES, ARENA_LIMIT_BYTES);
	buffer_init(&s->body, SIZE_MAX);
	buffer_init(&s->answer, SIZE_MAX);
	return s;
}

struct h2_stream *h2_stream_new(struct http_worker *worker, int32_t id)
{
	struct h2_stream *s = take_kept(&worker->h2);

	if (!s)
		s = make((size_t)worker->limits.headers);
	if (!s)
		return NULL;
	s->id = id;
	s->request.loop_index = worker->index;
	s->request.service = &worker->server->service;
	s->request.protocol = "h2";
	return s;
}

static void destroy(struct h2_stream *s)
{
	arena_fini(&s->request.arena);
	buffer_fini(&s->body);
	buffer_fini(&s->answer);
	alloc_free(s);
}

/* Empties it, with as much memory as the next one is likely to need. */
static void reset(struct h2_stream *s)
{
	struct arena arena = s->request.arena;

	buffer_clear(&s->answer);
	buffer_shrink(&s->answer, KEPT_BYTES);
	s->request = (struct http_request){.arena = arena};
	s->phase = H2_IN_HEAD;
	s->body_bytes = s->dropped_bytes = s->list_bytes = s->cookies = 0;
	s->fault = HTTP_ACCEPTED;
	s->is_whole = s->has_length = s->expects_continue = false;
	s->content_length = 0;
}

void h2_stream_free(struct h2_stream *s, struct http_worker *worker)
{
	if (s->request.route.ended)
		s->request.route.ended(&s->request);
	list_remove(&s->node);
	list_remove(&s->deadline.node);
	h2_stream_forget(s, worker);
	if (worker->h2.kept_count == KEPT_STREAMS ||
	    s->capacity != (size_t)worker->limits.headers) {
		destroy(s);
		return;
	}
	reset(s);
	list_prepend(&worker->h2.kept, &s->node);
	worker->h2.kept_count++;
}

void h2_stream_free_kept(struct h2_worker *worker)
{
	struct h2_stream *s;

	while ((s = take_kept(worker)))
		destroy(s);
}

bool h2_stream_hold_head(struct h2_stream *s, struct http_worker *worker)
{
	if (!http_room_take(worker, &s->request, s->list_bytes))
		return false;
	s->held_bytes = s->list_bytes;
	return true;
}

void h2_stream_forget(struct h2_stream *s, struct http_worker *worker)
{
	budget_give(&worker->server->budget, s->held_bytes);
	s->held_bytes = 0;
	arena_reset(&s->request.arena);
	buffer_clear(&s->body);
	buffer_shrink(&s->body, KEPT_BYTES);
	s->request.body = (struct lg_slice){0};
}

enum http_refusal h2_stream_add(struct h2_stream *s, struct lg_slice piece,
				struct http_worker *worker)
{
	if (piece.length > s->request.route.body_limit_bytes - s->body_bytes)
		return HTTP_REFUSED_BODY_TOO_LARGE;
	s->body_bytes += piece.length;
	if (!http_room_take(worker, &s->request, piece.length))
		return HTTP_REFUSED_BUSY;
	s->held_bytes += piece.length;
	return buffer_add_slice(&s->body, piece) ? HTTP_ACCEPTED : HTTP_REFUSED_NO_MEMORY;
}

bool h2_stream_complete(struct h2_stream *s)
{
	if (buffer_length(&s->body) == 0) {
		s->request.body = slice_of(no_body, 0);
		return true;
	}
	char *padding = buffer_room(&s->body, HTTP_BODY_PADDING);
	if (!padding)
		return false;
	memset(padding, 0, HTTP_BODY_PADDING);
	s->request.body = buffer_slice(&s->body);
	return true;
}
