#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above before itself */
#include <cmocka.h>

#include "supervise/errand.h"

static struct arena arena;

static const struct json *parse(struct lg_slice text)
{
	struct error error = {""};
	const struct json *json = json_parse(&arena, text, &error);

	if (!json)
		fail_msg("%s", error.text);
	return json;
}

/* What one end writes the other one reads. */
static void requests_go_both_ways(void **state)
{
	const struct chore chores[] = {
		{.kind = CHORE_PAUSE, .sink = LG_SLICE("c\"rm"), .text = LG_SLICE("a\nb")},
		{.kind = CHORE_RESUME, .sink = LG_SLICE("crm")},
		{.kind = CHORE_FORGET, .sink = LG_SLICE("old")},
		{.kind = CHORE_REPLAY,
		 .sink = LG_SLICE("crm"),
		 .replay = {.first_seq = 3, .last_seq = INT64_MAX, .dead_only = true}},
		{.kind = CHORE_REPLAY,
		 .sink = LG_SLICE("crm"),
		 .replay = {.first_seq = 7, .last_seq = 7, .again = true}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(chores) / sizeof(chores[0]); i++) {
		const struct chore *sent = &chores[i];
		struct error error = {""};
		struct chore got;
		struct buffer out;

		buffer_init(&out, 4096);
		errand_write(&out, sent);
		assert_true(slice_find(buffer_slice(&out), '\n') < 0);
		if (!errand_read(&got, parse(buffer_slice(&out)), &error))
			fail_msg("%s", error.text);
		assert_int_equal(got.kind, sent->kind);
		assert_true(slice_equal(got.sink, sent->sink));
		assert_true(slice_equal(got.text, sent->text));
		assert_int_equal(got.replay.first_seq, sent->replay.first_seq);
		assert_int_equal(got.replay.last_seq, sent->replay.last_seq);
		assert_int_equal(got.replay.dead_only, sent->replay.dead_only);
		assert_int_equal(got.replay.again, sent->replay.again);
		buffer_fini(&out);
	}
}

static void bad_requests_are_refused(void **state)
{
	static const char *const bad[] = {
		"{\"command\":\"pause\"}",
		"{\"command\":\"replay\",\"sink\":\"crm\"}",
		"{\"command\":\"replay\",\"sink\":\"crm\",\"first_seq\":-1,\"last_seq\":2}",
		"{\"command\":\"replay\",\"sink\":\"crm\",\"first_seq\":1,\"last_seq\":\"x\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct error error = {""};
		struct chore chore;

		assert_false(errand_read(&chore, parse(slice_from(bad[i])), &error));
		assert_true(error.text[0] != '\0');
	}
}

static void answers_go_both_ways(void **state)
{
	struct chore sent = {.done = true, .count = 12}, got = {.count = 0};
	struct buffer out;

	(void)state;
	buffer_init(&out, 4096);
	errand_answer(&out, &sent);
	errand_take_answer(&got, buffer_slice(&out));
	assert_true(got.done);
	assert_int_equal(got.count, 12);
	buffer_clear(&out);
	sent.done = false;
	error_set(&sent.error, "the \"disk\" is full");
	errand_answer(&out, &sent);
	errand_take_answer(&got, buffer_slice(&out));
	assert_false(got.done);
	assert_string_equal(got.error.text, "the \"disk\" is full");
	errand_take_answer(&got, LG_SLICE("nonsense"));
	assert_false(got.done);
	assert_string_equal(got.error.text, "the running gateway's answer cannot be read");
	buffer_fini(&out);
}

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 1024, 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_fini(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_go_both_ways),
		cmocka_unit_test(bad_requests_are_refused),
		cmocka_unit_test(answers_go_both_ways),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
