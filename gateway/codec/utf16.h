/* UTF-16 (RFC 2781) to UTF-8, so that both ways between their offsets are known.
 * Pure; any thread. */
#ifndef CODEC_UTF16_H
#define CODEC_UTF16_H

#include "base/slice.h"

/* Bytes of UTF-8 that a number of bytes of UTF-16 becomes at most. */
#define UTF16_GROWN(bytes) ((bytes) / 2 * 3)

/* Writes what is whole of `bytes` to `out`, which has room for UTF16_GROWN of them, and
 * gives its length; `*taken` is how many bytes that was: all but an odd byte and half a
 * pair of surrogates at the end. A surrogate without its other half becomes U+FFFD. */
size_t utf16_decode(struct lg_slice bytes, bool big_endian, char *out, size_t *taken);

/* How many bytes of UTF-16 became `text`, which utf16_decode wrote. */
size_t utf16_length(struct lg_slice text);

#endif
