/* Random bytes from OpenSSL's generator, and the ids made of them.
 * Any thread; the process ends when the generator fails. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#define UUID_BYTES 16
#define UUID_TEXT_BYTES 37 /* with the closing zero byte */

void random_bytes(void *out, size_t size);
uint64_t random_u64(void);

/* Below `bound`, without bias; 0 when bound is 0. */
uint64_t random_below(uint64_t bound);

/* UUID version 7 (RFC 9562, section 5.7): `wall_ms`, then randomness. Ids that
 * one thread makes within one millisecond ascend (method 1 of section 6.2). */
void uuid_new(int64_t wall_ms, uint8_t out[UUID_BYTES]);
void uuid_format(const uint8_t uuid[UUID_BYTES], char out[UUID_TEXT_BYTES]);
/* 0, or -1 when the text (36 bytes, either case) is none. */
int uuid_parse(const char *text, size_t length, uint8_t out[UUID_BYTES]);

#endif
