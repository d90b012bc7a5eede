/* What is asked by those who watch: alerts that are noted, what waits for a
 * sink, when a source brought something last. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define KEY LG_SLICE("parked/crm")

struct look {
	struct reader *reader;
	struct arena arena;
	struct error error;
};

static void look_open(struct look *look, struct kit *kit)
{
	look->error.text[0] = '\0';
	arena_init(&look->arena, 4096, 0);
	look->reader = reader_open(kit->store.path, &look->error);
	if (!look->reader)
		kit_fail("%s", look->error.text);
}

static void look_close(struct look *look)
{
	reader_close(&look->reader);
	arena_fini(&look->arena);
}

/* How many events that has written. */
static int64_t tell(struct kit *kit, struct lg_slice key, const char *text, bool raised)
{
	struct chore chore = {
		.kind = CHORE_ALERT, .sink = key, .text = slice_from(text), .raised = raised};

	if (!outbox_do_now(kit->outbox, &chore))
		kit_fail("%s", chore.error.text);
	return chore.count;
}

static ptrdiff_t noted(struct kit *kit)
{
	struct noted_alert *alerts;
	struct look look;

	look_open(&look, kit);
	ptrdiff_t count = reader_alerts(look.reader, &look.arena, &alerts, &look.error);
	look_close(&look);
	return count;
}

static void an_alert_is_said_once(void **state)
{
	struct kit *kit = *state;

	kit_open(kit);
	assert_int_equal(tell(kit, KEY, "{}", false), 0);
	assert_int_equal(tell(kit, KEY, "{\"n\":1}", true), 1);
	assert_int_equal(tell(kit, KEY, "{\"n\":2}", true), 0);
	assert_int_equal(tell(kit, LG_SLICE("silent/form"), "{\"n\":3}", true), 1);
	assert_int_equal(noted(kit), 2);
	kit_close(kit);
	kit_open(kit);
	assert_int_equal(tell(kit, KEY, "{\"n\":4}", true), 0);
	assert_int_equal(tell(kit, KEY, "{\"n\":5}", false), 1);
	assert_int_equal(tell(kit, KEY, "{\"n\":6}", false), 0);
	assert_int_equal(noted(kit), 1);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM event"), 3);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM lead"), 0);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM identity"), 0);
}

static void notes_say_what_is_raised(void **state)
{
	struct kit *kit = *state;
	struct noted_alert *alerts;
	struct look look;

	kit_open(kit);
	tell(kit, KEY, "{\"since\":1}", true);
	look_open(&look, kit);
	assert_int_equal(reader_alerts(look.reader, &look.arena, &alerts, &look.error), 1);
	assert_true(slice_is(alerts[0].key, "parked/crm"));
	assert_true(slice_is(alerts[0].text, "{\"since\":1}"));
	look_close(&look);
}

static void an_alert_is_an_event_among_others(void **state)
{
	struct kit *kit = *state;
	struct journal_event *events;
	static const uint8_t none[UUID_BYTES];
	struct look look;

	kit_open(kit);
	kit_post(kit, (struct post){.email = "a@x.example"});
	tell(kit, KEY, "{\"kind\":\"parked\"}", true);
	kit_post(kit, (struct post){.email = "b@x.example"});
	look_open(&look, kit);
	assert_int_equal(
		reader_events(look.reader, &look.arena, 0, 10, SIZE_MAX, &events, &look.error), 3);
	assert_int_equal(events[1].seq, 2);
	assert_int_equal(events[1].type, EVENT_ALERT);
	assert_memory_equal(events[1].lead_id, none, UUID_BYTES);
	assert_non_null(strstr(events[1].body.data, "\"alert\":{\"kind\":\"parked\"}}"));
	assert_true(slice_present(event_body_id(events[1].body)));
	assert_int_equal(
		reader_leads(look.reader, &look.arena, none, 10, false, &events, &look.error), 2);
	look_close(&look);
}

static void an_alert_wakes_who_watches(void **state)
{
	struct kit *kit = *state;
	struct mailbox watcher;

	kit_open(kit);
	assert_true(mailbox_init(&watcher));
	assert_true(outbox_watch(kit->outbox, &watcher));
	tell(kit, KEY, "{}", true);
	assert_true(mailbox_wait(&watcher, 60000));
	assert_int_equal(outbox_last_seq(kit->outbox), 1);
	outbox_unwatch(kit->outbox, &watcher);
	mailbox_fini(&watcher);
}

static struct sink_backlog backlog(struct kit *kit, int64_t position)
{
	struct sink_backlog backlog;
	struct look look;

	look_open(&look, kit);
	if (!reader_backlog(look.reader, LG_SLICE("crm"), position, &backlog, &look.error))
		kit_fail("%s", look.error.text);
	look_close(&look);
	return backlog;
}

static void the_oldest_that_waits(void **state)
{
	struct kit *kit = *state;

	kit_open(kit);
	for (int i = 0; i < 4; i++) {
		char email[32];
		snprintf(email, sizeof(email), "w%d@x.example", i);
		kit_post(kit, (struct post){.email = email, .at_ms = 1000000 + i});
	}
	assert_int_equal(backlog(kit, 0).oldest_ms, 1000000);
	assert_int_equal(backlog(kit, 2).oldest_ms, 1000002);
	assert_int_equal(backlog(kit, 4).oldest_ms, 0);
	kit_sql(kit, "INSERT INTO open (sink, seq, state, attempts) VALUES ('crm', 1, 'dead', 3),"
		     " ('crm', 2, 'retry', 1), ('crm', 3, 'retry', 1), ('other', 1, 'retry', 1)");
	assert_int_equal(backlog(kit, 4).oldest_ms, 1000001);
	assert_int_equal(backlog(kit, 3).oldest_ms, 1000001);
	assert_int_equal(backlog(kit, 0).oldest_ms, 1000000);
	assert_int_equal(backlog(kit, 4).by_state[DELIVERY_DEAD], 1);
	assert_int_equal(backlog(kit, 4).by_state[DELIVERY_RETRY], 2);
	kit_sql(kit, "DELETE FROM open WHERE state = 'retry'");
	assert_int_equal(backlog(kit, 4).oldest_ms, 0);
}

static void sources_are_heard_backwards(void **state)
{
	struct kit *kit = *state;
	struct source_heard heard[] = {
		{.source = LG_SLICE("form")},
		{.source = LG_SLICE("sms")},
		{.source = LG_SLICE("never")},
		{.source = LG_SLICE("known"), .at_ms = 7},
	};
	struct look look;

	kit_open(kit);
	kit_post(kit, (struct post){.email = "a@x.example", .source = "form", .at_ms = 1000});
	kit_post(kit, (struct post){.email = "b@x.example", .source = "sms", .at_ms = 2000});
	kit_post(kit, (struct post){.email = "c@x.example", .source = "known", .at_ms = 3000});
	kit_post(kit, (struct post){.email = "d@x.example", .source = "sms", .at_ms = 4000});
	tell(kit, KEY, "{}", true);
	look_open(&look, kit);
	/* The alert, d, c and b: a is beyond. */
	assert_true(reader_heard(look.reader, heard, 4, 4, &look.error));
	assert_int_equal(heard[0].at_ms, 0);
	assert_int_equal(heard[1].at_ms, 4000);
	assert_true(reader_heard(look.reader, heard, 4, 100, &look.error));
	assert_int_equal(heard[0].at_ms, 1000);
	assert_int_equal(heard[1].at_ms, 4000);
	assert_int_equal(heard[2].at_ms, 0);
	assert_int_equal(heard[3].at_ms, 7);
	look_close(&look);
}

/* A touch is of the source that brought it, not of the first one. */
static void a_touch_is_heard(void **state)
{
	struct kit *kit = *state;
	struct source_heard heard[] = {{.source = LG_SLICE("form")}, {.source = LG_SLICE("sms")}};
	struct look look;

	kit_open(kit);
	kit_post(kit, (struct post){.email = "a@x.example", .source = "form", .at_ms = 1000});
	kit_post(kit, (struct post){.email = "a@x.example",
				    .source = "sms",
				    .message = "again",
				    .at_ms = 2000});
	look_open(&look, kit);
	assert_true(reader_heard(look.reader, heard, 2, 100, &look.error));
	assert_int_equal(heard[0].at_ms, 1000);
	assert_int_equal(heard[1].at_ms, 2000);
	look_close(&look);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(an_alert_is_said_once),
		STORE_TEST(notes_say_what_is_raised),
		STORE_TEST(an_alert_is_an_event_among_others),
		STORE_TEST(an_alert_wakes_who_watches),
		STORE_TEST(the_oldest_that_waits),
		STORE_TEST(sources_are_heard_backwards),
		STORE_TEST(a_touch_is_heard),
	};

	return RUN(tests);
}
