/* JSON (RFC 8259) bytes to a tree of values in an arena. Numbers keep their
 * text, so that 20-digit ids and 1.10 survive. A byte order mark is skipped,
 * UTF-8 is checked, nesting is bounded, a repeated member name is an error.
 * Pure; any thread; the tree lives as long as the arena and borrows nothing. */
#ifndef CODEC_JSON_H
#define CODEC_JSON_H

#include "base/arena.h"
#include "base/error.h"

#define JSON_DEPTH_MAX 64

enum json_kind {
	JSON_NULL = 0, /* the numbers of LG_JSON_… */
	JSON_TRUE = 1,
	JSON_FALSE = 2,
	JSON_NUMBER = 3,
	JSON_STRING = 4,
	JSON_ARRAY = 5,
	JSON_OBJECT = 6,
};

struct json {
	enum json_kind kind;
	struct lg_slice name; /* in an object: this member's name */
	struct lg_slice text; /* a string, decoded; a number, as written */
	struct json *first;   /* of an array or object */
	struct json *next;    /* sibling */
	struct json *parent;
};

/* NULL with a sentence that names line and column when the bytes are no JSON. */
struct json *json_parse(struct arena *arena, struct lg_slice bytes, struct error *error);

/* NULL when `value` is NULL, no object, or has no such member. */
const struct json *json_member(const struct json *value, const char *name);
const struct json *json_member_slice(const struct json *value, struct lg_slice name);
/* The text of a string or number member; absent otherwise. */
struct lg_slice json_member_text(const struct json *value, const char *name);

#endif
