/* Fills a store with leads of ever new people, as the gateway would, for the
 * benchmark's full store: fill_store FILE COUNT. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "lead/event.h"
#include "lead/normalize.h"
#include "lead/record.h"
#include "outbox/outbox.h"

#define BATCH 512

static const struct lead_limits limits = {
	.extra_fields = 100,
	.extra_name_bytes = 128,
	.extra_value_bytes = 65536,
	.list_items = 50,
	.raw_bytes = 1024,
	.record_bytes = 262144,
};

/* One batch of captures and the memory they live in. */
struct batch {
	struct submission submission;
	struct capture captures[BATCH];
	struct arena arena;
};

static void set(struct lead *lead, int field, struct lg_slice value)
{
	if (!lead_set(lead, field, value))
		exit(1);
}

static struct lead *person(struct arena *arena, unsigned long n)
{
	struct lead *lead = lead_new(arena, &limits);
	if (!lead)
		exit(1);
	/* Numbers above those of people.lua, so that loads still bring new people. */
	set(lead, LG_FULL_NAME, arena_printf(arena, "Filled %lu", n));
	set(lead, LG_EMAIL, arena_printf(arena, "f%09lu@example.org", n));
	set(lead, LG_PHONE, arena_printf(arena, "+393%09lu", n));
	set(lead, LG_MESSAGE, slice_from("Please send a quote for a good number of units"));
	set(lead, LG_ORGANIZATION_NAME, arena_printf(arena, "Example Works %lu", n % 1000));
	return lead;
}

static void prepare(struct capture *capture, struct arena *arena, const struct outbox *outbox,
		    unsigned long n)
{
	static const struct normalize_settings settings = {"US"};
	struct buffer record, body;
	struct lead *lead = person(arena, n);
	char text[UUID_TEXT_BYTES], at[CLOCK_RFC3339_BYTES];
	memset(capture, 0, sizeof(*capture));
	capture->at_ms = clock_wall_ms();
	uuid_new(capture->at_ms, capture->lead_id);
	uuid_new(capture->at_ms, capture->event_id);
	uuid_format(capture->lead_id, text);
	clock_format(capture->at_ms, at);
	set(lead, LG_ID, slice_from(text));
	set(lead, LG_CAPTURED_AT, slice_from(at));
	set(lead, LG_SOURCE_NAME, slice_from("filled"));
	lead_normalize(lead, &settings);
	lead_status_new(lead);
	identity_person(lead, outbox_secret(outbox), outbox_key_kinds(outbox), &capture->person);
	identity_digest(lead, capture->digest);
	capture->submission.kind = IDENTITY_SUBMISSION;
	capture->submission.hash = identity_hash(
		outbox_secret(outbox), IDENTITY_SUBMISSION, slice_from("filled"),
		slice_of((const char *)capture->digest, IDENTITY_DIGEST_BYTES));
	buffer_init(&record, SIZE_MAX);
	buffer_init(&body, SIZE_MAX);
	record_encode(lead, &record);
	event_encode(&body, capture->event_id, EVENT_CREATED, capture->at_ms, buffer_slice(&record),
		     (struct lg_slice){0});
	capture->lead = lead;
	capture->event_json = arena_copy(arena, buffer_slice(&body));
	buffer_fini(&record);
	buffer_fini(&body);
}

static void store(struct outbox *outbox, struct mailbox *reply, struct batch *batch, size_t count)
{
	batch->submission.reply = reply;
	batch->submission.captures = batch->captures;
	batch->submission.count = count;
	batch->submission.bytes = count * 1024;
	while (!outbox_submit(outbox, &batch->submission))
		clock_sleep_ms(1);
	while (!mailbox_take(reply))
		mailbox_wait(reply, -1);
	if (batch->submission.status != SUBMISSION_STORED) {
		fprintf(stderr, "fill_store: the store took no more\n");
		exit(1);
	}
}

static void fill(struct outbox *outbox, unsigned long total)
{
	static struct batch batch;
	struct mailbox reply;
	if (!mailbox_init(&reply))
		exit(1);
	arena_init(&batch.arena, 1 << 20, 0);
	for (unsigned long n = 0; n < total;) {
		size_t count = 0;
		arena_reset(&batch.arena);
		while (count < BATCH && n < total)
			prepare(&batch.captures[count++], &batch.arena, outbox, n++);
		store(outbox, &reply, &batch, count);
	}
	arena_fini(&batch.arena);
	mailbox_fini(&reply);
}

int main(int argc, char **argv)
{
	struct error error = {""};
	const struct store_settings store_settings = {
		.path = slice_from(argc == 3 ? argv[1] : ""),
		.max_size_bytes = INT64_C(40) << 30,
		.warn_percent = 90,
		.wal_bytes = INT64_C(16) << 20,
		.page_bytes = 4096,
		.queue_submissions = 1024,
		.queue_bytes = INT64_C(64) << 20,
		.batch_captures = 4096,
	};
	static const struct lg_slice kinds[] = {{"email", 5}, {"phone", 5}, {"profile", 7}};
	const struct dedup_settings dedup = {
		.keys = {kinds, 3},
		.person_window_ms = INT64_C(365) * 86400000,
		.submission_window_ms = 300000,
		.weak_after = 3,
	};
	if (argc != 3) {
		fprintf(stderr, "usage: fill_store FILE COUNT\n");
		return 2;
	}
	field_setup();
	if (!normalize_setup(&error))
		goto failed;
	struct outbox *outbox = outbox_open(&store_settings, &dedup, &limits, &error);
	if (!outbox)
		goto failed;
	fill(outbox, strtoul(argv[2], NULL, 10));
	outbox_close(&outbox);
	normalize_teardown();
	return 0;
failed:
	fprintf(stderr, "fill_store: %s\n", error.text);
	return 1;
}
