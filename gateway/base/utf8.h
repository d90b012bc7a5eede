/* UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing
 * above U+10FFFF. Pure; any thread. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/slice.h"

#define UTF8_END (-1)	  /* nothing left */
#define UTF8_INVALID (-2) /* the next byte begins no character */

bool utf8_valid(struct lg_slice s);
/* Whether all bytes are ASCII. */
bool utf8_ascii(struct lg_slice s);
/* The same of a text that is copied to `to` on the way, whatever it is. */
bool utf8_copy_ascii(char *to, struct lg_slice s);

/* At most `max_bytes` from the front, without cutting a character in two. */
struct lg_slice utf8_cut(struct lg_slice s, size_t max_bytes);

/* Takes the next character off `rest` and gives its code point; UTF8_INVALID
 * takes one byte off. */
int32_t utf8_next(struct lg_slice *rest);

#endif
