/* Records as people read them: a line a value. Standard output. */
#ifndef VERBS_PRINT_H
#define VERBS_PRINT_H

#include <stdio.h>

#include "base/buffer.h"
#include "codec/json.h"

/* Writes JSON or lines made of print_cell. JSON may hold DEL and C1 control
 * characters as they are (RFC 8259, section 7), which could move a terminal's
 * cursor: they become \u007f and the like, which means the same. False with
 * errno when not all can be written. */
bool print_escaped(FILE *stream, struct lg_slice text);

/* Writes `out` so to standard output and empties it. False when it cannot be
 * written, with a line on standard error. */
bool print_buffer(struct buffer *out);

/* Each scalar below `value` on a line: "person.email  ada@example.com". Control
 * characters, which could move a terminal's cursor, are shown as "?". */
void print_flat(struct buffer *out, const struct json *value);

/* Text with control characters shown as "?", cut or filled to `width` columns
 * (0: as it is). */
void print_cell(struct buffer *out, struct lg_slice text, size_t width);

/* What makes a word of that many: "1 sink", "2 sinks". */
static inline const char *print_plural(int64_t count)
{
	return count == 1 ? "" : "s";
}

#endif
