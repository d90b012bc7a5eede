#include "sink/mapping.h"

#include <math.h>

#include "base/alloc.h"
#include "sink/mapped.h"

#define COMPILED_BYTES 4096   /* of the compiled tree, a piece */
#define ARENA_BYTES 32768     /* of one event's tree and values, a piece */
#define ARENA_LIMIT (8 << 20) /* all of it */
#define KEPT_BYTES 65536      /* of the buffer after a large body */

/* An outline with its expressions compiled. */
struct node {
	const struct outline *outline;
	struct expr *expr; /* of a value */
	struct node *items;
};

struct mapping {
	enum mapping_form form;
	struct expr_state *state;
	struct node root;
	struct arena compiled;
	struct arena arena; /* of the event that is made */
	struct buffer out;
};

/* ---- making ---------------------------------------------------------------- */

/* Puts where it happened before a reason, from the inside out. */
static void place_error(struct error *error, const struct node *parent, size_t index)
{
	const struct outline *item = &parent->outline->items[index];
	const char *joint = item->kind == OUTLINE_VALUE	 ? ": "
			    : item->kind == OUTLINE_LIST ? ""
							 : ".";

	if (parent->outline->kind == OUTLINE_LIST)
		error_prefix(error, "[%zu]%s", index + 1, joint);
	else
		error_prefix(error, "%.*s%s", SLICE_ARGS(item->name), joint);
}

static bool compile(struct mapping *mapping, struct node *node, const struct outline *outline,
		    struct error *error)
{
	node->outline = outline;
	if (outline->kind == OUTLINE_VALUE) {
		node->expr = expr_new(mapping->state, outline->text, error);
		return node->expr != NULL;
	}
	node->items = arena_zalloc(&mapping->compiled, (outline->count + 1) * sizeof(*node));
	if (!node->items)
		return error_set(error, "there is no memory for the mapping");
	for (size_t i = 0; i < outline->count; i++)
		if (!compile(mapping, &node->items[i], &outline->items[i], error)) {
			place_error(error, node, i);
			return false;
		}
	return true;
}

/* A form has names and texts, and nothing within one another. */
static bool is_flat(const struct outline *outline, struct error *error)
{
	for (size_t i = 0; i < outline->count; i++) {
		const struct outline *item = &outline->items[i];
		if (item->kind == OUTLINE_MAP)
			return error_set(error, "%.*s: a form cannot hold a mapping",
					 SLICE_ARGS(item->name));
		for (size_t k = 0; k < item->count; k++)
			if (item->items[k].kind != OUTLINE_VALUE)
				return error_set(error,
						 "%.*s: the lists of a form hold single values",
						 SLICE_ARGS(item->name));
	}
	return true;
}

struct mapping *mapping_new(const struct outline *outline, enum mapping_form form,
			    int64_t max_bytes, const struct expr_limits *limits,
			    struct error *error)
{
	struct mapping *mapping;

	if (form == MAPPING_FORM && !is_flat(outline, error))
		return NULL;
	mapping = alloc_zalloc(sizeof(*mapping));
	if (!mapping) {
		error_set(error, "there is no memory for the mapping");
		return NULL;
	}
	mapping->form = form;
	arena_init(&mapping->compiled, COMPILED_BYTES, 0);
	arena_init(&mapping->arena, ARENA_BYTES, ARENA_LIMIT);
	buffer_init(&mapping->out, (size_t)max_bytes);
	mapping->state = expr_state_new(limits);
	if (!mapping->state)
		error_set(error, "there is no memory for the mapping");
	else if (compile(mapping, &mapping->root, outline, error))
		return mapping;
	mapping_free(&mapping);
	return NULL;
}

void mapping_free(struct mapping **mapping)
{
	struct mapping *m = *mapping;

	*mapping = NULL;
	if (!m)
		return;
	expr_state_free(&m->state);
	buffer_fini(&m->out);
	arena_fini(&m->arena);
	arena_fini(&m->compiled);
	alloc_free(m);
}

/* ---- one event ------------------------------------------------------------- */

/* An event while it is mapped. */
struct run {
	struct mapping *mapping;
	struct expr_reader reader;
	struct error *error;
};

/* What JSON has no word for. */
static bool value_fits(const struct expr_value *value, struct error *error)
{
	if (value->kind == EXPR_NUMBER && !isfinite(value->number))
		return error_set(error, "the result is no finite number");
	if (value->kind == EXPR_NODE && !event_binding_is_json(value->node))
		return error_set(error, "'event' alone is no value; name one of its members");
	for (size_t i = 0; value->kind == EXPR_LIST && i < value->count; i++)
		if (!value_fits(&value->items[i], error))
			return false;
	return true;
}

static bool map_items(struct run *run, const struct node *node, struct mapped *mapped);

/* `*there`: something is left of it. */
static bool map_node(struct run *run, const struct node *node, struct mapped *mapped, bool *there)
{
	*mapped = (struct mapped){.kind = node->outline->kind, .name = node->outline->name};
	if (mapped->kind != OUTLINE_VALUE) {
		bool good = map_items(run, node, mapped);
		*there = mapped->count > 0;
		return good;
	}
	if (!expr_evaluate(node->expr, &run->reader, &run->mapping->arena, &mapped->value,
			   run->error))
		return false;
	*there = mapped->value.kind != EXPR_NIL;
	return value_fits(&mapped->value, run->error);
}

static bool map_items(struct run *run, const struct node *node, struct mapped *mapped)
{
	size_t count = node->outline->count;

	mapped->items = arena_alloc(&run->mapping->arena, (count + 1) * sizeof(*mapped->items));
	if (!mapped->items)
		return error_set(run->error, "there is no memory for the body");
	for (size_t i = 0; i < count; i++) {
		bool there;
		if (!map_node(run, &node->items[i], &mapped->items[mapped->count], &there)) {
			place_error(run->error, node, i);
			return false;
		}
		mapped->count += there;
	}
	return true;
}

static bool write_body(struct mapping *mapping, const struct mapped *root, struct error *error)
{
	struct buffer *out = &mapping->out;

	buffer_clear(out);
	buffer_shrink(out, KEPT_BYTES);
	if (mapping->form == MAPPING_JSON)
		mapped_json(root, out);
	else if (!mapped_form(root, out, error))
		return false;
	if (out->failed)
		return error_set(error, "there is no room for the body: max_body is %zu bytes",
				 out->limit);
	return true;
}

bool mapping_make(struct mapping *mapping, struct event_binding *event, struct arena *arena,
		  struct lg_slice *body, struct error *error)
{
	struct run run = {.mapping = mapping, .error = error};
	struct mapped root;

	arena_reset(&mapping->arena);
	if (!event_binding_init(event, &mapping->arena))
		return error_set(error, "the event cannot be read");
	run.reader = event_binding_reader(event);
	root = (struct mapped){.kind = OUTLINE_MAP};
	if (!map_items(&run, &mapping->root, &root) || !write_body(mapping, &root, error))
		return false;
	*body = arena_copy(arena, buffer_slice(&mapping->out));
	return slice_present(*body) || error_set(error, "there is no memory for the body");
}

struct lg_slice mapping_media_type(const struct mapping *mapping)
{
	return slice_from(mapping->form == MAPPING_FORM ? "application/x-www-form-urlencoded"
							: "application/json");
}
