/* The record as expressions see it: a reader over its JSON form, and the names
 * that it has. */
#ifndef LEAD_BINDING_H
#define LEAD_BINDING_H

#include "codec/json.h"
#include "expr/expr.h"

/* A reader whose root is `root`, an object: a parsed record, or any other JSON.
 * The tree outlives the reader, and its nodes are `const struct json *`. */
struct expr_reader binding_reader(const struct json *root);

/* One JSON value as an expression gets it. A whole number beyond 64 bits is
 * text: ids of 20 digits stay what they are. For readers with roots of their
 * own, whose further nodes are JSON: member and next of binding_reader work on
 * any of these. */
void binding_value(const struct json *json, struct expr_value *value);

/* All paths of the record; lives for ever. */
const struct expr_names *binding_names(void);
/* These and what event_binding.h adds; lives for ever. */
const struct expr_names *binding_event_names(void);

/* expr_check_answer with the record's names. */
bool binding_check(struct lg_slice text, struct error *error);

#endif
