#include "host/once.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/error.h"
#include "codec/digest.h"

#define NOBODY UINT32_MAX

/* Entries are a ring: the next slot is the oldest, so forgetting is overwriting.
 * Expired entries need no care: they are recognised when they are looked at. */
struct entry {
	uint64_t key[2];
	int64_t until_ms; /* monotonic; 0: the slot is free */
	uint32_t next;	  /* in its bucket */
};

struct once {
	pthread_mutex_t lock;
	struct entry *ring;
	uint32_t *buckets;
	uint32_t capacity, newest;
};

struct once *once_new(size_t capacity)
{
	struct once *once = calloc(1, sizeof(*once));

	ALWAYS(capacity && capacity < NOBODY && (capacity & (capacity - 1)) == 0);
	if (!once)
		return NULL;
	once->ring = calloc(capacity, sizeof(*once->ring));
	once->buckets = calloc(capacity, sizeof(*once->buckets));
	if (!once->ring || !once->buckets) {
		free(once->ring);
		free(once->buckets);
		free(once);
		return NULL;
	}
	for (size_t i = 0; i < capacity; i++)
		once->buckets[i] = NOBODY;
	once->capacity = (uint32_t)capacity;
	pthread_mutex_init(&once->lock, NULL);
	return once;
}

void once_free(struct once **once)
{
	if (!*once)
		return;
	pthread_mutex_destroy(&(*once)->lock);
	free((*once)->ring);
	free((*once)->buckets);
	free(*once);
	*once = NULL;
}

static uint32_t *bucket_of(struct once *once, const uint64_t key[2])
{
	return &once->buckets[key[0] & (once->capacity - 1)];
}

static void unlink_slot(struct once *once, uint32_t slot)
{
	uint32_t *link = bucket_of(once, once->ring[slot].key);

	while (*link != slot)
		link = &once->ring[*link].next;
	*link = once->ring[slot].next;
	once->ring[slot].until_ms = 0;
}

static uint32_t find(struct once *once, const uint64_t key[2])
{
	uint32_t slot = *bucket_of(once, key);

	while (slot != NOBODY &&
	       (once->ring[slot].key[0] != key[0] || once->ring[slot].key[1] != key[1]))
		slot = once->ring[slot].next;
	return slot;
}

static void insert(struct once *once, const uint64_t key[2], int64_t until_ms)
{
	uint32_t slot = once->newest = (once->newest + 1) & (once->capacity - 1);
	uint32_t *bucket = bucket_of(once, key);

	if (once->ring[slot].until_ms)
		unlink_slot(once, slot);
	once->ring[slot] = (struct entry){{key[0], key[1]}, until_ms, *bucket};
	*bucket = slot;
}

bool once_take(struct once *once, struct lg_slice scope, struct lg_slice key, int64_t ttl_ms,
	       int64_t now_ms)
{
	/* The zero byte ends the scope, so that "a" + "bc" is not "ab" + "c". */
	struct lg_slice parts[] = {scope, {"", 1}, key};
	uint8_t digest[SHA256_BYTES];
	uint64_t id[2];
	uint32_t slot;
	bool first;

	if (ttl_ms <= 0)
		return true;
	sha256(parts, 3, digest);
	memcpy(id, digest, sizeof(id));
	pthread_mutex_lock(&once->lock);
	slot = find(once, id);
	first = slot == NOBODY || once->ring[slot].until_ms <= now_ms;
	if (first && slot != NOBODY)
		unlink_slot(once, slot);
	if (first)
		insert(once, id, now_ms > INT64_MAX - ttl_ms ? INT64_MAX : now_ms + ttl_ms);
	pthread_mutex_unlock(&once->lock);
	return first;
}
