/* What a merge did, value by value, and its JSON form. Everything lives in an
 * arena; values are borrowed and must live until the encoding. */
#ifndef LEAD_CHANGE_H
#define LEAD_CHANGE_H

#include "base/buffer.h"
#include "lead/lead.h"

enum change_kind { CHANGE_FILLED, CHANGE_ADDED, CHANGE_OVERWRITTEN, CHANGE_KEPT };
#define CHANGE_KINDS 4

/* One value; JSON by its kind. */
struct change_value {
	enum {
		CHANGE_NONE,
		CHANGE_TEXT,
		CHANGE_LITERAL, /* a number or truth value */
		CHANGE_CONSENT,
		CHANGE_PROFILE,
		CHANGE_REASON,
		CHANGE_SUGGESTION,
	} kind;
	struct lg_slice text;
	const void *object;
};

struct change {
	struct change *next;
	enum change_kind kind;
	struct lg_slice path;
	struct change_value from, to; /* `from` of overwritten ones alone */
};

struct change_list {
	struct arena *arena; /* fails when memory ran out */
	struct change *first, *last;
};

/* Of a field's text; CHANGE_NONE when it is absent. */
struct change_value change_field_value(int field, struct lg_slice text);

void change_add(struct change_list *list, enum change_kind kind, struct lg_slice path,
		struct change_value from, struct change_value to);

/* Appends the object that lead_merge describes. */
void change_encode(const struct change_list *list, const struct lg_slice *matched_by,
		   size_t matched_count, struct buffer *out);

#endif
