#include "sink/batch.h"

#include <sched.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/utf8.h"

/* How far an event has come. Two may want to decide: the plugin, on any
 * thread, and the lane at the deadline. Whoever moves the slot on from OPEN
 * writes it; the other one sees SET or EXPIRED and leaves it alone. */
enum slot_state {
	SLOT_OPEN,
	SLOT_WRITING, /* the plugin decided and is writing it down */
	SLOT_SET,     /* the plugin's word can be read */
	SLOT_EXPIRED, /* the lane decided; the plugin has not spoken yet */
	SLOT_LATE,    /* the lane decided; the plugin has spoken since */
};

/* Words of a settlement, copied, for few have any. */
struct words {
	struct lg_slice reason, answer, external_id;
	char bytes[];
};

struct slot {
	_Atomic(uint8_t) state;
	int32_t outcome, status;
	int64_t retry_after;
	struct words *words;
	const char *literal; /* the lane's reason */
};

void batch_init(struct batch *batch, const struct lg_services *services, struct mailbox *wake)
{
	memset(batch, 0, sizeof(*batch));
	batch->handle.services = services;
	batch->wake = wake;
	batch->lane = pthread_self();
}

static void forget_words(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		alloc_free(batch->slots[i].words);
		batch->slots[i].words = NULL;
	}
}

void batch_fini(struct batch *batch)
{
	forget_words(batch);
	alloc_free(batch->events);
	alloc_free(batch->slots);
	memset(batch, 0, sizeof(*batch));
}

bool batch_reset(struct batch *batch, size_t count)
{
	forget_words(batch);
	batch->count = 0;
	atomic_store_explicit(&batch->unsized, false, memory_order_relaxed);
	batch->lane = pthread_self();
	if (count > batch->capacity) {
		alloc_free(batch->events);
		alloc_free(batch->slots);
		batch->events = alloc_malloc(count * sizeof(*batch->events));
		batch->slots = alloc_malloc(count * sizeof(*batch->slots));
		batch->capacity = batch->events && batch->slots ? count : 0;
		if (!batch->capacity)
			return false;
	}
	if (count)
		memset(batch->slots, 0, count * sizeof(*batch->slots));
	batch->count = count;
	atomic_store_explicit(&batch->unsettled, count, memory_order_release);
	return true;
}

static bool move(struct slot *slot, uint8_t from, uint8_t to)
{
	return atomic_compare_exchange_strong_explicit(&slot->state, &from, to,
						       memory_order_acq_rel, memory_order_acquire);
}

void batch_expire(struct batch *batch, int32_t outcome, const char *reason)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct slot *slot = &batch->slots[i];
		if (move(slot, SLOT_OPEN, SLOT_EXPIRED)) {
			slot->outcome = outcome;
			slot->literal = reason;
		}
		/* A plugin's thread is between two stores: that takes nanoseconds. */
		while (atomic_load_explicit(&slot->state, memory_order_acquire) == SLOT_WRITING)
			sched_yield();
	}
}

void batch_abandon(struct batch *batch, int32_t outcome, const char *reason)
{
	batch_expire(batch, outcome, reason);
	for (size_t i = 0; i < batch->count; i++)
		if (move(&batch->slots[i], SLOT_EXPIRED, SLOT_LATE))
			atomic_fetch_sub_explicit(&batch->unsettled, 1, memory_order_acq_rel);
}

int32_t batch_outcome(const struct batch *batch, size_t index)
{
	return batch->slots[index].outcome;
}

void batch_answer(const struct batch *batch, size_t index, struct lg_settlement *answer)
{
	const struct slot *slot = &batch->slots[index];
	uint8_t state = atomic_load_explicit(&slot->state, memory_order_acquire);

	memset(answer, 0, sizeof(*answer));
	answer->size = sizeof(*answer);
	answer->outcome = slot->outcome;
	if (state != SLOT_SET) {
		answer->reason = slice_from(slot->literal);
		return;
	}
	answer->status = slot->status;
	answer->retry_after = slot->retry_after;
	if (slot->words) {
		answer->reason = slot->words->reason;
		answer->answer = slot->words->answer;
		answer->external_id = slot->words->external_id;
	}
}

/* ---- what the plugin calls ------------------------------------------------- */

static const struct batch *batch_of(const struct lg_batch *handle)
{
	return (const struct batch *)(const void *)handle;
}

static struct lg_slice put_words(char **at, struct lg_slice s)
{
	struct lg_slice copy = {s.data ? *at : NULL, s.length};

	if (s.length)
		memcpy(*at, s.data, s.length);
	*at += s.length;
	return copy;
}

/* NULL when nothing was said, or when memory ran out: the outcome counts. */
static struct words *copy_words(const struct lg_settlement *said)
{
	struct lg_slice reason = utf8_cut(slice_known(said->reason), BATCH_REASON_BYTES);
	struct lg_slice answer = slice_cut(slice_known(said->answer), 0, BATCH_ANSWER_BYTES);
	struct lg_slice id = slice_known(said->external_id);
	struct words *words;
	char *at;

	if (id.length > BATCH_EXTERNAL_BYTES)
		id = (struct lg_slice){NULL, 0}; /* a part may be another lead's */
	if (!reason.data && !answer.data && !id.data)
		return NULL;
	words = alloc_malloc(sizeof(*words) + reason.length + answer.length + id.length);
	if (!words)
		return NULL;
	at = words->bytes;
	words->reason = put_words(&at, reason);
	words->answer = put_words(&at, answer);
	words->external_id = put_words(&at, id);
	return words;
}

/* What a plugin says that forgot the size would be a retry for no reason, for ever. */
static bool has_outcome(const struct lg_settlement *settlement)
{
	return settlement->size >=
	       offsetof(struct lg_settlement, outcome) + sizeof(settlement->outcome);
}

static void write_slot(struct slot *slot, const struct lg_settlement *settlement)
{
	struct lg_settlement said = {.reason = LG_SLICE(BATCH_UNSIZED)};

	if (has_outcome(settlement)) {
		said.reason = (struct lg_slice){NULL, 0};
		memcpy(&said, settlement,
		       settlement->size < sizeof(said) ? settlement->size : sizeof(said));
	}
	slot->outcome = said.outcome >= LG_DELIVERED && said.outcome <= LG_REJECT ? said.outcome
										  : LG_RETRY;
	slot->status = said.status;
	slot->retry_after = said.retry_after > 0 ? said.retry_after : 0;
	slot->words = copy_words(&said);
}

static size_t service_count(const struct lg_batch *handle)
{
	return batch_of(handle)->count;
}

static int32_t service_event(const struct lg_batch *handle, size_t index, struct lg_event *event)
{
	const struct batch *batch = batch_of(handle);
	const struct batch_event *from;
	struct lg_event full;

	if (index >= batch->count)
		return LG_FAIL;
	from = &batch->events[index];
	full = (struct lg_event){
		.size = event->size,
		.seq = from->seq,
		.at = from->at_ms,
		.id = from->id,
		.type = from->type,
		.lead_id = slice_from(from->lead_id),
		.json = from->json,
		.attempt = from->attempt,
		.external_id = from->external_id,
		.body = from->body,
		.body_type = from->body_type,
	};
	memcpy(event, &full, event->size < sizeof(full) ? event->size : sizeof(full));
	return LG_OK;
}

static void service_settle(struct lg_batch *handle, size_t index,
			   const struct lg_settlement *settlement)
{
	struct batch *batch = (struct batch *)(void *)handle;
	struct mailbox *wake = batch->wake;
	bool elsewhere = !pthread_equal(batch->lane, pthread_self());
	struct slot *slot;

	if (index >= batch->count)
		return;
	slot = &batch->slots[index];
	if (!has_outcome(settlement))
		atomic_store_explicit(&batch->unsized, true, memory_order_relaxed);
	if (move(slot, SLOT_OPEN, SLOT_WRITING)) {
		write_slot(slot, settlement);
		atomic_store_explicit(&slot->state, SLOT_SET, memory_order_release);
	} else if (!move(slot, SLOT_EXPIRED, SLOT_LATE)) {
		return; /* settled before: the first one counted */
	}
	/* From here on the batch may be gone; the lane is not before `close`. */
	if (atomic_fetch_sub_explicit(&batch->unsettled, 1, memory_order_acq_rel) == 1 && elsewhere)
		mailbox_poke(wake);
}

void batch_services_add(struct lg_services *services)
{
	services->batch_count = service_count;
	services->batch_event = service_event;
	services->settle = service_settle;
}
