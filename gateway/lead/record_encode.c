#include "lead/record.h"

#include "codec/json_writer.h"

/* Most records fit. */
#define TYPICAL_BYTES 2048

struct encoder {
	struct json_writer json;
	uint8_t group; /* the innermost open object */
};

static void add_key(struct encoder *encoder, const char *text, uint8_t length)
{
	size_t skip = encoder->json.comma ? 0 : 1;

	buffer_add(encoder->json.out, text + skip, length - skip);
}

/* Closes and opens objects until `group` is the innermost. */
static void enter_group(struct encoder *encoder, uint8_t group)
{
	const struct field_step *step = &field_steps[encoder->group][group];
	char *room;

	if (encoder->group == group)
		return;
	room = buffer_room(encoder->json.out, FIELD_STEP_BYTES);
	if (!room)
		return;
	/* All of its array: a constant size is a few moves. */
	memcpy(room, step->text, FIELD_STEP_BYTES);
	buffer_added(encoder->json.out, step->length);
	encoder->json.comma = !step->opens;
	encoder->group = group;
}

/* Whether the text of a number or a truth value is one in JSON: a value that was
 * set but not normalized must not break the record. */
static bool plain_literal(const struct field *field, struct lg_slice text)
{
	size_t at = text.length > 0 && text.data[0] == '-';

	if (field->type == FIELD_BOOLEAN)
		return slice_is(text, "true") || slice_is(text, "false");
	if (at == text.length || text.length > field->limit_bytes ||
	    (text.data[at] == '0' && text.length > at + 1))
		return false;
	for (; at < text.length; at++)
		if (text.data[at] < '0' || text.data[at] > '9')
			return false;
	return true;
}

/* Key and text with one look at the buffer: what most of a record is. */
static void encode_text(struct encoder *encoder, const struct field_key *key, struct lg_slice text)
{
	size_t skip = encoder->json.comma ? 0 : 1, length = key->length - skip;
	char *room;

	room = buffer_room(encoder->json.out, FIELD_KEY_BYTES + text.length + 2);
	if (!room)
		return;
	/* All of its array: a constant size is a few moves. */
	memcpy(room, key->text + skip, FIELD_KEY_BYTES - 1);
	room[length] = '"';
	if (!json_copy_plain(room + length + 1, text)) {
		buffer_added(encoder->json.out, length);
		encoder->json.comma = false;
		json_write_text(&encoder->json, text);
		return;
	}
	room[length + 1 + text.length] = '"';
	buffer_added(encoder->json.out, length + text.length + 2);
	encoder->json.comma = true;
}

static void encode_list(struct json_writer *json, const struct lead_text *item)
{
	json_write_open(json, '[');
	for (; item; item = item->next)
		json_write_text(json, item->text);
	json_write_close(json, ']');
}

static void encode_field(struct encoder *encoder, const struct lead *lead, int field)
{
	struct json_writer *json = &encoder->json;
	enum field_type type = field_table[field].type;
	bool literal = type == FIELD_INTEGER || type == FIELD_BOOLEAN;

	if (literal && !plain_literal(&field_table[field], lead->value[field]))
		return;
	enter_group(encoder, field_keys[field].group);
	if (type != FIELD_LIST && !literal) {
		encode_text(encoder, &field_keys[field], lead->value[field]);
		return;
	}
	add_key(encoder, field_keys[field].text, field_keys[field].length);
	json->comma = false;
	if (type == FIELD_LIST)
		encode_list(json, lead->list[field]);
	else
		json_write_raw(json, lead->value[field]);
}

/* The rows `first` to `end`, without `end`. */
static void encode_fields(struct encoder *encoder, const struct lead *lead, int first, int end)
{
	int field = first;

	while ((field = lead_next_field(lead, field, end)) < end)
		encode_field(encoder, lead, field++);
}

static void write_member(struct json_writer *json, const char *name, struct lg_slice text)
{
	if (!slice_present(text))
		return;
	json_write_name(json, slice_from(name));
	json_write_text(json, text);
}

static void open_member(struct json_writer *json, const char *name, char bracket)
{
	json_write_name(json, slice_from(name));
	json_write_open(json, bracket);
}

void record_encode_profile(struct json_writer *json, const struct lead_profile *profile)
{
	json_write_open(json, '{');
	write_member(json, "network", profile->network);
	write_member(json, "id", profile->id);
	write_member(json, "url", profile->url);
	json_write_close(json, '}');
}

static void encode_profiles(struct encoder *encoder, const struct lead *lead)
{
	struct json_writer *json = &encoder->json;

	if (!lead->profiles)
		return;
	enter_group(encoder, field_keys[LG_EMAIL].group);
	open_member(json, "profiles", '[');
	for (const struct lead_profile *profile = lead->profiles; profile; profile = profile->next)
		record_encode_profile(json, profile);
	json_write_close(json, ']');
}

static void encode_words(struct json_writer *json, const char *name, struct lg_slice words)
{
	struct lg_slice word;

	if (!slice_present(words))
		return;
	open_member(json, name, '[');
	while (slice_split(&words, ',', &word)) {
		word = slice_trim(word);
		if (word.length)
			json_write_text(json, word);
	}
	json_write_close(json, ']');
}

/* Pairs as an object. A name that comes again becomes a list at its first place. */
static void encode_pairs(struct json_writer *json, const char *name, const struct lead_pair *pairs)
{
	const struct lead_pair *earlier, *later;

	if (!pairs)
		return;
	open_member(json, name, '{');
	for (const struct lead_pair *pair = pairs; pair; pair = pair->next) {
		for (earlier = pairs; earlier != pair; earlier = earlier->next)
			if (slice_equal(earlier->name, pair->name))
				break;
		if (earlier != pair)
			continue;
		json_write_name(json, pair->name);
		for (later = pair->next; later; later = later->next)
			if (slice_equal(later->name, pair->name))
				break;
		if (!later) {
			json_write_text(json, pair->value);
			continue;
		}
		json_write_open(json, '[');
		json_write_text(json, pair->value);
		for (; later; later = later->next)
			if (slice_equal(later->name, pair->name))
				json_write_text(json, later->value);
		json_write_close(json, ']');
	}
	json_write_close(json, '}');
}

void record_encode_consent(struct json_writer *json, const struct lead_consent *consent)
{
	json_write_open(json, '{');
	write_member(json, "purpose", consent->purpose);
	encode_words(json, "channels", consent->channels);
	write_member(json, "state", slice_from(record_consent_state_name(consent->state)));
	write_member(json, "basis", consent->basis);
	write_member(json, "text", consent->text);
	write_member(json, "text_sha256", consent->text_sha256);
	write_member(json, "version", consent->version);
	write_member(json, "method", consent->method);
	write_member(json, "at", consent->at);
	encode_pairs(json, "evidence", consent->evidence);
	json_write_close(json, '}');
}

static void encode_consents(struct encoder *encoder, const struct lead *lead)
{
	if (!lead->consents)
		return;
	enter_group(encoder, 0);
	open_member(&encoder->json, "consent", '[');
	for (const struct lead_consent *consent = lead->consents; consent; consent = consent->next)
		record_encode_consent(&encoder->json, consent);
	json_write_close(&encoder->json, ']');
}

void record_encode_reason(struct json_writer *json, const struct lead_reason *reason)
{
	json_write_open(json, '{');
	write_member(json, "rule", reason->rule);
	write_member(json, "axis", reason->axis);
	write_member(json, "from", reason->from);
	write_member(json, "to", reason->to);
	json_write_name(json, LG_SLICE("points"));
	json_write_int(json, reason->points);
	write_member(json, "at", reason->at);
	json_write_close(json, '}');
}

/* A score is always explained: its reasons are written even when there are none. */
static void encode_reasons(struct encoder *encoder, const struct lead *lead)
{
	struct json_writer *json = &encoder->json;

	if (!lead->reasons && !plain_literal(&field_table[LG_SCORE], lead->value[LG_SCORE]))
		return;
	enter_group(encoder, field_keys[LG_SCORE].group);
	open_member(json, "reasons", '[');
	for (const struct lead_reason *reason = lead->reasons; reason; reason = reason->next)
		record_encode_reason(json, reason);
	json_write_close(json, ']');
}

void record_encode_suggestion(struct json_writer *json, const struct lead_suggestion *suggestion)
{
	json_write_open(json, '{');
	write_member(json, "path", suggestion->path);
	write_member(json, "value", suggestion->value);
	write_member(json, "why", suggestion->why);
	json_write_close(json, '}');
}

static void encode_suggestions(struct json_writer *json, const struct lead *lead)
{
	if (!lead->suggestions)
		return;
	open_member(json, "suggestions", '[');
	for (const struct lead_suggestion *it = lead->suggestions; it; it = it->next)
		record_encode_suggestion(json, it);
	json_write_close(json, ']');
}

const char *record_consent_state_name(int32_t state)
{
	switch (state) {
	case LG_CONSENT_GRANTED: return "granted";
	case LG_CONSENT_DENIED: return "denied";
	case LG_CONSENT_WITHDRAWN: return "withdrawn";
	default: return "pending"; /* whatever is not known is no consent */
	}
}

/* The table gives the order of the rows; lists of objects stand between them. */
void record_encode(const struct lead *lead, struct buffer *out)
{
	struct encoder encoder = {.group = 0};
	size_t before = buffer_length(out);

	json_writer_init(&encoder.json, out);
	if (!buffer_room(out, TYPICAL_BYTES)) /* grows once, not by and by */
		return;
	buffer_add_literal(out, "{\"schema\":\"" RECORD_SCHEMA "\"");
	encoder.json.comma = true;
	encode_fields(&encoder, lead, 0, LG_OTHER_EMAILS);
	encode_profiles(&encoder, lead);
	encode_fields(&encoder, lead, LG_OTHER_EMAILS, LG_CLIENT_IP);
	encode_consents(&encoder, lead);
	encode_fields(&encoder, lead, LG_CLIENT_IP, LG_VERDICT);
	encode_reasons(&encoder, lead);
	encode_fields(&encoder, lead, LG_VERDICT, LG_FIELD_COUNT);
	enter_group(&encoder, 0);
	encode_suggestions(&encoder.json, lead);
	encode_pairs(&encoder.json, "raw", lead->raw);
	encode_pairs(&encoder.json, "extra", lead->extra);
	buffer_add_byte(out, '}');
	if (buffer_length(out) - before > (size_t)lead->limits->record_bytes)
		out->failed = true;
}
