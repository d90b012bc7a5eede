#include "http/h2_worker.h"

#include "http/h2_callbacks.h"
#include "http/h2_request.h"

/* Our answers have the same few headers; a larger table would only be held by
 * idle connections. */
#define ANSWER_TABLE_BYTES 512
/* How often the rate of bodies is looked at. */
#define RATE_TICK_MS 1000

void h2_worker_arm(struct h2_worker *worker, int64_t due_ms)
{
	if (due_ms >= worker->armed_ms)
		return;
	if (loop_timer_set(&worker->timer, due_ms - loop_now_ms(worker->timer.loop)))
		worker->armed_ms = due_ms;
}

void h2_worker_watch(struct h2_worker *worker, struct list *deadlines, struct h2_deadline *deadline,
		     int64_t after_ms)
{
	list_remove(&deadline->node);
	list_append(deadlines, &deadline->node);
	deadline->since_ms = loop_now_ms(worker->timer.loop);
	deadline->due_ms = deadline->since_ms + after_ms;
	h2_worker_arm(worker, deadline->due_ms);
}

static struct h2_stream *stream_of(struct list *node)
{
	return container_of(node, struct h2_stream, deadline.node);
}

static void expire_body(struct list *node)
{
	h2_request_refuse(stream_of(node), HTTP_REFUSED_BODY_TIMEOUT);
}

static void expire_answer(struct list *node)
{
	h2_request_give_up(stream_of(node));
}

static void expire_lingering(struct list *node)
{
	h2_request_dismiss(stream_of(node));
}

static void expire_farewell(struct list *node)
{
	h2_session_leave(container_of(node, struct h2_session, farewell.node));
}

static void expire_piece(struct list *node)
{
	h2_session_give_up_frame(container_of(node, struct h2_session, piece.node));
}

/* After a reload with shorter times a list is in order but for its seam: what
 * lies behind a longer one is served when that is. */
static void expire(struct h2_worker *worker, struct list *deadlines, int64_t now_ms,
		   void (*expired)(struct list *node))
{
	struct list *first;

	while ((first = list_first(deadlines))) {
		int64_t due_ms = container_of(first, struct h2_deadline, node)->due_ms;
		if (due_ms > now_ms) {
			h2_worker_arm(worker, due_ms);
			return;
		}
		list_remove(first);
		expired(first);
	}
}

static bool is_too_slow(const struct h2_stream *s, const struct http_worker *http, int64_t now_ms)
{
	const struct conn_settings *settings = &http->group.settings;
	int64_t elapsed_ms = now_ms - s->deadline.since_ms;

	return elapsed_ms >= settings->rate_grace_ms &&
	       (int64_t)s->body_bytes < settings->minimum_rate_bytes * elapsed_ms / 1000;
}

static struct list *find_slow(struct h2_worker *worker, const struct http_worker *http,
			      int64_t now_ms)
{
	LIST_EACH(node, &worker->bodies)
		if (is_too_slow(stream_of(node), http, now_ms))
			return node;
	return NULL;
}

/* From the beginning again each time: what one answer sets off may end others. */
static void check_rates(struct h2_worker *worker, const struct http_worker *http, int64_t now_ms)
{
	struct list *node;

	if (http->group.settings.minimum_rate_bytes <= 0)
		return;
	while ((node = find_slow(worker, http, now_ms))) {
		list_remove(node);
		h2_request_refuse(stream_of(node), HTTP_REFUSED_TOO_SLOW);
	}
	if (!list_empty(&worker->bodies))
		h2_worker_arm(worker, now_ms + RATE_TICK_MS);
}

static void on_timer(struct loop_timer *timer)
{
	struct h2_worker *worker = container_of(timer, struct h2_worker, timer);
	const struct http_worker *http = container_of(worker, struct http_worker, h2);
	int64_t now_ms = loop_now_ms(timer->loop);

	worker->armed_ms = INT64_MAX;
	expire(worker, &worker->bodies, now_ms, expire_body);
	expire(worker, &worker->answers, now_ms, expire_answer);
	expire(worker, &worker->lingering, now_ms, expire_lingering);
	expire(worker, &worker->farewells, now_ms, expire_farewell);
	expire(worker, &worker->pieces, now_ms, expire_piece);
	check_rates(worker, http, now_ms);
}

static void set_options(nghttp2_option *option)
{
	nghttp2_option_set_no_auto_window_update(option, 1);
	nghttp2_option_set_no_closed_streams(option, 1);
	nghttp2_option_set_max_deflate_dynamic_table_size(option, ANSWER_TABLE_BYTES);
}

bool h2_worker_init(struct h2_worker *worker, struct loop *loop)
{
	*worker = (struct h2_worker){.armed_ms = INT64_MAX};
	list_init(&worker->orphans);
	list_init(&worker->kept);
	list_init(&worker->bodies);
	list_init(&worker->answers);
	list_init(&worker->lingering);
	list_init(&worker->farewells);
	list_init(&worker->pieces);
	h2_memory_init(&worker->memory);
	loop_timer_init(&worker->timer, loop, on_timer);
	if (nghttp2_option_new(&worker->option) == 0 &&
	    nghttp2_session_callbacks_new(&worker->callbacks) == 0) {
		h2_callbacks_fill(worker->callbacks);
		set_options(worker->option);
		return true;
	}
	h2_worker_fini(worker);
	return false;
}

void h2_worker_fini(struct h2_worker *worker)
{
	h2_session_free_orphans(worker);
	h2_stream_free_kept(worker);
	loop_timer_fini(&worker->timer);
	nghttp2_session_callbacks_del(worker->callbacks);
	nghttp2_option_del(worker->option);
	h2_memory_fini(&worker->memory);
}
