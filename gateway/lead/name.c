#include "lead/name.h"

#include "base/utf8.h"
#include "lead/unicode.h"

#define PARTS_MAX 16

/* A name's parts, folded; they borrow from `text`. */
struct parts {
	char text[NAME_BYTES];
	struct lg_slice part[PARTS_MAX];
	size_t count;
};

/* Letters and digits of ASCII, and all beyond it but the dots and quotes that
 * stand between names: U+00B7, U+2010 to U+2027 and U+30FB. */
static bool part_character(int32_t c)
{
	if (c < 0x80)
		return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
	return c != 0xB7 && !(c >= 0x2010 && c <= 0x2027) && c != 0x30FB;
}

static bool apostrophe(int32_t c)
{
	return c == '\'' || c == 0x2018 || c == 0x2019;
}

static bool has_part(const struct parts *parts, struct lg_slice part)
{
	for (size_t i = 0; i < parts->count; i++)
		if (slice_equal(parts->part[i], part))
			return true;
	return false;
}

static bool add_part(struct parts *parts, struct lg_slice part)
{
	if (part.length == 0 || has_part(parts, part))
		return true;
	if (parts->count == PARTS_MAX)
		return false;
	parts->part[parts->count++] = part;
	return true;
}

/* False when the name is too long to be compared. */
static bool split_name(struct lg_slice name, struct parts *parts)
{
	char folded[NAME_BYTES];
	ptrdiff_t length = unicode_fold(name, folded, sizeof(folded));
	struct lg_slice rest;
	size_t start = 0, end = 0;

	parts->count = 0;
	if (length < 0)
		return false;
	rest = slice_of(folded, (size_t)length);
	while (rest.length > 0) {
		const char *at = rest.data;
		int32_t c = utf8_next(&rest);
		size_t bytes = (size_t)(rest.data - at);

		if (apostrophe(c)) /* O'Brien is OBrien */
			continue;
		if (c >= 0 && part_character(c)) {
			memcpy(parts->text + end, at, bytes);
			end += bytes;
			continue;
		}
		if (!add_part(parts, slice_of(parts->text + start, end - start)))
			return false;
		start = end;
	}
	return add_part(parts, slice_of(parts->text + start, end - start));
}

bool name_is_word(struct lg_slice name)
{
	return name.length > 0 && slice_find(name, ' ') < 0;
}

/* "Anna" beside "Meier", as a form with "name" and "last name" sends it; but a name that
 * begins with its family name is whole, blank or not. */
static bool lacks_family(struct lg_slice full, struct lg_slice family)
{
	return name_is_word(full) && family.length > 0 &&
	       !slice_equal_nocase(slice_cut(full, 0, family.length), family);
}

struct lg_slice name_of(const struct lead *lead, char room[NAME_BYTES])
{
	struct lg_slice full = lead->value[LG_FULL_NAME], given = lead->value[LG_GIVEN_NAME],
			family = lead->value[LG_FAMILY_NAME];

	if (full.length > 0 && !lacks_family(full, family))
		return full;
	if (given.length == 0)
		given = full;
	if (given.length + 1 + family.length > NAME_BYTES)
		return full;
	if (given.length)
		memcpy(room, given.data, given.length);
	room[given.length] = ' ';
	if (family.length)
		memcpy(room + given.length + 1, family.data, family.length);
	return slice_trim(slice_of(room, given.length + 1 + family.length));
}

static size_t count_shared(const struct parts *one, const struct parts *other)
{
	size_t shared = 0;

	for (size_t i = 0; i < one->count; i++)
		shared += has_part(other, one->part[i]);
	return shared;
}

bool name_agrees(struct lg_slice a, struct lg_slice b)
{
	struct parts one, other;
	size_t shared, smaller;

	if (!split_name(a, &one) || !split_name(b, &other))
		return slice_equal(a, b) && a.length > 0;
	shared = count_shared(&one, &other);
	smaller = one.count < other.count ? one.count : other.count;
	if (one.count == other.count)
		return shared == one.count && shared > 0;
	return shared == smaller && shared >= 2;
}

bool name_differs(struct lg_slice a, struct lg_slice b)
{
	struct parts one, other;

	if (!split_name(a, &one) || !split_name(b, &other))
		return a.length > 0 && b.length > 0 && !slice_equal(a, b);
	return count_shared(&one, &other) < (one.count < other.count ? one.count : other.count);
}
