#include "lead/field.h"

#include "base/error.h"
#include "base/word.h"

#include <stdio.h>

#define P 1
#define H 2
#define LG_FIELD(id, path, type, limit, flags, names) \
	[LG_##id] = {path, names, FIELD_##type, limit, ((flags)&P) != 0, ((flags)&H) != 0},
const struct field field_table[LG_FIELD_COUNT] = {
#include <leadgate/fields.def>
};
#undef LG_FIELD
#undef P
#undef H

struct field_key field_keys[LG_FIELD_COUNT];
struct field_group field_groups[FIELD_GROUPS_MAX];
struct field_step field_steps[FIELD_GROUPS_MAX][FIELD_GROUPS_MAX];
static uint8_t group_count;

/* Open addressing; a slot without text is empty. About 330 names are in. */
#define SLOT_BITS 10
#define SLOTS (1 << SLOT_BITS)
/* 2^64 divided by the golden ratio: spreads what it is multiplied with (Knuth,
 * The Art of Computer Programming, section 6.4). */
#define HASH_FACTOR UINT64_C(0x9E3779B97F4A7C15)

struct slot {
	struct lg_slice text;
	int field;
};

static struct slot paths[SLOTS], names[SLOTS];

static char plain_byte(char c)
{
	return c;
}

/* What a form's author may vary in a name without meaning another one. */
static char loose_byte(char c)
{
	if (c == '-' || c == ' ' || c == '.')
		return '_';
	return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* The five low bits of each letter, whichever its case, and nothing of other
 * bytes: '_' and what may stand for it, digits. */
static uint64_t letters_of(uint64_t word)
{
	uint64_t letters = (word >> 6 & WORD_EACH(1)) * 31; /* bit 6: letters, and '_' */

	return ((word & WORD_EACH(31)) + WORD_EACH(1)) & letters; /* and 31 + 1 goes */
}

/* The same for all spellings of a name. */
static inline uint64_t hash_name(struct lg_slice text)
{
	uint64_t hash = text.length;
	size_t at = 0;

	for (; text.length - at >= WORD_BYTES; at += WORD_BYTES)
		hash = (hash ^ letters_of(word_load(text.data + at))) * HASH_FACTOR;
	hash ^= letters_of(word_rest(text, at, '_'));
	return hash * HASH_FACTOR >> (64 - SLOT_BITS);
}

/* The slot that holds `text`, or the empty one where it belongs. */
static inline struct slot *find_slot(struct slot *slots, struct lg_slice text, char (*byte)(char))
{
	for (uint64_t at = hash_name(text);; at++) {
		struct slot *slot = &slots[at % SLOTS];
		size_t same = 0;

		if (!slot->text.data)
			return slot;
		if (slot->text.length != text.length)
			continue;
		/* Most are spelt as the table spells them. */
		if (slice_equal(slot->text, text))
			return slot;
		while (same < text.length && byte(slot->text.data[same]) == byte(text.data[same]))
			same++;
		if (same == text.length)
			return slot;
	}
}

static void add_name(struct lg_slice name, int field)
{
	struct slot *slot = find_slot(names, name, loose_byte);

	/* Two fields under one explicit name would make the order of rows decide. */
	ALWAYS(!slot->text.data || slot->field == field);
	*slot = (struct slot){name, field};
}

static struct lg_slice last_part(const char *path)
{
	const char *dot = strrchr(path, '.');

	return slice_from(dot ? dot + 1 : path);
}

static bool last_part_unique(int field)
{
	struct lg_slice part = last_part(field_table[field].path);

	for (int other = 0; other < LG_FIELD_COUNT; other++)
		if (other != field && !field_table[other].host_only &&
		    slice_equal(last_part(field_table[other].path), part))
			return false;
	return true;
}

static void add_names(void)
{
	for (int field = 0; field < LG_FIELD_COUNT; field++) {
		struct lg_slice rest = slice_from(field_table[field].names), name;

		if (field_table[field].host_only)
			continue;
		add_name(slice_from(field_table[field].path), field);
		while (slice_split(&rest, ' ', &name))
			if (name.length)
				add_name(name, field);
	}
	/* Explicit names first: `name` is the person's, though the organization
	 * has a last part of that name. */
	for (int field = 0; field < LG_FIELD_COUNT; field++) {
		struct slot *slot = find_slot(names, last_part(field_table[field].path),
					      loose_byte);

		if (!slot->text.data && !field_table[field].host_only && last_part_unique(field))
			*slot = (struct slot){last_part(field_table[field].path), field};
	}
}

/* ,"name": for a value, ,"name":{ for a group. Returns its length. */
static uint8_t write_key(char out[FIELD_KEY_BYTES], struct lg_slice name, const char *end)
{
	int length = snprintf(out, FIELD_KEY_BYTES, ",\"%.*s\":%s", SLICE_ARGS(name), end);

	ALWAYS(length > 0 && length < FIELD_KEY_BYTES);
	return (uint8_t)length;
}

/* The group of `prefix` ("attribution.first"), made when it is new. */
static uint8_t group_of(struct lg_slice prefix)
{
	struct field_group *group;
	uint8_t parent = 0;

	for (uint8_t i = 0; i < group_count; i++)
		if (slice_equal(field_groups[i].prefix, prefix))
			return i;
	for (size_t i = prefix.length; i-- > 0;)
		if (prefix.data[i] == '.') {
			parent = group_of(slice_of(prefix.data, i));
			break;
		}
	ALWAYS(group_count < FIELD_GROUPS_MAX);
	group = &field_groups[group_count];
	group->prefix = prefix;
	group->parent = parent;
	if (group_count > 0) {
		struct lg_slice above = field_groups[parent].prefix;
		size_t start = above.length ? above.length + 1 : 0;

		group->depth = (uint8_t)(field_groups[parent].depth + 1);
		group->length = write_key(group->open, slice_cut(prefix, start, SIZE_MAX), "{");
	}
	return group_count++;
}

/* FNV-1a of the path: a part of digests that are kept. */
static void add_hash(int field)
{
	uint32_t hash = 2166136261u;

	for (const char *path = field_table[field].path; *path; path++)
		hash = (hash ^ (unsigned char)*path) * 16777619u;
	for (size_t i = 0; i < sizeof(field_keys[field].hash); i++)
		field_keys[field].hash[i] = (unsigned char)(hash >> (24 - 8 * i));
	for (int other = 0; other < field; other++)
		ALWAYS(memcmp(field_keys[other].hash, field_keys[field].hash,
			      sizeof(field_keys[field].hash)) != 0);
}

static void add_keys(void)
{
	group_of(slice_of("", 0));
	for (int field = 0; field < LG_FIELD_COUNT; field++) {
		const char *path = field_table[field].path;
		const char *dot = strrchr(path, '.');

		field_keys[field].group = group_of(slice_of(path, dot ? (size_t)(dot - path) : 0));
		field_keys[field].length = write_key(field_keys[field].text, last_part(path), "");
		add_hash(field);
	}
}

static void add_to_step(struct field_step *step, const char *text, size_t length)
{
	ALWAYS(step->length + length <= FIELD_STEP_BYTES);
	memcpy(step->text + step->length, text, length);
	step->length = (uint8_t)(step->length + length);
}

/* Opens `group` and, before it, those around it up to `from`. */
static void add_openings(struct field_step *step, uint8_t from, uint8_t group)
{
	const struct field_group *target = &field_groups[group];
	size_t comma;

	if (group == from)
		return;
	add_openings(step, from, target->parent);
	comma = step->opens ? 0 : 1; /* the first member of what was opened has none */
	add_to_step(step, target->open + 1 - comma, target->length - 1 + comma);
	step->opens = true;
}

static void add_step(uint8_t from, uint8_t to)
{
	struct field_step *step = &field_steps[from][to];
	uint8_t common = to;

	while (field_groups[common].depth > field_groups[from].depth)
		common = field_groups[common].parent;
	while (from != common) {
		if (field_groups[from].depth == field_groups[common].depth)
			common = field_groups[common].parent;
		add_to_step(step, "}", 1);
		from = field_groups[from].parent;
	}
	add_openings(step, common, to);
}

static void add_steps(void)
{
	for (uint8_t from = 0; from < group_count; from++)
		for (uint8_t to = 0; to < group_count; to++)
			add_step(from, to);
}

void field_setup(void)
{
	if (group_count > 0)
		return;
	for (int field = 0; field < LG_FIELD_COUNT; field++) {
		struct lg_slice path = slice_from(field_table[field].path);

		*find_slot(paths, path, plain_byte) = (struct slot){path, field};
	}
	add_names();
	add_keys();
	add_steps();
}

int field_by_path(struct lg_slice path)
{
	const struct slot *slot = find_slot(paths, path, plain_byte);

	return slot->text.data ? slot->field : -1;
}

int field_by_name(struct lg_slice name)
{
	const struct slot *slot = find_slot(names, name, loose_byte);

	return slot->text.data ? slot->field : -1;
}
