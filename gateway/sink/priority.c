#include "sink/priority.h"

#include <string.h>

#include "base/alloc.h"

struct place {
	int64_t seq;
	uint8_t lead_id[UUID_BYTES];
	bool urgent;
};

/* A ring, in order of seq. */
struct priority {
	struct place *places;
	size_t size, first, count;
	bool by_person;
	int64_t looked_seq;
};

struct priority *priority_new(size_t events, bool by_person, int64_t seq)
{
	struct priority *priority = alloc_zalloc(sizeof(*priority));

	if (!priority)
		return NULL;
	priority->size = events;
	priority->by_person = by_person;
	priority->looked_seq = seq;
	priority->places = alloc_malloc(events * sizeof(*priority->places));
	if (!priority->places)
		priority_free(&priority);
	return priority;
}

void priority_free(struct priority **priority)
{
	if (*priority)
		alloc_free((*priority)->places);
	alloc_free(*priority);
	*priority = NULL;
}

int64_t priority_looked(const struct priority *priority)
{
	return priority->looked_seq;
}

bool priority_is_full(const struct priority *priority)
{
	return priority->count == priority->size;
}

static struct place *at(const struct priority *priority, size_t index)
{
	return &priority->places[(priority->first + index) % priority->size];
}

/* The first place behind `seq`. */
static size_t find(const struct priority *priority, int64_t seq)
{
	size_t low = 0, high = priority->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (at(priority, middle)->seq <= seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void prefer_earlier(struct priority *priority, const uint8_t lead_id[UUID_BYTES])
{
	for (size_t i = 0; i < priority->count; i++)
		if (memcmp(at(priority, i)->lead_id, lead_id, UUID_BYTES) == 0)
			at(priority, i)->urgent = true;
}

void priority_add(struct priority *priority, int64_t seq, const uint8_t lead_id[UUID_BYTES],
		  bool urgent)
{
	static const uint8_t nobody[UUID_BYTES];
	struct place *place = at(priority, priority->count);

	if (urgent && priority->by_person && memcmp(lead_id, nobody, UUID_BYTES) != 0)
		prefer_earlier(priority, lead_id);
	place->seq = priority->looked_seq = seq;
	place->urgent = urgent;
	memcpy(place->lead_id, lead_id, UUID_BYTES);
	priority->count++;
}

void priority_skip(struct priority *priority, int64_t seq)
{
	if (seq > priority->looked_seq)
		priority->looked_seq = seq;
}

int64_t priority_next(const struct priority *priority, int64_t seq)
{
	for (size_t i = find(priority, seq); i < priority->count; i++)
		if (at(priority, i)->urgent)
			return at(priority, i)->seq;
	return 0;
}

void priority_drop(struct priority *priority, int64_t seq)
{
	size_t i = find(priority, seq - 1);

	if (i < priority->count && at(priority, i)->seq == seq)
		at(priority, i)->urgent = false;
}

void priority_cut(struct priority *priority, int64_t seq)
{
	if (seq >= priority->looked_seq)
		return;
	priority->count = find(priority, seq);
	priority->looked_seq = seq;
}

void priority_settle(struct priority *priority, int64_t seq)
{
	size_t gone = find(priority, seq);

	priority->first = (priority->first + gone) % priority->size;
	priority->count -= gone;
	priority_skip(priority, seq);
}
