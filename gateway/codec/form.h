/* application/x-www-form-urlencoded (WHATWG URL, section 5.1) to pairs.
 * Decoded bytes that are not UTF-8 are replaced by U+FFFD. Pure; any thread. */
#ifndef CODEC_FORM_H
#define CODEC_FORM_H

#include "base/arena.h"
#include "base/buffer.h"

struct form {
	struct lg_pair *pairs; /* in the order they came, duplicates kept */
	size_t count;
};

/* Pairs without anything to decode borrow from `bytes`; the rest lives in the
 * arena. False when there are more than `max_pairs` or memory ran out. */
bool form_parse(struct arena *arena, struct lg_slice bytes, size_t max_pairs, struct form *form);

/* As form_parse, for escapes that stand for bytes of a character set (a label that
 * charset_known takes). Everything lives in the arena. */
bool form_parse_in(struct arena *arena, struct lg_slice bytes, struct lg_slice charset,
		   size_t max_pairs, struct form *form);

/* The first value of a name; absent without one. */
struct lg_slice form_value(const struct form *form, const char *name);

/* Percent-decoding of one component; `plus` makes '+' a blank. Malformed
 * escapes stay as they are. Absent when memory ran out. */
struct lg_slice percent_decode(struct arena *arena, struct lg_slice s, bool plus);

/* Appends a name or value as a form has it (section 5.2): a blank is '+', what is
 * neither a letter, a digit nor one of "*-._" is percent-encoded. Failures are the
 * buffer's. */
void form_encode(struct buffer *out, struct lg_slice text);

#endif
