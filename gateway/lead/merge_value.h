/* One value of a touch put into the known record, or kept out, and noted. Memory
 * that runs out fails known's arena. */
#ifndef LEAD_MERGE_VALUE_H
#define LEAD_MERGE_VALUE_H

#include "lead/change.h"
#include "lead/merge.h"

struct merge {
	struct lead *known;
	const struct lead *touch;
	enum merge_policy policy;
	struct change_list changes;
};

void merge_value_note(struct merge *merge, enum change_kind kind, int field, struct lg_slice from,
		      struct lg_slice to);

/* Notes the touch's value as kept out, where known says something else. */
void merge_value_keep_out(struct merge *merge, int field);

/* Lets the raw text go the way of its value: `taken` says whether that was. */
void merge_value_raw(struct merge *merge, int field, bool taken);

/* Notes the touch's raw text as kept out, though known may have nothing of the field. */
void merge_value_keep_raw_out(struct merge *merge, int field);

/* The touch's value becomes known's, an absent one too, and so does the raw text of one that
 * could not be read. */
void merge_value_take(struct merge *merge, int field);

/* Whether the touch has a value and the policy lets it in. */
bool merge_value_may_take(const struct merge *merge, int field);

/* Takes or keeps out, by the policy. */
void merge_value_put(struct merge *merge, int field);

#endif
