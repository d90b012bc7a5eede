#include "outbox/index_loader.h"

#include "base/alloc.h"

/* A shard's queue is merged when it is this long and as long as its shard: all
 * merges together then copy each slot twice. */
#define QUEUE_FIRST 256

struct queue {
	struct index_entry *entries;
	uint32_t length, capacity;
};

struct index_loader {
	struct index *index;
	struct queue queues[INDEX_SHARDS];
	struct index_entry *sorted; /* as long as the longest queue */
	uint32_t sorted_capacity;
};

struct index_loader *index_loader_new(struct index *index)
{
	struct index_loader *loader = alloc_zalloc(sizeof(*loader));

	if (loader)
		loader->index = index;
	return loader;
}

void index_loader_free(struct index_loader **pointer)
{
	struct index_loader *loader = *pointer;

	*pointer = NULL;
	if (!loader)
		return;
	for (size_t i = 0; i < INDEX_SHARDS; i++)
		alloc_free(loader->queues[i].entries);
	alloc_free(loader->sorted);
	alloc_free(loader);
}

static bool make_room(struct index_entry **entries, uint32_t *capacity, uint32_t wanted)
{
	if (*capacity >= wanted)
		return true;
	void *grown = alloc_realloc(*entries, (size_t)wanted * sizeof(**entries));
	if (!grown)
		return false;
	*entries = grown;
	*capacity = wanted;
	return true;
}

/* Spreads the entries by the ten bits behind the shard's number, then lets each
 * sink to its place: few steps, for a bucket holds few. Stable. */
#define BUCKET_BITS 10
#define BUCKETS (1 << BUCKET_BITS)

static size_t bucket_of(uint64_t hash)
{
	return hash >> (56 - BUCKET_BITS) & (BUCKETS - 1);
}

static void sort_queue(const struct queue *queue, struct index_entry *sorted)
{
	uint32_t starts[BUCKETS + 1] = {0};

	for (uint32_t i = 0; i < queue->length; i++)
		starts[bucket_of(queue->entries[i].hash) + 1]++;
	for (size_t i = 1; i < BUCKETS; i++)
		starts[i] += starts[i - 1];
	for (uint32_t i = 0; i < queue->length; i++)
		sorted[starts[bucket_of(queue->entries[i].hash)]++] = queue->entries[i];
	for (uint32_t i = 1; i < queue->length; i++) {
		struct index_entry entry = sorted[i];
		uint32_t at = i;
		for (; at > 0 && sorted[at - 1].hash > entry.hash; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = entry;
	}
}

static bool merge(struct index_loader *loader, size_t shard)
{
	struct queue *queue = &loader->queues[shard];

	if (queue->length == 0)
		return true;
	if (!make_room(&loader->sorted, &loader->sorted_capacity, queue->length))
		return false;
	sort_queue(queue, loader->sorted);
	if (!index_merge(loader->index, loader->sorted, queue->length))
		return false;
	queue->length = 0;
	return true;
}

bool index_loader_add(struct index_loader *loader, uint64_t hash, int64_t seq)
{
	size_t shard = hash >> 56;
	struct queue *queue = &loader->queues[shard];

	if (queue->length == queue->capacity) {
		uint32_t wanted = loader->index->shards[shard].keys;
		if (!merge(loader, shard) ||
		    !make_room(&queue->entries, &queue->capacity,
			       wanted > QUEUE_FIRST ? wanted : QUEUE_FIRST))
			return false;
	}
	queue->entries[queue->length++] = (struct index_entry){hash, seq};
	return true;
}

bool index_loader_finish(struct index_loader *loader)
{
	for (size_t shard = 0; shard < INDEX_SHARDS; shard++)
		if (!merge(loader, shard))
			return false;
	return true;
}
