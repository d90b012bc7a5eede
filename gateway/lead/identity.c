#include "lead/identity.h"

#include "codec/digest.h"
#include "lead/email.h"
#include "lead/name.h"
#include "lead/profile.h"
#include "lead/profile_url.h"
#include "lead/record.h"

static uint64_t first_bytes(const uint8_t digest[SHA256_BYTES])
{
	uint64_t hash = 0;

	for (size_t i = 0; i < sizeof(hash); i++)
		hash = hash << 8 | digest[i];
	return hash;
}

/* Beside the kind in the byte that is hashed for it: no kind is as large. */
#define OF_A_TEST 0x80u

/* SHA-256 of secret, kind, scope, a zero byte and the value. The secret has one
 * length and comes first, and only 64 bits leave: nothing can be extended. */
static uint64_t keyed_hash(const uint8_t secret[IDENTITY_SECRET_BYTES], unsigned int kind,
			   struct lg_slice scope, struct lg_slice value)
{
	char head[IDENTITY_SECRET_BYTES + 1];
	const struct lg_slice parts[] = {
		slice_of(head, sizeof(head)),
		scope,
		slice_of("", 1),
		value,
	};
	uint8_t digest[SHA256_BYTES];

	memcpy(head, secret, IDENTITY_SECRET_BYTES);
	head[IDENTITY_SECRET_BYTES] = (char)kind;
	sha256(parts, 4, digest);
	return first_bytes(digest);
}

uint64_t identity_hash(const uint8_t secret[IDENTITY_SECRET_BYTES], enum identity_kind kind,
		       struct lg_slice scope, struct lg_slice value)
{
	return keyed_hash(secret, kind, scope, value);
}

uint64_t identity_test_hash(const uint8_t secret[IDENTITY_SECRET_BYTES], enum identity_kind kind,
			    struct lg_slice scope, struct lg_slice value)
{
	return keyed_hash(secret, kind | OF_A_TEST, scope, value);
}

uint64_t identity_content_hash(uint64_t delivery, const uint8_t digest[IDENTITY_DIGEST_BYTES])
{
	char key[sizeof(delivery)];
	const struct lg_slice parts[] = {
		slice_of(key, sizeof(key)),
		slice_of((const char *)digest, IDENTITY_DIGEST_BYTES),
	};
	uint8_t sum[SHA256_BYTES];

	/* It is stored, so its bytes have one order on every machine. */
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (char)(delivery >> 8 * (sizeof(key) - 1 - i));
	sha256(parts, 2, sum);
	return first_bytes(sum);
}

struct collector {
	const uint8_t *secret;
	unsigned int kinds;
	struct identity_keys *keys;
	struct identity_keys weak; /* come behind all others */
};

static void add_key(struct identity_keys *keys, const struct identity_key *key)
{
	if (keys->count == IDENTITY_KEYS_MAX)
		return;
	for (size_t i = 0; i < keys->count; i++)
		if (keys->keys[i].hash == key->hash)
			return;
	keys->keys[keys->count++] = *key;
}

static void collect(struct collector *collector, enum identity_kind kind, uint8_t flags,
		    struct lg_slice scope, struct lg_slice value)
{
	struct identity_keys *keys = flags & IDENTITY_WEAK ? &collector->weak : collector->keys;
	struct identity_key key = {.kind = (uint8_t)kind, .flags = flags};

	if (!(collector->kinds & 1u << kind) || value.length == 0 ||
	    keys->count == IDENTITY_KEYS_MAX)
		return;
	key.hash = identity_hash(collector->secret, kind, scope, value);
	add_key(keys, &key);
}

#define NO_SCOPE LG_SLICE("")

static void collect_email(struct collector *collector, struct lg_slice email)
{
	char room[EMAIL_IDENTITY_BYTES];
	struct lg_slice identity;

	if (email.length == 0)
		return;
	identity = email_identity(email, room);
	collect(collector, IDENTITY_EMAIL, email_identity_is_role(identity) ? IDENTITY_WEAK : 0,
		NO_SCOPE, identity);
}

static void collect_profile_url(struct collector *collector, const struct lead_profile *profile)
{
	char room[LEAD_PROFILE_URL_BYTES];

	collect(collector, IDENTITY_PROFILE, 0, profile->network,
		profile_url_identity(profile->url, room));
}

void identity_person(const struct lead *lead, const uint8_t secret[IDENTITY_SECRET_BYTES],
		     unsigned int kinds, struct identity_keys *keys)
{
	struct collector collector = {.secret = secret, .kinds = kinds, .keys = keys};
	const struct lead_text *other;

	keys->count = 0;
	collect_email(&collector, lead->value[LG_EMAIL]);
	collect(&collector, IDENTITY_PHONE, 0, NO_SCOPE, lead->value[LG_PHONE]);
	for (const struct lead_profile *it = lead->profiles; it; it = it->next)
		if (it->id.length > 0)
			collect(&collector, IDENTITY_PROFILE, 0, it->network, it->id);
		else
			collect_profile_url(&collector, it);
	for (other = lead->list[LG_OTHER_EMAILS]; other; other = other->next)
		collect_email(&collector, other->text);
	for (other = lead->list[LG_OTHER_PHONES]; other; other = other->next)
		collect(&collector, IDENTITY_PHONE, 0, NO_SCOPE, other->text);
	for (const struct lead_profile *it = lead->profiles; it; it = it->next)
		if (it->id.length > 0)
			collect_profile_url(&collector, it);
	for (size_t i = 0; i < collector.weak.count; i++)
		add_key(keys, &collector.weak.keys[i]);
}

/* ---- the digest ---- */

/* Bytes to be digested. When the room is full, what is there is digested and its
 * digest begins the next room: content of any length without an allocation. */
struct content {
	size_t used;
	char room[4096];
};

static void content_turn(struct content *content)
{
	uint8_t digest[SHA256_BYTES];

	sha256(&(struct lg_slice){content->room, content->used}, 1, digest);
	memcpy(content->room, digest, sizeof(digest));
	content->used = sizeof(digest);
}

/* More than there is room for. */
static void content_long(struct content *content, const char *at, size_t size)
{
	while (size > 0) {
		size_t step = sizeof(content->room) - content->used;

		if (step == 0) {
			content_turn(content);
			continue;
		}
		if (step > size)
			step = size;
		memcpy(content->room + content->used, at, step);
		content->used += step;
		at += step;
		size -= step;
	}
}

static inline void content_bytes(struct content *content, const void *data, size_t size)
{
	if (size > sizeof(content->room) - content->used) {
		content_long(content, data, size);
		return;
	}
	memcpy(content->room + content->used, data, size);
	content->used += size;
}

/* A field by the hash of its path, which no other row shares. */
static void content_field(struct content *content, int field)
{
	content_bytes(content, &field_keys[field].hash, sizeof(field_keys[field].hash));
}

/* A value with its length, so that no two contents give the same bytes. */
static void content_value(struct content *content, struct lg_slice value)
{
	uint32_t length = slice_present(value) ? (uint32_t)value.length : UINT32_MAX;
	const unsigned char head[4] = {(unsigned char)(length >> 24), (unsigned char)(length >> 16),
				       (unsigned char)(length >> 8), (unsigned char)length};

	content_bytes(content, head, sizeof(head));
	if (value.length)
		content_bytes(content, value.data, value.length);
}

static void content_named(struct content *content, const char *name, struct lg_slice value)
{
	content_value(content, slice_from(name));
	content_value(content, value);
}

static bool is_content(int field)
{
	if (field_table[field].host_only || field_table[field].type == FIELD_TIME)
		return false;
	if (field >= LG_CLIENT_IP && field <= LG_PAGE_URL)
		return false;
	return field < LG_FIRST_ATTRIBUTED_AT || field > LG_LI_FAT_ID;
}

static void digest_field(struct content *content, const struct lead *lead, int field)
{
	if (slice_present(lead->value[field])) {
		content_field(content, field);
		content_value(content, lead->value[field]);
	}
	for (const struct lead_text *item = lead->list[field]; item; item = item->next) {
		content_field(content, field);
		content_value(content, item->text);
	}
}

static void digest_consents(struct content *content, const struct lead *lead)
{
	for (const struct lead_consent *it = lead->consents; it; it = it->next) {
		content_named(content, "consent", it->purpose);
		content_value(content, slice_from(record_consent_state_name(it->state)));
		content_value(content, it->channels);
		content_value(content, it->basis);
		content_value(content, it->text);
		content_value(content, it->version);
		content_value(content, it->method);
	}
}

void identity_digest(const struct lead *lead, uint8_t digest[IDENTITY_DIGEST_BYTES])
{
	struct content content;

	content.used = 0;
	for (int field = 0; (field = lead_next_field(lead, field, LG_FIELD_COUNT)) < LG_FIELD_COUNT;
	     field++)
		if (is_content(field))
			digest_field(&content, lead, field);
	for (const struct lead_pair *raw = lead->raw; raw; raw = raw->next) {
		int field = field_by_path(raw->name);

		if (field >= 0 && is_content(field) && !slice_present(lead->value[field])) {
			content_named(&content, "raw", raw->name);
			content_value(&content, raw->value);
		}
	}
	for (const struct lead_profile *it = lead->profiles; it; it = it->next) {
		content_named(&content, "profile", it->network);
		content_value(&content, it->id);
		content_value(&content, it->url);
	}
	digest_consents(&content, lead);
	for (const struct lead_pair *it = lead->extra; it; it = it->next) {
		content_named(&content, "extra", it->name);
		content_value(&content, it->value);
	}
	content_turn(&content);
	memcpy(digest, content.room, IDENTITY_DIGEST_BYTES);
}

/* ---- the same person ---- */

/* What two leads say of one kind. */
struct relation {
	bool equal;	/* a value is shared */
	bool strong;	/* and it is a strong one */
	bool different; /* both have strong values, and share none */
};

static bool same_email(struct lg_slice a, struct lg_slice b)
{
	char one[EMAIL_IDENTITY_BYTES], other[EMAIL_IDENTITY_BYTES];

	return slice_equal(email_identity(a, one), email_identity(b, other));
}

/* The first value of a lead and those in its list, one after the other. */
struct values {
	struct lg_slice first;
	const struct lead_text *others;
};

static bool next_value(struct values *values, struct lg_slice *value)
{
	if (values->first.length > 0) {
		*value = values->first;
		values->first = slice_of(NULL, 0);
		return true;
	}
	if (!values->others)
		return false;
	*value = values->others->text;
	values->others = values->others->next;
	return true;
}

static bool never(struct lg_slice value)
{
	(void)value;
	return false;
}

static struct relation relate(struct values a, struct values b,
			      bool (*same)(struct lg_slice, struct lg_slice),
			      bool (*weak)(struct lg_slice))
{
	struct relation relation = {0};
	bool strong_a = false, strong_b = false;
	struct lg_slice one, other;

	while (next_value(&a, &one)) {
		struct values rest = b;

		strong_a |= !weak(one);
		while (next_value(&rest, &other)) {
			strong_b |= !weak(other);
			if (same(one, other)) {
				relation.equal = true;
				relation.strong |= !weak(one);
			}
		}
	}
	relation.different = strong_a && strong_b && !relation.strong;
	return relation;
}

static struct relation relate_emails(const struct lead *a, const struct lead *b)
{
	return relate((struct values){a->value[LG_EMAIL], a->list[LG_OTHER_EMAILS]},
		      (struct values){b->value[LG_EMAIL], b->list[LG_OTHER_EMAILS]}, same_email,
		      email_role);
}

static struct relation relate_phones(const struct lead *a, const struct lead *b)
{
	return relate((struct values){a->value[LG_PHONE], a->list[LG_OTHER_PHONES]},
		      (struct values){b->value[LG_PHONE], b->list[LG_OTHER_PHONES]}, slice_equal,
		      never);
}

/* Profiles differ only within one network. */
static struct relation relate_profiles(const struct lead *a, const struct lead *b)
{
	struct relation relation = {0};

	for (const struct lead_profile *one = a->profiles; one; one = one->next)
		for (const struct lead_profile *other = b->profiles; other; other = other->next) {
			if (profile_same(one, other))
				relation.equal = relation.strong = true;
			relation.different |= profile_differs(one, other);
		}
	relation.different &= !relation.equal;
	return relation;
}

unsigned int identity_shared(const struct lead *a, const struct lead *b)
{
	return (unsigned int)relate_emails(a, b).equal << IDENTITY_EMAIL |
	       (unsigned int)relate_phones(a, b).equal << IDENTITY_PHONE |
	       (unsigned int)relate_profiles(a, b).equal << IDENTITY_PROFILE;
}

bool identity_is_test(const struct lead *lead)
{
	return slice_is(lead->value[LG_IS_TEST], "true");
}

/* A test is nobody: a person who was recorded in it would be kept from the sinks
 * with it, and a test must not write into a person's record. */
bool identity_same_person(const struct lead *known, const struct lead *touch)
{
	if (identity_is_test(known) != identity_is_test(touch))
		return false;
	struct relation email = relate_emails(known, touch);
	struct relation phone = relate_phones(known, touch);
	struct relation profile = relate_profiles(known, touch);

	if (!email.strong && !phone.strong && !profile.strong)
		return false;
	if (!email.different && !phone.different && !profile.different)
		return true;
	return identity_names_agree(known, touch);
}

bool identity_names_agree(const struct lead *a, const struct lead *b)
{
	char one[NAME_BYTES], other[NAME_BYTES];

	return name_agrees(name_of(a, one), name_of(b, other));
}
