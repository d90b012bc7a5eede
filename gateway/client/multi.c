#include "client/multi.h"

#include "base/alloc.h"
#include "base/list.h"

struct multi {
	struct loop *loop;
	CURLM *curl;
	struct loop_timer timer;
	void (*done)(void *context, CURL *easy, CURLcode code);
	void *context;
	bool busy;  /* in act() */
	bool freed; /* while it was */
};

struct socket_watch {
	struct loop_watch watch;
	struct multi *multi;
};

/* Lets curl act on a socket or on the time, and hands out what has ended. */
static void act(struct multi *multi, curl_socket_t fd, int what)
{
	struct CURLMsg *message;
	int running, left;

	multi->busy = true;
	curl_multi_socket_action(multi->curl, fd, what, &running);
	while (!multi->freed && (message = curl_multi_info_read(multi->curl, &left)))
		if (message->msg == CURLMSG_DONE)
			multi->done(multi->context, message->easy_handle, message->data.result);
	multi->busy = false;
	if (multi->freed)
		alloc_free(multi);
}

static void on_ready(struct loop_watch *watch, int events)
{
	struct socket_watch *socket = container_of(watch, struct socket_watch, watch);
	int what = (events & LOOP_READ ? CURL_CSELECT_IN : 0) |
		   (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0);

	act(socket->multi, watch->fd, what);
}

static void on_time(struct loop_timer *timer)
{
	act(container_of(timer, struct multi, timer), CURL_SOCKET_TIMEOUT, 0);
}

/* curl wants its timer set anew; it must not be called back from here. */
static int on_timer_wanted(CURLM *curl, long after_ms, void *context)
{
	struct multi *multi = context;

	(void)curl;
	if (after_ms >= 0)
		return loop_timer_set(&multi->timer, after_ms) ? 0 : -1;
	loop_timer_stop(&multi->timer);
	return 0;
}

static struct socket_watch *new_watch(struct multi *multi, curl_socket_t fd)
{
	struct socket_watch *socket = alloc_zalloc(sizeof(*socket));

	if (!socket)
		return NULL;
	socket->multi = multi;
	loop_watch_init(&socket->watch, multi->loop, fd, on_ready);
	if (curl_multi_assign(multi->curl, fd, socket) == CURLM_OK)
		return socket;
	alloc_free(socket);
	return NULL;
}

static int on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *context, void *assigned)
{
	struct socket_watch *socket = assigned;
	int events = (what & CURL_POLL_IN ? LOOP_READ : 0) |
		     (what & CURL_POLL_OUT ? LOOP_WRITE : 0);

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (socket)
			loop_watch_fini(&socket->watch);
		alloc_free(socket);
		return 0;
	}
	if (!socket && !(socket = new_watch(context, fd)))
		return -1;
	return loop_watch_set(&socket->watch, events) ? 0 : -1;
}

struct multi *multi_new(struct loop *loop, void (*done)(void *context, CURL *easy, CURLcode code),
			void *context)
{
	struct multi *multi = alloc_zalloc(sizeof(*multi));

	if (!multi)
		return NULL;
	multi->curl = curl_multi_init();
	if (!multi->curl) {
		alloc_free(multi);
		return NULL;
	}
	multi->loop = loop;
	multi->done = done;
	multi->context = context;
	loop_timer_init(&multi->timer, loop, on_time);
	curl_multi_setopt(multi->curl, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
	curl_multi_setopt(multi->curl, CURLMOPT_SOCKETDATA, multi);
	curl_multi_setopt(multi->curl, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
	curl_multi_setopt(multi->curl, CURLMOPT_TIMERDATA, multi);
	return multi;
}

void multi_free(struct multi **multi)
{
	struct multi *m = *multi;

	*multi = NULL;
	if (!m)
		return;
	curl_multi_cleanup(m->curl);
	loop_timer_fini(&m->timer);
	if (m->busy)
		m->freed = true;
	else
		alloc_free(m);
}

CURLM *multi_handle(struct multi *multi)
{
	return multi->curl;
}

bool multi_add(struct multi *multi, CURL *easy)
{
	return curl_multi_add_handle(multi->curl, easy) == CURLM_OK;
}

void multi_remove(struct multi *multi, CURL *easy)
{
	curl_multi_remove_handle(multi->curl, easy);
}
