#include "outbox/index.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

/* Slots behind the last home, for the run that ends there: these and a 32nd of
 * the homes, so that growing helps whatever the hashes are. The very last one
 * stays empty, so that a search needs no bound. */
#define TAIL 32
/* Homes of a shard with its first key: 64 to 79. Different from shard to shard,
 * so that they do not all grow in the same batch. */
#define FIRST_CAPACITY 64

void index_init(struct index *index)
{
	memset(index, 0, sizeof(*index));
}

void index_fini(struct index *index)
{
	for (size_t i = 0; i < INDEX_SHARDS; i++)
		alloc_free(index->shards[i].slots);
	index_init(index);
}

static size_t slots_of(uint32_t capacity)
{
	return (size_t)capacity + capacity / 32 + TAIL;
}

static struct index_slot slot_make(uint64_t hash, int64_t seq)
{
	struct index_slot slot = {
		.words = {(uint32_t)(hash >> 24), (uint32_t)(hash << 8), (uint32_t)seq}};

	slot.words[1] |= (uint32_t)((uint64_t)seq >> 32);
	return slot;
}

static int64_t slot_seq(const struct index_slot *slot)
{
	return (int64_t)((uint64_t)(slot->words[1] & 0xff) << 32 | slot->words[2]);
}

static bool slot_empty(const struct index_slot *slot)
{
	return slot_seq(slot) == 0;
}

/* The 56 bits of a hash that its shard does not say. */
static uint64_t key_of(uint64_t hash)
{
	return hash & 0x00ffffffffffffff;
}

static uint64_t slot_key(const struct index_slot *slot)
{
	return (uint64_t)slot->words[0] << 24 | slot->words[1] >> 8;
}

/* Fast range over the highest 32 bits of the key: rises with the key. */
static size_t home_of(uint32_t high, uint32_t capacity)
{
	return (size_t)((uint64_t)high * capacity >> 32);
}

/* The first slot from the key's home on that is empty or holds no less. */
static size_t seek(const struct index_shard *shard, uint64_t key)
{
	size_t at = home_of((uint32_t)(key >> 24), shard->capacity);

	while (!slot_empty(&shard->slots[at]) && slot_key(&shard->slots[at]) < key)
		at++;
	return at;
}

/* Slots that are filled from the left. */
struct filler {
	struct index_slot *slots;
	uint32_t capacity;
	size_t next;
};

/* False when the run at the end does not fit. */
static bool fill(struct filler *filler, struct index_slot slot)
{
	size_t at = home_of(slot.words[0], filler->capacity);

	if (at < filler->next)
		at = filler->next;
	if (at + 1 >= slots_of(filler->capacity))
		return false;
	filler->slots[at] = slot;
	filler->next = at + 1;
	return true;
}

/* What a shard holds and the new entries, in order into new slots; of equals
 * the older first. */
static bool refill(struct filler *filler, const struct index_shard *from,
		   const struct index_entry *entries, size_t count)
{
	size_t old_count = from->slots ? slots_of(from->capacity) : 0, next = 0;

	for (size_t i = 0; i < old_count; i++) {
		const struct index_slot *slot = &from->slots[i];
		if (slot_empty(slot))
			continue;
		for (; next < count && key_of(entries[next].hash) < slot_key(slot); next++)
			if (!fill(filler, slot_make(entries[next].hash, entries[next].seq)))
				return false;
		if (!fill(filler, *slot))
			return false;
	}
	for (; next < count; next++)
		if (!fill(filler, slot_make(entries[next].hash, entries[next].seq)))
			return false;
	return true;
}

/* Full at 0.85. */
static bool is_full(uint64_t keys, uint32_t capacity)
{
	return keys * 20 > (uint64_t)capacity * 17;
}

/* The next size; 0 beyond four thousand million homes. */
static uint32_t next_capacity(const struct index *index, const struct index_shard *shard,
			      uint32_t capacity)
{
	size_t number = (size_t)(shard - index->shards);

	if (capacity > UINT32_MAX / 2)
		return 0;
	return capacity ? capacity + capacity / 4 : FIRST_CAPACITY + (uint32_t)(number * 7 % 16);
}

/* Into new slots with `count` entries more, or with none into more room. */
static bool grow(struct index *index, struct index_shard *shard, const struct index_entry *entries,
		 size_t count)
{
	uint32_t capacity = shard->capacity;
	uint64_t keys = (uint64_t)shard->keys + count;

	for (bool larger = count == 0;; larger = true) {
		if (larger || capacity == 0)
			capacity = next_capacity(index, shard, capacity);
		while (capacity && is_full(keys, capacity))
			capacity = next_capacity(index, shard, capacity);
		size_t size = slots_of(capacity) * sizeof(struct index_slot);
		struct filler filler = {.slots = capacity ? alloc_zalloc(size) : NULL,
					.capacity = capacity};
		if (!filler.slots)
			return false;
		if (!refill(&filler, shard, entries, count)) {
			alloc_free(filler.slots);
			continue;
		}
		if (shard->slots)
			index->bytes -= (int64_t)(slots_of(shard->capacity) *
						  sizeof(struct index_slot));
		index->bytes += (int64_t)size;
		alloc_free(shard->slots);
		shard->slots = filler.slots;
		shard->capacity = capacity;
		shard->keys += (uint32_t)count;
		index->keys += (int64_t)count;
		return true;
	}
}

bool index_merge(struct index *index, const struct index_entry *entries, size_t count)
{
	return count == 0 || grow(index, &index->shards[entries[0].hash >> 56], entries, count);
}

/* Puts a slot where it belongs and moves the rest of the run by one. False when
 * the run would reach the end. */
static bool place(struct index_shard *shard, struct index_slot slot)
{
	size_t at = seek(shard, slot_key(&slot));

	/* Behind its equals: entries of one hash stand in the order of their age. */
	while (!slot_empty(&shard->slots[at]) && slot_key(&shard->slots[at]) == slot_key(&slot))
		at++;
	size_t end = at;
	while (!slot_empty(&shard->slots[end]))
		end++;
	if (end + 1 >= slots_of(shard->capacity))
		return false;
	memmove(&shard->slots[at + 1], &shard->slots[at], (end - at) * sizeof(slot));
	shard->slots[at] = slot;
	return true;
}

bool index_add(struct index *index, uint64_t hash, int64_t seq)
{
	struct index_shard *shard = &index->shards[hash >> 56];
	struct index_slot slot = slot_make(hash, seq);

	ALWAYS(seq > 0 && seq <= INDEX_SEQ_MAX);
	if (is_full((uint64_t)shard->keys + 1, shard->capacity) && !grow(index, shard, NULL, 0))
		return false;
	while (!place(shard, slot))
		if (!grow(index, shard, NULL, 0))
			return false;
	shard->keys++;
	index->keys++;
	return true;
}

void index_remove(struct index *index, uint64_t hash, int64_t seq)
{
	struct index_shard *shard = &index->shards[hash >> 56];

	if (!shard->slots)
		return;
	struct index_slot *slots = shard->slots;
	size_t at = seek(shard, key_of(hash));
	while (!slot_empty(&slots[at]) && slot_key(&slots[at]) == key_of(hash) &&
	       slot_seq(&slots[at]) != seq)
		at++;
	if (slot_empty(&slots[at]) || slot_key(&slots[at]) != key_of(hash))
		return;
	/* The rest of the run moves up, as far as it is not at home. */
	while (!slot_empty(&slots[at + 1]) &&
	       home_of(slots[at + 1].words[0], shard->capacity) <= at) {
		slots[at] = slots[at + 1];
		at++;
	}
	slots[at] = (struct index_slot){{0}};
	shard->keys--;
	index->keys--;
}

size_t index_find(const struct index *index, uint64_t hash, int64_t *seqs, size_t capacity)
{
	const struct index_shard *shard = &index->shards[hash >> 56];
	size_t count = 0;

	if (!shard->slots)
		return 0;
	const struct index_slot *slot = &shard->slots[seek(shard, key_of(hash))];
	for (; count < capacity && !slot_empty(slot) && slot_key(slot) == key_of(hash); slot++)
		seqs[count++] = slot_seq(slot);
	return count;
}

void index_prefetch(const struct index *index, uint64_t hash)
{
	const struct index_shard *shard = &index->shards[hash >> 56];

	if (shard->slots)
		__builtin_prefetch(
			&shard->slots[home_of((uint32_t)(key_of(hash) >> 24), shard->capacity)]);
}
