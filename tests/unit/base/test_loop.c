#include "unit.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/loop.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static struct loop *loop;

static int open_loop(void **state)
{
	(void)state;
	loop = loop_new();
	return loop ? 0 : -1;
}

static int close_loop(void **state)
{
	(void)state;
	loop_free(&loop);
	return loop ? -1 : 0;
}

struct probe {
	struct loop_watch watch;
	struct loop_timer timer;
	int calls, events, stop_after;
	int64_t at_ms;
};

static void on_ready(struct loop_watch *watch, int events)
{
	struct probe *probe = container_of(watch, struct probe, watch);
	probe->calls++;
	probe->events |= events;
	if (probe->calls == probe->stop_after)
		loop_stop(watch->loop);
}

static void on_fire(struct loop_timer *timer)
{
	struct probe *probe = container_of(timer, struct probe, timer);
	probe->calls++;
	probe->at_ms = clock_monotonic_ms();
	if (probe->calls == probe->stop_after)
		loop_stop(timer->loop);
}

static void stop_before_run_is_not_lost(void **state)
{
	(void)state;
	loop_stop(loop);
	loop_run(loop);
	loop_stop(loop);
	loop_stop(loop);
	loop_run(loop);
}

static void *stop_from_afar(void *context)
{
	loop_stop(context);
	return NULL;
}

static void another_thread_stops_it(void **state)
{
	pthread_t thread;
	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, stop_from_afar, loop), 0);
	loop_run(loop);
	pthread_join(thread, NULL);
}

/* A byte that nobody reads is told again and again. */
static void watches_are_level_triggered(void **state)
{
	struct probe probe = {.stop_after = 3};
	int fds[2];
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	loop_watch_init(&probe.watch, loop, fds[0], on_ready);
	assert_true(loop_watch_set(&probe.watch, LOOP_READ));
	assert_true(loop_watch_set(&probe.watch, LOOP_READ));
	loop_run(loop);
	assert_true(probe.calls >= 3);
	assert_int_equal(probe.events, LOOP_READ);

	probe.calls = 0;
	assert_true(loop_watch_set(&probe.watch, LOOP_READ | LOOP_WRITE));
	loop_run(loop);
	assert_int_equal(probe.events, LOOP_READ | LOOP_WRITE);

	probe.calls = probe.events = 0;
	assert_true(loop_watch_set(&probe.watch, LOOP_WRITE));
	loop_run(loop);
	assert_int_equal(probe.events, LOOP_WRITE);
	loop_watch_fini(&probe.watch);
	close(fds[0]);
	close(fds[1]);
}

static void an_unwatched_descriptor_is_silent(void **state)
{
	struct probe silent = {0}, timer = {.stop_after = 1};
	int fds[2];
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	loop_watch_init(&silent.watch, loop, fds[0], on_ready);
	assert_true(loop_watch_set(&silent.watch, LOOP_READ));
	assert_true(loop_watch_set(&silent.watch, 0));
	loop_timer_init(&timer.timer, loop, on_fire);
	assert_true(loop_timer_set(&timer.timer, 2));
	loop_run(loop);
	assert_int_equal(silent.calls, 0);
	loop_watch_fini(&silent.watch);
	loop_timer_fini(&timer.timer);
	close(fds[0]);
	close(fds[1]);
}

static void a_bad_descriptor_cannot_be_watched(void **state)
{
	struct probe probe = {0};
	int fds[2];
	(void)state;
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	close(fds[1]);
	event_enable_debug_logging(0);
	loop_watch_init(&probe.watch, loop, fds[0], on_ready);
	assert_false(loop_watch_set(&probe.watch, LOOP_READ));
	assert_int_equal(probe.watch.events, 0);
	loop_watch_fini(&probe.watch);
}

/* The callback ends its own watch, frees it, and nothing touches it after. */
static void on_ready_free(struct loop_watch *watch, int events)
{
	struct loop *l = watch->loop;
	(void)events;
	loop_watch_fini(watch);
	alloc_free(container_of(watch, struct probe, watch));
	loop_stop(l);
}

static void a_watch_may_free_itself(void **state)
{
	struct probe *probe = alloc_zalloc(sizeof(*probe));
	int fds[2];
	(void)state;
	assert_non_null(probe);
	assert_int_equal(pipe(fds), 0);
	loop_watch_init(&probe->watch, loop, fds[1], on_ready_free);
	assert_true(loop_watch_set(&probe->watch, LOOP_WRITE));
	loop_run(loop);
	close(fds[0]);
	close(fds[1]);
}

static void timers_are_never_early(void **state)
{
	struct probe probe = {.stop_after = 1};
	(void)state;
	loop_timer_init(&probe.timer, loop, on_fire);
	for (int after_ms = 0; after_ms < 12; after_ms++) {
		int64_t set_ms = clock_monotonic_ms();
		probe.calls = 0;
		assert_true(loop_timer_set(&probe.timer, after_ms));
		loop_run(loop);
		assert_true(probe.at_ms >= set_ms + after_ms);
	}
	loop_timer_fini(&probe.timer);
}

static void timers_are_set_anew_and_stopped(void **state)
{
	struct probe moved = {.stop_after = 1}, stopped = {0};
	(void)state;
	loop_timer_init(&moved.timer, loop, on_fire);
	loop_timer_init(&stopped.timer, loop, on_fire);
	int64_t set_ms = clock_monotonic_ms();
	assert_true(loop_timer_set(&moved.timer, 1));
	assert_true(loop_timer_set(&moved.timer, 15));
	assert_true(loop_timer_set(&stopped.timer, 1));
	loop_timer_stop(&stopped.timer);
	loop_timer_stop(&stopped.timer);
	loop_run(loop);
	assert_int_equal(moved.calls, 1);
	assert_true(moved.at_ms >= set_ms + 15);
	assert_int_equal(stopped.calls, 0);
	assert_true(loop_timer_set(&moved.timer, INT64_C(30) * 86400 * 1000));
	assert_true(loop_timer_set(&moved.timer, -1));
	moved.calls = 0;
	loop_run(loop);
	loop_timer_fini(&moved.timer);
	loop_timer_fini(&stopped.timer);
}

static void on_fire_now(struct loop_timer *timer)
{
	struct probe *probe = container_of(timer, struct probe, timer);
	int64_t now_ms = loop_now_ms(timer->loop);
	clock_sleep_ms(3);
	if (loop_now_ms(timer->loop) == now_ms)
		probe->events++;
	if (now_ms > probe->at_ms)
		probe->calls++;
	probe->at_ms = now_ms;
	if (probe->calls == 3)
		loop_stop(timer->loop);
	else
		loop_timer_set(timer, 1);
}

/* One iteration has one time, and the next has a later one. */
static void now_is_cached_per_iteration(void **state)
{
	struct probe probe = {0};
	(void)state;
	int64_t before_ms = loop_now_ms(loop);
	clock_sleep_ms(2);
	assert_true(loop_now_ms(loop) >= before_ms + 2);
	loop_timer_init(&probe.timer, loop, on_fire_now);
	assert_true(loop_timer_set(&probe.timer, 0));
	loop_run(loop);
	assert_int_equal(probe.calls, 3);
	assert_int_equal(probe.events, 3);
	loop_timer_fini(&probe.timer);
}

struct note {
	struct letter letter;
	int number;
};

struct inbox {
	struct loop_mailbox box;
	int next;
	bool in_order;
};

#define NOTES 5000
static struct mailbox mailbox;

static void on_letter(struct loop_mailbox *box, struct letter *letter)
{
	struct inbox *inbox = container_of(box, struct inbox, box);
	struct note *note = container_of(letter, struct note, letter);
	if (note->number != inbox->next++)
		inbox->in_order = false;
	alloc_free(note); /* the loop must not look at it again */
	if (inbox->next == NOTES)
		loop_stop(box->watch.loop);
}

static void *send_notes(void *context)
{
	for (int i = 0; i < NOTES; i++) {
		struct note *note = alloc_malloc(sizeof(*note));
		if (!note)
			return NULL;
		note->number = i;
		mailbox_send(&mailbox, &note->letter);
	}
	return context;
}

static void letters_arrive_in_order(void **state)
{
	struct inbox inbox = {.in_order = true};
	pthread_t thread;
	void *sent;
	(void)state;
	assert_true(mailbox_init(&mailbox));
	assert_true(loop_mailbox_init(&inbox.box, loop, &mailbox, on_letter));
	assert_int_equal(pthread_create(&thread, NULL, send_notes, &inbox), 0);
	loop_run(loop);
	pthread_join(thread, &sent);
	assert_non_null(sent);
	assert_true(inbox.in_order);
	loop_mailbox_fini(&inbox.box);
	mailbox_fini(&mailbox);
}

struct round {
	struct loop_task task;
	struct probe first, second;
	int runs, uneven;
};

static struct round served;

static void on_round_end(struct loop_task *task)
{
	assert_ptr_equal(task, &served.task);
	served.runs++;
	/* Both were served, and as often as there were rounds. */
	if (served.first.calls != served.runs || served.second.calls != served.runs)
		served.uneven++;
}

static void on_ready_post(struct loop_watch *watch, int events)
{
	loop_task_post(&served.task);
	on_ready(watch, events);
}

static void a_task_ends_the_round(void **state)
{
	int fds[2];
	(void)state;
	served = (struct round){.second.stop_after = 3};
	assert_int_equal(pipe(fds), 0);
	int other = dup(fds[1]);
	assert_true(other >= 0);
	loop_task_init(&served.task, loop, on_round_end);
	loop_watch_init(&served.first.watch, loop, fds[1], on_ready_post);
	loop_watch_init(&served.second.watch, loop, other, on_ready_post);
	assert_true(loop_watch_set(&served.first.watch, LOOP_WRITE));
	assert_true(loop_watch_set(&served.second.watch, LOOP_WRITE));
	loop_run(loop);
	assert_true(served.runs >= 3);
	assert_int_equal(served.uneven, 0);
	int runs = served.runs;
	loop_watch_fini(&served.first.watch);
	loop_watch_fini(&served.second.watch);
	loop_task_post(&served.task);
	loop_task_fini(&served.task);
	loop_stop(loop);
	loop_run(loop);
	assert_int_equal(served.runs, runs);
	close(fds[0]);
	close(fds[1]);
	close(other);
}

static void no_descriptor_is_a_failure(void **state)
{
	struct rlimit before, few;
	bool failed = false;
	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	/* With one more descriptor at a time until a loop fits. */
	for (rlim_t limit = 0; limit < 64; limit++) {
		few = before;
		few.rlim_cur = limit;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		struct loop *l = loop_new();
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		if (!l)
			failed = true;
		else
			limit = 64;
		loop_free(&l);
	}
	assert_true(failed);
}

/* libevent allocates through the same place in this program. */
static void every_failing_allocation_is_survived(void **state)
{
	int64_t n = 0;
	(void)state;
	do {
		struct probe probe = {.stop_after = 1};
		int fds[2];
		assert_int_equal(pipe(fds), 0);
		alloc_fail_at(++n);
		struct loop *l = loop_new();
		if (l) {
			loop_watch_init(&probe.watch, l, fds[1], on_ready);
			if (loop_watch_set(&probe.watch, LOOP_WRITE))
				loop_run(l);
			else
				assert_true(alloc_failed());
			loop_watch_fini(&probe.watch);
		} else {
			assert_true(alloc_failed());
		}
		loop_free(&l);
		close(fds[0]);
		close(fds[1]);
	} while (alloc_failed());
	assert_true(n > 8);
	alloc_fail_at(0);
}

static void quiet(int severity, const char *message)
{
	(void)severity;
	(void)message;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_loop, close_loop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(stop_before_run_is_not_lost),
		TEST(another_thread_stops_it),
		TEST(watches_are_level_triggered),
		TEST(an_unwatched_descriptor_is_silent),
		TEST(a_bad_descriptor_cannot_be_watched),
		TEST(a_watch_may_free_itself),
		TEST(timers_are_never_early),
		TEST(timers_are_set_anew_and_stopped),
		TEST(now_is_cached_per_iteration),
		TEST(letters_arrive_in_order),
		TEST(a_task_ends_the_round),
		cmocka_unit_test(no_descriptor_is_a_failure),
		cmocka_unit_test(every_failing_allocation_is_survived),
	};
	event_set_mem_functions(alloc_malloc, alloc_realloc, alloc_free);
	event_set_log_callback(quiet);
	return RUN(tests);
}
