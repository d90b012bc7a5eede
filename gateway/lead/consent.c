#include "lead/consent.h"

#include "codec/digest.h"
#include "codec/hex.h"
#include "lead/text.h"

#define PATH LG_SLICE("consent")

static bool clean_line(struct lead *lead, struct lg_slice *text, size_t limit_bytes)
{
	if (!slice_present(*text))
		return true;
	*text = text_line(lead->arena, *text, limit_bytes);
	if (text->length == 0)
		*text = slice_of(NULL, 0);
	return !lead->arena->failed;
}

/* The text stands as it was shown: it is evidence. */
bool consent_normalize(struct lead *lead)
{
	for (struct lead_consent *it = lead->consents; it; it = it->next) {
		uint8_t digest[SHA256_BYTES];
		char hex[2 * SHA256_BYTES + 1];

		if (!clean_line(lead, &it->purpose, SIZE_MAX) ||
		    !clean_line(lead, &it->channels, SIZE_MAX) ||
		    !clean_line(lead, &it->basis, SIZE_MAX) ||
		    !clean_line(lead, &it->version, SIZE_MAX) ||
		    !clean_line(lead, &it->method, SIZE_MAX))
			return false;
		if (it->text.length == 0 || slice_present(it->text_sha256))
			continue;
		sha256(&it->text, 1, digest);
		hex_encode(slice_of((const char *)digest, sizeof(digest)), hex);
		it->text_sha256 = arena_copy(lead->arena, slice_from(hex));
		if (!slice_present(it->text_sha256))
			return false;
	}
	return true;
}

bool consent_refuses(const struct lead_consent *consent)
{
	return consent->state == LG_CONSENT_DENIED || consent->state == LG_CONSENT_WITHDRAWN;
}

static bool has_word(struct lg_slice words, struct lg_slice wanted)
{
	struct lg_slice word;

	while (slice_split(&words, ',', &word))
		if (slice_equal_nocase(slice_trim(word), wanted))
			return true;
	return false;
}

bool consent_overlaps(const struct lead_consent *a, const struct lead_consent *b)
{
	struct lg_slice words = a->channels, word;

	if (!slice_equal_nocase(a->purpose, b->purpose))
		return false;
	if (a->channels.length == 0 || b->channels.length == 0)
		return true;
	while (slice_split(&words, ',', &word))
		if (has_word(b->channels, slice_trim(word)))
			return true;
	return false;
}

static bool same_pairs(const struct lead_pair *a, const struct lead_pair *b)
{
	while (a && b && slice_equal(a->name, b->name) && slice_equal(a->value, b->value)) {
		a = a->next;
		b = b->next;
	}
	return !a && !b;
}

static bool same_statement(const struct lead_consent *a, const struct lead_consent *b)
{
	return a->state == b->state && slice_equal(a->purpose, b->purpose) &&
	       slice_equal(a->channels, b->channels) && slice_equal(a->basis, b->basis) &&
	       slice_equal(a->text, b->text) && slice_equal(a->version, b->version) &&
	       slice_equal(a->method, b->method) && same_pairs(a->evidence, b->evidence);
}

/* Times have one form, so their order as text is their order. Without a time
 * nothing is later than anything. */
static bool later(const struct lead_consent *a, const struct lead_consent *b)
{
	if (a->at.length == 0 || a->at.length != b->at.length)
		return false;
	return memcmp(a->at.data, b->at.data, a->at.length) > 0;
}

/* Whether taking a statement would widen what a refusal has closed. */
static bool widens(const struct lead_consent *known, const struct lead_consent *statement)
{
	if (consent_refuses(statement))
		return false;
	for (; known; known = known->next)
		if (consent_refuses(known) && consent_overlaps(known, statement) &&
		    !later(statement, known))
			return true;
	return false;
}

/* The last word on this purpose and channel says just this already: saying it
 * again must not fill the list. */
static bool repeats(const struct lead_consent *known, const struct lead_consent *statement)
{
	const struct lead_consent *last = NULL;

	for (; known; known = known->next)
		if (consent_overlaps(known, statement))
			last = known;
	return last && same_statement(last, statement);
}

static struct lead_pair *copy_pairs(struct arena *arena, const struct lead_pair *pairs)
{
	struct lead_pair *first = NULL, **link = &first;

	for (; pairs; pairs = pairs->next) {
		struct lead_pair *copy = arena_new(arena, struct lead_pair);

		if (!copy)
			break;
		copy->name = arena_copy(arena, pairs->name);
		copy->value = arena_copy(arena, pairs->value);
		*link = copy;
		link = &copy->next;
	}
	return first;
}

static struct lead_consent *copy_statement(struct arena *arena, const struct lead_consent *from)
{
	struct lead_consent *copy = arena_new(arena, struct lead_consent);

	if (!copy)
		return NULL;
	copy->state = from->state;
	copy->purpose = arena_copy(arena, from->purpose);
	copy->channels = arena_copy(arena, from->channels);
	copy->basis = arena_copy(arena, from->basis);
	copy->text = arena_copy(arena, from->text);
	copy->text_sha256 = arena_copy(arena, from->text_sha256);
	copy->version = arena_copy(arena, from->version);
	copy->method = arena_copy(arena, from->method);
	copy->at = arena_copy(arena, from->at);
	copy->evidence = copy_pairs(arena, from->evidence);
	return copy;
}

static void note(struct change_list *changes, enum change_kind kind,
		 const struct lead_consent *from, const struct lead_consent *to)
{
	struct change_value none = {.kind = CHANGE_NONE};
	struct change_value before = {.kind = CHANGE_CONSENT, .object = from};
	struct change_value after = {.kind = CHANGE_CONSENT, .object = to};

	change_add(changes, kind, PATH, from ? before : none, to ? after : none);
}

static bool full(const struct lead *lead)
{
	int64_t count = 0;

	for (const struct lead_consent *it = lead->consents; it; it = it->next)
		count++;
	return count >= lead->limits->list_items;
}

/* Takes the oldest statement that refuses nothing out of a full list. */
static struct lead_consent *take_oldest_grant(struct lead *lead)
{
	for (struct lead_consent **link = &lead->consents; *link; link = &(*link)->next) {
		struct lead_consent *found = *link;

		if (!consent_refuses(found)) {
			*link = found->next;
			return found;
		}
	}
	return NULL;
}

static void append(struct lead *lead, struct lead_consent *statement)
{
	struct lead_consent **link = &lead->consents;

	while (*link)
		link = &(*link)->next;
	*link = statement;
}

static void merge_statement(struct lead *known, const struct lead_consent *statement,
			    struct change_list *changes)
{
	struct lead_consent *removed = NULL, *copy;
	bool room = !full(known);

	if (repeats(known->consents, statement) || widens(known->consents, statement)) {
		note(changes, CHANGE_KEPT, NULL, statement);
		return;
	}
	if (!room && consent_refuses(statement))
		removed = take_oldest_grant(known);
	if (!room && !removed) {
		note(changes, CHANGE_KEPT, NULL, statement);
		return;
	}
	copy = copy_statement(known->arena, statement);
	if (!copy)
		return;
	append(known, copy);
	note(changes, removed ? CHANGE_OVERWRITTEN : CHANGE_ADDED, removed, copy);
}

void consent_merge(struct lead *known, const struct lead *touch, struct change_list *changes)
{
	for (const struct lead_consent *it = touch->consents; it; it = it->next)
		merge_statement(known, it, changes);
}
