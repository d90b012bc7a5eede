#include "conn/crowd.h"

#include "base/alloc.h"

struct crowd *crowd_new(size_t loops)
{
	struct crowd *crowd = alloc_zalloc(sizeof(*crowd));

	if (!crowd)
		return NULL;
	crowd->parts = alloc_zalloc((loops ? loops : 1) * sizeof(*crowd->parts));
	if (!crowd->parts) {
		alloc_free(crowd);
		return NULL;
	}
	for (size_t i = 0; i < loops; i++) {
		list_init(&crowd->parts[i].idle);
		atomic_store(&crowd->parts[i].since_ms, INT64_MAX);
	}
	atomic_store(&crowd->references, 1);
	return crowd;
}

struct crowd *crowd_ref(struct crowd *crowd)
{
	atomic_fetch_add(&crowd->references, 1);
	return crowd;
}

void crowd_unref(struct crowd **crowd)
{
	struct crowd *c = *crowd;

	*crowd = NULL;
	if (!c || atomic_fetch_sub(&c->references, 1) > 1)
		return;
	alloc_free(c->parts);
	alloc_free(c);
}

void crowd_set_limit(struct crowd *crowd, size_t limit)
{
	size_t count = atomic_load(&crowd->count), before = atomic_exchange(&crowd->limit, limit);
	bool falls = limit > 0 && (before == 0 || limit < before);

	atomic_store(&crowd->surplus, falls && count > limit ? (int64_t)(count - limit) : 0);
}
