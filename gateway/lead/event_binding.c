#include "lead/event_binding.h"

#include "base/error.h"
#include "lead/binding.h"

/* The node that stands for `event`. */
static const char event_node;

bool event_binding_is_json(const void *node)
{
	return node != &event_node;
}

bool event_binding_init(struct event_binding *binding, struct arena *arena)
{
	struct error error;

	binding->root = json_parse(arena, binding->body, &error);
	return binding->root && binding->root->kind == JSON_OBJECT;
}

static void text_value(struct lg_slice text, struct expr_value *value)
{
	if (slice_present(text))
		*value = (struct expr_value){.kind = EXPR_TEXT, .text = text};
}

static void event_value(const struct event_binding *binding, struct lg_slice name,
			struct expr_value *value)
{
	static const char *const members[] = {"id", "at", "changes", "alert"};

	if (slice_is(name, "seq"))
		*value = (struct expr_value){.kind = EXPR_INTEGER, .integer = binding->seq};
	else if (slice_is(name, "type"))
		text_value(binding->type, value);
	else if (slice_is(name, "external_id"))
		text_value(binding->external_id, value);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (slice_is(name, members[i]))
			binding_value(json_member(binding->root, members[i]), value);
}

static void member(const void *context, const void *node, struct lg_slice name,
		   struct expr_value *value)
{
	const struct event_binding *binding = context;

	if (node == &event_node)
		event_value(binding, name, value);
	else if (node)
		binding_value(json_member_slice(node, name), value);
	else if (slice_is(name, "event"))
		*value = (struct expr_value){.kind = EXPR_NODE, .node = &event_node};
	else
		binding_value(json_member_slice(json_member(binding->root, "lead"), name), value);
}

static bool next(const void *context, const void *list, const void **at, struct expr_value *value)
{
	(void)context;
	return list != &event_node && binding_reader(NULL).next(NULL, list, at, value);
}

struct expr_reader event_binding_reader(const struct event_binding *binding)
{
	return (struct expr_reader){.context = binding, .member = member, .next = next};
}

bool event_binding_check(struct lg_slice text, struct error *error)
{
	if (slice_is(slice_trim(text), "event"))
		return error_set(error, "'event' alone is no value; name one of its members");
	return expr_check(text, binding_event_names(), error);
}
