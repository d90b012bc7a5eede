#include "supervise/worker.h"

#include "supervise/turnstile.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "supervise/access_log.h"

/* Parsing is bounded in depth and buffers are on the heap: measured need is
 * below 64 KiB; sanitizers multiply it. */
#define STACK_BYTES (1 << 20)

/* The server calls hooks on the loop's thread and knows nothing of workers. */
static _Thread_local struct worker *current;

static void leave(struct worker_share *share)
{
	share->state = SHARE_LEFT;
	mailbox_send(share->worker->home, &share->letter);
}

static void change_to(struct worker *worker, struct worker_share *share)
{
	struct worker_share *old = worker->share;

	worker->share = share;
	share->state = SHARE_TAKEN;
	mailbox_send(worker->home, &share->letter);
	if (old && old->requests == 0)
		leave(old);
}

static void on_share(struct loop_mailbox *box, struct letter *letter)
{
	change_to(container_of(box, struct worker, box),
		  container_of(letter, struct worker_share, letter));
}

static void on_beat(struct loop_timer *timer)
{
	struct worker *worker = container_of(timer, struct worker, beat);

	atomic_store(&worker->beat_ms, clock_monotonic_ms());
	loop_timer_set(timer, worker->beat_every_ms);
}

/* Requests that no source takes, by reason; written before loops run. */
static int unknown_paths, wrong_methods, too_many;

static int unrouted(const char *labels)
{
	return counter_register(COUNTER_COUNTER, "leadgate_http_unrouted_total", labels,
				"Requests that no source takes");
}

bool worker_init(struct worker *worker, struct mailbox *home, struct error *error)
{
	unknown_paths = unrouted("reason=\"path\"");
	wrong_methods = unrouted("reason=\"method\"");
	too_many = unrouted("reason=\"rate\"");
	*worker = (struct worker){.home = home, .mailbox.fd = -1};
	worker->loop = loop_new();
	worker->ingest = worker->loop ? ingest_loop_new(worker->loop) : NULL;
	if (worker->ingest && mailbox_init(&worker->mailbox) &&
	    loop_mailbox_init(&worker->box, worker->loop, &worker->mailbox, on_share)) {
		loop_timer_init(&worker->beat, worker->loop, on_beat);
		return true;
	}
	mailbox_fini(&worker->mailbox);
	ingest_loop_free(&worker->ingest);
	loop_free(&worker->loop);
	return error_set(error, "making an event loop: not enough memory or descriptors");
}

void worker_hand_out(struct worker *worker, struct worker_share *share)
{
	share->worker = worker;
	if (worker->running)
		mailbox_send(&worker->mailbox, &share->letter);
	else
		change_to(worker, share);
}

bool worker_beat(struct worker *worker, int64_t every_ms)
{
	worker->beat_every_ms = every_ms;
	atomic_store(&worker->beat_ms, clock_monotonic_ms());
	return loop_timer_set(&worker->beat, 0);
}

int64_t worker_silent_ms(const struct worker *worker)
{
	return worker->beat_every_ms ? clock_monotonic_ms() - atomic_load(&worker->beat_ms) : 0;
}

static void *run(void *arg)
{
	current = arg;
	loop_run(current->loop);
	return NULL;
}

bool worker_start(struct worker *worker, int index, struct error *error)
{
	char name[16];
	pthread_attr_t attributes;
	int failure;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	failure = pthread_create(&worker->thread, &attributes, run, worker);
	pthread_attr_destroy(&attributes);
	if (failure)
		return error_set(error, "starting a loop thread: %s", strerror(failure));
	snprintf(name, sizeof(name), "loop-%d", index);
	pthread_setname_np(worker->thread, name);
	worker->running = true;
	return true;
}

void worker_stop(struct worker *worker)
{
	if (!worker->running)
		return;
	loop_stop(worker->loop);
	pthread_join(worker->thread, NULL);
	worker->running = false;
}

void worker_fini(struct worker *worker)
{
	loop_timer_fini(&worker->beat);
	loop_mailbox_fini(&worker->box);
	mailbox_fini(&worker->mailbox);
	ingest_loop_free(&worker->ingest);
	loop_free(&worker->loop);
}

static void handle(struct http_request *request, void *arg)
{
	struct worker_share *share = request->context;
	struct source *source = arg;

	ingest_handle(share->ingest, current->ingest, source, request);
}

static void on_ended(struct http_request *request)
{
	struct worker_share *share = request->context;

	if (--share->requests == 0 && share != share->worker->share)
		leave(share);
}

static struct lg_slice methods_of(const struct source *source, struct arena *arena)
{
	struct lg_slice rest = slice_from(source->instance->library->plugin.methods), word;
	struct lg_slice methods = LG_SLICE("");

	while (slice_split(&rest, ' ', &word))
		if (word.length)
			methods = arena_printf(arena, "%.*s%s%.*s", SLICE_ARGS(methods),
					       methods.length ? ", " : "", SLICE_ARGS(word));
	return methods;
}

/* RFC 9110, section 15.5.6: a 405 names the methods that are allowed. GET comes of a form
 * that names none: its visitor gets a page as any other, its author reads what to write. */
static void answer_method(struct http_request *request, const struct source *source)
{
	struct http_header allow = {LG_SLICE("Allow"), methods_of(source, &request->arena)};
	bool form = slice_is(request->method, "GET") && source_takes(source, LG_SLICE("POST"));
	struct lg_slice detail = arena_printf(&request->arena, "this source takes %.*s%s",
					      SLICE_ARGS(allow.value),
					      form ? "; a form needs method=\"post\"" : "");

	request->added = arena_new(&request->arena, struct http_header);
	if (request->added) {
		*request->added = allow;
		request->added_count = 1;
	}
	http_respond_problem(request, 405, detail.data, 0);
}

bool worker_route(void *arg, struct http_request *request, struct http_route *route)
{
	struct worker_share *share = current->share;
	struct source *source = ingest_source_at(share->ingest, request->path);

	(void)arg;
	if (!turnstile_admits_client(share->turnstile, source, request)) {
		if (!source)
			counter_inc(too_many);
		return false;
	}
	if (!source) {
		counter_inc(unknown_paths);
		request->reason = "path";
		http_respond_problem(request, 404, "no source has this path", 0);
		return false;
	}
	if (!source_takes(source, request->method)) {
		counter_inc(wrong_methods);
		request->reason = "method";
		answer_method(request, source);
		return false;
	}
	if (!turnstile_admits_to(share->turnstile, source, request))
		return false;
	share->requests++;
	request->context = share;
	route->handle = handle;
	route->ended = on_ended;
	route->arg = source;
	route->body_limit_bytes = (size_t)source->settings.body_bytes;
	return true;
}

void worker_answered(void *arg, const struct http_request *request,
		     const struct http_response *response)
{
	bool routed = request->route.handle == handle;

	access_log_note(arg, request, response, routed ? request->route.arg : NULL);
}

void worker_closed(void *arg, enum conn_reason reason)
{
	if (!conn_reason_is_orderly(reason))
		access_log_note_close(arg, reason);
}
