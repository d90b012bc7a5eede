/* A request through a source on a real store: what is stored and what is said.
 *
 * The plugin reads its orders from the body, one a line:
 *   lead ADDRESS   a lead with this email ("-": with none)
 *   key KEY        Idempotency-Key of the last lead
 *   large          makes the last lead larger than a record may be
 *   trap           makes the last lead a trap
 *   ignore         an item to be ignored
 *   header TEXT    adds X-Added to whatever answer
 *   refuse, fail   ends so */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <leadgate/source.h>

#include "codec/json.h"
#include "fixture.h"

static struct lg_lead *add_lead(struct lg_request *request, struct lg_slice address)
{
	struct lg_lead *lead = lg_lead(request);

	if (lead && !slice_is(address, "-"))
		lg_lead_set(lead, LG_EMAIL, address);
	return lead;
}

static void enlarge(struct lg_lead *lead)
{
	static char text[60000];

	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 6; i++)
		lg_lead_extra(lead, LG_SLICE("more"), slice_of(text, sizeof(text)));
}

static int32_t receive(void *instance, struct lg_request *request)
{
	struct lg_request_info info;
	struct lg_lead *lead = NULL;
	struct lg_slice line;

	(void)instance;
	lg_request_info(request, &info);
	while (slice_split(&info.body, '\n', &line)) {
		struct lg_slice word, rest = line;

		slice_split(&rest, ' ', &word);
		if (slice_is(word, "lead"))
			lead = add_lead(request, rest);
		else if (slice_is(word, "key"))
			lg_lead_key(lead, LG_KEY_IDEMPOTENCY, rest);
		else if (slice_is(word, "id"))
			lg_lead_key(lead, LG_KEY_PROVIDER, rest);
		else if (slice_is(word, "large"))
			enlarge(lead);
		else if (slice_is(word, "trap"))
			lg_lead_trap(lead, LG_SLICE("honeypot"));
		else if (slice_is(word, "ignore"))
			lg_ignore(request, LG_SLICE("a status report"));
		else if (slice_is(word, "header"))
			lg_answer_header(request, "X-Added", rest);
		else if (slice_is(word, "refuse"))
			return lg_refuse(request, 403, LG_SLICE("the signature is wrong"));
		else if (slice_is(word, "fail"))
			return LG_FAIL;
	}
	return LG_OK;
}

static int32_t reply(void *instance, struct lg_request *request, struct lg_reply *answer)
{
	struct lg_result result;

	(void)instance;
	if (lg_result(request, 0, &result) != LG_OK || result.verdict == LG_IGNORED)
		return LG_FAIL;
	lg_reply_status(answer, 303);
	lg_reply_header(answer, "Location", LG_SLICE("/thanks"));
	return lg_reply_body(answer, "text/plain", result.receipt);
}

/* As a plugin that answers refusals, too, with what the gateway would say. */
static int32_t reply_to_all(void *instance, struct lg_request *request, struct lg_reply *answer)
{
	struct lg_result refusal;

	if (lg_refusal(request, &refusal) != LG_OK)
		return reply(instance, request, answer);
	lg_reply_status(answer, refusal.status);
	return lg_reply_body(answer, "text/refusal", refusal.reason);
}

static struct fixture fixture;

static int set_up(void **state)
{
	(void)state;
	fixture_init(&fixture, receive, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_fini(&fixture);
	return 0;
}

/* The member of the last answer's body, as text. */
static struct lg_slice told(struct arena *arena, const char *member)
{
	const struct json *root = json_parse(arena, slice_from(fixture.answer.body), NULL);

	return json_member_text(root, member);
}

static size_t told_count(struct arena *arena, const char *member)
{
	const struct json *list = json_member(
		json_parse(arena, slice_from(fixture.answer.body), NULL), member);
	size_t count = 0;

	for (const struct json *item = list ? list->first : NULL; item; item = item->next)
		count++;
	return count;
}

static void test_one_lead_is_stored_before_the_answer(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 1024, 0);
	assert_int_equal(fixture_post(&fixture, "lead ada@example.com")->status, 202);
	assert_string_equal(fixture.answer.type, "application/json");
	assert_true(slice_is(told(&arena, "status"), "accepted"));
	assert_int_equal(told(&arena, "receipt").length, 36);
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM event"), 1);
	arena_fini(&arena);
}

static void test_repeated_lead_gets_the_same_bytes(void **state)
{
	char first[ANSWER_BYTES];

	(void)state;
	fixture_post(&fixture, "lead ada@example.com");
	memcpy(first, fixture.answer.body, sizeof(first));
	assert_int_equal(fixture_post(&fixture, "lead ada@example.com")->status, 202);
	assert_string_equal(fixture.answer.body, first);
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM event"), 1);
	assert_int_equal(counter_read(fixture.source.counters[SOURCE_REPEATED]) > 0, 1);
}

static void test_several_leads_get_several_receipts(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 1024, 0);
	fixture_post(&fixture, "lead a@example.com\nlead b@example.com");
	assert_int_equal(fixture.answer.status, 202);
	assert_int_equal(told_count(&arena, "receipts"), 2);
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM event"), 2);
	arena_fini(&arena);
}

static void test_bad_item_is_refused_alone(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 1024, 0);
	fixture_post(&fixture, "lead a@example.com\nlead -\nignore");
	assert_int_equal(fixture.answer.status, 202);
	assert_int_equal(told_count(&arena, "results"), 3);
	assert_non_null(strstr(fixture.answer.body, "\"refused\""));
	assert_non_null(strstr(fixture.answer.body, "\"ignored\""));
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM event"), 1);
	arena_fini(&arena);
}

static void test_unreachable_person_is_refused(void **state)
{
	(void)state;
	assert_int_equal(fixture_post(&fixture, "lead -")->status, 422);
	assert_non_null(strstr(fixture.answer.body, "give an email, a phone number or a profile"));
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM event"), 0);
}

static void test_too_large_lead_is_refused(void **state)
{
	(void)state;
	assert_int_equal(fixture_post(&fixture, "lead a@example.com\nlarge")->status, 413);
	assert_non_null(strstr(fixture.answer.body, "max_record"));
	assert_int_equal(fixture_post(&fixture, "lead b@example.com")->status, 202);
}

static void test_key_with_other_content_is_refused(void **state)
{
	(void)state;
	assert_int_equal(fixture_post(&fixture, "lead a@example.com\nkey k1")->status, 202);
	assert_int_equal(fixture_post(&fixture, "lead b@example.com\nkey k1")->status, 422);
	assert_non_null(strstr(fixture.answer.body, "Idempotency-Key"));
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM event"), 1);
}

static void test_refused_item_leaves_nothing_to_the_next(void **state)
{
	(void)state;
	/* The key is the large one's, who was not stored. */
	fixture_post(&fixture, "lead a@x.example\nkey k1\nlarge\nlead b@x.example");
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM event"), 1);
	assert_int_equal(fixture_post(&fixture, "lead c@x.example\nkey k1")->status, 202);
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM event"), 2);
}

static void test_person_is_no_repetition_of_a_trap(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		fixture_post(&fixture, "lead a@x.example\ntrap");
		fixture_post(&fixture, "lead a@x.example");
	}
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM event"), 2);
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM event "
						 "WHERE type = 'lead.created'"),
			 1);
}

static void test_real_lead_is_no_repetition_of_a_test(void **state)
{
	static const char *const bodies[] = {"lead a@x.example", "lead b@x.example\nid 1",
					     "lead c@x.example\nkey k1"};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		for (int turn = 0; turn < 4; turn++) {
			fixture.source.settings.is_test = turn % 2 == 0;
			assert_int_equal(fixture_post(&fixture, bodies[i])->status, 202);
		}
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM lead"), 6);
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM event"), 6);
}

static void test_test_writes_into_no_real_lead(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		fixture.source.settings.is_test = i;
		fixture_post(&fixture, i ? "lead b@x.example\nid 1" : "lead a@x.example\nid 1");
	}
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM lead"), 2);
}

static void test_items_are_bounded(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 1024, 0);
	fixture_post(&fixture,
		     "lead a@x.example\nlead b@x.example\nlead c@x.example\nlead d@x.example");
	assert_int_equal(told_count(&arena, "receipts"), 3);
	arena_fini(&arena);
}

static void test_ignored_request_is_no_error(void **state)
{
	(void)state;
	assert_int_equal(fixture_post(&fixture, "ignore")->status, 202);
	assert_string_equal(fixture.answer.body, "{\"status\":\"ignored\"}\n");
	assert_int_equal(fixture_post(&fixture, "")->status, 202);
}

static void test_plugin_answers_refusals(void **state)
{
	(void)state;
	fixture.instance.source.reply = reply_to_all;
	assert_int_equal(fixture_post(&fixture, "refuse")->status, 403);
	assert_string_equal(fixture.answer.type, "application/problem+json");
	fixture.library.plugin.flags = LG_ANSWERS_REFUSALS;
	assert_int_equal(fixture_post(&fixture, "refuse")->status, 403);
	assert_string_equal(fixture.answer.type, "text/refusal");
	assert_string_equal(fixture.answer.body, "the signature is wrong");
	assert_int_equal(fixture_post(&fixture, "lead -")->status, 422);
	assert_string_equal(fixture.answer.type, "text/refusal");
	assert_int_equal(fixture_post(&fixture, "fail")->status, 500);
	assert_string_equal(fixture.answer.type, "text/refusal");
	assert_int_equal(fixture_post(&fixture, "lead a@example.com")->status, 303);
	assert_string_equal(fixture.answer.type, "text/plain");
}

static void test_added_headers_are_on_every_answer(void **state)
{
	static const char *const bodies[] = {"refuse", "fail", "lead -", "lead a@example.com"};
	char body[64];

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(bodies) / sizeof(bodies[0]); i++) {
		fixture.instance.source.reply = i % 2 ? reply_to_all : NULL;
		fixture.library.plugin.flags = i % 2 ? LG_ANSWERS_REFUSALS : 0;
		snprintf(body, sizeof(body), "header ok\n%s", bodies[i / 2]);
		fixture_post(&fixture, body);
		assert_string_equal(fixture.answer.added, "ok");
	}
	fixture_post(&fixture, "header a\tb\nrefuse");
	assert_string_equal(fixture.answer.added, "");
}

static void test_plugin_refuses_the_request(void **state)
{
	(void)state;
	assert_int_equal(fixture_post(&fixture, "lead a@example.com\nrefuse")->status, 403);
	assert_non_null(strstr(fixture.answer.body, "the signature is wrong"));
	assert_int_equal(fixture_post(&fixture, "lead a@example.com\nfail")->status, 500);
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM event"), 0);
}

static void test_plugin_makes_the_answer(void **state)
{
	(void)state;
	fixture.instance.source.reply = reply;
	assert_int_equal(fixture_post(&fixture, "lead a@example.com")->status, 303);
	assert_string_equal(fixture.answer.location, "/thanks");
	assert_string_equal(fixture.answer.type, "text/plain");
	assert_int_equal(strlen(fixture.answer.body), 36);
	/* A reply that fails on the first item: the lead is stored, and the sender must hear it. */
	assert_int_equal(fixture_post(&fixture, "ignore\nlead b@example.com")->status, 202);
	assert_non_null(strstr(fixture.answer.body, "receipt"));
}

static void test_full_store_turns_the_sender_away(void **state)
{
	struct store_settings *store = &fixture.kit.store;

	(void)state;
	kit_close(&fixture.kit);
	store->max_size_bytes = 4096; /* less than an empty store takes */
	kit_open(&fixture.kit);
	fixture.ingest.outbox = fixture.kit.outbox;
	assert_int_equal(fixture_post(&fixture, "lead a@example.com")->status, 503);
	assert_int_not_equal(strlen(fixture.answer.retry_after), 0);
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM event"), 0);
}

static void test_slow_plugin_is_counted(void **state)
{
	int64_t before = counter_read(fixture.source.counters[SOURCE_SLOW]);

	(void)state;
	fixture.ingest.slow_us = -1;
	fixture_post(&fixture, "lead a@example.com");
	assert_true(counter_read(fixture.source.counters[SOURCE_SLOW]) > before);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_lead_is_stored_before_the_answer),
		TEST(test_repeated_lead_gets_the_same_bytes),
		TEST(test_several_leads_get_several_receipts),
		TEST(test_bad_item_is_refused_alone),
		TEST(test_unreachable_person_is_refused),
		TEST(test_too_large_lead_is_refused),
		TEST(test_key_with_other_content_is_refused),
		TEST(test_refused_item_leaves_nothing_to_the_next),
		TEST(test_person_is_no_repetition_of_a_trap),
		TEST(test_real_lead_is_no_repetition_of_a_test),
		TEST(test_test_writes_into_no_real_lead),
		TEST(test_items_are_bounded),
		TEST(test_ignored_request_is_no_error),
		TEST(test_plugin_refuses_the_request),
		TEST(test_plugin_answers_refusals),
		TEST(test_added_headers_are_on_every_answer),
		TEST(test_plugin_makes_the_answer),
		TEST(test_full_store_turns_the_sender_away),
		TEST(test_slow_plugin_is_counted),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
