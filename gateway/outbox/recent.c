#include "outbox/recent.h"

void recent_init(struct recent *recent, int64_t window_ms, int64_t now_ms)
{
	index_init(&recent->halves[0]);
	index_init(&recent->halves[1]);
	recent->young = 0;
	recent->window_ms = window_ms;
	recent->turned_ms = now_ms;
}

void recent_fini(struct recent *recent)
{
	index_fini(&recent->halves[0]);
	index_fini(&recent->halves[1]);
}

void recent_turn(struct recent *recent, int64_t now_ms)
{
	if (now_ms - recent->turned_ms <= recent->window_ms)
		return;
	recent->young = 1 - recent->young;
	index_fini(&recent->halves[recent->young]);
	recent->turned_ms = now_ms;
}

size_t recent_find(const struct recent *recent, uint64_t hash, int64_t *seqs, size_t capacity)
{
	size_t count = index_find(&recent->halves[1 - recent->young], hash, seqs, capacity);

	return count +
	       index_find(&recent->halves[recent->young], hash, seqs + count, capacity - count);
}

void recent_prefetch(const struct recent *recent, uint64_t hash)
{
	index_prefetch(&recent->halves[0], hash);
	index_prefetch(&recent->halves[1], hash);
}

int64_t recent_bytes(const struct recent *recent)
{
	return recent->halves[0].bytes + recent->halves[1].bytes;
}

struct index *recent_young(struct recent *recent)
{
	return &recent->halves[recent->young];
}
