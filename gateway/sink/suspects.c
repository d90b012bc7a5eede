#include "sink/suspects.h"

#include <string.h>

static struct suspect *find(const struct suspects *suspects, int64_t seq)
{
	struct suspects *mine = (struct suspects *)(uintptr_t)suspects;

	for (size_t i = 0; i < mine->count; i++)
		if (mine->all[i].seq == seq)
			return &mine->all[i];
	return NULL;
}

/* A place for one more. By chance, so that neither those that never come again stay for
 * ever nor many that take turns drive each other out. */
static struct suspect *make_room(struct suspects *suspects)
{
	if (suspects->count < SUSPECTS_MAX)
		return &suspects->all[suspects->count++];
	return &suspects->all[random_below(SUSPECTS_MAX)];
}

bool suspects_add(struct suspects *suspects, int64_t seq, const uint8_t lead_id[UUID_BYTES],
		  int64_t started_us, bool due)
{
	struct suspect *suspect = find(suspects, seq);

	if (!suspect) {
		suspect = make_room(suspects);
		suspect->attempts = 0;
	}
	suspect->seq = seq;
	suspect->attempts++;
	memcpy(suspect->lead_id, lead_id, UUID_BYTES);
	suspect->started_us = started_us;
	suspect->due = due;
	suspect->others_pass = suspects->passed_us >= started_us &&
			       memcmp(suspects->passed_id, lead_id, UUID_BYTES) != 0;
	return suspect->others_pass;
}

void suspects_pass(struct suspects *suspects, int64_t seq, const uint8_t lead_id[UUID_BYTES],
		   int64_t started_us)
{
	const struct suspect *unclear = suspects_unclear(suspects);

	if (unclear && unclear->seq == seq)
		suspects->count = 0;
	suspects_drop(suspects, seq);
	for (size_t i = 0; i < suspects->count; i++) {
		struct suspect *suspect = &suspects->all[i];
		if (suspect->started_us <= started_us &&
		    memcmp(suspect->lead_id, lead_id, UUID_BYTES) != 0)
			suspect->others_pass = true;
	}
	if (started_us >= suspects->passed_us) {
		suspects->passed_us = started_us;
		memcpy(suspects->passed_id, lead_id, UUID_BYTES);
	}
}

void suspects_doubt(struct suspects *suspects)
{
	suspects->passed_us = 0;
	for (size_t i = 0; i < suspects->count; i++)
		suspects->all[i].others_pass = false;
}

void suspects_drop(struct suspects *suspects, int64_t seq)
{
	struct suspect *suspect = find(suspects, seq);

	if (suspect)
		*suspect = suspects->all[--suspects->count];
}

const struct suspect *suspects_find(const struct suspects *suspects, int64_t seq)
{
	return find(suspects, seq);
}

static bool comes_before(const struct suspect *a, const struct suspect *b)
{
	return a->due == b->due ? a->seq < b->seq : b->due;
}

const struct suspect *suspects_unclear(const struct suspects *suspects)
{
	const struct suspect *first = NULL;

	for (size_t i = 0; i < suspects->count; i++) {
		const struct suspect *suspect = &suspects->all[i];
		if (!suspect->others_pass && (!first || comes_before(suspect, first)))
			first = suspect;
	}
	return first;
}

const struct suspect *suspects_clear(const struct suspects *suspects)
{
	const struct suspect *first = NULL;

	for (size_t i = 0; i < suspects->count; i++) {
		const struct suspect *suspect = &suspects->all[i];
		if (suspect->others_pass && !suspect->due && (!first || suspect->seq < first->seq))
			first = suspect;
	}
	return first;
}

bool suspects_has_clear(const struct suspects *suspects, int64_t seq)
{
	const struct suspect *suspect = find(suspects, seq);

	return suspect && suspect->others_pass;
}
