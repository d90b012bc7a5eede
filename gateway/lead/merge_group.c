#include "lead/merge_group.h"

#include "lead/name.h"
#include "lead/text.h"

#define PLACE_BYTES 1024 /* the longest field of an address, folded */

static void keep_out(struct merge *merge, int field)
{
	merge_value_keep_out(merge, field);
	merge_value_raw(merge, field, false);
}

/* One of a group that differs. */
static void put_whole(struct merge *merge, int field)
{
	if (merge->policy == MERGE_LATEST)
		merge_value_take(merge, field);
	else
		keep_out(merge, field);
}

/* ---- names ---- */

/* A name of one word is a given one, where a form asks for "name" and "last name". */
static bool has_given_alone(const struct lead *lead)
{
	struct lg_slice full = lead->value[LG_FULL_NAME], given = lead->value[LG_GIVEN_NAME];

	if (lead->value[LG_FAMILY_NAME].length > 0)
		return false;
	return full.length > 0 ? given.length == 0 && name_is_word(full) : given.length > 0;
}

static bool has_family_alone(const struct lead *lead)
{
	return lead->value[LG_FAMILY_NAME].length > 0 && lead->value[LG_GIVEN_NAME].length == 0 &&
	       lead->value[LG_FULL_NAME].length == 0;
}

/* A form may ask for one on its first page and for the other on its second. */
static bool are_halves(const struct lead *a, const struct lead *b)
{
	return has_given_alone(a) && has_family_alone(b);
}

void merge_name(struct merge *merge)
{
	static const int names[] = {LG_FULL_NAME, LG_GIVEN_NAME, LG_FAMILY_NAME};
	static const int titles[] = {LG_HONORIFIC_PREFIX, LG_GENDER};
	const struct lead *known = merge->known, *touch = merge->touch;
	char room[NAME_BYTES], other_room[NAME_BYTES];
	struct lg_slice ours = name_of(known, room), theirs = name_of(touch, other_room);
	bool differs = name_differs(ours, theirs) && !are_halves(known, touch) &&
		       !are_halves(touch, known);
	bool sure = ours.length == 0 || theirs.length == 0 || name_agrees(ours, theirs);
	void (*put_name)(struct merge *, int) = differs ? put_whole : merge_value_put;
	void (*put_title)(struct merge *, int) = differs || sure ? put_name : keep_out;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		put_name(merge, names[i]);
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		put_title(merge, titles[i]);
}

/* ---- addresses ---- */

/* "1 MAIN ST." is "1 Main St", and "SW1A1AA" is "SW1A 1AA". */
static bool same_place(struct lg_slice a, struct lg_slice b)
{
	char room[PLACE_BYTES], other_room[PLACE_BYTES];
	struct lg_slice plain;

	if (slice_equal_nocase(a, b))
		return true;
	plain = text_plain(a, room, sizeof(room));
	return plain.length > 0 &&
	       slice_equal(plain, text_plain(b, other_room, sizeof(other_room)));
}

/* "95110-1234" is a part of "95110", "SW1A 1AA" of "SW1A". */
static bool part_of(struct lg_slice code, struct lg_slice area)
{
	return code.length > area.length &&
	       slice_equal_nocase(slice_cut(code, 0, area.length), area) &&
	       (code.data[area.length] == '-' || code.data[area.length] == ' ');
}

static bool field_differs(int field, struct lg_slice a, struct lg_slice b)
{
	/* "CA" and "California" are one region: it does not tell. */
	if (field == LG_REGION || a.length == 0 || b.length == 0 || same_place(a, b))
		return false;
	return field != LG_POSTAL_CODE || (!part_of(a, b) && !part_of(b, a));
}

static bool address_differs(const struct merge *merge)
{
	for (int field = LG_STREET; field <= LG_COUNTRY; field++)
		if (field_differs(field, merge->known->value[field], merge->touch->value[field]))
			return true;
	return false;
}

/* More than a region and a country, which may be no more than a guess. */
static bool has_place(const struct lead *lead)
{
	return lead->value[LG_STREET].length || lead->value[LG_LOCALITY].length ||
	       lead->value[LG_POSTAL_CODE].length;
}

void merge_address(struct merge *merge)
{
	bool vague = has_place(merge->known) && !has_place(merge->touch);
	void (*put_other)(struct merge *, int) = vague ? keep_out : put_whole;
	void (*put)(struct merge *, int) = address_differs(merge) ? put_other : merge_value_put;

	for (int field = LG_STREET; field <= LG_COUNTRY; field++)
		put(merge, field);
}
