/* Hexadecimal. Pure; any thread. */
#ifndef CODEC_HEX_H
#define CODEC_HEX_H

#include "base/slice.h"

/* The value 0…15 of a digit of either case, or -1. */
int hex_digit(char c);

/* Lower case; `out` has 2 * length + 1 bytes and gets a closing zero byte. */
void hex_encode(struct lg_slice bytes, char *out);
/* Either case. Returns the bytes written, or -1 when it is no hex or too long. */
ptrdiff_t hex_decode(struct lg_slice text, uint8_t *out, size_t capacity);

#endif
