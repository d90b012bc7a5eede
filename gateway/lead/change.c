#include "lead/change.h"

#include "lead/record.h"

struct change_value change_field_value(int field, struct lg_slice text)
{
	enum field_type type = field_table[field].type;
	struct change_value value = {.kind = CHANGE_NONE};

	if (!slice_present(text))
		return value;
	value.text = text;
	value.kind = type == FIELD_INTEGER || type == FIELD_BOOLEAN ? CHANGE_LITERAL : CHANGE_TEXT;
	return value;
}

void change_add(struct change_list *list, enum change_kind kind, struct lg_slice path,
		struct change_value from, struct change_value to)
{
	struct change *change = arena_new(list->arena, struct change);

	if (!change)
		return;
	change->kind = kind;
	change->path = path;
	change->from = from;
	change->to = to;
	if (list->last)
		list->last->next = change;
	else
		list->first = change;
	list->last = change;
}

static void write_value(struct json_writer *json, const struct change_value *value)
{
	switch (value->kind) {
	case CHANGE_NONE: break;
	case CHANGE_TEXT: json_write_text(json, value->text); break;
	case CHANGE_LITERAL: json_write_raw(json, value->text); break;
	case CHANGE_CONSENT: record_encode_consent(json, value->object); break;
	case CHANGE_PROFILE: record_encode_profile(json, value->object); break;
	case CHANGE_REASON: record_encode_reason(json, value->object); break;
	case CHANGE_SUGGESTION: record_encode_suggestion(json, value->object); break;
	}
}

static bool same_place(const struct change *a, const struct change *b)
{
	return a->kind == b->kind && slice_equal(a->path, b->path);
}

static const struct change_value *side(const struct change *change, bool from)
{
	return from ? &change->from : &change->to;
}

/* All values of one place: one alone, or a list. `name` may be NULL. */
static void write_values(struct json_writer *json, const struct change *first, bool from,
			 const char *name)
{
	bool list = first->kind == CHANGE_ADDED;
	size_t count = 0;

	for (const struct change *it = first; it; it = it->next)
		count += same_place(it, first) && side(it, from)->kind != CHANGE_NONE;
	if (count == 0)
		return;
	list |= count > 1;
	if (name)
		json_write_name(json, slice_from(name));
	if (list)
		json_write_open(json, '[');
	for (const struct change *it = first; it; it = it->next)
		if (same_place(it, first))
			write_value(json, side(it, from));
	if (list)
		json_write_close(json, ']');
}

static bool first_of_place(const struct change_list *list, const struct change *change)
{
	const struct change *it = list->first;

	while (it != change && !same_place(it, change))
		it = it->next;
	return it == change;
}

static void write_kind(struct json_writer *json, const struct change_list *list,
		       enum change_kind kind)
{
	static const char *const names[CHANGE_KINDS] = {"filled", "added", "overwritten", "kept"};
	bool open = false;

	for (const struct change *it = list->first; it; it = it->next) {
		if (it->kind != kind || !first_of_place(list, it))
			continue;
		if (!open) {
			json_write_name(json, slice_from(names[kind]));
			json_write_open(json, '{');
			open = true;
		}
		json_write_name(json, it->path);
		if (kind != CHANGE_OVERWRITTEN) {
			write_values(json, it, false, NULL);
			continue;
		}
		json_write_open(json, '{');
		write_values(json, it, true, "from");
		write_values(json, it, false, "to");
		json_write_close(json, '}');
	}
	if (open)
		json_write_close(json, '}');
}

void change_encode(const struct change_list *list, const struct lg_slice *matched_by,
		   size_t matched_count, struct buffer *out)
{
	struct json_writer json;

	json_writer_init(&json, out);
	json_write_open(&json, '{');
	if (matched_count > 0) {
		json_write_name(&json, LG_SLICE("matched_by"));
		json_write_open(&json, '[');
		for (size_t i = 0; i < matched_count; i++)
			json_write_text(&json, matched_by[i]);
		json_write_close(&json, ']');
	}
	for (enum change_kind kind = 0; kind < CHANGE_KINDS; kind++)
		write_kind(&json, list, kind);
	json_write_close(&json, '}');
}
