#include "lead/merge_extra.h"

static const struct lead_pair *find_extra(const struct lead_pair *pairs, struct lg_slice name)
{
	while (pairs && !slice_equal(pairs->name, name))
		pairs = pairs->next;
	return pairs;
}

static bool has_extra(const struct lead_pair *pairs, const struct lead_pair *wanted)
{
	for (; pairs; pairs = pairs->next)
		if (slice_equal(pairs->name, wanted->name) &&
		    slice_equal(pairs->value, wanted->value))
			return true;
	return false;
}

static void note_extra(struct merge *merge, enum change_kind kind, const struct lead_pair *pair,
		       bool from)
{
	struct lg_slice path = arena_printf(merge->changes.arena, "extra.%.*s",
					    SLICE_ARGS(pair->name));
	struct change_value value = {.kind = CHANGE_TEXT, .text = pair->value};
	struct change_value nothing = {.kind = CHANGE_NONE};

	change_add(&merge->changes, kind, path, from ? value : nothing, from ? nothing : value);
}

/* Takes all values of a name out of known's, and says how many there were. */
static size_t remove_extra(struct merge *merge, struct lg_slice name)
{
	struct lead_pair **link = &merge->known->extra;
	size_t removed = 0;

	while (*link) {
		struct lead_pair *pair = *link;

		if (!slice_equal(pair->name, name)) {
			link = &pair->next;
			continue;
		}
		*link = pair->next;
		note_extra(merge, CHANGE_OVERWRITTEN, pair, true);
		removed++;
	}
	merge->known->extra_count -= removed;
	return removed;
}

/* All values of one name, of which the touch says `first`. */
static void merge_extra_name(struct merge *merge, const struct lead_pair *first)
{
	bool known_name = find_extra(merge->known->extra, first->name) != NULL;
	bool news = false, taken;
	enum change_kind kind = CHANGE_FILLED;

	for (const struct lead_pair *it = first; it; it = it->next)
		news |= slice_equal(it->name, first->name) && !has_extra(merge->known->extra, it);
	if (!news)
		return;
	taken = merge->policy == MERGE_LATEST || (merge->policy == MERGE_FILL && !known_name);
	if (taken && known_name && remove_extra(merge, first->name) > 0)
		kind = CHANGE_OVERWRITTEN;
	for (const struct lead_pair *it = first; it; it = it->next) {
		if (!slice_equal(it->name, first->name) ||
		    (!taken && has_extra(merge->known->extra, it)))
			continue;
		if (taken && lead_add_extra(merge->known, it->name, it->value))
			note_extra(merge, kind, it, false);
		else
			note_extra(merge, CHANGE_KEPT, it, false);
	}
}

void merge_extra(struct merge *merge)
{
	for (const struct lead_pair *it = merge->touch->extra; it; it = it->next)
		if (find_extra(merge->touch->extra, it->name) == it)
			merge_extra_name(merge, it);
}
