/* A sink's `when`: which leads it wants, compiled for one lane.
 *
 * The expression sees the lead record as the event has it. Events without one
 * (lead.erased, gateway.alert) pass. One thread at a time. */
#ifndef SINK_FILTER_H
#define SINK_FILTER_H

#include "expr/expr.h"

struct filter;

/* NULL with a reason: memory ran out, or it is no expression, which the check of
 * the configuration would have found. */
struct filter *filter_new(struct lg_slice when, const struct expr_limits *limits,
			  struct error *error);
void filter_free(struct filter **filter);

/* Whether the sink wants the event with this body. False with a reason that quotes
 * nothing of the lead: the expression failed, and nobody knows. */
bool filter_test(struct filter *filter, struct lg_slice body, bool *wanted, struct error *error);

#endif
