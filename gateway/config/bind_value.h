/* One option's value into its place in the settings. Main thread. */
#ifndef CONFIG_BIND_VALUE_H
#define CONFIG_BIND_VALUE_H

#include "config/bind.h"

/* What is being filled, and where a mistake is reported. */
struct binding {
	struct document *document;
	const struct bind_hooks *hooks; /* never NULL */
	const struct lg_option *row;
	void *place;		 /* in the settings */
	struct fy_node *section; /* where a wrong fallback is reported; NULL: an empty one */
};

/* From a node of the document. False: a mistake, which is reported there. */
bool bind_value(const struct binding *binding, struct fy_node *node);
/* From the row's fallback. False: it is none, which is reported at the section: the
 * mistake is that of whoever wrote the row, and may come with a plugin. */
bool bind_fallback(const struct binding *binding);

/* An outline: a mapping whose values are expressions, mappings or lists of these.
 * Each expression is checked and reported where it stands. */
bool bind_outline(const struct binding *binding, struct fy_node *node);

/* Reports that a value is not what the row wants; `expected` NULL stands for the
 * form of the row's type, `node` NULL for the row's fallback. Returns false. */
bool bind_value_wrong(const struct binding *binding, struct fy_node *node, const char *expected);

/* What stands before the reason why a value is wrong: "" for one of the document. */
static inline const char *bind_value_origin(const struct fy_node *node)
{
	return node ? "" : "its default is wrong: ";
}

/* What an option of this type looks like: "a duration such as 500ms, …". */
const char *bind_value_form(int32_t type);

#endif
