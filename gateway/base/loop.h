/* The event loop: a thin cover over libevent, one per thread.
 *
 * All functions are for the loop's own thread, but loop_stop, which any
 * thread may call. Watches and timers live in the caller's structs. */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/mailbox.h"

struct loop;

struct loop *loop_new(void); /* NULL when memory or descriptors ran out */
void loop_free(struct loop **loop);
struct event_base *loop_base(struct loop *loop);

/* Runs until loop_stop. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
/* Whether loop_run is under way, which means that one of its callbacks asks. */
bool loop_running(const struct loop *loop);
/* Calls what is ready now and waits for nothing. Not from within a callback. */
void loop_turn(struct loop *loop);

/* The loop's cached monotonic time, refreshed at each wake-up. */
int64_t loop_now_ms(struct loop *loop);

/* A descriptor to watch; level-triggered. */
#define LOOP_READ 1
#define LOOP_WRITE 2
struct loop_watch {
	struct event event;
	void (*ready)(struct loop_watch *watch, int events);
	struct loop *loop;
	int fd, events;
};
void loop_watch_init(struct loop_watch *watch, struct loop *loop, int fd,
		     void (*ready)(struct loop_watch *watch, int events));
/* Sets which events are wanted; 0 stops watching. False: memory ran out. */
bool loop_watch_set(struct loop_watch *watch, int events);
void loop_watch_fini(struct loop_watch *watch);

struct loop_timer {
	struct event event;
	void (*fire)(struct loop_timer *timer);
	struct loop *loop;
	int64_t due_ms; /* monotonic; it never fires before */
};
void loop_timer_init(struct loop_timer *timer, struct loop *loop,
		     void (*fire)(struct loop_timer *timer));
/* Fires once, `after_ms` from now; sets anew when it was set. */
bool loop_timer_set(struct loop_timer *timer, int64_t after_ms);
void loop_timer_stop(struct loop_timer *timer);
void loop_timer_fini(struct loop_timer *timer);

/* Something to do once at the end of this round of the loop, when all that was
 * ready has been served and before it sleeps. */
struct loop_task {
	struct event event;
	void (*run)(struct loop_task *task);
};
void loop_task_init(struct loop_task *task, struct loop *loop, void (*run)(struct loop_task *task));
/* Posting it again before it has run changes nothing. */
void loop_task_post(struct loop_task *task);
void loop_task_fini(struct loop_task *task);

/* Delivers a mailbox's letters on this loop: `take` gets each, oldest first,
 * and owns it. `take` must not end the loop_mailbox itself. */
struct loop_mailbox {
	struct loop_watch watch;
	struct mailbox *mailbox;
	void (*take)(struct loop_mailbox *box, struct letter *letter);
};
bool loop_mailbox_init(struct loop_mailbox *box, struct loop *loop, struct mailbox *mailbox,
		       void (*take)(struct loop_mailbox *box, struct letter *letter));
void loop_mailbox_fini(struct loop_mailbox *box);

#endif
