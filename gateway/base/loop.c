#include "base/loop.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/list.h"

#include <sys/eventfd.h>
#include <unistd.h>

struct loop {
	struct event_base *base;
	struct mailbox stop; /* never holds a letter: a poke is the signal */
	struct loop_watch stop_watch;
	int64_t now_ms; /* 0: to be read anew */
	bool running, stopping;
};

/* An epoll descriptor and the two of the pipe that libevent keeps for signals. */
#define BASE_DESCRIPTORS 3

/* libevent ends the process when it gets no pipe, so it is only asked when
 * there are descriptors enough. */
static bool has_descriptors(void)
{
	int fds[BASE_DESCRIPTORS], count = 0;

	while (count < BASE_DESCRIPTORS && (fds[count] = eventfd(0, EFD_CLOEXEC)) >= 0)
		count++;
	for (int i = 0; i < count; i++)
		close(fds[i]);
	return count == BASE_DESCRIPTORS;
}

/* No locks: a loop is used by its own thread alone. No cached time: a timer
 * that is set late in a long iteration must not count from its beginning. */
static struct event_base *new_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config &&
	    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV |
						  EVENT_BASE_FLAG_NO_CACHE_TIME) == 0)
		base = event_base_new_with_config(config);
	if (config)
		event_config_free(config);
	return base;
}

static void on_stop(struct loop_watch *watch, int events)
{
	(void)events;
	mailbox_take(&watch->loop->stop);
	watch->loop->stopping = true;
}

struct loop *loop_new(void)
{
	struct loop *loop = alloc_zalloc(sizeof(*loop));

	if (!loop)
		return NULL;
	loop->stop.fd = -1;
	if (!mailbox_init(&loop->stop) || !has_descriptors())
		goto fail;
	loop->base = new_base();
	if (!loop->base)
		goto fail;
	loop_watch_init(&loop->stop_watch, loop, loop->stop.fd, on_stop);
	if (!loop_watch_set(&loop->stop_watch, LOOP_READ))
		goto fail;
	return loop;
fail:
	loop_free(&loop);
	return NULL;
}

void loop_free(struct loop **loop)
{
	struct loop *l = *loop;

	*loop = NULL;
	if (!l)
		return;
	if (l->stop_watch.loop)
		loop_watch_fini(&l->stop_watch);
	mailbox_fini(&l->stop);
	if (l->base)
		event_base_free(l->base);
	alloc_free(l);
}

struct event_base *loop_base(struct loop *loop)
{
	return loop->base;
}

void loop_run(struct loop *loop)
{
	loop->running = true;
	while (!loop->stopping) {
		loop->now_ms = 0;
		event_base_loop(loop->base, EVLOOP_ONCE);
	}
	loop->stopping = false;
	loop->running = false;
}

void loop_stop(struct loop *loop)
{
	mailbox_poke(&loop->stop);
}

bool loop_running(const struct loop *loop)
{
	return loop->running;
}

void loop_turn(struct loop *loop)
{
	event_base_loop(loop->base, EVLOOP_NONBLOCK);
}

/* libevent 2.1 has no hook between waking up and the first callback, so the
 * first who asks in an iteration reads the clock. */
int64_t loop_now_ms(struct loop *loop)
{
	if (!loop->running)
		return clock_monotonic_ms();
	if (loop->now_ms == 0)
		loop->now_ms = clock_monotonic_ms();
	return loop->now_ms;
}

static void on_ready(evutil_socket_t fd, short what, void *context)
{
	struct loop_watch *watch = context;
	int events = (what & EV_READ ? LOOP_READ : 0) | (what & EV_WRITE ? LOOP_WRITE : 0);

	(void)fd;
	watch->ready(watch, events);
}

void loop_watch_init(struct loop_watch *watch, struct loop *loop, int fd,
		     void (*ready)(struct loop_watch *watch, int events))
{
	*watch = (struct loop_watch){.ready = ready, .loop = loop, .fd = fd};
	event_assign(&watch->event, loop->base, fd, EV_PERSIST, on_ready, watch);
}

bool loop_watch_set(struct loop_watch *watch, int events)
{
	short what = EV_PERSIST;

	if (events == watch->events)
		return true;
	if (watch->events)
		event_del(&watch->event);
	watch->events = 0;
	if (events == 0)
		return true;
	if (events & LOOP_READ)
		what |= EV_READ;
	if (events & LOOP_WRITE)
		what |= EV_WRITE;
	event_assign(&watch->event, watch->loop->base, watch->fd, what, on_ready, watch);
	if (event_add(&watch->event, NULL) < 0)
		return false;
	watch->events = events;
	return true;
}

void loop_watch_fini(struct loop_watch *watch)
{
	loop_watch_set(watch, 0);
}

static bool add_timer(struct loop_timer *timer, int64_t after_ms)
{
	struct timeval after = {.tv_sec = after_ms / 1000, .tv_usec = after_ms % 1000 * 1000};
	return event_add(&timer->event, &after) == 0;
}

/* libevent reads a coarse clock and may be some milliseconds early; a deadline
 * that is compared with loop_now_ms must really have passed. */
static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct loop_timer *timer = context;
	int64_t early_ms = timer->due_ms - clock_monotonic_ms();

	(void)fd;
	(void)what;
	if (early_ms > 0 && add_timer(timer, early_ms))
		return;
	timer->fire(timer);
}

void loop_timer_init(struct loop_timer *timer, struct loop *loop,
		     void (*fire)(struct loop_timer *timer))
{
	*timer = (struct loop_timer){.fire = fire, .loop = loop};
	event_assign(&timer->event, loop->base, -1, 0, on_timer, timer);
}

bool loop_timer_set(struct loop_timer *timer, int64_t after_ms)
{
	if (after_ms < 0)
		after_ms = 0;
	timer->due_ms = clock_monotonic_ms() + after_ms;
	return add_timer(timer, after_ms);
}

void loop_timer_stop(struct loop_timer *timer)
{
	event_del(&timer->event);
}

void loop_timer_fini(struct loop_timer *timer)
{
	event_del(&timer->event);
}

static void on_task(evutil_socket_t fd, short what, void *context)
{
	struct loop_task *task = context;

	(void)fd;
	(void)what;
	task->run(task);
}

void loop_task_init(struct loop_task *task, struct loop *loop, void (*run)(struct loop_task *task))
{
	*task = (struct loop_task){.run = run};
	event_assign(&task->event, loop->base, -1, 0, on_task, task);
}

/* An event that is made active by hand queues behind those that are served
 * now. */
void loop_task_post(struct loop_task *task)
{
	event_active(&task->event, EV_TIMEOUT, 0);
}

void loop_task_fini(struct loop_task *task)
{
	event_del(&task->event);
}

static void on_letters(struct loop_watch *watch, int events)
{
	struct loop_mailbox *box = container_of(watch, struct loop_mailbox, watch);
	struct letter *letter = mailbox_take(box->mailbox);

	(void)events;
	while (letter) {
		struct letter *next = letter->next; /* `take` owns the letter */
		box->take(box, letter);
		letter = next;
	}
}

bool loop_mailbox_init(struct loop_mailbox *box, struct loop *loop, struct mailbox *mailbox,
		       void (*take)(struct loop_mailbox *box, struct letter *letter))
{
	box->mailbox = mailbox;
	box->take = take;
	loop_watch_init(&box->watch, loop, mailbox->fd, on_letters);
	return loop_watch_set(&box->watch, LOOP_READ);
}

void loop_mailbox_fini(struct loop_mailbox *box)
{
	loop_watch_fini(&box->watch);
}
