/* Digests and signatures over OpenSSL 3. They allocate nothing, but the first
 * signature of a kind on each thread. Any thread. */
#ifndef CODEC_DIGEST_H
#define CODEC_DIGEST_H

#include "base/slice.h"

#define SHA256_BYTES 32
#define DIGEST_MAX_BYTES 64

enum digest_kind { DIGEST_SHA1 = 1, DIGEST_SHA256 = 2, DIGEST_SHA512 = 3 };

/* All parts in order, as if joined. */
void sha256(const struct lg_slice *parts, size_t count, uint8_t out[SHA256_BYTES]);

/* The same of bytes that come one after the other. Constant in size; nothing to free. */
struct sha256_sum {
	uint64_t context[16];
};
void sha256_sum_init(struct sha256_sum *sum);
void sha256_sum_add(struct sha256_sum *sum, struct lg_slice bytes);
/* Once, at the end. */
void sha256_sum_end(struct sha256_sum *sum, uint8_t out[SHA256_BYTES]);

/* HMAC (RFC 2104). Returns the bytes written, 0 for an unknown kind. */
size_t hmac(enum digest_kind kind, struct lg_slice key, struct lg_slice message,
	    uint8_t out[DIGEST_MAX_BYTES]);

/* In constant time for equal lengths. */
bool digest_equal(struct lg_slice a, struct lg_slice b);

#endif
