/* A sink's `mapping`: the body that its destination wants, made of each event by
 * expressions that are compiled for one lane.
 *
 *   mapping:
 *     email: person.email
 *     source: "'website'"
 *     properties: { size: "organization.employees or 0", tags: ["source.name", "inquiry.kind"] }
 *
 * They see what lead/event_binding.h says. A value that is nil leaves its field
 * out, and so does a mapping or list in which nothing is left. Numbers, truth
 * values, lists and parts of the record stay what they are. */
#ifndef SINK_MAPPING_H
#define SINK_MAPPING_H

#include "base/arena.h"
#include "base/error.h"
#include "base/outline.h"
#include "expr/expr.h"
#include "lead/event_binding.h"

enum mapping_form { MAPPING_JSON, MAPPING_FORM };
#define MAPPING_FORM_CHOICES "json|form"

struct mapping;

/* `outline`, a mapping whose expressions were checked, outlives it. `max_bytes`: of
 * one body. NULL with a reason that begins with the value's path: memory ran out,
 * or a form is to be made of mappings within the mapping. One thread at a time. */
struct mapping *mapping_new(const struct outline *outline, enum mapping_form form,
			    int64_t max_bytes, const struct expr_limits *limits,
			    struct error *error);
void mapping_free(struct mapping **mapping);

/* Makes the body of an event (of which all but `root` is set) in the arena. False
 * with a reason that names the field and quotes nothing of the lead: an expression
 * failed, or the body is too large. */
bool mapping_make(struct mapping *mapping, struct event_binding *event, struct arena *arena,
		  struct lg_slice *body, struct error *error);

/* "application/json" or "application/x-www-form-urlencoded"; lives for ever. */
struct lg_slice mapping_media_type(const struct mapping *mapping);

#endif
