#include "config/compare.h"

#include "base/outline.h"
#include "base/slice.h"

/* Absent is not empty. */
static bool same_text(struct lg_slice a, struct lg_slice b)
{
	return slice_present(a) == slice_present(b) && slice_equal(a, b);
}

static bool same_list(const struct lg_list *a, const struct lg_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!same_text(a->items[i], b->items[i]))
			return false;
	return true;
}

/* Entries keep their order: it may mean something to who reads them. */
static bool same_map(const struct lg_map *a, const struct lg_map *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!same_text(a->pairs[i].name, b->pairs[i].name) ||
		    !same_text(a->pairs[i].value, b->pairs[i].value))
			return false;
	return true;
}

static bool same_field_map(const struct lg_field_map *a, const struct lg_field_map *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!same_text(a->entries[i].name, b->entries[i].name) ||
		    a->entries[i].field != b->entries[i].field)
			return false;
	return true;
}

/* What a value takes in the struct. */
static size_t value_bytes(int32_t type)
{
	switch (type) {
	case LG_BOOL:
	case LG_ENUM: return sizeof(int32_t);
	case LG_INTEGER:
	case LG_DURATION:
	case LG_SIZE: return sizeof(int64_t);
	case LG_LIST: return sizeof(struct lg_list);
	case LG_MAP: return sizeof(struct lg_map);
	case LG_FIELD_MAP: return sizeof(struct lg_field_map);
	case OUTLINE_OPTION: return sizeof(struct outline);
	default: return sizeof(struct lg_slice);
	}
}

bool compare_option(const struct lg_option *row, const void *a, const void *b)
{
	const void *mine = (const char *)a + row->offset, *other = (const char *)b + row->offset;

	switch (row->type) {
	case LG_BOOL:
	case LG_ENUM:
	case LG_INTEGER:
	case LG_DURATION:
	case LG_SIZE: return memcmp(mine, other, value_bytes(row->type)) == 0;
	case LG_LIST: return same_list(mine, other);
	case LG_MAP: return same_map(mine, other);
	case LG_FIELD_MAP: return same_field_map(mine, other);
	case OUTLINE_OPTION: return outline_equal(mine, other);
	default: return same_text(*(const struct lg_slice *)mine, *(const struct lg_slice *)other);
	}
}

bool compare_options(const struct option_table *table, const void *a, const void *b)
{
	for (size_t i = 0; i < table->count; i++) {
		struct lg_option row = option_at(table, i);

		if (!compare_option(&row, a, b))
			return false;
	}
	return true;
}

void compare_copy(const struct lg_option *row, void *to, const void *from)
{
	memcpy((char *)to + row->offset, (const char *)from + row->offset, value_bytes(row->type));
}
