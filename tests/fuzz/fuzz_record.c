/* Any bytes as a record: one that is read is written, read and written as the
 * same; merged with itself it stays one that can be read. Any bytes as an
 * event's body, too. */
#include "base/error.h"
#include "codec/json.h"
#include "fuzz.h"
#include "lead/event.h"
#include "lead/identity.h"
#include "lead/merge.h"
#include "lead/record.h"

static const struct lead_limits limits = {100, 128, 64 << 10, 50, 1024, INT64_C(16) << 20};

static struct lead *write_and_read(struct arena *arena, const struct lead *lead, struct buffer *out)
{
	struct error error;
	struct lead *again;

	buffer_clear(out);
	record_encode(lead, out);
	ALWAYS(!out->failed);
	again = record_decode(arena, &limits, arena_copy(arena, buffer_slice(out)), &error);
	ALWAYS(again);
	return again;
}

static void merge(struct arena *arena, struct lg_slice json, struct lead *known, struct buffer *out)
{
	struct lead *touch = record_decode(arena, &limits, json, NULL);
	struct buffer changes;

	ALWAYS(touch);
	buffer_init(&changes, 64 << 20);
	for (enum merge_policy policy = MERGE_FILL; policy <= MERGE_LINK; policy++) {
		buffer_clear(&changes);
		ALWAYS(lead_merge(known, touch, policy, identity_shared(known, touch), &changes));
		ALWAYS(json_parse(arena, buffer_slice(&changes), NULL));
		known = write_and_read(arena, known, out);
		identity_same_person(known, touch);
	}
	buffer_fini(&changes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lg_slice bytes = slice_of((const char *)data, size);
	struct error error = {""};
	struct buffer first, second;
	struct arena arena;
	struct lead *lead;

	field_setup();
	arena_init(&arena, 16 << 10, 0);
	buffer_init(&first, 64 << 20);
	buffer_init(&second, 64 << 20);
	event_body_id(bytes);
	event_body_lead(bytes);
	lead = record_decode(&arena, &limits, bytes, &error);
	ALWAYS(lead || error.text[0]);
	if (lead) {
		struct lead *again = write_and_read(&arena, lead, &first);

		record_encode(again, &second);
		ALWAYS(slice_equal(buffer_slice(&first), buffer_slice(&second)));
		merge(&arena, bytes, again, &second);
	}
	buffer_fini(&first);
	buffer_fini(&second);
	arena_fini(&arena);
	return 0;
}
