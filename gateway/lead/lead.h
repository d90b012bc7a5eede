/* The lead record in memory. Everything lives in one arena: nothing is freed by
 * itself. One thread at a time; the writer may read what a loop prepared. */
#ifndef LEAD_LEAD_H
#define LEAD_LEAD_H

#include <leadgate/option.h>
#include <leadgate/services.h>

#include "base/arena.h"
#include "base/error.h"
#include "lead/field.h"

/* A singly linked list in order of addition. */
struct lead_text {
	struct lead_text *next;
	struct lg_slice text;
};
struct lead_pair {
	struct lead_pair *next;
	struct lg_slice name, value;
};
struct lead_profile {
	struct lead_profile *next;
	struct lg_slice network, id, url;
};
struct lead_consent {
	struct lead_consent *next;
	int32_t state; /* LG_CONSENT_… */
	struct lg_slice purpose, channels, basis, text, text_sha256, version, method, at;
	struct lead_pair *evidence;
};
struct lead_reason {
	struct lead_reason *next;
	struct lg_slice rule, axis, from, to, at;
	int64_t points;
};
struct lead_suggestion {
	struct lead_suggestion *next;
	struct lg_slice path, value, why;
};

/* How much one lead may hold; options of the section `lead:`. */
struct lead_limits {
	int64_t extra_fields;	   /* 100 */
	int64_t extra_name_bytes;  /* 128 */
	int64_t extra_value_bytes; /* 64 KiB */
	int64_t list_items;	   /* 50, of each list */
	int64_t raw_bytes;	   /* 1024, of each raw value */
	int64_t record_bytes;	   /* 256 KiB, the JSON record */
};

struct lead {
	struct arena *arena;
	const struct lead_limits *limits;
	struct lg_slice value[LG_FIELD_COUNT];	/* scalars; absent without data */
	struct lead_text *list[LG_FIELD_COUNT]; /* of fields of type LIST */
	struct lead_profile *profiles;
	struct lead_consent *consents;
	struct lead_reason *reasons;
	struct lead_suggestion *suggestions;
	struct lead_pair *raw;	 /* name: the field's path */
	struct lead_pair *extra; /* a name may repeat */
	size_t extra_count;
	/* What an option of lead_limits left out of `extra` or cut off there; NULL: nothing. */
	const char *cut_by; /* its name */
	int64_t cut_at;	    /* its value */
};

#define LEAD_NETWORK_BYTES 64
#define LEAD_PROFILE_ID_BYTES 255
#define LEAD_PROFILE_URL_BYTES 2048

/* Where the parts of profiles are kept that no profile can hold. */
#define LEAD_NETWORK_PATH "person.profiles.network"
#define LEAD_PROFILE_ID_PATH "person.profiles.id"
#define LEAD_PROFILE_URL_PATH "person.profiles.url"

extern const struct lg_option lead_limit_options[];
extern const size_t lead_limit_option_count;

/* NULL when memory ran out. `limits` lives as long as the lead. */
struct lead *lead_new(struct arena *arena, const struct lead_limits *limits);

/* Each copies what it is given, cut at a character to what the limits allow, and
 * with U+FFFD for what is not UTF-8: no text of a lead is anything else.
 * Absent slices add nothing. False: full, not a field of that kind, or memory
 * ran out (then the arena has failed). */
bool lead_set(struct lead *lead, int field, struct lg_slice value);
bool lead_add(struct lead *lead, int field, struct lg_slice text);
bool lead_add_profile(struct lead *lead, struct lg_slice network, struct lg_slice id,
		      struct lg_slice url);
/* A word beyond LG_CONSENT_WORD_MAX is not cut: false, and nothing is added. */
bool lead_add_consent(struct lead *lead, const struct lg_consent *consent);
bool lead_add_extra(struct lead *lead, struct lg_slice name, struct lg_slice value);
/* What the record cannot hold of its own parts has room though extra is full: the parts
 * bound it. False: memory ran out. */
bool lead_keep_extra(struct lead *lead, struct lg_slice name, struct lg_slice value);
/* The first text of a scalar stays; those of a list's items are joined by line
 * feeds. */
bool lead_keep_raw(struct lead *lead, int field, struct lg_slice value);
/* What may be meant or is not quite certain, for a person to decide. */
bool lead_suggest(struct lead *lead, struct lg_slice path, struct lg_slice value,
		  struct lg_slice why);
/* NULL without one. */
struct lead_pair *lead_raw(const struct lead *lead, int field);

static inline struct lg_slice lead_get(const struct lead *lead, int field)
{
	return lead->value[field];
}

/* The first field from `field` on that has a value or items; `end` without one
 * before. Most fields of a lead are absent: this is how all are walked. */
static inline int lead_next_field(const struct lead *lead, int field, int end)
{
	while (field < end && !((uintptr_t)lead->value[field].data | (uintptr_t)lead->list[field]))
		field++;
	return field;
}

/* Whether one way to reach the person is left: email, phone or profile. */
bool lead_reachable(const struct lead *lead);

/* When the person was seen: occurred_at, or else captured_at. */
struct lg_slice lead_seen_at(const struct lead *lead);

/* Whether the inquiry asks for an answer from sales: a quote, a demo or a call. */
bool lead_intent_hard(const struct lead *lead);

/* What a field of the status says at the beginning; absent for other fields. */
struct lg_slice lead_status_start(int field);

/* What the first capture of a person carries: stage new, temperature cold, the
 * axes beside them at their beginnings, one touch, attribution.first as
 * attribution.last, and a time for consents that have none. After normalization;
 * the times must be set. Every capture is prepared so, before the writer knows
 * whether it is a first one. */
void lead_status_new(struct lead *lead);

#endif
