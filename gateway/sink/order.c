#include "sink/order.h"

#include <string.h>

#include "base/alloc.h"
#include "base/list.h"

#define BUCKETS_FIRST 256

struct entry {
	struct entry *next; /* in the bucket */
	struct list free;   /* linked when it is free */
	uint8_t lead_id[UUID_BYTES];
	int64_t seq, attempts;
	enum order_state state;
};

struct order {
	struct entry **buckets;
	size_t bucket_count, count;
	struct list free;
};

struct order *order_new(void)
{
	struct order *order = alloc_zalloc(sizeof(*order));

	if (!order)
		return NULL;
	list_init(&order->free);
	order->bucket_count = BUCKETS_FIRST;
	order->buckets = alloc_zalloc(BUCKETS_FIRST * sizeof(struct entry *));
	if (!order->buckets)
		order_free(&order);
	return order;
}

void order_clear(struct order *order)
{
	for (size_t i = 0; order->buckets && i < order->bucket_count; i++)
		while (order->buckets[i]) {
			struct entry *entry = order->buckets[i];
			order->buckets[i] = entry->next;
			alloc_free(entry);
		}
	list_init(&order->free);
	order->count = 0;
}

void order_free(struct order **order)
{
	struct order *o = *order;

	*order = NULL;
	if (!o)
		return;
	order_clear(o);
	alloc_free(o->buckets);
	alloc_free(o);
}

/* The last bytes of an id of a lead are random. */
static struct entry **bucket_of(const struct order *order, const uint8_t lead_id[UUID_BYTES])
{
	uint64_t hash;

	memcpy(&hash, lead_id + UUID_BYTES - sizeof(hash), sizeof(hash));
	return &order->buckets[hash & (order->bucket_count - 1)];
}

/* Without memory the buckets stay as they are: slower, not wrong. */
static void grow(struct order *order)
{
	struct order larger = {.bucket_count = order->bucket_count * 2};

	larger.buckets = alloc_zalloc(larger.bucket_count * sizeof(struct entry *));
	if (!larger.buckets)
		return;
	for (size_t i = 0; i < order->bucket_count; i++)
		while (order->buckets[i]) {
			struct entry *entry = order->buckets[i], **bucket;
			order->buckets[i] = entry->next;
			bucket = bucket_of(&larger, entry->lead_id);
			entry->next = *bucket;
			*bucket = entry;
		}
	alloc_free(order->buckets);
	order->buckets = larger.buckets;
	order->bucket_count = larger.bucket_count;
}

static bool is_of(const struct entry *entry, const uint8_t lead_id[UUID_BYTES])
{
	return memcmp(entry->lead_id, lead_id, UUID_BYTES) == 0;
}

/* Where the event hangs, or the end of its bucket. */
static struct entry **find(struct order *order, const uint8_t lead_id[UUID_BYTES], int64_t seq)
{
	struct entry **at = bucket_of(order, lead_id);

	while (*at && ((*at)->seq != seq || !is_of(*at, lead_id)))
		at = &(*at)->next;
	return at;
}

static struct entry *first_of(const struct order *order, const uint8_t lead_id[UUID_BYTES])
{
	struct entry *first = NULL;

	for (struct entry *e = *bucket_of(order, lead_id); e; e = e->next)
		if (is_of(e, lead_id) && (!first || e->seq < first->seq))
			first = e;
	return first;
}

bool order_set(struct order *order, const uint8_t lead_id[UUID_BYTES], int64_t seq,
	       int64_t attempts, enum order_state state)
{
	struct entry *entry = *find(order, lead_id, seq), **bucket;

	if (!entry) {
		entry = alloc_zalloc(sizeof(*entry));
		if (!entry)
			return false;
		if (order->count >= order->bucket_count)
			grow(order);
		bucket = bucket_of(order, lead_id);
		entry->next = *bucket;
		*bucket = entry;
		list_init(&entry->free);
		memcpy(entry->lead_id, lead_id, UUID_BYTES);
		entry->seq = seq;
		order->count++;
	}
	entry->attempts = attempts;
	entry->state = state;
	list_remove(&entry->free);
	return true;
}

static void free_if_held(struct order *order, struct entry *first)
{
	if (first && first->state == ORDER_HELD) {
		list_remove(&first->free);
		list_append(&order->free, &first->free);
	}
}

void order_remove(struct order *order, const uint8_t lead_id[UUID_BYTES], int64_t seq)
{
	struct entry **at = find(order, lead_id, seq), *entry = *at;

	if (!entry)
		return;
	*at = entry->next;
	list_remove(&entry->free);
	alloc_free(entry);
	order->count--;
	free_if_held(order, first_of(order, lead_id));
}

enum order_state order_before(const struct order *order, const uint8_t lead_id[UUID_BYTES],
			      int64_t seq)
{
	const struct entry *first = first_of(order, lead_id);

	return first && first->seq < seq ? first->state : ORDER_NONE;
}

void order_free_first(struct order *order)
{
	for (size_t i = 0; i < order->bucket_count; i++)
		for (struct entry *e = order->buckets[i]; e; e = e->next)
			if (first_of(order, e->lead_id) == e)
				free_if_held(order, e);
}

bool order_take_free(struct order *order, int64_t seq, int64_t *free_seq, int64_t *attempts)
{
	LIST_EACH(link, &order->free) {
		struct entry *entry = container_of(link, struct entry, free);
		if (entry->seq > seq)
			continue;
		list_remove(link);
		entry->state = ORDER_OPEN;
		*free_seq = entry->seq;
		*attempts = entry->attempts;
		return true;
	}
	return false;
}

size_t order_count(const struct order *order)
{
	return order->count;
}
