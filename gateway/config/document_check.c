#include "config/document_check.h"

#include <libfyaml.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "config/environment.h"
#include "config/scalar.h"

struct check {
	struct document *document;
	struct lg_slice file;
	size_t values;
	bool has_aliases;
	bool inside_alias; /* what is seen was seen before */
	bool misread;	   /* libfyaml must not be asked about this tree */
};

struct key {
	struct lg_slice text;
	struct fy_node *node;
	size_t position;
};

static bool check_node(struct check *check, struct fy_node *node, int depth);

static int compare_keys(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	int order = 0;

	if (x->text.length != y->text.length)
		return x->text.length < y->text.length ? -1 : 1;
	if (x->text.length)
		order = memcmp(x->text.data, y->text.data, x->text.length);
	if (order)
		return order;
	return x->position < y->position ? -1 : 1;
}

static void report_repeated(struct document *document, struct key *keys, size_t count)
{
	size_t first = 0;

	qsort(keys, count, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < count; i++) {
		if (!slice_equal(keys[first].text, keys[i].text))
			first = i;
		else
			document_error(document, keys[i].node,
				       "\"%.*s\" was there before, in line %d; "
				       "each key may stand once",
				       SLICE_ARGS(keys[i].text), document_line(keys[first].node));
	}
}

/* Absent, and reported, when the node is no word. */
static struct lg_slice key_text(struct check *check, struct fy_node *map, struct fy_node *key)
{
	struct lg_slice text = slice_of(NULL, 0);

	if (!scalar_is_sound(check->file, key)) {
		check->misread = true;
		document_error(check->document, key,
			       "this key would be misread; write it in one line, "
			       "in double quotes");
		return text;
	}
	if (!fy_node_is_alias(key))
		text = document_written(check->document, key);
	if (!slice_present(text))
		document_error(check->document, key ? key : map, "a key must be a word");
	return text;
}

static void check_keys(struct check *check, struct fy_node *map)
{
	size_t count = 0, room = (size_t)fy_node_mapping_item_count(map);
	struct key *keys = alloc_malloc((room ? room : 1) * sizeof(*keys));
	void *cursor = NULL;
	struct fy_node_pair *pair;

	if (!keys) {
		document_error(check->document, map, "no memory to check this section");
		return;
	}
	while (count < room && (pair = fy_node_mapping_iterate(map, &cursor))) {
		struct key *key = &keys[count];

		key->node = fy_node_pair_key(pair);
		key->position = count;
		key->text = key_text(check, map, key->node);
		if (slice_present(key->text))
			count++;
	}
	report_repeated(check->document, keys, count);
	alloc_free(keys);
}

static void check_scalar(struct check *check, struct fy_node *node)
{
	enum fy_node_style style = fy_node_get_style(node);
	struct lg_slice text, expanded;
	struct error error = {""};

	if (style != FYNS_SINGLE_QUOTED && !scalar_is_sound(check->file, node)) {
		check->misread = true;
		document_error(check->document, node,
			       "this text would be misread; write it in one line, "
			       "or below a \"|\"");
		return;
	}
	if (style != FYNS_DOUBLE_QUOTED)
		return;
	text = document_written(check->document, node);
	if (slice_present(text) &&
	    !environment_expand(document_arena(check->document), text, &expanded, &error))
		document_error(check->document, node, "%s", error.text);
}

static bool check_alias(struct check *check, struct fy_node *node, int depth)
{
	struct fy_node *target = fy_node_resolve_alias(node);
	bool outside = !check->inside_alias, bounded;

	check->has_aliases = true;
	if (!target) /* libfyaml says so when it resolves the document */
		return true;
	check->inside_alias = true;
	bounded = check_node(check, target, depth + 1);
	if (outside)
		check->inside_alias = false;
	return bounded;
}

static bool check_map(struct check *check, struct fy_node *map, int depth)
{
	void *cursor = NULL;
	struct fy_node_pair *pair;

	if (!check->inside_alias)
		check_keys(check, map);
	while ((pair = fy_node_mapping_iterate(map, &cursor))) {
		if (!check_node(check, fy_node_pair_value(pair), depth + 1))
			return false;
	}
	return true;
}

static bool check_list(struct check *check, struct fy_node *list, int depth)
{
	void *cursor = NULL;
	struct fy_node *item;

	while ((item = fy_node_sequence_iterate(list, &cursor))) {
		if (!check_node(check, item, depth + 1))
			return false;
	}
	return true;
}

static bool check_node(struct check *check, struct fy_node *node, int depth)
{
	if (!node)
		return true;
	if (depth > DOCUMENT_DEPTH_MAX) {
		document_error(check->document, node,
			       "nested deeper than %d levels, or an alias "
			       "within what it stands for",
			       DOCUMENT_DEPTH_MAX);
		return false;
	}
	if (++check->values > DOCUMENT_VALUES_MAX) {
		document_error(check->document, node,
			       "more than %d values, counted with those that "
			       "aliases stand for",
			       DOCUMENT_VALUES_MAX);
		return false;
	}
	if (fy_node_is_alias(node))
		return check_alias(check, node, depth);
	if (fy_node_is_mapping(node))
		return check_map(check, node, depth);
	if (fy_node_is_sequence(node))
		return check_list(check, node, depth);
	if (!check->inside_alias)
		check_scalar(check, node);
	return true;
}

bool document_check(struct document *document, struct lg_slice file, bool *has_aliases)
{
	struct check check = {.document = document, .file = file};
	bool bounded = check_node(&check, document_root(document), 0);

	*has_aliases = check.has_aliases;
	return bounded && !check.misread;
}
