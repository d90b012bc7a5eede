/* Which events go next: new ones by seq, and the one that finds out why the lane is
 * parked. Due ones are lane_due.c's. */
#include "base/clock.h"
#include "base/log.h"
#include "sink/lane_state.h"

#define READ_AGAIN_MS 1000 /* the journal could not be read: try again */
#define PROBE_PAGE 64	   /* events that are looked through at once for another lead */
#define PROBE_PAGES 64
#define PROBES_MAX 8  /* other leads that are asked until it is the suspect's turn */
#define PROBES_DONE 4 /* for each batch at once: that passed and wait for the suspect */

struct run *lane_take_run(struct lane *lane, bool due)
{
	struct list *link = list_first(&lane->idle);
	struct run *run;

	if (link) {
		list_remove(link);
		run = container_of(link, struct run, link);
	} else {
		run = run_new(lane->instance->host.services, &lane->mailbox);
	}
	if (run)
		run->due = due;
	else
		lane->resume_ms = clock_monotonic_ms() + READ_AGAIN_MS;
	return run;
}

void lane_read_failed(struct lane *lane, struct run *run, const struct error *error)
{
	log_error("sink.read_failed", LOG_SLICE("sink", lane->instance->name),
		  LOG_TEXT("reason", error->text));
	lane_give_back(lane, run);
	lane->resume_ms = clock_monotonic_ms() + READ_AGAIN_MS;
}

/* Beside a batch that waits until it may go as a whole, which may take all of a day,
 * new events may have half of what there is room for: as many again are kept for the
 * batch, so that it goes within the day all the same. A batch of more than half of
 * all that may ever go at once would come to nothing beside others. */
static int64_t room_beside(const struct lane *lane, int64_t room)
{
	if (lane->reserved > pace_most(&lane->pace) / 2 || room <= lane->beside)
		return 0;
	return (room - lane->beside) / 2;
}

/* While it is unsure whether the destination takes anything, one event finds
 * out. */
size_t lane_most(struct lane *lane)
{
	size_t most = lane->failures ? 1 : lane->most;
	int64_t room = pace_room(&lane->pace, clock_monotonic_ms());

	if (room < lane->reserved)
		room = room_beside(lane, room);
	return room < (int64_t)most ? (size_t)room : most;
}

/* ---- new events ---------------------------------------------------------------- */

static bool has_too_many(const struct lane *lane)
{
	return lane_is_ordered(lane) &&
	       order_count(lane->order) >= (size_t)lane->settings->max_held;
}

/* Not while what is done waits for the first of all: none of that could ever become
 * fewer, for the journal does not have it yet. */
bool lane_is_full(const struct lane *lane)
{
	return !stretches_open_first(&lane->ahead) && has_too_many(lane);
}

bool lane_wants_new(const struct lane *lane)
{
	int64_t waiting = outbox_last_seq(lane->outbox) - lane->ahead.cursor;

	return waiting > 0 &&
	       (waiting >= (int64_t)lane->most || clock_monotonic_ms() >= lane->gather_until_ms);
}

bool lane_read_range(struct lane *lane, struct run *run, const struct stretch *from,
		     int64_t first_seq, size_t count)
{
	struct error error;
	ptrdiff_t got = reader_events(lane->reader, &run->arena, first_seq - 1, count,
				      lane->batch_bytes, &run->events, &error);

	if (got < 0) {
		lane_read_failed(lane, run, &error);
		return false;
	}
	run->count = (size_t)got;
	while (from && run->count && run->events[run->count - 1].seq > from->last_seq)
		run->count--;
	return true;
}

/* The first events of an open stretch or of the unread rest. NULL: none, and then
 * a stretch is gone unless it could not be read. */
static struct run *read_next(struct lane *lane, struct stretch *from, size_t count)
{
	int64_t last_seq = outbox_last_seq(lane->outbox);
	int64_t first_seq = from ? from->first_seq : lane->ahead.cursor + 1;
	struct run *run = lane_take_run(lane, false);

	if (!run || !lane_read_range(lane, run, from, first_seq, count))
		return NULL;
	if (run->count) {
		run->stretch = stretches_take(&lane->ahead, first_seq,
					      run->events[run->count - 1].seq, run);
		return run;
	}
	/* Numbers that are of no event any more (erased): there is nothing to say. */
	lane_give_back(lane, run);
	if (from)
		stretches_drop(&lane->ahead, from);
	else
		lane->ahead.cursor = last_seq;
	lane_send_done(lane); /* nothing is before it any more */
	return NULL;
}

static struct run *read_new(struct lane *lane)
{
	struct stretch *from = stretches_open(&lane->ahead, 0);
	struct run *run;

	if (lane_is_full(lane) || !(from || lane_wants_new(lane)))
		return NULL;
	run = has_too_many(lane) ? NULL : lane_read_urgent(lane);
	if (run)
		return run;
	run = read_next(lane, from, lane_most(lane));
	return run || stretches_open(&lane->ahead, 0) == from ? run : read_new(lane);
}

struct run *lane_read_gap(struct lane *lane, size_t count)
{
	struct stretch *from = stretches_open(&lane->ahead, 0);
	struct run *run = from ? read_next(lane, from, count) : NULL;

	return run || stretches_open(&lane->ahead, 0) == from ? run : lane_read_gap(lane, count);
}

/* ---- finding out why the lane is parked ------------------------------------------ */

/* A suspect once more, alone. */
static struct run *read_suspect(struct lane *lane, int64_t seq)
{
	struct stretch *from = stretches_open(&lane->ahead, seq - 1);
	bool open = from ? from->first_seq <= seq : seq > lane->ahead.cursor;
	struct run *run = open ? lane_take_run(lane, false) : NULL;

	if (!run || !lane_read_range(lane, run, from, seq, 1))
		return NULL;
	if (run->count && run->events[0].seq == seq) {
		run->stretch = stretches_take(&lane->ahead, seq, seq, run);
		return run;
	}
	lane_give_back(lane, run);
	suspects_drop(&lane->suspects, seq); /* erased meanwhile */
	return NULL;
}

/* The search for an event of another lead. */
struct probe {
	int64_t seq;	    /* where to go on; 0: the journal ends here */
	int64_t after_seq;  /* only an event behind this one will do */
	struct order *seen; /* in order: whose events were passed on the way */
};

/* In order, only the first event of its lead will do. What the lane does not know
 * yet is met on the way, which begins with the first event of all. */
static bool comes_first(const struct lane *lane, struct probe *probe,
			const struct journal_event *event)
{
	if (!probe->seen)
		return true;
	return order_before(lane->order, event->lead_id, event->seq) == ORDER_NONE &&
	       order_before(probe->seen, event->lead_id, event->seq) == ORDER_NONE &&
	       order_set(probe->seen, event->lead_id, event->seq, 0, ORDER_FLYING);
}

/* Leaves of the run the first event of another lead that the sink takes. */
static bool pick_other(struct lane *lane, struct run *run, struct probe *probe)
{
	for (size_t i = 0; i < run->count; i++) {
		struct journal_event *event = &run->events[i];
		if (lane_suspects(lane, event) || !run_takes(event, &lane->rules) ||
		    !comes_first(lane, probe, event) || event->seq <= probe->after_seq)
			continue;
		run->events = event;
		run->count = 1;
		run->stretch = stretches_take(&lane->ahead, event->seq, event->seq, run);
		return true;
	}
	return false;
}

/* Looks through the next events. */
static bool probe_page(struct lane *lane, struct run *run, struct probe *probe)
{
	struct stretch *from = stretches_open(&lane->ahead, probe->seq - 1);
	int64_t open_seq = from ? from->first_seq : lane->ahead.cursor + 1;
	int64_t seq = probe->seq < open_seq ? open_seq : probe->seq;

	probe->seq = 0;
	if (!lane_read_range(lane, run, from, seq, PROBE_PAGE))
		return false;
	if (run->count)
		probe->seq = run->events[run->count - 1].seq + 1;
	else if (from)
		probe->seq = from->last_seq + 1;
	return pick_other(lane, run, probe);
}

static struct run *look_for_other(struct lane *lane, int64_t after_seq)
{
	bool ordered = lane_is_ordered(lane);
	struct probe probe = {.seq = ordered ? 1 : after_seq + 1, .after_seq = after_seq};
	struct run *run, *found = NULL;

	if (ordered && !(probe.seen = order_new()))
		return NULL;
	for (int page = 0; page < PROBE_PAGES && probe.seq && !found; page++) {
		if (!(run = lane_take_run(lane, false)))
			break;
		if (probe_page(lane, run, &probe))
			found = run;
		else if (list_empty(&run->link)) /* it could be read */
			lane_give_back(lane, run);
	}
	order_free(&probe.seen);
	return found;
}

/* An event of another lead, after the one that parked last, so that several bad ones
 * in a row do not hide a good one. NULL: there is none, or it is the next one's turn. */
static struct run *read_other(struct lane *lane)
{
	struct probing *probing = &lane->probing;
	struct run *run = NULL;

	if (probing->others++ < PROBES_MAX && !(run = look_for_other(lane, probing->asked_seq)))
		probing->asked_seq = 0; /* the next turn begins with the first */
	return run;
}

/* Who finds out: those that have not been asked for longest. NULL: nobody can. */
static struct run *read_probe(struct lane *lane, const struct suspect *suspect)
{
	struct probing *probing = &lane->probing;
	bool due = suspect->due;
	int64_t seq = suspect->seq;
	struct run *run = NULL;

	/* A turn more, for when the others begin anew. */
	for (int i = 0; i <= PROBE_TURNS && !run; i++) {
		switch (probing->turn) {
		case PROBE_OTHERS: run = read_other(lane); break;
		case PROBE_DUE: run = lane_read_due(lane); break;
		default: run = due ? lane_read_due(lane) : read_suspect(lane, seq); break;
		}
		if (run && probing->turn == PROBE_OTHERS)
			break;
		probing->others = 0;
		probing->turn = (probing->turn + 1) % PROBE_TURNS;
	}
	return run;
}

bool lane_may_probe(const struct lane *lane)
{
	return lane->done_count - lane->urgent_done < PROBES_DONE * lane->concurrency;
}

/* One whose turn it is for a suspect's sake. NULL: nobody's. An open suspect that waits
 * for its time holds nobody up while it is something else that fails. */
static struct run *read_for_suspect(struct lane *lane)
{
	const struct suspect *clear = suspects_clear(&lane->suspects);
	const struct suspect *unclear = suspects_unclear(&lane->suspects);

	if (!lane_may_probe(lane))
		return NULL;
	if (clear)
		return read_suspect(lane, clear->seq);
	if (!unclear || !lane->failures ||
	    (unclear->due && atomic_load(&lane->mood) != MOOD_PARKED))
		return NULL;
	return read_probe(lane, unclear);
}

/* ---- which of them --------------------------------------------------------------- */

/* New events and due ones take turns, so that neither waits for the other. */
struct run *lane_read(struct lane *lane)
{
	bool due = !lane->was_due || lane->reserved;
	struct run *run = read_for_suspect(lane);

	if (!run)
		run = due ? lane_read_due(lane) : read_new(lane);
	if (!run && lane_most(lane) > 0)
		run = due ? read_new(lane) : lane_read_due(lane);
	if (run)
		lane->was_due = run->due;
	return run;
}
