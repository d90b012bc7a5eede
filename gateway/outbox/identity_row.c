#include "outbox/identity_row.h"

#include <endian.h>
#include <string.h>

#define HEAD_BYTES (1 + IDENTITY_DIGEST_BYTES)
#define KEY_BYTES 10

static void pack_key(const struct identity_key *key, uint8_t *out)
{
	out[0] = key->kind;
	out[1] = key->flags;
	uint64_t hash = htole64(key->hash);
	memcpy(out + 2, &hash, sizeof(hash));
}

static void unpack_key(struct identity_key *key, const uint8_t *in)
{
	key->kind = in[0];
	key->flags = in[1];
	memcpy(&key->hash, in + 2, sizeof(key->hash));
	key->hash = le64toh(key->hash);
}

size_t identity_row_pack(const struct identity_row *row, uint8_t out[IDENTITY_ROW_BYTES_MAX])
{
	out[0] = row->flags;
	memcpy(out + 1, row->digest, IDENTITY_DIGEST_BYTES);
	for (size_t i = 0; i < row->key_count; i++)
		pack_key(&row->keys[i], out + HEAD_BYTES + KEY_BYTES * i);
	return HEAD_BYTES + KEY_BYTES * row->key_count;
}

bool identity_row_unpack(struct identity_row *row, struct lg_slice packed)
{
	const uint8_t *in = (const uint8_t *)packed.data;

	if (packed.length < HEAD_BYTES || packed.length > IDENTITY_ROW_BYTES_MAX ||
	    (packed.length - HEAD_BYTES) % KEY_BYTES != 0)
		return false;
	row->flags = in[0];
	memcpy(row->digest, in + 1, IDENTITY_DIGEST_BYTES);
	row->key_count = (packed.length - HEAD_BYTES) / KEY_BYTES;
	for (size_t i = 0; i < row->key_count; i++)
		unpack_key(&row->keys[i], in + HEAD_BYTES + KEY_BYTES * i);
	return true;
}

enum identity_place identity_row_place(const struct identity_key *key, unsigned int key_kinds)
{
	if (key->flags & (IDENTITY_ROW_UNINDEXED | IDENTITY_WEAK))
		return IDENTITY_PLACE_NONE;
	if (key->kind == IDENTITY_SUBMISSION)
		return IDENTITY_PLACE_RECENT;
	if (key->kind == IDENTITY_DELIVERY || key_kinds & 1u << key->kind)
		return IDENTITY_PLACE_PERSONS;
	return IDENTITY_PLACE_NONE;
}

bool identity_row_has(const struct identity_row *row, const struct identity_key *key)
{
	for (size_t i = 0; i < row->key_count; i++)
		if (row->keys[i].hash == key->hash && row->keys[i].kind == key->kind)
			return true;
	return false;
}
