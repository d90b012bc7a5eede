#include "lead/merge.h"

#include "lead/consent.h"
#include "lead/identity.h"
#include "lead/merge_extra.h"
#include "lead/merge_group.h"
#include "lead/merge_value.h"
#include "lead/profile.h"

#include <inttypes.h>

static const struct change_value nothing = {.kind = CHANGE_NONE};

/* How a row of the table is merged. */
enum treatment {
	TREAT_VALUE,	 /* by the policy */
	TREAT_NOTE,	 /* says where the touch came from: noted, never taken */
	TREAT_ELSEWHERE, /* has rules of its own, or is known otherwise */
};

static enum treatment treatment_of(int field)
{
	if (field_table[field].type == FIELD_LIST)
		return TREAT_ELSEWHERE;
	if (field >= LG_STREET && field <= LG_COUNTRY)
		return TREAT_ELSEWHERE;
	if (field >= LG_FULL_NAME && field <= LG_HONORIFIC_PREFIX)
		return TREAT_ELSEWHERE;
	if (field >= LG_FIRST_ATTRIBUTED_AT && field <= LG_LI_FAT_ID)
		return TREAT_ELSEWHERE;
	switch (field) {
	case LG_OCCURRED_AT:
	case LG_IS_TEST:
	case LG_SOURCE_NAME:
	case LG_SOURCE_PLUGIN:
	case LG_SOURCE_CHANNEL:
	case LG_EXTERNAL_ID:
	case LG_VERIFIED:
	case LG_CLIENT_IP:
	case LG_USER_AGENT:
	case LG_PAGE_URL:
	case LG_VERDICT: return TREAT_NOTE;
	case LG_EMAIL:
	case LG_PHONE:
	case LG_PHONE_TYPE:
	case LG_GENDER: return TREAT_ELSEWHERE;
	default: return field_table[field].host_only ? TREAT_ELSEWHERE : TREAT_VALUE;
	}
}

/* ---- lists ---- */

static bool listed(const struct lead_text *items, struct lg_slice text)
{
	for (; items; items = items->next)
		if (slice_equal(items->text, text))
			return true;
	return false;
}

/* Adds to one of known's lists and notes it. */
static void add_item(struct merge *merge, int field, struct lg_slice text)
{
	bool added;

	if (listed(merge->known->list[field], text))
		return;
	added = merge->policy != MERGE_LINK && lead_add(merge->known, field, text);
	merge_value_note(merge, added ? CHANGE_ADDED : CHANGE_KEPT, field, slice_of(NULL, 0), text);
}

static void remove_item(struct lead *lead, int field, struct lg_slice text)
{
	struct lead_text **link = &lead->list[field];

	while (*link && !slice_equal((*link)->text, text))
		link = &(*link)->next;
	if (*link)
		*link = (*link)->next;
}

static void merge_list(struct merge *merge, int field)
{
	for (const struct lead_text *it = merge->touch->list[field]; it; it = it->next)
		if (!slice_equal(it->text, merge->known->value[LG_EMAIL]) &&
		    !slice_equal(it->text, merge->known->value[LG_PHONE]) &&
		    !slice_equal(it->text, merge->known->value[LG_ID]))
			add_item(merge, field, it->text);
	merge_value_raw(merge, field, false);
}

/* ---- email and phone ---- */

static void take_email_flags(struct merge *merge)
{
	merge->known->list[LG_EMAIL_FLAGS] = NULL;
	for (const struct lead_text *it = merge->touch->list[LG_EMAIL_FLAGS]; it; it = it->next)
		lead_add(merge->known, LG_EMAIL_FLAGS, it->text);
}

/* An address or number; a second one goes into the list `others`, and one that
 * becomes the first out of it. Returns whether the touch's is now known's. */
static bool merge_contact(struct merge *merge, int field, int others)
{
	struct lg_slice ours = merge->known->value[field], theirs = merge->touch->value[field];

	if (merge_value_may_take(merge, field)) {
		merge_value_take(merge, field);
		remove_item(merge->known, others, theirs);
		if (slice_present(ours) && !slice_equal(ours, theirs))
			add_item(merge, others, ours);
		return true;
	}
	if (slice_present(theirs) && !slice_equal(ours, theirs))
		add_item(merge, others, theirs);
	merge_value_raw(merge, field, false);
	return false;
}

static void merge_phone(struct merge *merge)
{
	bool same = slice_equal(merge->known->value[LG_PHONE], merge->touch->value[LG_PHONE]);
	bool taken = merge_contact(merge, LG_PHONE, LG_OTHER_PHONES);

	/* The type is the number's: another number's type would be wrong. */
	if (same) {
		merge_value_put(merge, LG_PHONE_TYPE);
	} else if (taken) {
		merge_value_take(merge, LG_PHONE_TYPE);
	} else {
		merge_value_keep_out(merge, LG_PHONE_TYPE);
		merge_value_keep_raw_out(merge, LG_PHONE_TYPE);
	}
}

static void merge_contacts(struct merge *merge)
{
	if (merge_contact(merge, LG_EMAIL, LG_OTHER_EMAILS))
		take_email_flags(merge);
	merge_phone(merge);
}

/* ---- profiles ---- */

static bool has_profile(const struct lead_profile *list, const struct lead_profile *wanted)
{
	while (list && !profile_equal(list, wanted))
		list = list->next;
	return list != NULL;
}

/* Pages that do not say whose they are ("linkedin.com/authwall?…") have another address at
 * each visit: one of a network is enough. */
static bool has_enough(const struct lead_profile *list, const struct lead_profile *wanted)
{
	if (profile_names_somebody(wanted))
		return false;
	while (list &&
	       (!slice_equal(list->network, wanted->network) || profile_names_somebody(list)))
		list = list->next;
	return list != NULL;
}

static void merge_profiles(struct merge *merge)
{
	for (const struct lead_profile *it = merge->touch->profiles; it; it = it->next) {
		struct change_value value = {.kind = CHANGE_PROFILE, .object = it};
		bool added;

		if (has_profile(merge->known->profiles, it))
			continue;
		added = merge->policy != MERGE_LINK && !has_enough(merge->known->profiles, it) &&
			lead_add_profile(merge->known, it->network, it->id, it->url);
		change_add(&merge->changes, added ? CHANGE_ADDED : CHANGE_KEPT,
			   LG_SLICE("person.profiles"), nothing, value);
	}
}

/* ---- attribution ---- */

static bool has_attribution(const struct lead *lead)
{
	for (int field = LG_LANDING_URL; field <= LG_LI_FAT_ID; field++)
		if (slice_present(lead->value[field]))
			return true;
	return false;
}

/* Times have one form: their order as text is their order. */
static int compare_times(struct lg_slice a, struct lg_slice b)
{
	size_t shorter = a.length < b.length ? a.length : b.length;
	int order = shorter ? memcmp(a.data, b.data, shorter) : 0;

	return order ? order : (a.length > b.length) - (a.length < b.length);
}

/* As a whole: a campaign of one visit and a click of another would be a visit
 * that never was. An older touch, as imports bring, is not the last one. */
static void merge_attribution(struct merge *merge)
{
	bool newer = compare_times(merge->touch->value[LG_ATTRIBUTED_AT],
				   merge->known->value[LG_ATTRIBUTED_AT]) >= 0;

	if (!has_attribution(merge->touch))
		return;
	for (int field = LG_ATTRIBUTED_AT; field <= LG_LI_FAT_ID; field++) {
		if (newer && merge->policy != MERGE_LINK) {
			merge_value_take(merge, field);
		} else {
			merge_value_keep_out(merge, field);
			merge_value_raw(merge, field, false);
		}
	}
}

/* ---- status ---- */

static int temperature_rank(struct lg_slice temperature)
{
	return slice_is(temperature, "hot") ? 2 : slice_is(temperature, "warm") ? 1 : 0;
}

static void merge_status(struct merge *merge)
{
	const struct lg_slice *ours = merge->known->value, *theirs = merge->touch->value;

	for (int field = LG_STAGE; field <= LG_SCORE; field++) {
		bool raise = (field == LG_TEMPERATURE &&
			      temperature_rank(theirs[field]) > temperature_rank(ours[field])) ||
			     (field == LG_INTENT && slice_is(theirs[field], "hard") &&
			      !slice_is(ours[field], "hard"));

		if (raise && merge->policy != MERGE_LINK)
			merge_value_take(merge, field);
		else if (!slice_equal(theirs[field], lead_status_start(field)))
			merge_value_keep_out(merge, field);
	}
	for (const struct lead_reason *it = merge->touch->reasons; it; it = it->next)
		change_add(&merge->changes, CHANGE_KEPT, LG_SLICE("status.reasons"), nothing,
			   (struct change_value){.kind = CHANGE_REASON, .object = it});
}

/* ---- suggestions ---- */

static bool suggested(const struct lead_suggestion *list, const struct lead_suggestion *wanted)
{
	for (; list; list = list->next)
		if (slice_equal(list->path, wanted->path) &&
		    slice_equal(list->value, wanted->value))
			return true;
	return false;
}

static void merge_suggestions(struct merge *merge)
{
	for (const struct lead_suggestion *it = merge->touch->suggestions; it; it = it->next) {
		bool added;

		if (suggested(merge->known->suggestions, it))
			continue;
		added = merge->policy != MERGE_LINK &&
			lead_suggest(merge->known, it->path, it->value, it->why);
		change_add(&merge->changes, added ? CHANGE_ADDED : CHANGE_KEPT,
			   LG_SLICE("suggestions"), nothing,
			   (struct change_value){.kind = CHANGE_SUGGESTION, .object = it});
	}
}

/* ---- the touch itself ---- */

static uint64_t touches_of(const struct lead *lead)
{
	uint64_t touches;

	return slice_to_u64(lead->value[LG_TOUCHES], &touches) && touches < UINT32_MAX ? touches
										       : 1;
}

static void count_touch(struct merge *merge)
{
	struct lead *known = merge->known;
	const struct lg_slice *theirs = merge->touch->value;
	struct lg_slice seen = lead_seen_at(merge->touch);
	struct lg_slice first = slice_present(theirs[LG_FIRST_SEEN]) ? theirs[LG_FIRST_SEEN] : seen;
	struct lg_slice last = slice_present(theirs[LG_LAST_SEEN]) ? theirs[LG_LAST_SEEN] : seen;

	known->value[LG_TOUCHES] = arena_printf(known->arena, "%" PRIu64,
						touches_of(known) + touches_of(merge->touch));
	if (slice_present(first) && (!slice_present(known->value[LG_FIRST_SEEN]) ||
				     compare_times(first, known->value[LG_FIRST_SEEN]) < 0))
		known->value[LG_FIRST_SEEN] = arena_copy(known->arena, first);
	if (slice_present(last) && compare_times(last, known->value[LG_LAST_SEEN]) > 0)
		known->value[LG_LAST_SEEN] = arena_copy(known->arena, last);
}

static size_t matched_names(unsigned int kinds, struct lg_slice names[3])
{
	size_t count = 0;

	if (kinds & 1u << IDENTITY_EMAIL)
		names[count++] = LG_SLICE("email");
	if (kinds & 1u << IDENTITY_PHONE)
		names[count++] = LG_SLICE("phone");
	if (kinds & 1u << IDENTITY_PROFILE)
		names[count++] = LG_SLICE("profile");
	return count;
}

static void merge_rows(struct merge *merge)
{
	for (int field = 0; field < LG_FIELD_COUNT; field++) {
		enum treatment treatment = treatment_of(field);

		if (treatment == TREAT_VALUE) {
			merge_value_put(merge, field);
		} else if (treatment == TREAT_NOTE) {
			merge_value_keep_out(merge, field);
			if (lead_raw(merge->touch, field))
				merge_value_raw(merge, field, false);
		}
	}
	merge_list(merge, LG_OTHER_EMAILS);
	merge_list(merge, LG_OTHER_PHONES);
	merge_list(merge, LG_PRODUCTS);
	merge_list(merge, LG_POSSIBLE_DUPLICATES);
}

bool lead_merge(struct lead *known, const struct lead *touch, enum merge_policy policy,
		unsigned int matched_kinds, struct buffer *changes)
{
	struct merge merge = {known, touch, policy, {.arena = known->arena}};
	struct lg_slice matched[3];
	size_t matched_count = matched_names(matched_kinds, matched);

	merge_contacts(&merge);
	merge_name(&merge);
	merge_address(&merge);
	merge_rows(&merge);
	merge_profiles(&merge);
	merge_attribution(&merge);
	merge_status(&merge);
	consent_merge(known, touch, &merge.changes);
	merge_suggestions(&merge);
	merge_extra(&merge);
	count_touch(&merge);
	for (size_t i = 0; i < matched_count; i++)
		if (!listed(known->list[LG_MATCHED_BY], matched[i]))
			lead_add(known, LG_MATCHED_BY, matched[i]);
	change_encode(&merge.changes, matched, matched_count, changes);
	return !known->arena->failed && !changes->failed;
}

bool lead_link_duplicate(struct lead *lead, struct lg_slice lead_id)
{
	return listed(lead->list[LG_POSSIBLE_DUPLICATES], lead_id) ||
	       lead_add(lead, LG_POSSIBLE_DUPLICATES, lead_id);
}
