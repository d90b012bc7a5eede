/* What a capture leaves in the identity table: its digest and its keys, packed.
 *
 *   flags u8 | digest 16 bytes | { kind u8, flags u8, hash u64 little endian } … */
#ifndef OUTBOX_IDENTITY_ROW_H
#define OUTBOX_IDENTITY_ROW_H

#include "base/random.h"
#include "base/slice.h"
#include "lead/identity.h"

#define IDENTITY_ROW_CREATED 1u /* of the row: it made its lead */

/* Of a key, beside IDENTITY_WEAK …: the index does not lead here by this key,
 * because it leads to the same lead already, or because the key is weak. Written
 * when the row is, so that a restart rebuilds the same index without a search. */
#define IDENTITY_ROW_UNINDEXED 0x80u

#define IDENTITY_ROW_KEYS_MAX (IDENTITY_KEYS_MAX + 1) /* the person's and one more */
#define IDENTITY_ROW_BYTES_MAX (1 + IDENTITY_DIGEST_BYTES + 10 * IDENTITY_ROW_KEYS_MAX)

struct identity_row {
	uint8_t lead_id[UUID_BYTES];
	int64_t at_ms;
	uint8_t flags;
	uint8_t digest[IDENTITY_DIGEST_BYTES];
	struct identity_key keys[IDENTITY_ROW_KEYS_MAX];
	size_t key_count;
};

/* Writes the packed form; returns its length. */
size_t identity_row_pack(const struct identity_row *row, uint8_t out[IDENTITY_ROW_BYTES_MAX]);

/* Reads flags, digest and keys. False when it is none. */
bool identity_row_unpack(struct identity_row *row, struct lg_slice packed);

/* Where in memory a key is found again. */
enum identity_place {
	IDENTITY_PLACE_NONE,	/* nowhere */
	IDENTITY_PLACE_PERSONS, /* with the keys of persons and deliveries, for ever */
	IDENTITY_PLACE_RECENT,	/* with the submissions, for their window */
};

/* `key_kinds` are the bits 1 << IDENTITY_… of the kinds that persons are known by. */
enum identity_place identity_row_place(const struct identity_key *key, unsigned int key_kinds);

bool identity_row_has(const struct identity_row *row, const struct identity_key *key);

#endif
