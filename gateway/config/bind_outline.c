/* An outline's place in the configuration: nested mappings and lists, with an
 * expression at each end. */
#include "base/outline.h"
#include "config/bind_value.h"

#define PATH_BYTES 160 /* of a value's name in a message; a longer one is cut */

static bool read_node(const struct binding *binding, struct fy_node *node, struct lg_slice path,
		      int depth, struct outline *out);

static bool read_value(const struct binding *binding, struct fy_node *node, struct lg_slice path,
		       struct outline *out)
{
	option_expression_check check = binding->hooks->mapped;
	struct error error = {""};

	out->kind = OUTLINE_VALUE;
	out->text = document_text(binding->document, node);
	if (!slice_present(out->text))
		return bind_value_wrong(binding, node, "an expression such as person.email");
	document_show(binding->document, node);
	if (!check || check(out->text, &error))
		return true;
	document_error(binding->document, node, "\"%.*s\": %s", SLICE_ARGS(path), error.text);
	return false;
}

static size_t count_items(struct document *document, struct fy_node *node)
{
	struct fy_node *key_node, *value;
	struct lg_slice key;
	void *cursor = NULL;
	size_t count = 0;

	while (document_each(document, node, &cursor, &key, &key_node, &value))
		count++;
	return count;
}

/* "mapping.properties.email", "mapping.tags[1]" */
static struct lg_slice path_of(struct arena *arena, struct lg_slice parent, struct lg_slice name,
			       size_t index)
{
	parent = slice_cut(parent, 0, PATH_BYTES);
	if (slice_present(name))
		return arena_printf(arena, "%.*s.%.*s", SLICE_ARGS(parent),
				    SLICE_ARGS(slice_cut(name, 0, PATH_BYTES)));
	return arena_printf(arena, "%.*s[%zu]", SLICE_ARGS(parent), index + 1);
}

static bool read_items(const struct binding *binding, struct fy_node *node, struct lg_slice path,
		       int depth, struct outline *out)
{
	struct document *document = binding->document;
	struct arena *arena = document_arena(document);
	struct fy_node *key_node, *value;
	struct outline *items;
	struct lg_slice key;
	void *cursor = NULL;
	size_t count = count_items(document, node), i = 0;
	bool good = true;

	items = arena_zalloc(arena, (count ? count : 1) * sizeof(*items));
	if (!items) {
		document_error(document, node, "no memory for these values");
		return false;
	}
	for (; document_each(document, node, &cursor, &key, &key_node, &value); i++) {
		struct lg_slice inner = path_of(arena, path, key, i);
		items[i].name = key;
		good &= read_node(binding, value, inner, depth, &items[i]);
	}
	out->items = items;
	out->count = count;
	return good;
}

static bool read_node(const struct binding *binding, struct fy_node *node, struct lg_slice path,
		      int depth, struct outline *out)
{
	if (!document_is_map(node) && !document_is_list(node))
		return read_value(binding, node, path, out);
	out->kind = document_is_map(node) ? OUTLINE_MAP : OUTLINE_LIST;
	if (depth == OUTLINE_DEPTH_MAX) {
		document_error(binding->document, node,
			       "\"%.*s\": more than %d mappings and lists within one another",
			       SLICE_ARGS(path), OUTLINE_DEPTH_MAX);
		return false;
	}
	return read_items(binding, node, path, depth + 1, out);
}

bool bind_outline(const struct binding *binding, struct fy_node *node)
{
	struct outline *out = binding->place;

	if (!document_is_map(node) || count_items(binding->document, node) == 0)
		return bind_value_wrong(binding, node, NULL);
	return read_node(binding, node, slice_from(binding->row->name), 0, out);
}
