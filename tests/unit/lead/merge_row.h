/* A row of a table of merges. */
#ifndef TESTS_UNIT_LEAD_MERGE_ROW_H
#define TESTS_UNIT_LEAD_MERGE_ROW_H

#include "unit.h"

#include "lead/merge.h"

/* `merged` is known's record afterwards, without the count of touches. */
struct merge_row {
	const char *known, *touch, *changes, *merged;
};

static inline void expect_merge(const struct merge_row *row, enum merge_policy policy)
{
	struct arena ours, theirs;
	struct lead *known, *touch, *expected;
	struct buffer changes;

	arena_init(&ours, 16 << 10, 0);
	arena_init(&theirs, 16 << 10, 0);
	buffer_init(&changes, 1 << 20);
	known = unit_lead(&ours, row->known);
	touch = unit_lead(&theirs, row->touch);
	assert_true(lead_merge(known, touch, policy, 0, &changes));
	arena_fini(&theirs); /* nothing of the touch may be borrowed */
	expect_slice(row->touch, buffer_slice(&changes), row->changes);
	expected = unit_lead(&ours, row->merged);
	lead_set(expected, LG_TOUCHES, LG_SLICE("2"));
	expect_slice(row->touch, unit_json(known), unit_json(expected).data);
	buffer_fini(&changes);
	arena_fini(&ours);
}

#endif
