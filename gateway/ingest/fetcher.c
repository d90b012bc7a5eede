#include "ingest/fetcher.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "ingest/desk.h"
#include "ingest/folder.h"
#include "ingest/importer.h"
#include "ingest/intake.h"
#include "outbox/reader.h"

struct fetcher {
	struct outbox *outbox;
	struct reader *reader;
	struct loop *loop;
	struct ingest_loop *ingest_loop;
	struct mailbox mailbox; /* shares, and pokes */
	struct loop_watch wake;
	struct loop_timer timer;
	struct loop_task turn;
	struct fetcher_share *share, *next; /* that it serves; that it changes to */
	struct list desks;
	struct importer importer;
	struct folders folders;
	int64_t epoch; /* of the outbox: rises when an operator has spoken */

	atomic_bool stopping;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t end;
	bool ended;
};

/* ---- desks ----------------------------------------------------------------------------- */

static bool open_desk(struct fetcher *fetcher, struct source *source)
{
	struct error error = {""};
	struct desk *desk = desk_new(fetcher->share->ingest, source, fetcher->ingest_loop,
				     fetcher->loop, fetcher->reader, &fetcher->turn, &error);

	if (desk)
		list_append(&fetcher->desks, &desk->link);
	else
		log_error("claim.desk", LOG_SLICE("source", source->instance->name),
			  LOG_TEXT("reason", error.text));
	return desk != NULL;
}

static void open_desks(struct fetcher *fetcher)
{
	struct ingest *ingest = fetcher->share->ingest;

	for (size_t i = 0; i < ingest->source_count; i++)
		if (source_has_errands(&ingest->sources[i]))
			open_desk(fetcher, &ingest->sources[i]);
}

/* True: no desk is left. */
static bool close_desks(struct fetcher *fetcher)
{
	LIST_EACH_SAFE(link, &fetcher->desks) {
		struct desk *desk = container_of(link, struct desk, link);
		if (desk_close(desk))
			desk_free(&desk);
	}
	return list_empty(&fetcher->desks);
}

/* Both are told, whatever the first one says. */
static bool close_all(struct fetcher *fetcher)
{
	bool desks = close_desks(fetcher);

	return importer_pause(&fetcher->importer) && desks;
}

static void leave_share(struct fetcher *fetcher)
{
	struct fetcher_share *share = fetcher->share;

	fetcher->share = NULL;
	if (share)
		mailbox_send(share->home, share->back);
}

/* ---- the thread -------------------------------------------------------------------------- */

static void take_mail(struct fetcher *fetcher)
{
	for (struct letter *l = mailbox_take(&fetcher->mailbox), *next; l; l = next) {
		struct fetcher_share *share = container_of(l, struct fetcher_share, letter);
		next = l->next;
		/* One that never began is left at once. */
		if (fetcher->next)
			mailbox_send(fetcher->next->home, fetcher->next->back);
		fetcher->next = share;
	}
}

static void notice_orders(struct fetcher *fetcher)
{
	int64_t epoch = outbox_claim_epoch(fetcher->outbox);

	if (epoch == fetcher->epoch)
		return;
	fetcher->epoch = epoch;
	LIST_EACH(link, &fetcher->desks)
		desk_hurry(container_of(link, struct desk, link));
}

static void look(struct fetcher *fetcher)
{
	int64_t wait_ms = folders_look(&fetcher->folders);

	LIST_EACH(link, &fetcher->desks) {
		int64_t desk_ms = desk_look(container_of(link, struct desk, link));
		if (desk_ms < wait_ms)
			wait_ms = desk_ms;
	}
	if (wait_ms < INT64_MAX && !loop_timer_set(&fetcher->timer, wait_ms))
		loop_task_post(&fetcher->turn);
}

static void take_turn(struct fetcher *fetcher)
{
	/* Before the mail: nothing is sent after the order. */
	bool stopping = atomic_load(&fetcher->stopping);

	take_mail(fetcher);
	if (stopping || fetcher->next) {
		if (!close_all(fetcher))
			return; /* the writer's answers bring us here again */
		leave_share(fetcher);
		fetcher->share = fetcher->next;
		fetcher->next = NULL;
		if (stopping) {
			leave_share(fetcher);
			importer_end(&fetcher->importer);
			folders_fini(&fetcher->folders);
			loop_stop(fetcher->loop);
			return;
		}
		open_desks(fetcher);
		importer_begin(&fetcher->importer, fetcher->share->ingest);
		folders_change(&fetcher->folders, fetcher->share->ingest);
	}
	notice_orders(fetcher);
	look(fetcher);
}

static void on_wake(struct loop_watch *watch, int events)
{
	(void)events;
	take_turn(container_of(watch, struct fetcher, wake));
}

static void on_timer(struct loop_timer *timer)
{
	take_turn(container_of(timer, struct fetcher, timer));
}

static void on_turn(struct loop_task *task)
{
	take_turn(container_of(task, struct fetcher, turn));
}

static void *fetcher_main(void *arg)
{
	struct fetcher *fetcher = arg;

	loop_task_post(&fetcher->turn);
	loop_run(fetcher->loop);
	pthread_mutex_lock(&fetcher->lock);
	fetcher->ended = true;
	pthread_cond_signal(&fetcher->end);
	pthread_mutex_unlock(&fetcher->lock);
	return NULL;
}

/* ---- beginning and end --------------------------------------------------------------------- */

static void init_end(struct fetcher *fetcher)
{
	pthread_condattr_t attributes;

	pthread_mutex_init(&fetcher->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&fetcher->end, &attributes);
	pthread_condattr_destroy(&attributes);
}

static bool init_loop(struct fetcher *fetcher, struct error *error)
{
	fetcher->loop = loop_new();
	fetcher->ingest_loop = fetcher->loop ? ingest_loop_new(fetcher->loop) : NULL;
	if (!fetcher->ingest_loop || !mailbox_init(&fetcher->mailbox))
		return error_set(error, "not enough memory or descriptors");
	loop_watch_init(&fetcher->wake, fetcher->loop, fetcher->mailbox.fd, on_wake);
	loop_timer_init(&fetcher->timer, fetcher->loop, on_timer);
	loop_task_init(&fetcher->turn, fetcher->loop, on_turn);
	folders_init(&fetcher->folders, fetcher, fetcher->loop, &fetcher->turn);
	return loop_watch_set(&fetcher->wake, LOOP_READ) || error_set(error, "not enough memory");
}

static bool init_imports(struct fetcher *fetcher, struct error *error)
{
	return importer_init(&fetcher->importer, fetcher->loop, fetcher->ingest_loop,
			     fetcher->reader, &fetcher->turn) ||
	       error_set(error, "not enough memory or descriptors");
}

/* It is woken by orders, not by commits. */
static bool watch_outbox(struct fetcher *fetcher, struct error *error)
{
	if (!outbox_watch(fetcher->outbox, &fetcher->mailbox))
		return error_set(error, "more than %d sinks", OUTBOX_WATCHERS - 1);
	outbox_await(fetcher->outbox, &fetcher->mailbox, INT64_MAX);
	fetcher->epoch = outbox_claim_epoch(fetcher->outbox);
	return true;
}

/* Signals are the main thread's. */
static bool start_thread(struct fetcher *fetcher, struct error *error)
{
	sigset_t all, before;
	int failed;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&fetcher->thread, NULL, fetcher_main, fetcher);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed)
		return error_set(error, "its thread cannot start: %s", strerror(failed));
	pthread_setname_np(fetcher->thread, "errands");
	return true;
}

struct fetcher *fetcher_start(struct outbox *outbox, struct lg_slice store_path,
			      struct error *error)
{
	struct fetcher *fetcher = alloc_zalloc(sizeof(*fetcher));

	if (!fetcher) {
		error_set(error, "errands: not enough memory");
		return NULL;
	}
	fetcher->outbox = outbox;
	fetcher->mailbox.fd = fetcher->importer.mailbox.fd = -1;
	fetcher->ended = true; /* there is no thread */
	list_init(&fetcher->desks);
	init_end(fetcher);
	if (init_loop(fetcher, error) && (fetcher->reader = reader_open(store_path, error)) &&
	    init_imports(fetcher, error) && watch_outbox(fetcher, error)) {
		fetcher->ended = false;
		if (start_thread(fetcher, error))
			return fetcher;
		outbox_unwatch(outbox, &fetcher->mailbox);
	}
	error_prefix(error, "errands: ");
	fetcher_free(&fetcher);
	return NULL;
}

void fetcher_change(struct fetcher *fetcher, struct fetcher_share *share)
{
	mailbox_send(&fetcher->mailbox, &share->letter);
}

void fetcher_import(struct fetcher *fetcher, struct import_job *job)
{
	mailbox_send(&fetcher->importer.mailbox, &job->letter);
}

void fetcher_poke(struct fetcher *fetcher)
{
	mailbox_poke(&fetcher->mailbox);
}

const struct source *fetcher_called(const struct fetcher *fetcher, int64_t *for_ms)
{
	const struct ingest_loop *loop = fetcher->ingest_loop;
	const struct source *source = atomic_load(&loop->called);

	/* The time is written before the source is, so it is of this call or a later one. */
	*for_ms = source ? clock_monotonic_ms() - atomic_load(&loop->called_ms) : 0;
	return source;
}

void fetcher_halt(struct fetcher *fetcher)
{
	if (atomic_load(&fetcher->stopping))
		return;
	outbox_unwatch(fetcher->outbox, &fetcher->mailbox);
	atomic_store(&fetcher->stopping, true);
	mailbox_poke(&fetcher->mailbox);
}

bool fetcher_stop(struct fetcher *fetcher, int64_t timeout_ms)
{
	int64_t until_ms = clock_monotonic_ms() + timeout_ms;
	struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
	int waited = 0;
	bool ended;

	fetcher_halt(fetcher);
	pthread_mutex_lock(&fetcher->lock);
	while (!fetcher->ended && waited != ETIMEDOUT)
		waited = pthread_cond_timedwait(&fetcher->end, &fetcher->lock, &until);
	ended = fetcher->ended;
	pthread_mutex_unlock(&fetcher->lock);
	if (ended)
		pthread_join(fetcher->thread, NULL);
	return ended;
}

void fetcher_free(struct fetcher **pointer)
{
	struct fetcher *fetcher = *pointer;

	*pointer = NULL;
	if (!fetcher)
		return;
	if (fetcher->wake.loop) {
		loop_task_fini(&fetcher->turn);
		loop_timer_fini(&fetcher->timer);
		loop_watch_fini(&fetcher->wake);
	}
	importer_fini(&fetcher->importer);
	ingest_loop_free(&fetcher->ingest_loop);
	mailbox_fini(&fetcher->mailbox);
	if (fetcher->reader)
		reader_close(&fetcher->reader);
	loop_free(&fetcher->loop);
	pthread_cond_destroy(&fetcher->end);
	pthread_mutex_destroy(&fetcher->lock);
	alloc_free(fetcher);
}
