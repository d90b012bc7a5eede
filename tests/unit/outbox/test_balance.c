/* The sums close on what the settling code writes, and each way in which rows
 * can be wrong is named with its events. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "outbox/balance.h"

#define CRM LG_SLICE("crm")

/* What was found, as "crm 3-4 in no state; ". */
struct found {
	char text[1024];
	struct balance balance;
	struct arena arena;
};

static void on_fault(struct balance *balance, struct lg_slice sink, enum balance_fault fault,
		     int64_t first_seq, int64_t last_seq)
{
	struct found *found = balance->context;
	size_t used = strlen(found->text);

	snprintf(found->text + used, sizeof(found->text) - used, "%.*s %lld-%lld %s; ",
		 SLICE_ARGS(sink), (long long)first_seq, (long long)last_seq,
		 balance_fault_text(fault));
}

static void count_for(struct kit *kit, struct found *found, const struct lg_slice *names,
		      size_t name_count)
{
	struct error error = {""};
	struct reader *reader = reader_open(kit->store.path, &error);

	if (!reader)
		fail_msg("%s", error.text);
	memset(found, 0, sizeof(*found));
	arena_init(&found->arena, 4096, 0);
	found->balance.found = on_fault;
	found->balance.context = found;
	if (!balance_read(&found->balance, reader, &found->arena, names, name_count, &error))
		fail_msg("%s", error.text);
	reader_close(&reader);
}

static void count(struct kit *kit, struct found *found)
{
	count_for(kit, found, &CRM, 1);
}

static void open_and_post(struct kit *kit, int posts)
{
	kit_open(kit);
	for (int i = 0; i < posts; i++) {
		char email[32];
		snprintf(email, sizeof(email), "b%d@x.example", i);
		kit_post(kit, (struct post){.email = email});
	}
}

static void settle(struct kit *kit, bool first, const struct settled_event *events, size_t n)
{
	struct settlement settlement = {.reply = &kit->replies,
					.sink = CRM,
					.first = first,
					.first_seq = events[0].seq,
					.last_seq = events[n - 1].seq,
					.events = events,
					.count = n,
					.at_ms = 1000};

	outbox_settle(kit->outbox, &settlement);
	assert_ptr_equal(kit_reply(kit), &settlement.letter);
	assert_true(settlement.stored);
}

/* Events 1 to 5: delivered, filtered, retry, dead, delivered; 6 to 8 pending. */
static void settle_some(struct kit *kit)
{
	const struct settled_event events[] = {
		{.seq = 1, .state = DELIVERY_DELIVERED},
		{.seq = 2, .state = DELIVERY_FILTERED},
		{.seq = 3, .state = DELIVERY_RETRY, .due_ms = 5000, .attempts = 1},
		{.seq = 4, .state = DELIVERY_DEAD, .attempts = 1},
		{.seq = 5, .state = DELIVERY_DELIVERED},
	};

	open_and_post(kit, 8);
	settle(kit, true, events, 5);
}

static void what_the_settler_writes_closes(void **state)
{
	struct kit *kit = *state;
	const struct settled_event again = {.seq = 3, .state = DELIVERY_DELIVERED};
	const struct lg_slice names[] = {LG_SLICE("idle"), CRM};
	struct found found;

	settle_some(kit);
	count_for(kit, &found, names, 2);
	assert_string_equal(found.text, "");
	assert_true(balance_closes(&found.balance));
	assert_int_equal(found.balance.events, 8);
	assert_int_equal(found.balance.leads, 8);
	assert_int_equal(found.balance.type_count, 1);
	assert_true(slice_is(found.balance.types[0].name, "lead.created"));
	assert_int_equal(found.balance.sinks[0].by_state[DELIVERY_PENDING], 8);
	const struct balance_sink *crm = &found.balance.sinks[1];
	assert_int_equal(crm->position, 5);
	assert_int_equal(crm->by_state[DELIVERY_DELIVERED], 2);
	assert_int_equal(crm->by_state[DELIVERY_FILTERED], 1);
	assert_int_equal(crm->by_state[DELIVERY_RETRY], 1);
	assert_int_equal(crm->by_state[DELIVERY_DEAD], 1);
	assert_int_equal(crm->by_state[DELIVERY_PENDING], 3);
	arena_fini(&found.arena);

	/* An open event closes by a row of its own. */
	settle(kit, false, &again, 1);
	count(kit, &found);
	assert_true(balance_closes(&found.balance));
	assert_int_equal(found.balance.sinks[0].by_state[DELIVERY_DELIVERED], 3);
	assert_int_equal(found.balance.sinks[0].by_state[DELIVERY_RETRY], 0);
	arena_fini(&found.arena);
}

static void traps_and_touches_are_counted_by_type(void **state)
{
	struct kit *kit = *state;
	struct found found;

	kit_open(kit);
	kit_post(kit, (struct post){.email = "a@x.example", .message = "one"});
	kit_post(kit, (struct post){.email = "a@x.example", .message = "two"});
	kit_post(kit, (struct post){.email = "t@x.example", .trapped = true});
	count(kit, &found);
	assert_true(balance_closes(&found.balance));
	assert_int_equal(found.balance.events, 3);
	assert_int_equal(found.balance.leads, 2);
	assert_int_equal(found.balance.type_count, 3);
	arena_fini(&found.arena);
}

static void a_sink_that_only_the_journal_knows_is_counted(void **state)
{
	struct kit *kit = *state;
	struct found found;
	const struct lg_slice other = LG_SLICE("other");

	settle_some(kit);
	count_for(kit, &found, &other, 1);
	assert_int_equal(found.balance.sink_count, 2);
	assert_true(found.balance.sinks[0].known);
	assert_false(found.balance.sinks[1].known);
	assert_true(slice_equal(found.balance.sinks[1].name, CRM));
	assert_true(balance_closes(&found.balance));
	arena_fini(&found.arena);
}

static void an_empty_store_closes(void **state)
{
	struct kit *kit = *state;
	struct found found;

	kit_open(kit);
	count(kit, &found);
	assert_true(balance_closes(&found.balance));
	assert_int_equal(found.balance.events, 0);
	arena_fini(&found.arena);
}

/* Each case: damage, then what is said of it. */
static void damage_is_named(void **state)
{
	static const struct {
		const char *sql, *said;
	} cases[] = {
		{"UPDATE settled SET outcomes = 'delivered none*2 dead delivered'",
		 "crm 2-2 in no state; "},
		{"DELETE FROM settled; INSERT INTO settled VALUES"
		 " ('crm', 5, 5, 1, 'delivered')",
		 "crm 1-2 in no state; "},
		{"INSERT INTO settled VALUES ('crm', 5, 5, 1, 'delivered')",
		 "crm 5-5 in more than one state; "},
		{"INSERT INTO settled VALUES ('crm', 1, 2, 1, 'filtered*2')",
		 "crm 1-2 in more than one state; "},
		{"DELETE FROM open WHERE seq = 3", "crm 3-3 in no state; "},
		{"INSERT INTO open VALUES ('crm', 5, 'dead', 1, NULL, NULL, NULL, NULL, NULL, "
		 "NULL)",
		 "crm 5-5 in more than one state; "},
		{"INSERT INTO open VALUES ('crm', 7, 'retry', 1, 1, NULL, NULL, NULL, NULL, NULL)",
		 "crm 7-7 in more than one state; "},
		{"INSERT INTO open VALUES ('crm', 900, 'retry', 1, 1, NULL, NULL, NULL, NULL, "
		 "NULL)",
		 "crm 900-900 open, but there is no such event; "},
		{"UPDATE open SET state = 'delivered' WHERE seq = 3",
		 "crm 3-3 settled or open in words that cannot be read; crm 3-3 in no state; "},
		{"UPDATE settled SET outcomes = 'delivered filtered retry dead'",
		 "crm 1-5 settled or open in words that cannot be read; "
		 "crm 5-5 in no state; "},
		{"UPDATE settled SET outcomes = outcomes || '*4'",
		 "crm 1-5 settled or open in words that cannot be read; "
		 "crm 5-5 in no state; "},
		{"INSERT INTO settled VALUES ('crm', 6, 10, 1, 'delivered*5')",
		 "crm 9-10 settled, but the journal ends before; "},
		{"INSERT INTO settled VALUES ('crm', -9223372036854775808, 1, 1, 'delivered')",
		 "crm 1-1 settled or open in words that cannot be read; "},
		{"INSERT INTO settled VALUES ('crm', 9, 9223372036854775807, 1,"
		 " 'delivered*9223372036854775799')",
		 "crm 9-1099511627775 settled, but the journal ends before; "
		 "crm 6-8 in no state; "},
		{"UPDATE settled SET outcomes = 'delivered*9223372036854775807'",
		 "crm 1-5 settled or open in words that cannot be read; "
		 "crm 1-2 in no state; crm 5-5 in no state; "},
		{"DELETE FROM event WHERE seq = 4",
		 "crm 4-4 open, but there is no such event; "
		 " 4-4 the present record of a lead, but there is no such event; "},
	};
	struct kit *kit = *state;
	struct found found;

	settle_some(kit);
	kit_close(kit);
	kit_sql(kit, "CREATE TABLE kept_settled AS SELECT * FROM settled;"
		     "CREATE TABLE kept_open AS SELECT * FROM open;"
		     "CREATE TABLE kept_event AS SELECT * FROM event");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		kit_sql(kit, cases[i].sql);
		count(kit, &found);
		assert_string_equal(found.text, cases[i].said);
		assert_false(balance_closes(&found.balance));
		arena_fini(&found.arena);
		kit_sql(kit, "DELETE FROM settled; INSERT INTO settled SELECT * FROM kept_settled;"
			     "DELETE FROM open; INSERT INTO open SELECT * FROM kept_open;"
			     "DELETE FROM event; INSERT INTO event SELECT * FROM kept_event");
		count(kit, &found);
		assert_true(balance_closes(&found.balance));
		arena_fini(&found.arena);
	}
}

/* With so many sinks a window is short: rows go across its seams. */
#define SINKS 512
#define EVENTS 140000

static void rows_across_windows_are_counted_once(void **state)
{
	static struct lg_slice names[SINKS];
	static char texts[SINKS][16];
	struct kit *kit = *state;
	struct found found;

	kit_open(kit);
	kit_close(kit);
	kit_sql(kit, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
		     " WHERE i < 140000) INSERT INTO event"
		     " SELECT i, 'lead.created', zeroblob(16), i, '' FROM n");
	kit_sql(kit, "INSERT INTO settled VALUES ('s0', 1, 139999, 1,"
		     " 'delivered*65535 filtered*2 delivered*60000 none delivered*14461')");
	/* One is left out, and one said twice, on both sides of a seam. */
	kit_sql(kit, "INSERT INTO settled VALUES ('s0', 65536, 131073, 1,"
		     " 'delivered none*65536 delivered')");
	for (int i = 0; i < SINKS; i++) {
		snprintf(texts[i], sizeof(texts[i]), "s%d", i);
		names[i] = slice_from(texts[i]);
	}
	count_for(kit, &found, names, SINKS);
	assert_int_equal(found.balance.events, EVENTS);
	assert_string_equal(found.text, "s0 65536-65536 in more than one state; "
					"s0 125538-125538 in no state; "
					"s0 131073-131073 in more than one state; ");
	const struct balance_sink *sink = &found.balance.sinks[0];
	assert_int_equal(sink->by_state[DELIVERY_FILTERED], 1);
	assert_int_equal(sink->by_state[DELIVERY_DELIVERED], 65535 + 60000 + 14461 - 1);
	assert_int_equal(sink->by_state[DELIVERY_PENDING], 1);
	assert_int_equal(found.balance.sinks[SINKS - 1].by_state[DELIVERY_PENDING], EVENTS);
	arena_fini(&found.arena);
}

static void memory_may_run_out(void **state)
{
	struct kit *kit = *state;
	struct error error = {""};
	struct arena arena;
	int64_t n = 0;
	bool done;

	settle_some(kit);
	struct reader *reader = reader_open(kit->store.path, &error);
	assert_non_null(reader);
	do {
		struct balance balance = {.found = NULL};
		arena_init(&arena, 4096, 0);
		alloc_fail_at(++n);
		done = balance_read(&balance, reader, &arena, &CRM, 1, &error);
		bool failed = alloc_failed();
		alloc_fail_at(0);
		arena_fini(&arena);
		assert_true(done || failed);
	} while (!done);
	assert_true(n > 1);
	reader_close(&reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(what_the_settler_writes_closes),
		STORE_TEST(traps_and_touches_are_counted_by_type),
		STORE_TEST(a_sink_that_only_the_journal_knows_is_counted),
		STORE_TEST(an_empty_store_closes),
		STORE_TEST(damage_is_named),
		STORE_TEST(rows_across_windows_are_counted_once),
		STORE_TEST(memory_may_run_out),
	};
	return RUN(tests);
}
