/* A small record for the tests of expressions: nodes written as C literals. */
#ifndef TESTS_UNIT_EXPR_RECORD_H
#define TESTS_UNIT_EXPR_RECORD_H

#include "expr/expr.h"

struct node {
	const char *name; /* of a member; NULL of an item and at the end */
	struct expr_value value;
	const struct node *children; /* of an object or list, ended by END */
};

#define END                \
	{                  \
		.name = "" \
	}
#define TEXT(n, t)                                                                       \
	{                                                                                \
		.name = (n), .value = {.kind = EXPR_TEXT, .text = {(t), sizeof(t) - 1} } \
	}
#define INTEGER(n, i)                                                         \
	{                                                                     \
		.name = (n), .value = {.kind = EXPR_INTEGER, .integer = (i) } \
	}
#define NUMBER(n, f)                                                        \
	{                                                                   \
		.name = (n), .value = {.kind = EXPR_NUMBER, .number = (f) } \
	}
#define BOOL(n, b)                                                       \
	{                                                                \
		.name = (n), .value = {.kind = EXPR_BOOL, .truth = (b) } \
	}
#define NODE(n, c)                                                         \
	{                                                                  \
		.name = (n), .value = {.kind = EXPR_NODE}, .children = (c) \
	}

static inline bool record_is_end(const struct node *node)
{
	return node->name && !*node->name;
}

static inline void record_value(const struct node *node, struct expr_value *value)
{
	*value = node->value;
	if (value->kind == EXPR_NODE)
		value->node = node;
}

static inline void record_member(const void *context, const void *node, struct lg_slice name,
				 struct expr_value *value)
{
	const struct node *of = node ? node : context;

	for (const struct node *child = of->children; !record_is_end(child); child++)
		if (child->name && slice_is(name, child->name))
			record_value(child, value);
}

static inline bool record_next(const void *context, const void *list, const void **at,
			       struct expr_value *value)
{
	const struct node *child = ((const struct node *)list)->children;

	(void)context;
	if (*at)
		child = (const struct node *)*at + 1;
	if (record_is_end(child) || child->name)
		return false;
	record_value(child, value);
	*at = child;
	return true;
}

static inline struct expr_reader record_reader(const struct node *root)
{
	return (struct expr_reader){.context = root, .member = record_member, .next = record_next};
}

#endif
