/* Which of the events go next that were tried before: by time; and what was sent as one
 * batch and had no answer as that batch, so that the destination can tell by the key
 * whether it has had it. */
#include <stdlib.h>

#include "base/clock.h"
#include "sink/lane_state.h"
#include "sink/retry.h"

#define DUE_MAX 256		 /* open events under way at once: they are read whole */
#define DUE_BYTES_MAX (16 << 20) /* and about so much of their bodies, at one look */
#define DUE_AGAIN_MS 60000	 /* what is due cannot go: look again, sooner after a settlement */

bool lane_suspects(const struct lane *lane, const struct journal_event *event)
{
	const struct suspect *suspect = suspects_unclear(&lane->suspects);

	return suspect && memcmp(suspect->lead_id, event->lead_id, UUID_BYTES) == 0;
}

static void bring_forward(struct run *run, size_t index)
{
	struct journal_event wanted = run->events[index];

	run->events[index] = run->events[0];
	run->events[0] = wanted;
}

/* The one that it is the turn of, in a run that has one event: the suspect, or
 * another lead where there is one. */
static void prefer(const struct lane *lane, struct run *run)
{
	const struct suspect *suspect = suspects_unclear(&lane->suspects);
	bool own = lane->probing.turn == PROBE_SUSPECT;

	for (size_t i = 0; suspect && i < run->count; i++) {
		const struct journal_event *event = &run->events[i];
		if (own ? event->seq == suspect->seq : !lane_suspects(lane, event)) {
			bring_forward(run, i);
			return;
		}
	}
}

/* A suspect that others have passed is asked alone, before anybody else. */
static bool prefer_clear(const struct lane *lane, struct run *run)
{
	for (size_t i = 0; i < run->count; i++)
		if (suspects_has_clear(&lane->suspects, run->events[i].seq)) {
			bring_forward(run, i);
			return true;
		}
	return false;
}

static void drop_under_way(struct lane *lane, struct run *run)
{
	size_t left = 0;

	for (size_t i = 0; i < run->count; i++)
		if (!lane_has_due(lane, run->events[i].seq))
			run->events[left++] = run->events[i];
	run->count = left;
}

/* ---- as one batch ------------------------------------------------------------- */

static bool is_same(const struct sent_batch *a, const struct sent_batch *b)
{
	return a->first_seq == b->first_seq && a->last_seq == b->last_seq && a->count == b->count;
}

/* Whether today's limits allow a batch. The last event may go beyond the bytes, as
 * where a batch is put together. */
static bool fits(const struct lane *lane, const struct journal_event *events, size_t count)
{
	size_t bytes = 0;

	for (size_t i = 0; i + 1 < count; i++)
		bytes += events[i].body.length;
	return count == 1 || bytes < lane->batch_bytes;
}

/* Whether none of them is under way. */
static bool are_free(struct lane *lane, const struct journal_event *events, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (lane_has_due(lane, events[i].seq))
			return false;
	return true;
}

/* The run becomes the batch that its first event was sent in. False: that batch is not
 * whole any more, or not allowed, so its events go as any others; or it could not be
 * read, and *failed is set. */
static bool take_sent(struct lane *lane, struct run *run, bool *failed, struct error *error)
{
	struct sent_batch sent = run->events[0].sent;
	struct journal_event *events;
	ptrdiff_t got;

	if (sent.count > (int64_t)lane->batch_events || sent.count > pace_most(&lane->pace))
		return false;
	got = reader_sent_batch(lane->reader, &run->arena, lane->instance->name, &sent, &events,
				error);
	*failed = got < 0;
	if (got != sent.count || !fits(lane, events, (size_t)got) ||
	    !are_free(lane, events, (size_t)got))
		return false;
	run->events = events;
	run->count = (size_t)got;
	run->sent = sent;
	return true;
}

/* ---- as they come -------------------------------------------------------------- */

/* As many as fit into a batch, in the order in which the writer wants them. Those of
 * sent batches go by themselves, but for one that is none any more. */
static void trim(struct lane *lane, struct run *run, size_t most)
{
	size_t bytes = 0, fit = 0;

	for (size_t i = 0; i < run->count && fit < most; i++) {
		struct journal_event event = run->events[i];
		if (event.sent.count && !is_same(&event.sent, &run->events[0].sent))
			continue;
		bytes += event.body.length;
		if (fit > 0 && bytes > lane->batch_bytes)
			break;
		run->events[fit++] = event;
	}
	run->count = fit;
}

static int compare_seq(const void *a, const void *b)
{
	const struct journal_event *x = a, *y = b;

	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* What goes of the events that are due. False: it could not be read. */
static bool choose(struct lane *lane, struct run *run, size_t most, struct error *error)
{
	bool failed = false;

	drop_under_way(lane, run);
	lane_prefer_urgent(lane, run);
	if (prefer_clear(lane, run))
		most = 1;
	else if (most == 1)
		prefer(lane, run);
	if (run->count == 0)
		return true;
	run->parted = run->events[0].sent.count > 0;
	if (run->parted && take_sent(lane, run, &failed, error))
		return true;
	if (!failed)
		trim(lane, run, most);
	qsort(run->events, run->count, sizeof(run->events[0]), compare_seq);
	return !failed;
}

/* ---- reading -------------------------------------------------------------------- */

static void look_up(struct lane *lane)
{
	lane->next_due_ms = reader_next_due(lane->reader, lane->instance->name);
	lane->last_due_ms = reader_last_due(lane->reader, lane->instance->name);
}

/* What is due must not keep the lane awake while none of it can go. */
static void look_later(struct lane *lane, int64_t now_ms)
{
	lane->next_due_ms = now_ms + DUE_AGAIN_MS;
	lane->last_due_ms = 0;
}

/* Whether a sent batch has to wait until the rate allows all of it. Nothing else that is
 * due goes meanwhile, and of what is new not so much that it would never come to that. */
static bool has_to_wait(struct lane *lane, const struct run *run)
{
	if (run->sent.count > pace_room(&lane->pace, clock_monotonic_ms())) {
		lane->reserved = run->sent.count;
		return true;
	}
	if (run->sent.count)
		lane->beside = 0;
	return false;
}

/* Reads what is due, and one more for each that is under way. -1: it cannot. */
static ptrdiff_t read_open(struct lane *lane, struct run *run, bool beyond, size_t count,
			   struct error *error)
{
	int64_t now_ms = clock_wall_ms();

	if (beyond)
		return reader_due_beyond(lane->reader, &run->arena, lane->instance->name,
					 now_ms + retry_longest_ms(lane->settings), count,
					 DUE_BYTES_MAX, &run->events, error);
	return reader_due(lane->reader, &run->arena, lane->instance->name, now_ms, count,
			  DUE_BYTES_MAX, &run->events, error);
}

struct run *lane_read_due(struct lane *lane)
{
	int64_t now_ms = clock_wall_ms();
	size_t under_way = lane_due_count(lane), most, count;
	bool beyond;
	struct error error;
	struct run *run;
	ptrdiff_t got;

	lane->reserved = 0;
	most = lane_most(lane);
	if (!lane->next_due_ms)
		look_up(lane);
	beyond = lane->last_due_ms > now_ms + retry_longest_ms(lane->settings);
	if (lane->next_due_ms > now_ms && !beyond)
		return NULL;
	if (under_way >= DUE_MAX) {
		look_later(lane, now_ms);
		return NULL;
	}
	if (!(run = lane_take_run(lane, true)))
		return NULL;
	if (most > DUE_MAX - under_way)
		most = DUE_MAX - under_way;
	count = lane->suspects.count || lane->priority ? DUE_MAX : most;
	got = read_open(lane, run, beyond, under_way + count, &error);
	run->count = got < 0 ? 0 : (size_t)got;
	if (got < 0 || !choose(lane, run, most, &error)) {
		lane_read_failed(lane, run, &error);
		return NULL;
	}
	lane->next_due_ms = 0;
	if (run->count && !has_to_wait(lane, run))
		return run;
	/* All of it is under way, or an open row is without its event, which
	 * somebody erased meanwhile. */
	if (!run->count)
		look_later(lane, now_ms);
	lane_give_back(lane, run);
	return NULL;
}
