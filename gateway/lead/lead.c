#include "lead/lead.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "lead/text.h"

#include <assert.h>

#define OPTION(member, label, kind, default_text, least, most, what)                             \
	{                                                                                        \
		.name = (label), .type = (kind), .offset = offsetof(struct lead_limits, member), \
		.fallback = (default_text), .min = (least), .max = (most), .help = (what)        \
	}

const struct lg_option lead_limit_options[] = {
	OPTION(extra_fields, "max_extra_fields", LG_INTEGER, "100", 0, 1000,
	       "how many fields that nobody knows one lead may carry"),
	OPTION(extra_name_bytes, "max_extra_name", LG_SIZE, "128", 16, 1024,
	       "longest name of such a field; longer names are cut"),
	OPTION(extra_value_bytes, "max_extra_value", LG_SIZE, "64KiB", 256, 1 << 20,
	       "longest value of such a field; longer values are cut"),
	OPTION(list_items, "max_list_items", LG_INTEGER, "50", 1, 1000,
	       "how many items each list of a lead may hold"),
	OPTION(raw_bytes, "max_raw", LG_SIZE, "1024", 64, 64 << 10,
	       "how much is kept of a value as it was sent; a longer one that no field could hold "
	       "is whole in extra, by its path"),
	OPTION(record_bytes, "max_record", LG_SIZE, "256KiB", 16 << 10, 16 << 20,
	       "largest record as JSON; a larger lead is refused"),
};
const size_t lead_limit_option_count = sizeof(lead_limit_options) / sizeof(lead_limit_options[0]);

struct lead *lead_new(struct arena *arena, const struct lead_limits *limits)
{
	struct lead *lead = arena_new(arena, struct lead);

	if (lead) {
		lead->arena = arena;
		lead->limits = limits;
	}
	return lead;
}

/* Appends a node to a list of at most list_items; every node begins with its
 * `next`. NULL: full, or memory ran out. */
static void *append_node(struct lead *lead, void *head, size_t size)
{
	void **link = head, *node;
	int64_t count = 0;

	for (; *link; link = *link)
		count++;
	if (count >= lead->limits->list_items)
		return NULL;
	node = arena_zalloc(lead->arena, size);
	*link = node;
	return node;
}

#define APPEND(lead, list) append_node((lead), &(lead)->list, sizeof(*(lead)->list))

static_assert(offsetof(struct lead_text, next) == 0, "lists link through their first member");
static_assert(offsetof(struct lead_pair, next) == 0, "lists link through their first member");
static_assert(offsetof(struct lead_profile, next) == 0, "lists link through their first member");
static_assert(offsetof(struct lead_consent, next) == 0, "lists link through their first member");

/* A valid copy. Absent stays absent. Clears `*good` when memory ran out. */
static struct lg_slice keep(struct lead *lead, struct lg_slice text, size_t limit_bytes, bool *good)
{
	struct lg_slice copy;

	if (!slice_present(text))
		return text;
	copy = text_valid(lead->arena, utf8_cut(text, limit_bytes));
	if (!slice_present(copy))
		*good = false;
	return copy;
}

/* Normalization may shorten what is too long, so more than the limit is taken;
 * no more than what `raw` could show of it. */
static size_t taken_bytes(const struct lead *lead, int field)
{
	return field_table[field].limit_bytes + (size_t)lead->limits->raw_bytes;
}

bool lead_set(struct lead *lead, int field, struct lg_slice value)
{
	bool good = true;

	if (field < 0 || field >= LG_FIELD_COUNT || field_table[field].type == FIELD_LIST)
		return false;
	lead->value[field] = keep(lead, value, taken_bytes(lead, field), &good);
	return good;
}

bool lead_add(struct lead *lead, int field, struct lg_slice text)
{
	struct lead_text *node;
	bool good = true;

	if (field < 0 || field >= LG_FIELD_COUNT || field_table[field].type != FIELD_LIST)
		return false;
	if (!slice_present(text))
		return true;
	node = APPEND(lead, list[field]);
	if (!node)
		return false;
	node->text = keep(lead, text, taken_bytes(lead, field), &good);
	return good;
}

/* A part of a profile; one that has to be cut is kept whole beside it. */
static struct lg_slice keep_part(struct lead *lead, const char *path, struct lg_slice text,
				 size_t limit_bytes, bool *good)
{
	if (text.length > limit_bytes)
		*good &= lead_keep_extra(lead, slice_from(path), text);
	return keep(lead, text, limit_bytes, good);
}

bool lead_add_profile(struct lead *lead, struct lg_slice network, struct lg_slice id,
		      struct lg_slice url)
{
	struct lead_profile *node = APPEND(lead, profiles);
	bool good = true;

	if (!node)
		return false;
	node->network = keep_part(lead, LEAD_NETWORK_PATH, network, LEAD_NETWORK_BYTES, &good);
	node->id = keep_part(lead, LEAD_PROFILE_ID_PATH, id, LEAD_PROFILE_ID_BYTES, &good);
	node->url = keep_part(lead, LEAD_PROFILE_URL_PATH, url, LEAD_PROFILE_URL_BYTES, &good);
	return good;
}

static struct lg_slice time_text(struct lead *lead, int64_t wall_ms, bool *good)
{
	char text[CLOCK_RFC3339_BYTES];

	if (wall_ms == 0)
		return (struct lg_slice){0};
	clock_format(wall_ms, text);
	return keep(lead, slice_from(text), sizeof(text), good);
}

/* Half a word is another word: a cut list of channels would refuse less than was refused. */
static bool words_fit(const struct lg_consent *consent)
{
	const struct lg_slice words[] = {consent->purpose, consent->channels, consent->basis,
					 consent->version, consent->method};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].length > LG_CONSENT_WORD_MAX)
			return false;
	return true;
}

bool lead_add_consent(struct lead *lead, const struct lg_consent *consent)
{
	struct lead_consent *node = words_fit(consent) ? APPEND(lead, consents) : NULL;
	bool good = true;

	if (!node)
		return false;
	node->state = consent->state;
	node->purpose = keep(lead, consent->purpose, LG_CONSENT_WORD_MAX, &good);
	node->channels = keep(lead, consent->channels, LG_CONSENT_WORD_MAX, &good);
	node->basis = keep(lead, consent->basis, LG_CONSENT_WORD_MAX, &good);
	node->text = keep(lead, consent->text, (size_t)lead->limits->extra_value_bytes, &good);
	node->version = keep(lead, consent->version, LG_CONSENT_WORD_MAX, &good);
	node->method = keep(lead, consent->method, LG_CONSENT_WORD_MAX, &good);
	node->at = time_text(lead, consent->at, &good);
	return good;
}

bool lead_suggest(struct lead *lead, struct lg_slice path, struct lg_slice value,
		  struct lg_slice why)
{
	struct lead_suggestion *node = APPEND(lead, suggestions);
	size_t limit = (size_t)lead->limits->raw_bytes;
	bool good = true;

	if (!node)
		return false;
	node->path = keep(lead, path, limit, &good);
	node->value = keep(lead, value, limit, &good);
	node->why = keep(lead, why, limit, &good);
	return good;
}

static bool append_pair(struct lead *lead, struct lead_pair **list, struct lg_slice name,
			struct lg_slice value)
{
	struct lead_pair *node = arena_new(lead->arena, struct lead_pair);

	if (!node)
		return false;
	node->name = name;
	node->value = value;
	while (*list)
		list = &(*list)->next;
	*list = node;
	return true;
}

static void note_cut(struct lead *lead, const char *option, int64_t bound)
{
	lead->cut_by = option;
	lead->cut_at = bound;
}

bool lead_keep_extra(struct lead *lead, struct lg_slice name, struct lg_slice value)
{
	const struct lead_limits *limits = lead->limits;
	bool good = true;

	name = keep(lead, slice_present(name) ? name : LG_SLICE(""),
		    (size_t)limits->extra_name_bytes, &good);
	value = keep(lead, value, (size_t)limits->extra_value_bytes, &good);
	if (!good || !append_pair(lead, &lead->extra, name, value))
		return false;
	lead->extra_count++;
	return true;
}

bool lead_add_extra(struct lead *lead, struct lg_slice name, struct lg_slice value)
{
	const struct lead_limits *limits = lead->limits;

	if (!slice_present(value))
		return true;
	if ((int64_t)value.length > limits->extra_value_bytes)
		note_cut(lead, "max_extra_value", limits->extra_value_bytes);
	if ((int64_t)lead->extra_count < limits->extra_fields)
		return lead_keep_extra(lead, name, value);
	note_cut(lead, "max_extra_fields", limits->extra_fields);
	return false;
}

struct lead_pair *lead_raw(const struct lead *lead, int field)
{
	struct lg_slice path = slice_from(field_table[field].path);

	for (struct lead_pair *raw = lead->raw; raw; raw = raw->next)
		if (slice_equal(raw->name, path))
			return raw;
	return NULL;
}

bool lead_keep_raw(struct lead *lead, int field, struct lg_slice value)
{
	struct lead_pair *raw = lead_raw(lead, field);
	size_t limit = (size_t)lead->limits->raw_bytes;
	bool good = true;

	if (!raw) {
		value = keep(lead, value, limit, &good);
		return good &&
		       append_pair(lead, &lead->raw, slice_from(field_table[field].path), value);
	}
	/* Of a scalar the first text is the one that was sent; a list has one for
	 * each of its items. */
	if (field_table[field].type != FIELD_LIST)
		return true;
	value = arena_printf(lead->arena, "%.*s\n%.*s", SLICE_ARGS(raw->value), SLICE_ARGS(value));
	if (!slice_present(value))
		return false;
	raw->value = utf8_cut(value, limit);
	return true;
}

bool lead_reachable(const struct lead *lead)
{
	return lead->value[LG_EMAIL].length > 0 || lead->value[LG_PHONE].length > 0 ||
	       lead->list[LG_OTHER_EMAILS] || lead->list[LG_OTHER_PHONES] || lead->profiles;
}

struct lg_slice lead_seen_at(const struct lead *lead)
{
	return slice_present(lead->value[LG_OCCURRED_AT]) ? lead->value[LG_OCCURRED_AT]
							  : lead->value[LG_CAPTURED_AT];
}

bool lead_intent_hard(const struct lead *lead)
{
	struct lg_slice kind = lead->value[LG_INQUIRY_KIND];

	return slice_is(kind, "quote") || slice_is(kind, "demo") || slice_is(kind, "callback");
}

/* The two groups stand in the table with the same rows in the same order. */
static_assert(LG_ATTRIBUTED_AT - LG_FIRST_ATTRIBUTED_AT == LG_LI_FAT_ID - LG_FIRST_LI_FAT_ID,
	      "attribution.first and attribution.last have the same fields");

static void start_attribution(struct lead *lead)
{
	bool any = false;

	for (int field = LG_LANDING_URL; field <= LG_LI_FAT_ID; field++)
		any |= slice_present(lead->value[field]);
	if (!any)
		return;
	lead->value[LG_ATTRIBUTED_AT] = lead_seen_at(lead);
	for (int field = LG_ATTRIBUTED_AT; field <= LG_LI_FAT_ID; field++)
		lead->value[field - LG_ATTRIBUTED_AT + LG_FIRST_ATTRIBUTED_AT] = lead->value[field];
}

struct lg_slice lead_status_start(int field)
{
	switch (field) {
	case LG_STAGE: return LG_SLICE("new");
	case LG_TEMPERATURE: return LG_SLICE("cold");
	case LG_INTENT: return LG_SLICE("soft");
	case LG_ROLE: return LG_SLICE("lead");
	case LG_QUALIFICATION: return LG_SLICE("none");
	case LG_TARGET: return LG_SLICE("unknown");
	case LG_SCORE: return LG_SLICE("0");
	default: return slice_of(NULL, 0);
	}
}

void lead_status_new(struct lead *lead)
{
	struct lg_slice *value = lead->value;

	for (int field = LG_STAGE; field <= LG_SCORE; field++)
		value[field] = lead_status_start(field);
	if (lead_intent_hard(lead))
		value[LG_INTENT] = LG_SLICE("hard");
	value[LG_TOUCHES] = LG_SLICE("1");
	value[LG_FIRST_SEEN] = value[LG_LAST_SEEN] = lead_seen_at(lead);
	lead->reasons = NULL;
	for (struct lead_consent *it = lead->consents; it; it = it->next)
		if (!slice_present(it->at))
			it->at = lead_seen_at(lead);
	start_attribution(lead);
}
