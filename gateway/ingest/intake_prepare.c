/* From an item to a capture: all that does not depend on history. */
#include "ingest/intake.h"

#include "base/clock.h"
#include "codec/date.h"
#include "lead/event.h"
#include "lead/identity.h"
#include "lead/record.h"

#define UNREACHABLE "no way to reach the person: give an email, a phone number or a profile"
#define TOO_LARGE "the lead is larger than lead.max_record allows"
#define CONFLICT "this Idempotency-Key was used for other content before"

/* What an event has around its record. */
#define EVENT_FRAME_BYTES 256

static void refuse_item(struct intake_item *item, enum source_counter counter, int32_t status,
			const char *reason)
{
	item->verdict = LG_REFUSED;
	item->status = status;
	item->reason = slice_from(reason);
	item->refusal = source_counter_word(counter);
}

void intake_count(struct intake *intake, enum source_counter counter)
{
	if (intake->reads)
		intake->uncounted[counter]++;
	else
		source_count(intake->source, counter);
}

static bool set_default(struct lead *lead, int field, struct lg_slice value)
{
	return slice_present(lead_get(lead, field)) || lead_set(lead, field, value);
}

/* Where it came from, by what the request says of itself. Before normalization,
 * so that an address gets its one form. */
static bool set_client(struct lead *lead, const struct intake *intake)
{
	const struct http_request *request = intake->request;
	struct lg_slice agent;

	if (intake->fetch || intake->reads)
		return true; /* nobody who could be one has asked */
	if (http_request_header(request, "User-Agent", 0, &agent) &&
	    !set_default(lead, LG_USER_AGENT, agent))
		return false;
	return set_default(lead, LG_CLIENT_IP, request->client_address);
}

/* Fields that the gateway alone sets, in memory that outlives the lead. */
static void set_source(struct lead *lead, const struct source *source)
{
	const struct lg_plugin *plugin = &source->instance->library->plugin;

	lead->value[LG_SOURCE_NAME] = source->instance->name;
	lead->value[LG_SOURCE_PLUGIN] = slice_from(plugin->name);
	lead->value[LG_SOURCE_CHANNEL] = slice_from(plugin->channel);
	if ((plugin->flags & LG_HAS_AUTH) && source->settings.auth == SOURCE_AUTH_PLUGIN)
		lead->value[LG_VERIFIED] = LG_SLICE("true");
	if (source->settings.is_test)
		lead->value[LG_IS_TEST] = LG_SLICE("true");
}

static bool set_times(struct lead *lead, int64_t at_ms)
{
	char text[CLOCK_RFC3339_BYTES];

	clock_format(at_ms, text);
	if (!lead_set(lead, LG_CAPTURED_AT, slice_from(text)))
		return false;
	if (!slice_present(lead_get(lead, LG_OCCURRED_AT)))
		lead->value[LG_OCCURRED_AT] = lead_get(lead, LG_CAPTURED_AT);
	return true;
}

static struct lg_slice uuid_text(struct arena *arena, const uint8_t id[UUID_BYTES])
{
	char *text = arena_alloc(arena, UUID_TEXT_BYTES);

	if (!text)
		return (struct lg_slice){0};
	uuid_format(id, text);
	return slice_of(text, UUID_TEXT_BYTES - 1);
}

/* What the source knows the lead by; once it is settled whether that is a test. */
static struct identity_key source_key(const struct intake_item *item, enum identity_kind kind,
				      struct lg_slice value)
{
	const struct intake *intake = item->intake;
	const uint8_t *secret = outbox_secret(intake->ingest->outbox);
	struct lg_slice source = intake->source->instance->name;

	return (struct identity_key){
		.kind = kind,
		.hash = identity_is_test(item->lead)
				? identity_test_hash(secret, kind, source, value)
				: identity_hash(secret, kind, source, value),
	};
}

static void set_keys(struct intake_item *item, struct capture *capture)
{
	struct outbox *outbox = item->intake->ingest->outbox;
	struct lg_slice digest = slice_of((const char *)capture->digest, IDENTITY_DIGEST_BYTES);

	identity_person(item->lead, outbox_secret(outbox), outbox_key_kinds(outbox),
			&capture->person);
	capture->submission = source_key(item, IDENTITY_SUBMISSION, digest);
	if (!slice_present(item->key))
		return;
	capture->has_delivery_key = true;
	capture->delivery = source_key(item, IDENTITY_DELIVERY, item->key);
	capture->delivery.flags = item->key_kind == LG_KEY_IDEMPOTENCY ? IDENTITY_IDEMPOTENCY : 0;
}

/* The event's body, made in the loop's buffers and kept in the request's arena.
 * Room is taken first, so that a buffer which fails afterwards means a record
 * that is too large, never a lack of memory. */
static bool encode(struct intake *intake, struct intake_item *item, struct capture *capture)
{
	size_t limit = (size_t)intake->ingest->limits->record_bytes;
	struct buffer *record = &intake->loop->record, *event = &intake->loop->event;

	buffer_clear(record);
	buffer_clear(event);
	record->limit = limit;
	event->limit = limit + EVENT_FRAME_BYTES;
	if (!buffer_room(record, limit) || !buffer_room(event, limit + EVENT_FRAME_BYTES))
		return false;
	record_encode(item->lead, record);
	event_encode(event, capture->event_id, EVENT_CREATED, capture->at_ms, buffer_slice(record),
		     (struct lg_slice){0});
	if (record->failed || event->failed) {
		intake_count(intake, SOURCE_TOO_LARGE);
		refuse_item(item, SOURCE_TOO_LARGE, 413, TOO_LARGE);
		return true;
	}
	capture->event_json = arena_copy(&intake->request->arena, buffer_slice(event));
	item->capture = capture;
	return slice_present(capture->event_json);
}

/* Nobody who waits for an answer could be told that a part of a row was left out. */
static bool refuse_cut(struct intake *intake, struct intake_item *item)
{
	intake_count(intake, SOURCE_TOO_LARGE);
	refuse_item(item, SOURCE_TOO_LARGE, 413, "");
	item->reason = arena_printf(&intake->request->arena,
				    "lead.%s (%lld) would cut off a part of this row: leave columns"
				    " out with --map \"Column=-\" or the option `ignore`, or raise "
				    "that bound",
				    item->lead->cut_by, (long long)item->lead->cut_at);
	return slice_present(item->reason);
}

bool intake_prepare(struct intake *intake, struct intake_item *item, struct capture *capture)
{
	struct http_request *request = intake->request;
	struct lead *lead = item->lead;

	if (!set_client(lead, intake) || !lead_normalize(lead, &intake->source->normalize))
		return false;
	if (!lead_reachable(lead)) {
		intake_count(intake, SOURCE_UNREACHABLE);
		refuse_item(item, SOURCE_UNREACHABLE, 422, UNREACHABLE);
		return true;
	}
	if (intake->reads && lead->cut_by)
		return refuse_cut(intake, item);
	/* The digest is of what was sent: before the gateway adds its own. */
	identity_digest(lead, capture->digest);
	/* A person who sends what went into a trap before is no repetition of it:
	 * answered again, that lead would reach nobody. */
	if (item->trapped)
		capture->digest[0] ^= 0xff;
	capture->lead = lead;
	capture->at_ms = request->received_ms;
	if (!time_parse(lead_get(lead, LG_OCCURRED_AT), &capture->occurred_ms))
		capture->occurred_ms = 0;
	capture->trapped = item->trapped;
	capture->policy = (enum merge_policy)intake->source->settings.merge;
	uuid_new(capture->at_ms, capture->lead_id);
	uuid_new(capture->at_ms, capture->event_id);
	lead->value[LG_ID] = uuid_text(&request->arena, capture->lead_id);
	set_source(lead, intake->source);
	if (!slice_present(lead->value[LG_ID]) || !set_times(lead, capture->at_ms))
		return false;
	lead->value[LG_VERDICT] = item->trapped ? LG_SLICE("trap") : LG_SLICE("clean");
	lead_status_new(lead);
	set_keys(item, capture);
	return encode(intake, item, capture);
}

static void conclude_claim(struct intake_item *item)
{
	bool repeated = item->stub->repeated;

	source_count(item->intake->source, repeated ? SOURCE_CLAIMED_AGAIN : SOURCE_CLAIMED);
	if (!repeated)
		counter_inc(item->intake->source->counters[SOURCE_CLAIMS_WAITING]);
	item->verdict = repeated ? LG_REPEATED : LG_ACCEPTED;
	item->status = 202;
}

void intake_conclude(struct intake_item *item)
{
	static const enum source_counter counters[] = {
		[CAPTURE_CREATED] = SOURCE_CREATED,
		[CAPTURE_TOUCHED] = SOURCE_TOUCHED,
		[CAPTURE_REPEATED] = SOURCE_REPEATED,
		[CAPTURE_CONFLICT] = SOURCE_CONFLICT,
	};
	const struct capture *capture = item->capture;

	if (item->stub) {
		conclude_claim(item);
		return;
	}
	ALWAYS(capture->verdict >= CAPTURE_CREATED && capture->verdict <= CAPTURE_CONFLICT);
	source_count(item->intake->source, counters[capture->verdict]);
	if (capture->verdict == CAPTURE_CONFLICT) {
		refuse_item(item, SOURCE_CONFLICT, 422, CONFLICT);
		return;
	}
	if (item->trapped)
		source_count(item->intake->source, SOURCE_TRAPPED);
	item->verdict = capture->verdict == CAPTURE_REPEATED ? LG_REPEATED : LG_ACCEPTED;
	item->status = 202;
	uuid_format(capture->receipt, item->receipt_text);
	item->receipt = slice_of(item->receipt_text, UUID_TEXT_BYTES - 1);
}
