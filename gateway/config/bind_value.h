/* One option's value into its place in the settings. Main thread. */
#ifndef CONFIG_BIND_VALUE_H
#define CONFIG_BIND_VALUE_H

#include "config/bind.h"

/* What is being filled, and where a mistake is reported. */
struct binding {
	struct document *document;
	const struct bind_hooks *hooks; /* never NULL */
	const struct lg_option *row;
	void *place; /* in the settings */
};

/* From a node of the document. False: a mistake, which is reported there. */
bool bind_value(const struct binding *binding, struct fy_node *node);
/* From the row's fallback. A fallback that cannot be read ends the process. */
void bind_fallback(const struct binding *binding);

/* An outline: a mapping whose values are expressions, mappings or lists of these.
 * Each expression is checked and reported where it stands. */
bool bind_outline(const struct binding *binding, struct fy_node *node);

/* Reports that a value is not what the row wants; `expected` NULL stands for the
 * form of the row's type. Returns false. */
bool bind_value_wrong(const struct binding *binding, struct fy_node *node, const char *expected);

/* What an option of this type looks like: "a duration such as 500ms, …". */
const char *bind_value_form(int32_t type);

#endif
