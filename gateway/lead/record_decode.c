#include "lead/record.h"

#include "codec/json.h"

struct decoder {
	struct lead *lead;
	struct error *error;
};

static bool wrong(const struct decoder *decoder, const struct json *value, const char *what)
{
	return error_set(decoder->error, "the record's member %.64s%.*s %s",
			 value->name.length > 64 ? "…" : "",
			 SLICE_ARGS(slice_cut(value->name, 0, 64)), what);
}

static bool no_memory(const struct decoder *decoder)
{
	return error_set(decoder->error, "no memory for a record");
}

/* A new node at the end of a list whose nodes begin with `next`. */
static void *append_node(struct decoder *decoder, void *head, size_t size)
{
	void **link = head;

	while (*link)
		link = *link;
	*link = arena_zalloc(decoder->lead->arena, size);
	if (!*link)
		no_memory(decoder);
	return *link;
}

#define APPEND(decoder, list) append_node((decoder), &(list), sizeof(*(list)))

/* Which slice of a node a member of the object fills. */
struct member {
	const char *name;
	size_t offset;
};

static bool decode_member(struct decoder *decoder, const struct json *value, void *node,
			  const struct member *members, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!slice_is(value->name, members[i].name))
			continue;
		if (value->kind != JSON_STRING)
			return wrong(decoder, value, "is no text");
		*(struct lg_slice *)(void *)((char *)node + members[i].offset) = value->text;
		return true;
	}
	return wrong(decoder, value, "is not known");
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool decode_profile(struct decoder *decoder, const struct json *object)
{
	static const struct member members[] = {
		{"network", offsetof(struct lead_profile, network)},
		{"id", offsetof(struct lead_profile, id)},
		{"url", offsetof(struct lead_profile, url)},
	};
	struct lead_profile *profile = APPEND(decoder, decoder->lead->profiles);

	if (!profile)
		return false;
	for (const struct json *value = object->first; value; value = value->next)
		if (!decode_member(decoder, value, profile, members, COUNT(members)))
			return false;
	return true;
}

static bool decode_suggestion(struct decoder *decoder, const struct json *object)
{
	static const struct member members[] = {
		{"path", offsetof(struct lead_suggestion, path)},
		{"value", offsetof(struct lead_suggestion, value)},
		{"why", offsetof(struct lead_suggestion, why)},
	};
	struct lead_suggestion *suggestion = APPEND(decoder, decoder->lead->suggestions);

	if (!suggestion)
		return false;
	for (const struct json *value = object->first; value; value = value->next)
		if (!decode_member(decoder, value, suggestion, members, COUNT(members)))
			return false;
	return true;
}

static bool to_i64(struct lg_slice text, int64_t *number)
{
	bool negative = slice_starts(text, "-");
	uint64_t magnitude;

	if (!slice_to_u64(slice_cut(text, negative, SIZE_MAX), &magnitude) || magnitude > INT64_MAX)
		return false;
	*number = negative ? -(int64_t)magnitude : (int64_t)magnitude;
	return true;
}

static bool decode_reason(struct decoder *decoder, const struct json *object)
{
	static const struct member members[] = {
		{"rule", offsetof(struct lead_reason, rule)},
		{"axis", offsetof(struct lead_reason, axis)},
		{"from", offsetof(struct lead_reason, from)},
		{"to", offsetof(struct lead_reason, to)},
		{"at", offsetof(struct lead_reason, at)},
	};
	struct lead_reason *reason = APPEND(decoder, decoder->lead->reasons);

	if (!reason)
		return false;
	for (const struct json *value = object->first; value; value = value->next) {
		if (slice_is(value->name, "points")) {
			if (value->kind != JSON_NUMBER || !to_i64(value->text, &reason->points))
				return wrong(decoder, value, "is no whole number");
		} else if (!decode_member(decoder, value, reason, members, COUNT(members))) {
			return false;
		}
	}
	return true;
}

static bool decode_pair(struct decoder *decoder, const struct json *value, struct lg_slice name,
			struct lead_pair ***end)
{
	struct lead_pair *pair;

	if (value->kind != JSON_STRING)
		return wrong(decoder, value, "is no text");
	pair = arena_new(decoder->lead->arena, struct lead_pair);
	if (!pair)
		return no_memory(decoder);
	pair->name = name;
	pair->value = value->text;
	**end = pair;
	*end = &pair->next;
	return true;
}

static bool decode_pairs(struct decoder *decoder, const struct json *object,
			 struct lead_pair **list)
{
	if (object->kind != JSON_OBJECT)
		return wrong(decoder, object, "is no object");
	for (const struct json *value = object->first; value; value = value->next) {
		const struct json *one = value->kind == JSON_ARRAY ? value->first : value;

		for (; one; one = value->kind == JSON_ARRAY ? one->next : NULL)
			if (!decode_pair(decoder, one, value->name, &list))
				return false;
	}
	return true;
}

static bool decode_state(struct decoder *decoder, const struct json *value, int32_t *state)
{
	for (int32_t i = LG_CONSENT_GRANTED; i <= LG_CONSENT_PENDING; i++)
		if (slice_is(value->text, record_consent_state_name(i))) {
			*state = i;
			return true;
		}
	return wrong(decoder, value, "is no state of consent");
}

/* A list of words, in memory with commas between. */
static bool decode_words(struct decoder *decoder, const struct json *list, struct lg_slice *words)
{
	struct lg_slice joined = LG_SLICE("");

	if (list->kind != JSON_ARRAY)
		return wrong(decoder, list, "is no list");
	for (const struct json *word = list->first; word; word = word->next) {
		if (word->kind != JSON_STRING)
			return wrong(decoder, list, "has an item that is no text");
		joined = joined.length == 0
				 ? word->text
				 : arena_printf(decoder->lead->arena, "%.*s,%.*s",
						SLICE_ARGS(joined), SLICE_ARGS(word->text));
		if (!slice_present(joined))
			return no_memory(decoder);
	}
	*words = joined;
	return true;
}

static bool decode_consent(struct decoder *decoder, const struct json *object)
{
	static const struct member members[] = {
		{"purpose", offsetof(struct lead_consent, purpose)},
		{"basis", offsetof(struct lead_consent, basis)},
		{"text", offsetof(struct lead_consent, text)},
		{"text_sha256", offsetof(struct lead_consent, text_sha256)},
		{"version", offsetof(struct lead_consent, version)},
		{"method", offsetof(struct lead_consent, method)},
		{"at", offsetof(struct lead_consent, at)},
	};
	struct lead_consent *consent = APPEND(decoder, decoder->lead->consents);
	bool good = consent != NULL;

	for (const struct json *value = object->first; value && good; value = value->next) {
		if (slice_is(value->name, "channels"))
			good = decode_words(decoder, value, &consent->channels);
		else if (slice_is(value->name, "state"))
			good = decode_state(decoder, value, &consent->state);
		else if (slice_is(value->name, "evidence"))
			good = decode_pairs(decoder, value, &consent->evidence);
		else
			good = decode_member(decoder, value, consent, members, COUNT(members));
	}
	return good;
}

static bool decode_objects(struct decoder *decoder, const struct json *list,
			   bool (*decode)(struct decoder *, const struct json *))
{
	if (list->kind != JSON_ARRAY)
		return wrong(decoder, list, "is no list");
	for (const struct json *object = list->first; object; object = object->next) {
		if (object->kind != JSON_OBJECT)
			return wrong(decoder, list, "has an item that is no object");
		if (!decode(decoder, object))
			return false;
	}
	return true;
}

static bool decode_list(struct decoder *decoder, const struct json *list, int field)
{
	struct lead_text **link = &decoder->lead->list[field];

	if (list->kind != JSON_ARRAY)
		return wrong(decoder, list, "is no list");
	for (const struct json *item = list->first; item; item = item->next) {
		if (item->kind != JSON_STRING)
			return wrong(decoder, list, "has an item that is no text");
		*link = arena_new(decoder->lead->arena, struct lead_text);
		if (!*link)
			return no_memory(decoder);
		(*link)->text = item->text;
		link = &(*link)->next;
	}
	return true;
}

static bool decode_field(struct decoder *decoder, const struct json *value, int field)
{
	enum field_type type = field_table[field].type;
	struct lg_slice text = value->text;
	bool good = value->kind == JSON_STRING;
	int64_t number;

	if (type == FIELD_LIST)
		return decode_list(decoder, value, field);
	if (type == FIELD_INTEGER) {
		good = value->kind == JSON_NUMBER && to_i64(text, &number);
	} else if (type == FIELD_BOOLEAN) {
		good = value->kind == JSON_TRUE || value->kind == JSON_FALSE;
		text = value->kind == JSON_TRUE ? LG_SLICE("true") : LG_SLICE("false");
	}
	if (!good)
		return wrong(decoder, value, "has the wrong type");
	decoder->lead->value[field] = text;
	return true;
}

/* Members that are no rows of the table. `*good` is the result when it was one. */
static bool decode_special(struct decoder *decoder, const struct json *value, struct lg_slice path,
			   bool *good)
{
	if (slice_is(path, "schema"))
		*good = slice_is(value->text, RECORD_SCHEMA) ||
			error_set(decoder->error,
				  "the record has a schema other than " RECORD_SCHEMA);
	else if (slice_is(path, "person.profiles"))
		*good = decode_objects(decoder, value, decode_profile);
	else if (slice_is(path, "consent"))
		*good = decode_objects(decoder, value, decode_consent);
	else if (slice_is(path, "status.reasons"))
		*good = decode_objects(decoder, value, decode_reason);
	else if (slice_is(path, "suggestions"))
		*good = decode_objects(decoder, value, decode_suggestion);
	else if (slice_is(path, "raw"))
		*good = decode_pairs(decoder, value, &decoder->lead->raw);
	else if (slice_is(path, "extra"))
		*good = decode_pairs(decoder, value, &decoder->lead->extra);
	else
		return false;
	return true;
}

static bool is_group(struct lg_slice path)
{
	for (size_t i = 1; i < FIELD_GROUPS_MAX; i++)
		if (field_groups[i].length && slice_equal(field_groups[i].prefix, path))
			return true;
	return false;
}

/* The members of the record, or of the object at `prefix`; at most as deep as
 * the table's paths. */
static bool decode_group(struct decoder *decoder, const struct json *object, struct lg_slice prefix)
{
	char text[64];

	for (const struct json *value = object->first; value; value = value->next) {
		size_t length = prefix.length ? prefix.length + 1 : 0;
		struct lg_slice path;
		bool good = true;
		int field;

		if (length + value->name.length > sizeof(text) || slice_find(value->name, '.') >= 0)
			return wrong(decoder, value, "is not known");
		if (length) {
			memcpy(text, prefix.data, prefix.length);
			text[prefix.length] = '.';
		}
		memcpy(text + length, value->name.data, value->name.length);
		path = slice_of(text, length + value->name.length);
		field = field_by_path(path);
		if (field >= 0)
			good = decode_field(decoder, value, field);
		else if (value->kind == JSON_OBJECT && is_group(path))
			good = decode_group(decoder, value, path);
		else if (!decode_special(decoder, value, path, &good))
			good = wrong(decoder, value, "is not known");
		if (!good)
			return false;
	}
	return true;
}

struct lead *record_decode(struct arena *arena, const struct lead_limits *limits,
			   struct lg_slice json, struct error *error)
{
	const struct json *root = json_parse(arena, json, error);
	struct decoder decoder = {.error = error};

	if (!root)
		return NULL;
	if (root->kind != JSON_OBJECT || !json_member(root, "schema")) {
		error_set(error, "the record is no object with a schema");
		return NULL;
	}
	decoder.lead = lead_new(arena, limits);
	if (!decoder.lead) {
		no_memory(&decoder);
		return NULL;
	}
	if (!decode_group(&decoder, root, slice_of("", 0)))
		return NULL;
	for (const struct lead_pair *pair = decoder.lead->extra; pair; pair = pair->next)
		decoder.lead->extra_count++;
	return decoder.lead;
}
