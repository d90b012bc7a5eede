#include "request.h"

#include <leadgate/text.h>

#include <stdio.h>
#include <stdlib.h>

/* All ids of a batch, each with a line feed. NULL: no memory. */
static char *join_ids(const struct lg_batch *batch, size_t *length)
{
	size_t count = lg_batch_count(batch), size = 1;
	struct lg_event event;
	char *ids, *at;

	for (size_t i = 0; i < count; i++) {
		lg_batch_event(batch, i, &event);
		size += event.id.length + 1;
	}
	at = ids = malloc(size);
	for (size_t i = 0; ids && i < count; i++) {
		lg_batch_event(batch, i, &event);
		memcpy(at, event.id.data, event.id.length);
		at += event.id.length;
		*at++ = '\n';
	}
	*length = size - 1;
	return ids;
}

/* What a request is called: its event's id, or a digest of its events' ids. */
static bool make_key(struct sink *sink, const struct lg_batch *batch, char key[CALL_NAME_BYTES])
{
	unsigned char digest[32];
	struct lg_event event;
	size_t length;
	char *ids;

	if (sink->settings->form == FORM_SINGLE) {
		lg_batch_event(batch, 0, &event);
		snprintf(key, CALL_NAME_BYTES, "%.*s", (int)event.id.length, event.id.data);
		return true;
	}
	ids = join_ids(batch, &length);
	if (!ids)
		return false;
	lg_sink_sha256(sink->host, (struct lg_slice){ids, length}, digest);
	free(ids);
	key[CALL_NAME_BYTES - 1] = '\0';
	return lg_sink_hex(sink->host, (struct lg_slice){(const char *)digest, sizeof(digest)}, key,
			   CALL_NAME_BYTES) == CALL_NAME_BYTES - 1;
}

/* Whether it was mapped to the fields of a form. */
static bool is_form(const struct lg_event *event)
{
	return event->body_type.data &&
	       lg_slice_is(event->body_type, "application/x-www-form-urlencoded");
}

static void add_header(struct headers *headers, const char *name, const char *value)
{
	headers->pairs[headers->count++] = (struct lg_pair){lg_slice_from(name),
							    lg_slice_from(value)};
}

bool http_request_headers(struct sink *sink, const struct lg_batch *batch, struct lg_slice body,
			  struct headers *headers)
{
	const struct settings *settings = sink->settings;
	struct lg_event event;

	headers->count = settings->headers.count;
	if (headers->count)
		memcpy(headers->pairs, settings->headers.pairs,
		       headers->count * sizeof(headers->pairs[0]));
	lg_batch_event(batch, 0, &event);
	if (!http_settings_header(settings, "content-type"))
		add_header(headers, "Content-Type",
			   settings->form == FORM_NDJSON ? "application/x-ndjson"
			   : is_form(&event)		 ? "application/x-www-form-urlencoded"
							 : "application/json");
	if (!make_key(sink, batch, headers->key))
		return false;
	add_header(headers, "Idempotency-Key", headers->key);
	if (sink->authorization)
		add_header(headers, "Authorization", sink->authorization);
	if (!sink->keys.count)
		return true;
	snprintf(headers->timestamp, sizeof(headers->timestamp), "%lld",
		 (long long)(lg_now(sink->host) / 1000));
	if (!http_signature_make(sink->host, &sink->keys, headers->key, headers->timestamp, body,
				 headers->signature))
		return false;
	add_header(headers, "webhook-id", headers->key);
	add_header(headers, "webhook-timestamp", headers->timestamp);
	add_header(headers, "webhook-signature", headers->signature);
	return true;
}

/* "[body,body]", or each body with a line feed. */
char *http_request_body(const struct lg_batch *batch, enum form form, size_t *length)
{
	size_t count = lg_batch_count(batch), size = 2;
	struct lg_event event;
	struct lg_slice one;
	char *body, *at;

	for (size_t i = 0; i < count; i++) {
		lg_batch_event(batch, i, &event);
		size += lg_event_body(&event).length + 1;
	}
	at = body = malloc(size);
	if (!body)
		return NULL;
	if (form == FORM_ARRAY)
		*at++ = '[';
	for (size_t i = 0; i < count; i++) {
		lg_batch_event(batch, i, &event);
		one = lg_event_body(&event);
		memcpy(at, one.data, one.length);
		at += one.length;
		if (form == FORM_NDJSON)
			*at++ = '\n';
		else
			*at++ = i + 1 < count ? ',' : ']';
	}
	*length = (size_t)(at - body);
	return body;
}

/* Dots alone would lead elsewhere. */
bool http_request_is_update(const struct sink *sink, const struct lg_event *event)
{
	struct lg_slice id = event->external_id;

	return sink->settings->update_url.data && id.length && !lg_slice_is(id, ".") &&
	       !lg_slice_is(id, "..");
}

char *http_request_update_url(const struct sink *sink, struct lg_slice id)
{
	struct lg_slice url = sink->settings->update_url;
	const char *place = lg_slice_find(url, EXTERNAL_ID_PLACE);
	size_t before = (size_t)(place - url.data),
	       after = url.length - before - strlen(EXTERNAL_ID_PLACE);
	char *made = malloc(before + 3 * id.length + after + 1), *at = made;

	if (!made)
		return NULL;
	memcpy(at, url.data, before);
	at += before;
	at += lg_percent_encode(id, at);
	memcpy(at, place + strlen(EXTERNAL_ID_PLACE), after);
	at[after] = '\0';
	return made;
}
