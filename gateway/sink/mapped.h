/* What a mapping made of one event: a tree of values, and its two written forms.
 * Pure; any thread. */
#ifndef SINK_MAPPED_H
#define SINK_MAPPED_H

#include "base/buffer.h"
#include "base/outline.h"
#include "expr/expr.h"

/* What came out as nil is not there. */
struct mapped {
	enum outline_kind kind;
	struct lg_slice name;	 /* within a mapping */
	struct expr_value value; /* nodes are `const struct json *` */
	struct mapped *items;
	size_t count;
};

/* Appends the root, a mapping, as one line of JSON. Failures are the buffer's. */
void mapped_json(const struct mapped *root, struct buffer *out);

/* The same as application/x-www-form-urlencoded: a list gives its name once for
 * each item, true and false are these words. False, with a reason, for a value
 * that is an object, which a form cannot hold. */
bool mapped_form(const struct mapped *root, struct buffer *out, struct error *error);

#endif
