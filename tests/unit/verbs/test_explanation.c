/* What a destination answered is shown on a terminal: it may be anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "codec/json.h"
#include "verbs/explanation.h"

static struct buffer out;

static const char *text(void)
{
	buffer_add_byte(&out, '\0');
	return out.failed ? "" : out.data + out.start;
}

/* The lines of an event that one sink refused with this answer. */
static const char *refused(struct lg_slice answer)
{
	const struct history_attempt attempt = {.at_ms = 0,
						.outcome = LG_SLICE("dead"),
						.status = 400,
						.reason = LG_SLICE("a\x1b[2Jb"),
						.answer = answer};
	struct explained_delivery delivery = {.sink = LG_SLICE("crm"),
					      .configured = true,
					      .state = {.state = DELIVERY_DEAD, .attempts = 1},
					      .attempts = &attempt,
					      .attempt_count = 1};
	const struct explained_event explained = {
		.event = {.seq = 7, .type = LG_SLICE("lead.created"), .body = LG_SLICE("{}")},
		.deliveries = &delivery,
		.delivery_count = 1,
	};

	buffer_clear(&out);
	explanation_text_event(&out, &explained);
	return text();
}

static void test_answer_is_escaped(void **state)
{
	(void)state;
	assert_string_equal(refused(LG_SLICE("no\n\"\\\x1b[2J\xff\xc2\x9b M\xc3\xbcller")),
			    "event 7 lead.created 1970-01-01T00:00:00.000Z, 2 bytes\n"
			    "  crm           dead, 1 attempt\n"
			    "                  1970-01-01T00:00:00.000Z dead 400: a?[2Jb,"
			    " answer \"no\\n\"\\\\\\x1b[2J\\xff\\xc2\\x9b M\xc3\xbcller\"\n");
}

static void test_long_answer_is_cut(void **state)
{
	static char many[1000];
	const char *shown;

	(void)state;
	memset(many, 'x', sizeof(many));
	shown = refused(slice_of(many, sizeof(many)));
	assert_non_null(strstr(shown, "xxx\"\xe2\x80\xa6\n"));
	assert_true(strlen(shown) < 400);
}

static void test_answer_as_json(void **state)
{
	const struct history_attempt attempt = {
		.at_ms = 1, .outcome = LG_SLICE("retry"), .answer = LG_SLICE("\xff\x01\"")};
	struct explained_delivery delivery = {.sink = LG_SLICE("crm"),
					      .state = {.state = HISTORY_UNACCOUNTED},
					      .attempts = &attempt,
					      .attempt_count = 1};
	const struct explained_event explained = {
		.event = {.seq = 7, .type = LG_SLICE("lead.touched"), .body = LG_SLICE("{}")},
		.deliveries = &delivery,
		.delivery_count = 1,
	};
	const struct json *line, *told;
	struct error error = {""};
	struct arena arena;

	(void)state;
	arena_init(&arena, 4096, 0);
	buffer_clear(&out);
	explanation_json_event(&out, &explained);
	line = json_parse(&arena, buffer_slice(&out), &error);
	assert_non_null(line);
	told = json_member(line, "deliveries")->first;
	assert_true(slice_is(json_member_text(told, "state"), "unaccounted"));
	told = json_member(told, "attempts")->first;
	assert_true(slice_is(json_member_text(told, "answer"), "\xef\xbf\xbd\x01\""));
	arena_fini(&arena);
}

static void test_values_are_found_by_path(void **state)
{
	struct error error = {""};
	struct arena arena;

	(void)state;
	arena_init(&arena, 4096, 0);
	const struct json *record = json_parse(
		&arena, LG_SLICE("{\"person\":{\"email\":\"a@b.example\"},\"is_test\":true}"),
		&error);
	assert_non_null(record);
	assert_true(
		slice_is(explanation_value(record, LG_SLICE("person.email"))->text, "a@b.example"));
	assert_int_equal(explanation_value(record, LG_SLICE("is_test"))->kind, JSON_TRUE);
	assert_null(explanation_value(record, LG_SLICE("person.phone")));
	assert_null(explanation_value(record, LG_SLICE("person.email.domain")));
	arena_fini(&arena);
}

static int end(void **state)
{
	(void)state;
	buffer_fini(&out);
	return 0;
}

static int begin(void **state)
{
	(void)state;
	buffer_init(&out, SIZE_MAX);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer_is_escaped),
		cmocka_unit_test(test_long_answer_is_cut),
		cmocka_unit_test(test_answer_as_json),
		cmocka_unit_test(test_values_are_found_by_path),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, begin, end);
}
