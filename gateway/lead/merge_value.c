#include "lead/merge_value.h"

static const struct change_value nothing = {.kind = CHANGE_NONE};

static struct lg_slice path_of(int field)
{
	return slice_from(field_table[field].path);
}

void merge_value_note(struct merge *merge, enum change_kind kind, int field, struct lg_slice from,
		      struct lg_slice to)
{
	change_add(&merge->changes, kind, path_of(field), change_field_value(field, from),
		   change_field_value(field, to));
}

void merge_value_keep_out(struct merge *merge, int field)
{
	struct lg_slice value = merge->touch->value[field];

	if (slice_present(value) && !slice_equal(value, merge->known->value[field]))
		merge_value_note(merge, CHANGE_KEPT, field, slice_of(NULL, 0), value);
}

/* ---- what was sent, beside what became of it ---- */

static void note_raw(struct merge *merge, enum change_kind kind, int field,
		     const struct lead_pair *from, const struct lead_pair *to)
{
	struct lg_slice path = arena_printf(merge->changes.arena, "raw.%s",
					    field_table[field].path);
	struct change_value before = {.kind = CHANGE_TEXT}, after = {.kind = CHANGE_TEXT};

	if (from)
		before.text = from->value;
	if (to)
		after.text = to->value;
	change_add(&merge->changes, kind, path, from ? before : nothing, to ? after : nothing);
}

static void remove_raw(struct lead *lead, const struct lead_pair *raw)
{
	struct lead_pair **link = &lead->raw;

	while (*link && *link != raw)
		link = &(*link)->next;
	if (*link)
		*link = raw->next;
}

void merge_value_keep_raw_out(struct merge *merge, int field)
{
	const struct lead_pair *theirs = lead_raw(merge->touch, field);

	if (theirs)
		note_raw(merge, CHANGE_KEPT, field, NULL, theirs);
}

void merge_value_raw(struct merge *merge, int field, bool taken)
{
	const struct lead_pair *ours = lead_raw(merge->known, field);
	const struct lead_pair *theirs = lead_raw(merge->touch, field);

	/* Where neither could be read, what was sent is better than nothing. */
	if (!taken && theirs && !ours && !slice_present(merge->touch->value[field]) &&
	    !slice_present(merge->known->value[field]) && !merge->known->list[field] &&
	    merge->policy != MERGE_LINK)
		taken = true;
	if (ours && theirs && slice_equal(ours->value, theirs->value))
		return;
	if (!taken) {
		merge_value_keep_raw_out(merge, field);
		return;
	}
	if (ours)
		remove_raw(merge->known, ours);
	if (ours || theirs)
		note_raw(merge, ours ? CHANGE_OVERWRITTEN : CHANGE_FILLED, field, ours, theirs);
	if (theirs)
		lead_keep_raw(merge->known, field, theirs->value);
}

/* ---- single values ---- */

void merge_value_take(struct merge *merge, int field)
{
	struct lg_slice before = merge->known->value[field], after = merge->touch->value[field];

	if (slice_present(before) == slice_present(after) && slice_equal(before, after)) {
		/* One reading of two texts is as good as the other; two without one differ. */
		merge_value_raw(merge, field, !slice_present(before));
		return;
	}
	merge->known->value[field] = arena_copy(merge->known->arena, after);
	merge_value_note(merge, slice_present(before) ? CHANGE_OVERWRITTEN : CHANGE_FILLED, field,
			 before, after);
	merge_value_raw(merge, field, true);
}

bool merge_value_may_take(const struct merge *merge, int field)
{
	if (!slice_present(merge->touch->value[field]) || merge->policy == MERGE_LINK)
		return false;
	return merge->policy == MERGE_LATEST || !slice_present(merge->known->value[field]);
}

void merge_value_put(struct merge *merge, int field)
{
	if (merge_value_may_take(merge, field)) {
		merge_value_take(merge, field);
		return;
	}
	merge_value_keep_out(merge, field);
	merge_value_raw(merge, field, false);
}
