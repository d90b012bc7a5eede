/* A hash of 128 bits under a secret, for tables of fixed size that strangers
 * fill with keys of their own choice. Pure; any thread. */
#ifndef BASE_KEYED_HASH_H
#define BASE_KEYED_HASH_H

#include <stdint.h>

/* Every bit of the input reaches every bit of the result (the finalizer that
 * SplitMix64 uses). */
static inline uint64_t keyed_hash_mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static inline uint64_t keyed_hash(const uint64_t secret[3], const uint64_t key[2])
{
	uint64_t hash = keyed_hash_mix(key[0] ^ secret[0]);

	return keyed_hash_mix(hash + keyed_hash_mix(key[1] ^ secret[1]) + secret[2]);
}

#endif
