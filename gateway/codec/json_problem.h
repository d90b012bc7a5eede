/* Where and why bytes are no JSON: the slow path of json_parse, which a sender
 * reads. It decides by RFC 8259 alone, without the fast reader, so that the
 * two can be held against each other. Pure; any thread. */
#ifndef CODEC_JSON_PROBLEM_H
#define CODEC_JSON_PROBLEM_H

#include "base/slice.h"

struct json_problem {
	size_t offset;	  /* into the bytes */
	const char *text; /* what would be right; a literal */
};

/* False when the bytes are one JSON value of allowed depth. Repeated member
 * names are not looked for. */
bool json_problem_find(struct lg_slice bytes, struct json_problem *problem);

/* Line and column of an offset, both from 1; columns count characters. */
void json_problem_place(struct lg_slice bytes, size_t offset, size_t *line, size_t *column);

#endif
