#include "config/document_place.h"

#include <libfyaml.h>

/* The key under which a node stands in its parent. */
static struct fy_node *own_key(struct fy_node *node)
{
	struct fy_node *parent = fy_node_get_parent(node);
	void *cursor = NULL;
	struct fy_node_pair *pair;

	if (!parent || !fy_node_is_mapping(parent))
		return NULL;
	while ((pair = fy_node_mapping_iterate(parent, &cursor))) {
		if (fy_node_pair_value(pair) == node)
			return fy_node_pair_key(pair);
	}
	return NULL;
}

static const struct fy_mark *scalar_mark(struct fy_node *node)
{
	struct fy_token *token = node ? fy_node_get_scalar_token(node) : NULL;

	return token ? fy_token_start_mark(token) : NULL;
}

/* Whether the token stands where a reader sees the value: an empty one has no
 * place of its own, the text of a block begins below its key. */
static bool stands_itself(struct fy_node *node)
{
	enum fy_node_style style = fy_node_get_style(node);

	return style != FYNS_LITERAL && style != FYNS_FOLDED &&
	       fy_token_get_text_length(fy_node_get_scalar_token(node)) > 0;
}

static struct fy_node *first_inside(struct fy_node *node)
{
	void *cursor = NULL;

	if (fy_node_is_sequence(node))
		return fy_node_sequence_iterate(node, &cursor);
	return fy_node_pair_key(fy_node_mapping_iterate(node, &cursor));
}

const struct fy_mark *document_place(struct fy_node *node)
{
	for (; node; node = fy_node_get_parent(node)) {
		const struct fy_mark *mark = scalar_mark(node), *key;

		if (mark && stands_itself(node))
			return mark;
		key = scalar_mark(own_key(node));
		if (key)
			return key;
		for (struct fy_node *inside = node; inside && !mark; mark = scalar_mark(inside))
			inside = fy_node_is_scalar(inside) ? NULL : first_inside(inside);
		if (mark)
			return mark;
	}
	return NULL;
}
