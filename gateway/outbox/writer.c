#include "outbox/writer.h"

#include "base/clock.h"
#include "base/counter.h"
#include "base/histogram.h"
#include "base/log.h"
#include "outbox/batch.h"
#include "outbox/fault.h"

/* How long settlements wait for captures to ride with while captures stream;
 * a sync of their own would cost more than it gains. */
#define RIDE_MS 5
/* Captures committed within this time are a stream. */
#define STREAM_US 20000
/* How often a full store is tried. */
#define PROBE_MS 200
/* Between two passes of pruning: a part of the retention, within bounds. */
#define PRUNE_PART 100
#define PRUNE_MS_MIN 1000
#define PRUNE_MS_MAX 60000

static struct submission *submission_of(struct letter *letter)
{
	return (struct submission *)(void *)letter;
}

static void take_mail(struct writer *writer)
{
	struct letter *letter = mailbox_take(&writer->submissions);

	*writer->waiting_end = letter;
	for (; letter; letter = letter->next)
		writer->waiting_end = &letter->next;
	if (!writer->unsettled)
		writer->unsettled = mailbox_take(&writer->settlements);
	if (!writer->chores)
		writer->chores = mailbox_take(&writer->orders);
}

/* Cuts off as many submissions as one transaction takes; at least one. */
static struct letter *cut_batch(struct writer *writer)
{
	struct letter *first = writer->waiting, *last = first;
	size_t captures = first ? submission_of(first)->count : 0;

	if (!first)
		return NULL;
	while (last->next) {
		captures += submission_of(last->next)->count;
		if (captures > (size_t)writer->store->batch_captures)
			break;
		last = last->next;
	}
	writer->waiting = last->next;
	if (!writer->waiting)
		writer->waiting_end = &writer->waiting;
	last->next = NULL;
	return first;
}

static void publish(struct writer *writer)
{
	const struct journal *journal = writer->journal;
	int64_t index_bytes = journal->index.bytes + recent_bytes(&journal->recent);

	atomic_store(&writer->leads, journal->committed_leads);
	atomic_store(&writer->index_bytes, index_bytes);
	atomic_store(&writer->index_keys, journal->index.keys);
	atomic_store(&writer->last_seq, journal->committed_seq);
	counter_set(writer->gauge_leads, journal->committed_leads);
	counter_set(writer->gauge_last_seq, journal->committed_seq);
	counter_set(writer->gauge_index, index_bytes);
	counter_set(writer->gauge_queue, atomic_load(&writer->queued));
}

static int gauge(const char *name, const char *help)
{
	return counter_register(COUNTER_GAUGE, name, "", help);
}

static void set_up_numbers(struct writer *writer)
{
	writer->gauge_leads = gauge("leadgate_store_leads", "Leads in the journal");
	writer->gauge_last_seq = gauge("leadgate_store_last_seq",
				       "Number of the last event in the journal");
	writer->gauge_index = gauge("leadgate_store_index_bytes",
				    "Memory of the index of persons and deliveries");
	writer->gauge_queue = gauge("leadgate_store_queue_submissions",
				    "Submissions that wait for the journal");
	writer->refused_full = counter_register(COUNTER_COUNTER, BATCH_REFUSED, "reason=\"full\"",
						BATCH_REFUSED_HELP);
	writer->refused_queue = counter_register(COUNTER_COUNTER, BATCH_REFUSED, "reason=\"queue\"",
						 BATCH_REFUSED_HELP);
	writer->counter_pruned = counter_register(COUNTER_COUNTER,
						  "leadgate_store_pruned_events_total", "",
						  "Events that were older than the retention");
	writer->queue_stage = histogram_register_stage("queue");
	writer->commit_stage = histogram_register_stage("commit");
}

static void write_batch(struct writer *writer)
{
	struct batch batch = {.submissions = cut_batch(writer), .settlements = writer->unsettled};
	int64_t queued = 0, bytes = 0, began_us = clock_monotonic_us(), ended_us;

	writer->unsettled = NULL;
	for (struct letter *l = batch.submissions; l; l = l->next) {
		queued++;
		bytes += (int64_t)submission_of(l)->bytes;
		if (submission_of(l)->sent_us)
			histogram_add_us(writer->queue_stage, began_us - submission_of(l)->sent_us);
	}
	gate_enter(writer->gate);
	bool committed = batch_write(&batch, writer->journal, writer->room, &writer->damage);
	gate_leave(writer->gate);
	ended_us = clock_monotonic_us();
	if (batch.submissions && committed)
		writer->last_capture_us = ended_us;
	if (committed)
		histogram_add_us(writer->commit_stage, ended_us - began_us);
	/* Room in the queue first: who gets an answer may submit again at once. */
	atomic_fetch_sub(&writer->queued, queued);
	atomic_fetch_sub(&writer->queued_bytes, bytes);
	publish(writer);
	outbox_fault("before-reply");
	batch_reply(&batch, ended_us);
	if (committed)
		writer->committed(writer);
}

/* One step of the first chore. */
static void do_chore(struct writer *writer)
{
	struct chore *chore = (struct chore *)(void *)writer->chores;
	const char *damage = atomic_load(&writer->damage);

	if (damage) {
		chore_refuse(chore, damage);
	} else {
		gate_enter(writer->gate);
		room_measure(writer->room, writer->journal);
		chore_step(writer->journal, chore);
		gate_leave(writer->gate);
		publish(writer);
	}
	if (chore->more)
		return;
	writer->chores = chore->letter.next;
	/* Before the answer: who gets it finds the lanes and the errand thread told. */
	if (chore->kind == CHORE_CLAIMS || chore->kind == CHORE_BACKFILL)
		atomic_fetch_add(&writer->claim_epoch, 1);
	atomic_fetch_add(&writer->sink_epoch, 1);
	writer->committed(writer);
	mailbox_send(chore->reply, &chore->letter);
}

static bool room_is_short(const struct writer *writer)
{
	return writer->room->warned || atomic_load(&writer->room->reason);
}

/* Between two passes; soon where the room is nearly used up. */
static int64_t prune_every_ms(const struct writer *writer)
{
	int64_t every_ms = writer->store->retention_ms / PRUNE_PART;

	if (every_ms < PRUNE_MS_MIN || room_is_short(writer))
		return PRUNE_MS_MIN;
	return every_ms < PRUNE_MS_MAX ? every_ms : PRUNE_MS_MAX;
}

/* How long there is nothing to prune; -1: never. */
static int64_t prune_wait_ms(const struct writer *writer)
{
	if (writer->store->retention_ms <= 0 || atomic_load(&writer->damage))
		return -1;
	if (writer->pruning.more)
		return 0;
	int64_t left_ms = writer->pruned_ms + prune_every_ms(writer) - clock_monotonic_ms();
	return left_ms > 0 ? left_ms : 0;
}

static void begin_step(struct writer *writer)
{
	atomic_store_explicit(&writer->busy_since_ms, clock_monotonic_ms(), memory_order_relaxed);
}

static void end_step(struct writer *writer)
{
	atomic_store_explicit(&writer->busy_since_ms, 0, memory_order_relaxed);
}

/* One step. A pass that fails is tried again at the next one's time. */
static void prune(struct writer *writer)
{
	struct chore *chore = &writer->pruning;

	if (!chore->more)
		*chore = (struct chore){.kind = CHORE_PRUNE,
					.before_ms = clock_wall_ms() - writer->store->retention_ms};
	int64_t before = chore->count;

	gate_enter(writer->gate);
	room_measure(writer->room, writer->journal);
	chore_step(writer->journal, chore);
	gate_leave(writer->gate);
	publish(writer);
	counter_add(writer->counter_pruned, chore->count - before);
	if (chore->more)
		return;
	if (!chore->done)
		log_error("store.prune_failed", LOG_TEXT("reason", chore->error.text));
	else if (chore->count)
		log_info("store.pruned", LOG_INT("events", chore->count));
	writer->pruned_ms = clock_monotonic_ms();
}

static bool streaming(const struct writer *writer)
{
	return clock_monotonic_us() - writer->last_capture_us < STREAM_US;
}

/* By the clock, not in silence: settlements may come without end. */
static void probe_room(struct writer *writer)
{
	int64_t now_ms = clock_monotonic_ms();

	if (!atomic_load(&writer->room->reason)) {
		writer->probed_ms = now_ms;
	} else if (now_ms - writer->probed_ms >= PROBE_MS) {
		writer->probed_ms = now_ms;
		room_probe(writer->room, writer->journal);
	}
}

/* Nothing is to be written: a step of pruning, or a wait for mail. */
static void rest(struct writer *writer)
{
	int64_t wait_ms = prune_wait_ms(writer);

	if (wait_ms == 0) {
		begin_step(writer);
		prune(writer);
		end_step(writer);
		return;
	}
	if (atomic_load(&writer->room->reason) && (wait_ms < 0 || wait_ms > PROBE_MS))
		wait_ms = PROBE_MS;
	mailbox_wait(&writer->submissions, wait_ms);
}

/* Waits until there is something to write; takes it. False: stop. */
static bool gather(struct writer *writer)
{
	for (;;) {
		/* Before the mail: nothing is sent after the order. */
		bool stopping = atomic_load(&writer->stopping);

		take_mail(writer);
		probe_room(writer);
		if (writer->waiting || writer->chores)
			return true;
		if (writer->unsettled) {
			if (!stopping && streaming(writer) &&
			    mailbox_wait(&writer->submissions, RIDE_MS))
				take_mail(writer);
			return true;
		}
		if (stopping)
			return false;
		/* Its poke may have been taken with the mail. */
		if (atomic_load(&writer->stopping))
			continue;
		rest(writer);
	}
}

static void *run(void *argument)
{
	struct writer *writer = argument;

	while (gather(writer)) {
		begin_step(writer);
		if (writer->waiting || writer->unsettled)
			write_batch(writer);
		if (writer->chores)
			do_chore(writer);
		/* There may be no idle time before it is full. */
		if (room_is_short(writer) && prune_wait_ms(writer) == 0)
			prune(writer);
		end_step(writer);
	}
	return NULL;
}

static void close_mail(struct writer *writer)
{
	mailbox_fini(&writer->submissions);
	mailbox_fini(&writer->settlements);
	mailbox_fini(&writer->orders);
}

static bool open_mail(struct writer *writer)
{
	writer->submissions.fd = writer->settlements.fd = writer->orders.fd = -1;
	if (mailbox_init(&writer->submissions) && mailbox_init(&writer->settlements) &&
	    mailbox_init(&writer->orders))
		return true;
	close_mail(writer);
	return false;
}

bool writer_start(struct writer *writer, struct error *error)
{
	writer->waiting = writer->unsettled = writer->chores = NULL;
	writer->waiting_end = &writer->waiting;
	writer->last_capture_us = clock_monotonic_us() - STREAM_US;
	writer->probed_ms = 0;
	writer->pruning = (struct chore){.more = false};
	writer->pruned_ms = clock_monotonic_ms();
	atomic_init(&writer->stopping, false);
	atomic_init(&writer->busy_since_ms, 0);
	atomic_init(&writer->damage, NULL);
	atomic_init(&writer->sink_epoch, 0);
	atomic_init(&writer->claim_epoch, 0);
	atomic_init(&writer->queued, 0);
	atomic_init(&writer->admitted, 0);
	atomic_init(&writer->queued_bytes, 0);
	set_up_numbers(writer);
	publish(writer);
	if (!open_mail(writer))
		return error_set(error, "no descriptor is left for the writer of the store");
	if (pthread_create(&writer->thread, NULL, run, writer) == 0) {
		pthread_setname_np(writer->thread, "writer");
		return true;
	}
	close_mail(writer);
	return error_set(error, "the writer of the store cannot be started: no thread is left");
}

void writer_stop(struct writer *writer)
{
	atomic_store(&writer->stopping, true);
	mailbox_poke(&writer->submissions);
	pthread_join(writer->thread, NULL);
}

void writer_fini(struct writer *writer)
{
	if (writer->pruning.more)
		chore_refuse(&writer->pruning, "the gateway stops");
	close_mail(writer);
}

bool writer_admit(struct writer *writer, const struct submission *submission)
{
	int64_t bytes = (int64_t)submission->bytes;

	if (atomic_load(&writer->room->reason) || atomic_load(&writer->damage)) {
		counter_inc(writer->refused_full);
		return false;
	}
	if (atomic_fetch_add(&writer->queued, 1) >= writer->store->queue_submissions) {
		atomic_fetch_sub(&writer->queued, 1);
		counter_inc(writer->refused_queue);
		return false;
	}
	/* One that is larger than the whole queue may go alone. */
	int64_t before = atomic_fetch_add(&writer->queued_bytes, bytes);
	if (before > 0 && before + bytes > writer->store->queue_bytes) {
		atomic_fetch_sub(&writer->queued_bytes, bytes);
		atomic_fetch_sub(&writer->queued, 1);
		counter_inc(writer->refused_queue);
		return false;
	}
	atomic_fetch_add_explicit(&writer->admitted, 1, memory_order_relaxed);
	return true;
}

bool writer_is_busy(const struct writer *writer)
{
	return atomic_load(&writer->queued) >= writer->store->queue_submissions ||
	       atomic_load(&writer->queued_bytes) >= writer->store->queue_bytes;
}

void writer_send(struct writer *writer, struct letter *oldest)
{
	mailbox_send_chain(&writer->submissions, oldest);
}

void writer_settle(struct writer *writer, struct settlement *settlement)
{
	mailbox_send(&writer->settlements, &settlement->letter);
	mailbox_poke(&writer->submissions);
}

void writer_do(struct writer *writer, struct chore *chore)
{
	mailbox_send(&writer->orders, &chore->letter);
	mailbox_poke(&writer->submissions);
}
