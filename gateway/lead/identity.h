/* Keys by which the same person, submission and delivery are recognised.
 * A key is a keyed 64-bit hash of a canonical value: the plus-tag and, for
 * Gmail, the dots of an address, and what of a profile's URL is only spelling are
 * left out here and only here. */
#ifndef LEAD_IDENTITY_H
#define LEAD_IDENTITY_H

#include <leadgate/option.h>

#include "lead/lead.h"

enum identity_kind {
	IDENTITY_EMAIL = 1,
	IDENTITY_PHONE = 2,
	IDENTITY_PROFILE = 3,	 /* the person */
	IDENTITY_DELIVERY = 4,	 /* provider's id or Idempotency-Key, scoped to the source */
	IDENTITY_SUBMISSION = 5, /* digest of the content, scoped to the source */
};

#define IDENTITY_WEAK 1u	/* role address: never matches alone */
#define IDENTITY_IDEMPOTENCY 2u /* of a delivery key: other content is refused */

struct identity_key {
	uint64_t hash;
	uint8_t kind;
	uint8_t flags;
};

#define IDENTITY_KEYS_MAX 16
#define IDENTITY_SECRET_BYTES 32
#define IDENTITY_DIGEST_BYTES 16

struct identity_keys {
	struct identity_key keys[IDENTITY_KEYS_MAX];
	size_t count;
};

/* Keys of the person, of the kinds in `kinds` (bits 1 << IDENTITY_EMAIL …), of
 * a normalized lead. What does not fit is left out: strong keys come first, of
 * them the first email, phone and profiles, then other addresses, then the URLs
 * of profiles that have an id too. */
void identity_person(const struct lead *lead, const uint8_t secret[IDENTITY_SECRET_BYTES],
		     unsigned int kinds, struct identity_keys *keys);

/* Digest of the normalized content: what a plugin may set, with products,
 * profiles, consents and further fields; without client, attribution and times.
 * What could not be read counts as it was sent. */
void identity_digest(const struct lead *lead, uint8_t digest[IDENTITY_DIGEST_BYTES]);

/* Hash of anything else under a scope ("contact-form"). A test counts as nobody: a real
 * lead must not be taken for the repetition of one, so what only its source knows it by
 * (IDENTITY_DELIVERY, IDENTITY_SUBMISSION) has hashes of its own, identity_test_hash. */
uint64_t identity_hash(const uint8_t secret[IDENTITY_SECRET_BYTES], enum identity_kind kind,
		       struct lg_slice scope, struct lg_slice value);
uint64_t identity_test_hash(const uint8_t secret[IDENTITY_SECRET_BYTES], enum identity_kind kind,
			    struct lg_slice scope, struct lg_slice value);

/* Whether a normalized lead is a test. */
bool identity_is_test(const struct lead *lead);

/* Hash of one content under a delivery key, made of the key's hash and the content's digest:
 * whoever does not know the secret cannot choose it either. */
uint64_t identity_content_hash(uint64_t delivery, const uint8_t digest[IDENTITY_DIGEST_BYTES]);

/* The kinds (bits 1 << IDENTITY_EMAIL …) in which the two share a value in its
 * canonical form, weak ones too: verifies what an equal hash suggests. */
unsigned int identity_shared(const struct lead *a, const struct lead *b);

/* Whether a touch that shares a key is the known person: one strong kind has an
 * equal value, and no other strong kind is known with a different one, unless
 * the names agree. A test and a lead that is none are never the same. */
bool identity_same_person(const struct lead *known, const struct lead *touch);

/* Whether both are named and the names can be one person's: case, accents,
 * order and punctuation do not matter; one may leave out parts that the other
 * has, as long as two parts are shared. Initials prove nothing. */
bool identity_names_agree(const struct lead *a, const struct lead *b);

#endif
