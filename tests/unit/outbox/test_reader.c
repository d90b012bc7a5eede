#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"

static struct reader *open_reader(struct kit *kit, struct arena *arena)
{
	struct error error = {""};
	struct reader *reader = reader_open(kit->store.path, &error);

	if (!reader)
		fail_msg("%s", error.text);
	arena_init(arena, 4096, 0);
	return reader;
}

static void post_many(struct kit *kit, int count, struct capture *captures)
{
	for (int i = 0; i < count; i++) {
		char email[32];
		snprintf(email, sizeof(email), "r%d@x.example", i);
		captures[i] = kit_post(kit, (struct post){.email = email});
	}
}

static void events_come_in_pages(void **state)
{
	struct kit *kit = *state;
	struct capture captures[25];
	struct journal_event *events;
	struct error error = {""};
	struct arena arena;
	int64_t position = 0;

	kit_open(kit);
	post_many(kit, 25, captures);
	struct reader *reader = open_reader(kit, &arena);
	for (int page = 0; page < 3; page++) {
		ptrdiff_t count = reader_events(reader, &arena, position, 10, SIZE_MAX, &events,
						&error);
		assert_int_equal(count, page < 2 ? 10 : 5);
		for (ptrdiff_t i = 0; i < count; i++) {
			assert_int_equal(events[i].seq, position + 1 + i);
			assert_int_equal(events[i].type, EVENT_CREATED);
			assert_memory_equal(events[i].lead_id, captures[events[i].seq - 1].lead_id,
					    UUID_BYTES);
		}
		position += count;
	}
	assert_int_equal(reader_events(reader, &arena, position, 10, SIZE_MAX, &events, &error), 0);
	/* By bytes: the first always, and no more than about so many. */
	assert_int_equal(reader_events(reader, &arena, 0, 10, 1, &events, &error), 1);
	size_t one = events[0].body.length;
	assert_int_equal(reader_events(reader, &arena, 0, 10, one * 2 + one / 2, &events, &error),
			 3);
	/* What is committed later is seen by the same reader. */
	kit_post(kit, (struct post){.email = "late@x.example"});
	assert_int_equal(reader_events(reader, &arena, position, 10, SIZE_MAX, &events, &error), 1);
	reader_close(&reader);
	arena_fini(&arena);
}

static void leads_are_listed_both_ways(void **state)
{
	struct kit *kit = *state;
	static const uint8_t start[UUID_BYTES];
	struct capture captures[7];
	struct journal_event *events;
	struct error error = {""};
	struct arena arena;

	kit_open(kit);
	post_many(kit, 7, captures);
	struct reader *reader = open_reader(kit, &arena);
	assert_int_equal(reader_leads(reader, &arena, start, 5, false, &events, &error), 5);
	for (int i = 0; i < 5; i++)
		assert_memory_equal(events[i].lead_id, captures[i].lead_id, UUID_BYTES);
	assert_int_equal(
		reader_leads(reader, &arena, captures[4].lead_id, 5, false, &events, &error), 2);
	assert_int_equal(reader_leads(reader, &arena, start, 3, true, &events, &error), 3);
	for (int i = 0; i < 3; i++)
		assert_memory_equal(events[i].lead_id, captures[6 - i].lead_id, UUID_BYTES);
	assert_int_equal(
		reader_leads(reader, &arena, captures[4].lead_id, 9, true, &events, &error), 4);
	reader_close(&reader);
	arena_fini(&arena);
}

static void receipt_leads_to_its_lead(void **state)
{
	struct kit *kit = *state;
	struct capture captures[20];
	uint8_t lead_id[UUID_BYTES], unknown[UUID_BYTES];
	struct arena arena;

	kit_open(kit);
	/* A clock that went back: the receipt is found all the same. */
	for (int i = 0; i < 20; i++) {
		char email[32];
		snprintf(email, sizeof(email), "r%d@x.example", i);
		captures[i] = kit_post(kit,
				       (struct post){.email = email,
						     .at_ms = clock_wall_ms() - (i % 3) * 3600000});
	}
	struct reader *reader = open_reader(kit, &arena);
	for (int i = 0; i < 20; i++) {
		assert_true(reader_lead_of_event(reader, captures[i].receipt, lead_id));
		assert_memory_equal(lead_id, captures[i].lead_id, UUID_BYTES);
	}
	uuid_new(clock_wall_ms(), unknown);
	assert_false(reader_lead_of_event(reader, unknown, lead_id));
	reader_close(&reader);
	arena_fini(&arena);
}

static void unknown_lead_is_said(void **state)
{
	struct kit *kit = *state;
	uint8_t unknown[UUID_BYTES];
	struct journal_event event;
	struct error error = {""};
	struct arena arena;

	kit_open(kit);
	struct reader *reader = open_reader(kit, &arena);
	uuid_new(clock_wall_ms(), unknown);
	assert_false(reader_lead(reader, &arena, unknown, &event, &error));
	assert_string_equal(error.text, "there is no such lead");
	reader_close(&reader);
	arena_fini(&arena);
}

static void reads_a_store_that_nobody_runs(void **state)
{
	struct kit *kit = *state;
	struct capture captures[3];
	struct journal_event *events;
	struct error error = {""};
	struct arena arena;

	kit_open(kit);
	post_many(kit, 3, captures);
	kit_close(kit);
	struct reader *reader = open_reader(kit, &arena);
	assert_int_equal(reader_events(reader, &arena, 0, 10, SIZE_MAX, &events, &error), 3);
	reader_close(&reader);
	arena_fini(&arena);
	/* And the next owner finds everything. */
	kit_open(kit);
	assert_int_equal(outbox_last_seq(kit->outbox), 3);
}

static void names_of_leads_are_found(void **state)
{
	struct kit *kit = *state;
	struct capture captures[2];
	struct error error = {""};
	struct lg_slice id;
	struct arena arena;

	kit_open(kit);
	post_many(kit, 2, captures);
	struct reader *reader = open_reader(kit, &arena);
	assert_true(
		reader_external(reader, &arena, LG_SLICE("crm"), captures[0].lead_id, &id, &error));
	assert_false(slice_present(id));
	kit_sql(kit, "INSERT INTO external SELECT 'crm', lead, 'x-' || seq FROM event");
	assert_true(
		reader_external(reader, &arena, LG_SLICE("crm"), captures[1].lead_id, &id, &error));
	assert_true(slice_is(id, "x-2"));
	assert_true(
		reader_external(reader, &arena, LG_SLICE("erp"), captures[1].lead_id, &id, &error));
	assert_false(slice_present(id));
	reader_close(&reader);
	arena_fini(&arena);
}

static void what_is_no_store_is_refused(void **state)
{
	struct kit *kit = *state;
	struct error error = {""};
	struct stat info;

	assert_null(reader_open(kit->store.path, &error));
	assert_non_null(strstr(error.text, "cannot be opened"));
	/* To look does not make one. */
	assert_int_equal(stat(kit->path, &info), -1);
	FILE *file = fopen(kit->path, "w");
	fputs("these are not the leads that you are looking for, whatever they say", file);
	fclose(file);
	assert_null(reader_open(kit->store.path, &error));
	assert_non_null(strstr(error.text, "no SQLite database"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(events_come_in_pages),	 STORE_TEST(leads_are_listed_both_ways),
		STORE_TEST(receipt_leads_to_its_lead),	 STORE_TEST(unknown_lead_is_said),
		STORE_TEST(names_of_leads_are_found),	 STORE_TEST(reads_a_store_that_nobody_runs),
		STORE_TEST(what_is_no_store_is_refused),
	};
	return RUN(tests);
}
