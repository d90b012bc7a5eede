/* Records as people read them: a line a value. Standard output. */
#ifndef VERBS_PRINT_H
#define VERBS_PRINT_H

#include "base/buffer.h"
#include "codec/json.h"

/* Writes `out` to standard output and empties it. False when it cannot be
 * written, with a line on standard error. */
bool print_buffer(struct buffer *out);

/* Each scalar below `value` on a line: "person.email  ada@example.com". Control
 * characters, which could move a terminal's cursor, are shown as "?". */
void print_flat(struct buffer *out, const struct json *value);

/* Text with control characters shown as "?", cut or filled to `width` columns
 * (0: as it is). */
void print_cell(struct buffer *out, struct lg_slice text, size_t width);

#endif
