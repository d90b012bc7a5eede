/* Sorting and encoding a run, and what happens when memory runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "sink/run.h"

#define HEAD                                                                            \
	"{\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"type\":\"lead.created\","   \
	"\"at\":\"2026-01-02T03:04:05.678Z\",\"lead\":{\"schema\":\"leadgate/lead/1\"," \
	"\"id\":\"01890a5d-ac96-774b-bcce-b302099a8058\","                              \
	"\"captured_at\":\"2026-01-02T03:04:05.678Z\","                                 \
	"\"occurred_at\":\"2026-01-02T03:04:05.678Z\","                                 \
	"\"released_at\":\"2026-01-02T03:04:05.678Z\","
#define REST "\"source\":{\"name\":\"form\"},\"extra\":{\"x\":\"1\"}}}"

static struct lg_services services = {.size = sizeof(services)};
static struct mailbox wake;

static int setup(void **state)
{
	(void)state;
	batch_services_add(&services);
	return mailbox_init(&wake) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	mailbox_fini(&wake);
	return 0;
}

static const struct {
	enum event_type type;
	bool discarded;
	const char *body;
	enum delivery_state state;	/* of a sink that takes created and touched */
	enum delivery_state with_tests; /* and tests */
} table[] = {
	{EVENT_CREATED, false, HEAD REST, DELIVERY_PENDING, DELIVERY_PENDING},
	{EVENT_TOUCHED, false, HEAD REST, DELIVERY_PENDING, DELIVERY_PENDING},
	{EVENT_STATUS, false, HEAD REST, DELIVERY_FILTERED, DELIVERY_FILTERED},
	{EVENT_ERASED, false, "{\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\"}",
	 DELIVERY_FILTERED, DELIVERY_FILTERED},
	{EVENT_ALERT, false, HEAD "\"alert\":{}}", DELIVERY_FILTERED, DELIVERY_FILTERED},
	{EVENT_HELD, false, HEAD REST, DELIVERY_HELD, DELIVERY_HELD},
	{EVENT_CREATED, true, HEAD REST, DELIVERY_DISCARDED, DELIVERY_DISCARDED},
	{EVENT_CREATED, false, HEAD "\"is_test\":true," REST, DELIVERY_FILTERED, DELIVERY_PENDING},
	{EVENT_CREATED, false, HEAD "\"is_test\":false," REST, DELIVERY_PENDING, DELIVERY_PENDING},
	/* What a form says about itself is no mark. */
	{EVENT_CREATED, false,
	 HEAD "\"source\":{\"name\":\"f\"},\"extra\":{\"a\":\"b\",\"is_test\":true}}}",
	 DELIVERY_PENDING, DELIVERY_PENDING},
	{EVENT_CREATED, false, "", DELIVERY_PENDING, DELIVERY_PENDING},
};
#define ROWS (sizeof(table) / sizeof(table[0]))

/* What the reader would have read; false when there is no memory. */
static bool fill(struct run *run)
{
	run->events = arena_zalloc(&run->arena, ROWS * sizeof(*run->events));
	if (!run->events)
		return false;
	for (size_t i = 0; i < ROWS; i++)
		run->events[i] = (struct journal_event){
			.seq = 10 + (int64_t)i,
			.type = table[i].type,
			.discarded = table[i].discarded,
			.attempts = 2,
			.body = slice_from(table[i].body),
		};
	run->count = ROWS;
	return true;
}

static bool prepare(struct run *run, const struct run_rules *rules)
{
	return run_sort(run, rules) && run_fill(run, rules);
}

static const struct run_rules plain = {.types = 1u << EVENT_CREATED | 1u << EVENT_TOUCHED};
static const struct run_rules tests_too = {
	.types = 1u << EVENT_CREATED | 1u << EVENT_TOUCHED,
	.tests = true,
};

static void test_sorting(void **state)
{
	struct run *run = run_new(&services, &wake);

	(void)state;
	for (int tests = 0; tests < 2; tests++) {
		size_t wanted = 0;
		assert_true(fill(run));
		assert_true(prepare(run, tests ? &tests_too : &plain));
		for (size_t i = 0; i < ROWS; i++) {
			enum delivery_state right = tests ? table[i].with_tests : table[i].state;
			if (run->results[i].state != right)
				fail_msg("row %zu has state %d", i, (int)run->results[i].state);
			assert_int_equal(run->results[i].seq, 10 + i);
			if (right == DELIVERY_PENDING)
				assert_int_equal(run->places[wanted++], i);
		}
		assert_int_equal(run->batch.count, wanted);
		run_reset(run);
		assert_int_equal(batch_unsettled(&run->batch), 0);
	}
	run_free(&run);
	assert_null(run);
}

static void test_what_the_plugin_sees(void **state)
{
	struct run *run = run_new(&services, &wake);
	struct lg_event event;

	(void)state;
	assert_true(fill(run));
	assert_true(prepare(run, &plain));
	assert_int_equal(lg_batch_event(&run->batch.handle, 1, &event), LG_OK);
	assert_int_equal(event.seq, 11);
	assert_int_equal(event.attempt, 3);
	assert_true(slice_is(event.type, "lead.touched"));
	assert_true(slice_is(event.id, "01890a5d-ac96-774b-bcce-b302099a8057"));
	assert_true(slice_starts(event.json, "{\"seq\":11,\"id\":\"01890a5d"));
	assert_true(slice_ends(event.json, "}}}"));
	run_reset(run);
	run_free(&run);
}

/* What is mapped is the body; an event whose mapping fails waits, as one whose
 * filter fails, and the others go. */
static void test_mapped(void **state)
{
	static const struct expr_limits limits = {.memory_bytes = 4 << 20, .steps = 200000};
	static const struct outline fields[] = {{
		.kind = OUTLINE_VALUE,
		.name = {"x", 1},
		.text = {"'a' .. (extra.x or event.type)", 30},
	}};
	static const struct outline outline = {.kind = OUTLINE_MAP, .items = fields, .count = 1};
	static const struct sink_settings settings = {.retry_first_ms = 10, .retry_max_ms = 100};
	struct run *run = run_new(&services, &wake);
	struct run_rules rules = plain;
	struct lg_event event;
	struct error error;

	(void)state;
	rules.settings = &settings;
	rules.mapping = mapping_new(&outline, MAPPING_JSON, 1000, &limits, &error);
	assert_true(fill(run));
	assert_true(prepare(run, &rules));
	for (size_t i = 0; i < ROWS; i++) {
		bool none = table[i].state == DELIVERY_PENDING && table[i].body[0] == '\0';
		assert_int_equal(run->results[i].state, none ? DELIVERY_RETRY : table[i].state);
		assert_int_equal(run->results[i].untried, none);
	}
	assert_int_equal(run->mapping_errors, 1);
	assert_int_equal(run->when_errors, 0);
	assert_true(slice_is(run->mapping_error, "\"mapping\": the event cannot be read"));
	assert_int_equal(lg_batch_event(&run->batch.handle, 0, &event), LG_OK);
	assert_true(slice_is(lg_event_body(&event), "{\"x\":\"a1\"}"));
	assert_true(slice_is(event.body_type, "application/json"));
	assert_true(slice_starts(event.json, "{\"seq\":10,\"id\":\"01890a5d"));
	/* A plugin that was built before there was a mapping. */
	memset(&event, 'x', sizeof(event));
	event.size = offsetof(struct lg_event, body);
	services.batch_event(&run->batch.handle, 0, &event);
	assert_memory_equal(&event.body, "xxxxxxxx", 8);
	assert_int_equal(event.seq, 10);
	run_reset(run);
	run_free(&run);
	mapping_free(&rules.mapping);
}

static void test_tally_and_judge(void **state)
{
	static const struct sink_settings settings = {
		.retry_first_ms = 10,
		.retry_max_ms = 100,
		.retry_for_ms = INT64_MAX,
		.max_retry_after_ms = 86400000,
	};
	static const int32_t outcomes[] = {LG_DELIVERED, LG_RETRY, LG_UNCLASSIFIED, LG_PARK,
					   LG_REJECT};
	struct run *run = run_new(&services, &wake);
	struct run_tally tally;

	(void)state;
	assert_true(fill(run));
	assert_true(prepare(run, &plain));
	assert_int_equal(run->batch.count, 5);
	for (size_t i = 0; i < 5; i++) {
		struct lg_settlement said = {.size = sizeof(said), .outcome = outcomes[i]};
		said.retry_after = 1000 * (int64_t)i;
		said.reason = i == 1 ? LG_SLICE("first") : LG_SLICE("later");
		lg_settle(&run->batch.handle, i, &said);
	}
	run_tally(run, &tally);
	assert_int_equal(tally.delivered, 1);
	assert_int_equal(tally.retried, 1);
	assert_int_equal(tally.unclassified, 1);
	assert_int_equal(tally.parked, 1);
	assert_int_equal(tally.dead, 1);
	assert_int_equal(tally.retry_after_ms, 4000);
	assert_true(slice_is(tally.reason, "first"));
	run_judge(run, &settings, 5000);
	assert_int_equal(run->results[run->places[0]].state, DELIVERY_DELIVERED);
	assert_int_equal(run->results[run->places[1]].state, DELIVERY_RETRY);
	assert_int_equal(run->results[run->places[1]].due_ms, 6000);
	assert_int_equal(run->results[run->places[1]].attempts, 3);
	assert_int_equal(run->results[run->places[4]].state, DELIVERY_DEAD);
	assert_int_equal(run->results[2].state, DELIVERY_FILTERED); /* was not asked */
	run_reset(run);
	run_free(&run);
}

/* Every allocation fails once; nothing leaks, and nothing stays unsettled. */
static void test_no_memory(void **state)
{
	int64_t n = 0;
	bool failed;

	(void)state;
	do {
		alloc_fail_at(++n);
		struct run *run = run_new(&services, &wake);
		if (run && fill(run) && !prepare(run, &plain))
			assert_int_equal(batch_unsettled(&run->batch), 0);
		failed = alloc_failed();
		alloc_fail_at(0);
		if (run) {
			run_reset(run);
			assert_true(fill(run) && prepare(run, &plain)); /* it recovers */
			run_reset(run);
		}
		run_free(&run);
	} while (failed);
	assert_true(n > 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorting),	  cmocka_unit_test(test_what_the_plugin_sees),
		cmocka_unit_test(test_mapped),	  cmocka_unit_test(test_tally_and_judge),
		cmocka_unit_test(test_no_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("run", tests, setup, teardown);
}
