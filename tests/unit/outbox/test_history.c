/* One person's way through the journal: found by a key, event by event, and for
 * each sink how it stands. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "outbox/history.h"

#define CRM LG_SLICE("crm")

struct look {
	struct reader *reader;
	struct arena arena;
	struct error error;
};

static void look_open(struct look *look, struct kit *kit)
{
	*look = (struct look){NULL};
	arena_init(&look->arena, 4096, 0);
	look->reader = reader_open(kit->store.path, &look->error);
	if (!look->reader)
		fail_msg("%s", look->error.text);
}

static void look_close(struct look *look)
{
	reader_close(&look->reader);
	arena_fini(&look->arena);
}

static size_t find(struct look *look, struct kit *kit, const char *email,
		   uint8_t leads[][UUID_BYTES], size_t capacity)
{
	uint8_t secret[IDENTITY_SECRET_BYTES];
	struct identity_keys keys;
	struct lead *lead = lead_new(&look->arena, &kit->limits);

	assert_true(lead_set(lead, LG_EMAIL, slice_from(email)));
	assert_true(history_secret(look->reader, secret, &look->error));
	identity_person(lead, secret, ~0u, &keys);
	assert_int_equal(keys.count, 1);
	ptrdiff_t count = history_find(look->reader, &keys, leads, capacity, &look->error);
	assert_true(count >= 0);
	return (size_t)count;
}

static void leads_are_found_by_their_keys(void **state)
{
	struct kit *kit = *state;
	uint8_t leads[4][UUID_BYTES];
	struct look look;

	kit_open(kit);
	struct capture ada = kit_post(kit, (struct post){.email = "ada@x.example"});
	kit_post(kit, (struct post){.email = "bob@x.example"});
	kit_post(kit, (struct post){.email = "ada@x.example", .message = "again"});
	look_open(&look, kit);
	assert_int_equal(find(&look, kit, "ada@x.example", leads, 4), 1);
	assert_memory_equal(leads[0], ada.lead_id, UUID_BYTES);
	/* A tag does not make another person. */
	assert_int_equal(find(&look, kit, "ada+shop@x.example", leads, 4), 1);
	assert_int_equal(find(&look, kit, "eve@x.example", leads, 4), 0);
	look_close(&look);
}

static void several_leads_are_found_in_order(void **state)
{
	struct kit *kit = *state;
	struct capture captures[3];
	uint8_t leads[4][UUID_BYTES];
	struct look look;

	kit_open(kit);
	for (int i = 0; i < 3; i++) {
		char message[16];
		snprintf(message, sizeof(message), "m%d", i);
		captures[i] = kit_post(kit, (struct post){.email = "ada@x.example",
							  .message = message,
							  .policy = MERGE_LINK});
	}
	look_open(&look, kit);
	assert_int_equal(find(&look, kit, "ada@x.example", leads, 4), 3);
	for (int i = 0; i < 3; i++)
		assert_memory_equal(leads[i], captures[i].lead_id, UUID_BYTES);
	assert_int_equal(find(&look, kit, "ada@x.example", leads, 2), 2);
	look_close(&look);
}

/* Posts of somebody between posts of others; returns the lead's id. */
static void post_three_of(struct kit *kit, const char *email, int64_t first_ms,
			  uint8_t lead_id[UUID_BYTES])
{
	for (int i = 0; i < 9; i++) {
		char other[32], message[16];
		snprintf(other, sizeof(other), "o%d@x.example", i);
		snprintf(message, sizeof(message), "m%d", i);
		struct capture capture = kit_post(kit,
						  (struct post){.email = i % 3 == 1 ? email : other,
								.message = message,
								.at_ms = i == 1 ? first_ms : 0});
		if (i == 1)
			memcpy(lead_id, capture.lead_id, UUID_BYTES);
	}
}

static void check_walk(struct kit *kit, const uint8_t lead_id[UUID_BYTES])
{
	static const char *const types[] = {"lead.created", "lead.touched", "lead.touched"};
	struct history_event event;
	struct history history;
	struct look look;

	look_open(&look, kit);
	assert_true(history_begin(&history, look.reader, lead_id, &look.error));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(history_next(&history, &look.arena, &event, &look.error), 1);
		assert_int_equal(event.seq, 2 + 3 * i);
		assert_true(slice_is(event.type, types[i]));
		assert_true(event.captured);
		assert_true(event.keys.key_count >= 2);
		assert_int_equal(event.keys.keys[0].kind, IDENTITY_EMAIL);
		assert_int_equal(slice_present(event_body_changes(event.body)), i > 0);
	}
	assert_int_equal(history_next(&history, &look.arena, &event, &look.error), 0);
	look_close(&look);
}

static void events_come_in_order(void **state)
{
	struct kit *kit = *state;
	uint8_t lead_id[UUID_BYTES];

	kit_open(kit);
	post_three_of(kit, "ada@x.example", 0, lead_id);
	check_walk(kit, lead_id);
}

static void a_clock_that_jumped_hides_nothing(void **state)
{
	struct kit *kit = *state;
	uint8_t lead_id[UUID_BYTES];

	kit_open(kit);
	/* Made by a clock an hour ahead, so the id says a time after all events. */
	post_three_of(kit, "ada@x.example", clock_wall_ms() + 3600000, lead_id);
	check_walk(kit, lead_id);
}

static void unknown_lead_has_no_history(void **state)
{
	struct kit *kit = *state;
	uint8_t unknown[UUID_BYTES];
	struct history history;
	struct look look;

	kit_open(kit);
	look_open(&look, kit);
	uuid_new(clock_wall_ms(), unknown);
	assert_false(history_begin(&history, look.reader, unknown, &look.error));
	assert_string_equal(look.error.text, "there is no such lead");
	look_close(&look);
}

static void settle(struct kit *kit, bool first, int64_t at_ms, const struct settled_event *events,
		   size_t n)
{
	struct settlement settlement = {.reply = &kit->replies,
					.sink = CRM,
					.first = first,
					.first_seq = events[0].seq,
					.last_seq = events[n - 1].seq,
					.events = events,
					.count = n,
					.at_ms = at_ms};

	outbox_settle(kit->outbox, &settlement);
	assert_ptr_equal(kit_reply(kit), &settlement.letter);
	assert_true(settlement.stored);
}

static void states_and_attempts_are_told(void **state)
{
	struct kit *kit = *state;
	const struct settled_event first[] = {
		{.seq = 1, .state = DELIVERY_DELIVERED, .status = 200},
		{.seq = 2, .state = DELIVERY_FILTERED},
		{.seq = 3,
		 .state = DELIVERY_RETRY,
		 .attempts = 1,
		 .due_ms = 5000,
		 .status = 503,
		 .reason = LG_SLICE("busy"),
		 .answer = LG_SLICE("no")},
		{.seq = 4, .state = DELIVERY_DEAD, .attempts = 1, .reason = LG_SLICE("bad")},
	};
	const struct settled_event again[] = {
		{.seq = 3, .state = DELIVERY_DELIVERED, .attempts = 2, .status = 201}};
	struct history_attempt attempts[4];
	struct history_state s;
	struct look look;

	kit_open(kit);
	for (int i = 0; i < 5; i++) {
		char email[32];
		snprintf(email, sizeof(email), "h%d@x.example", i);
		kit_post(kit, (struct post){.email = email});
	}
	settle(kit, true, 1000, first, 4);
	look_open(&look, kit);
	struct reader *reader = look.reader;
	assert_true(history_state(reader, &look.arena, CRM, 1, &s, &look.error));
	assert_int_equal(s.state, DELIVERY_DELIVERED);
	assert_int_equal(s.settled_ms, 1000);
	assert_true(history_state(reader, &look.arena, CRM, 2, &s, &look.error));
	assert_int_equal(s.state, DELIVERY_FILTERED);
	assert_true(history_state(reader, &look.arena, CRM, 3, &s, &look.error));
	assert_int_equal(s.state, DELIVERY_RETRY);
	assert_int_equal(s.due_ms, 5000);
	assert_int_equal(s.settled_ms, 0);
	assert_true(slice_is(s.reason, "busy"));
	assert_true(history_state(reader, &look.arena, CRM, 4, &s, &look.error));
	assert_int_equal(s.state, DELIVERY_DEAD);
	assert_int_equal(s.due_ms, 0);
	assert_true(history_state(reader, &look.arena, CRM, 5, &s, &look.error));
	assert_int_equal(s.state, DELIVERY_PENDING);
	assert_true(history_state(reader, &look.arena, LG_SLICE("other"), 1, &s, &look.error));
	assert_int_equal(s.state, DELIVERY_PENDING);

	settle(kit, false, 2000, again, 1);
	assert_true(history_state(reader, &look.arena, CRM, 3, &s, &look.error));
	assert_int_equal(s.state, DELIVERY_DELIVERED);
	assert_int_equal(s.settled_ms, 2000);
	assert_int_equal(history_attempts(reader, &look.arena, CRM, 3, attempts, 4, &look.error),
			 2);
	assert_int_equal(attempts[0].at_ms, 1000);
	assert_true(slice_is(attempts[0].outcome, "retry"));
	assert_int_equal(attempts[0].status, 503);
	assert_true(slice_is(attempts[0].reason, "busy"));
	assert_true(slice_is(attempts[0].answer, "no"));
	assert_true(slice_is(attempts[1].outcome, "delivered"));
	assert_int_equal(attempts[1].status, 201);
	assert_false(slice_present(attempts[1].reason));
	assert_int_equal(history_attempts(reader, &look.arena, CRM, 3, attempts, 1, &look.error),
			 1);
	assert_int_equal(history_attempts(reader, &look.arena, CRM, 2, attempts, 4, &look.error),
			 0);

	kit_sql(kit, "DELETE FROM open WHERE seq = 4");
	assert_true(history_state(reader, &look.arena, CRM, 4, &s, &look.error));
	assert_int_equal(s.state, HISTORY_UNACCOUNTED);
	look_close(&look);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(leads_are_found_by_their_keys),
		STORE_TEST(several_leads_are_found_in_order),
		STORE_TEST(events_come_in_order),
		STORE_TEST(a_clock_that_jumped_hides_nothing),
		STORE_TEST(unknown_lead_has_no_history),
		STORE_TEST(states_and_attempts_are_told),
	};
	return RUN(tests);
}
