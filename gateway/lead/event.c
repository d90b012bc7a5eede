#include "lead/event.h"

#include <stdio.h>

#include "base/clock.h"
#include "codec/date.h"

static const char *const type_names[] = {
	[EVENT_CREATED] = "lead.created",   [EVENT_TOUCHED] = "lead.touched",
	[EVENT_HELD] = "lead.held",	    [EVENT_RELEASED] = "lead.released",
	[EVENT_STATUS] = "lead.status",	    [EVENT_MERGED] = "lead.merged",
	[EVENT_UNMERGED] = "lead.unmerged", [EVENT_ERASED] = "lead.erased",
	[EVENT_ALERT] = "gateway.alert",
};

/* The fixed beginning of every body. */
#define ID_PREFIX "{\"id\":\""
#define ID_LENGTH (UUID_TEXT_BYTES - 1)

const char *event_type_name(enum event_type type)
{
	bool known = type >= EVENT_CREATED && type <= EVENT_ALERT;

	return known ? type_names[type] : "unknown";
}

int event_type_parse(struct lg_slice name)
{
	for (int type = EVENT_CREATED; type <= EVENT_ALERT; type++)
		if (slice_is(name, type_names[type]))
			return type;
	return -1;
}

void event_type_list(char text[EVENT_TYPE_LIST_BYTES])
{
	size_t length = 0;

	for (int type = EVENT_CREATED; type <= EVENT_ALERT; type++)
		length += (size_t)snprintf(text + length, EVENT_TYPE_LIST_BYTES - length, "%s%s",
					   type > EVENT_CREATED ? ", " : "", type_names[type]);
}

/* What every body begins with, up to the quote behind its time. */
static void encode_head(struct buffer *out, const uint8_t id[UUID_BYTES], enum event_type type,
			int64_t at_ms)
{
	char id_text[UUID_TEXT_BYTES], at[CLOCK_RFC3339_BYTES];

	uuid_format(id, id_text);
	clock_format(at_ms, at);
	buffer_add_literal(out, ID_PREFIX);
	buffer_add(out, id_text, ID_LENGTH);
	buffer_add_literal(out, "\",\"type\":\"");
	buffer_add_slice(out, slice_from(event_type_name(type)));
	buffer_add_literal(out, "\",\"at\":\"");
	buffer_add_slice(out, slice_from(at));
}

void event_encode(struct buffer *out, const uint8_t id[UUID_BYTES], enum event_type type,
		  int64_t at_ms, struct lg_slice lead, struct lg_slice changes)
{
	encode_head(out, id, type, at_ms);
	buffer_add_literal(out, "\",\"lead\":");
	buffer_add_slice(out, lead);
	if (slice_present(changes)) {
		buffer_add_literal(out, ",\"changes\":");
		buffer_add_slice(out, changes);
	}
	buffer_add_byte(out, '}');
}

void event_encode_alert(struct buffer *out, const uint8_t id[UUID_BYTES], int64_t at_ms,
			struct lg_slice alert)
{
	encode_head(out, id, EVENT_ALERT, at_ms);
	buffer_add_literal(out, "\",\"alert\":");
	buffer_add_slice(out, alert);
	buffer_add_byte(out, '}');
}

void event_encode_delivery(struct buffer *out, int64_t seq, struct lg_slice body)
{
	buffer_add_literal(out, "{\"seq\":");
	buffer_add_u64(out, (uint64_t)seq);
	buffer_add_byte(out, ',');
	buffer_add_slice(out, slice_cut(body, 1, SIZE_MAX));
}

struct lg_slice event_body_id(struct lg_slice body)
{
	if (!slice_starts(body, ID_PREFIX) || body.length < sizeof(ID_PREFIX) - 1 + ID_LENGTH)
		return slice_of(NULL, 0);
	return slice_cut(body, sizeof(ID_PREFIX) - 1, ID_LENGTH);
}

/* Takes `literal` off the front. */
static bool skip_literal(struct lg_slice *rest, const char *literal)
{
	if (!slice_starts(*rest, literal))
		return false;
	*rest = slice_cut(*rest, strlen(literal), SIZE_MAX);
	return true;
}

/* The position behind the string that begins at `at`; 0: it does not end. A quote
 * behind an odd number of backslashes is part of the string. */
static size_t string_end(struct lg_slice text, size_t at)
{
	const char *begin = text.data + at, *end = text.data + text.length, *quote = begin;

	while ((quote = memchr(quote + 1, '"', (size_t)(end - quote - 1))) != NULL) {
		const char *before = quote;

		while (before[-1] == '\\')
			before--;
		if ((quote - before) % 2 == 0)
			return (size_t)(quote - text.data) + 1;
	}
	return 0;
}

/* The JSON object at the front; absent when it does not end. */
static struct lg_slice first_object(struct lg_slice text)
{
	size_t depth = 0, at = 0;

	while (at < text.length) {
		char c = text.data[at];

		if (c == '"') {
			at = string_end(text, at);
			if (at == 0)
				break;
			continue;
		}
		at++;
		if (c == '{')
			depth++;
		else if (c == '}' && depth > 0 && --depth == 0)
			return slice_of(text.data, at);
		if (depth == 0)
			break;
	}
	return slice_of(NULL, 0);
}

struct lg_slice event_body_lead(struct lg_slice body)
{
	struct lg_slice rest = body, skipped;

	if (!skip_literal(&rest, ID_PREFIX) || !slice_split(&rest, '"', &skipped) ||
	    !skip_literal(&rest, ",\"type\":\"") || !slice_split(&rest, '"', &skipped) ||
	    !skip_literal(&rest, ",\"at\":\"") || !slice_split(&rest, '"', &skipped) ||
	    !skip_literal(&rest, ",\"lead\":"))
		return slice_of(NULL, 0);
	return first_object(rest);
}

struct lg_slice event_body_changes(struct lg_slice body)
{
	struct lg_slice lead = event_body_lead(body);
	struct lg_slice rest = slice_of(NULL, 0);

	if (slice_present(lead))
		rest = slice_cut(body, (size_t)(lead.data + lead.length - body.data), SIZE_MAX);
	if (!slice_present(rest) || !skip_literal(&rest, ",\"changes\":"))
		return slice_of(NULL, 0);
	return first_object(rest);
}

/* The text behind `mark`, up to its quote. */
static struct lg_slice text_behind(struct lg_slice text, const char *mark)
{
	struct lg_slice rest, name;
	const char *found = NULL;

	if (slice_present(text))
		found = memmem(text.data, text.length, mark, strlen(mark));
	if (!found)
		return slice_of(NULL, 0);
	rest = slice_cut(text, (size_t)(found - text.data) + strlen(mark), SIZE_MAX);
	return slice_split(&rest, '"', &name) ? name : slice_of(NULL, 0);
}

struct lg_slice event_body_source(struct lg_slice body)
{
	/* A quote inside of a value has a backslash before it: the marks are members. */
	struct lg_slice name = text_behind(event_body_changes(body), "\"source.name\":\"");

	if (slice_present(name))
		return name;
	return text_behind(event_body_lead(body), "\"source\":{\"name\":\"");
}

bool event_body_occurred(struct lg_slice body, int64_t *wall_ms)
{
	struct lg_slice at = text_behind(event_body_changes(body), "\"occurred_at\":\"");

	if (!slice_present(at))
		at = text_behind(event_body_lead(body), "\"occurred_at\":\"");
	return slice_present(at) && time_parse(at, wall_ms);
}
