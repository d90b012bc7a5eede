/* Claims, state and times as a plugin meets them in a request, and errands that need no
 * call: what a verdict makes of a claim. Calls are driven by the system tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <leadgate/source.h>

#include "base/clock.h"
#include "fixture.h"
#include "ingest/fetcher.h"
#include "ingest/keep.h"
#include "outbox/batch.h"

/* Less than the minute after which a desk looks anyway. */
#define PATIENCE_MS 50000

struct settings {
	struct lg_slice token;
};

static const struct lg_option options[] = {
	{.name = "token", .type = LG_SECRET, .offset = offsetof(struct settings, token)},
};
static struct settings settings = {.token = LG_SLICE("a-very-secret-token")};
static const struct http_client_settings client = {
	.timeout_ms = 1000,
	.connect_timeout_ms = 1000,
	.connections_max = 4,
	.host_connections_max = 4,
	.idle_ms = 1000,
	.connection_life_ms = 1000,
	.answer_head_bytes = 65536,
	.name_timeout_ms = 1000,
	.name_lookups_max = 4,
	.names_max = 4,
};

static struct fixture fixture;
static struct fetcher *fetcher;
static struct fetcher_share share;
static struct letter back;
static struct mailbox home;
static void (*inside)(struct lg_request *request);

static int32_t receive(void *instance, struct lg_request *request)
{
	(void)instance;
	inside(request);
	return LG_OK;
}

/* What a plugin formats into memory that its next call writes again. */
static struct lg_slice note(struct lg_slice key)
{
	static char text[32];

	return slice_of(text, (size_t)snprintf(text, sizeof(text), "%.*s", SLICE_ARGS(key)));
}

/* The claim's blob is what becomes of it. */
static int32_t errand(void *instance, struct lg_request *request, const struct lg_errand *errand,
		      struct lg_verdict *verdict)
{
	static const char *const words[] = {"retry", "done", "more", "park", "dead"};
	static char flood[LG_CLAIM_BLOB_MAX + 1];
	struct lg_lead *lead = lg_lead(request);
	const struct lg_http_call unsized = {.url = LG_SLICE("http://127.0.0.1/")};
	/* What is absent, whatever its length says. */
	const struct lg_pair header = {LG_SLICE("X-Absent"), slice_of(NULL, 5)};
	const struct lg_http_call call = {
		.size = sizeof(call),
		.method = slice_of(NULL, 5),
		.url = LG_SLICE("http://127.0.0.1/"),
		.headers = &header,
		.header_count = 1,
		.body = slice_of(NULL, 5),
	};

	(void)instance;
	if (lg_errand_call(request, &unsized) != LG_FAIL || lg_errand_call(request, &call) != LG_OK)
		return LG_FAIL;
	for (int32_t i = 0; i < 5; i++)
		if (slice_is(errand->blob, words[i]))
			verdict->verdict = i;
	if (slice_is(errand->blob, "same key")) {
		verdict->verdict = LG_ERRAND_DONE;
		lg_lead_key(lead, LG_KEY_IDEMPOTENCY, LG_SLICE("same"));
	}
	if (slice_is(errand->blob, "pause")) {
		verdict->verdict = LG_ERRAND_DEAD;
		verdict->pause = 3600000;
	}
	if (slice_is(errand->blob, "leak"))
		verdict->blob = LG_SLICE("x a-very-secret-token y");
	if (slice_is(errand->blob, "flood"))
		verdict->blob = slice_of(flood, sizeof(flood));
	if (slice_is(errand->blob, "note"))
		verdict->blob = note(errand->key);
	verdict->reason = LG_SLICE("it was told to");
	verdict->retry_after = 3600000;
	return lg_lead_set(lead, LG_EMAIL, errand->key);
}

static int set_up(void **state)
{
	struct error error = {""};

	(void)state;
	fixture_init(&fixture, receive, NULL);
	fixture.library.plugin.flags = LG_CALLS_HTTP;
	fixture.library.options = (struct option_table){options, 1, sizeof(options[0])};
	fixture.instance.settings = &settings;
	fixture.instance.source.claim = errand;
	fixture.source.settings.items = 10;
	fixture.source.settings.errands = (struct errand_settings){
		.timeout_ms = 1000,
		.concurrency = 2,
		.calls = 3,
		.answer_bytes = 4096,
		.retry_first_ms = 1,
		.retry_max_ms = 1,
		.retry_for_ms = 86400000,
		.retry_after_max_ms = 86400000,
		.claims = 5,
		.keep_ms = 86400000,
		.client = &client,
	};
	source_register(&fixture.source);
	counter_set(fixture.source.counters[SOURCE_CLAIMS_WAITING], 0); /* the process's */
	struct reader *reader = reader_open(fixture.kit.store.path, &error);
	if (!reader)
		kit_fail("%s", error.text);
	fixture.ingest.keep = keep_open(reader, &error);
	reader_close(&reader);
	return fixture.ingest.keep ? 0 : -1;
}

static void start_fetcher(void)
{
	struct error error = {""};

	fetcher = fetcher_start(fixture.kit.outbox, fixture.kit.store.path, &error);
	if (!fetcher || !mailbox_init(&home))
		kit_fail("%s", error.text);
	fixture.ingest.fetcher = fetcher;
	share = (struct fetcher_share){.ingest = &fixture.ingest, .home = &home, .back = &back};
	fetcher_change(fetcher, &share);
}

static int tear_down(void **state)
{
	(void)state;
	if (fetcher) {
		assert_true(fetcher_stop(fetcher, 20000));
		assert_ptr_equal(mailbox_take(&home), &back);
		mailbox_fini(&home);
	}
	kit_close(&fixture.kit);
	fetcher_free(&fetcher);
	keep_close(&fixture.ingest.keep);
	fixture_fini(&fixture);
	return 0;
}

static const struct answer *post(void (*test)(struct lg_request *))
{
	inside = test;
	return fixture_post(&fixture, "");
}

static int32_t add_claim(struct lg_request *request, const char *key, struct lg_slice blob)
{
	const struct lg_claim claim = {.size = sizeof(claim), .key = slice_from(key), .blob = blob};

	return lg_claim(request, &claim);
}

/* ---- in a request ------------------------------------------------------------------ */

static void claim_in_bounds(struct lg_request *request)
{
	static char blob[LG_CLAIM_BLOB_MAX + 1];
	char key[LG_CLAIM_KEY_MAX + 2];

	memset(key, 'k', sizeof(key));
	key[LG_CLAIM_KEY_MAX + 1] = '\0';
	assert_int_equal(add_claim(request, "", slice_of(NULL, 0)), LG_FAIL);
	assert_int_equal(add_claim(request, key, slice_of(NULL, 0)), LG_FAIL);
	assert_int_equal(add_claim(request, "k", slice_of(blob, sizeof(blob))), LG_FAIL);
	assert_int_equal(add_claim(request, "k", LG_SLICE("x a-very-secret-token y")), LG_FAIL);
	assert_int_equal(lg_errand_call(request, &(struct lg_http_call){.size = 8}), LG_FAIL);
	assert_int_equal(add_claim(request, "k", slice_of(blob, sizeof(blob) - 1)), LG_OK);
	key[LG_CLAIM_KEY_MAX] = '\0';
	assert_int_equal(add_claim(request, key, slice_of(NULL, 0)), LG_OK);
}

static void test_claims_have_bounds(void **state)
{
	(void)state;
	const struct answer *answer = post(claim_in_bounds);
	assert_int_equal(answer->status, 202);
	assert_string_equal(answer->body, "{\"status\":\"accepted\"}\n");
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM claim"), 2);
}

static void claim_six(struct lg_request *request)
{
	char key[] = "k0";

	for (; key[1] < '6'; key[1]++)
		assert_int_equal(add_claim(request, key, slice_of(NULL, 0)), LG_OK);
}

static void test_too_many_that_wait_are_turned_away(void **state)
{
	(void)state;
	assert_int_equal(post(claim_six)->status, 202);
	assert_int_equal(post(claim_six)->status, 503);
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM claim"), 6);
}

static void claim_without_operation(struct lg_request *request)
{
	fixture.instance.source.claim = NULL;
	assert_int_equal(add_claim(request, "k", slice_of(NULL, 0)), LG_FAIL);
}

static void test_claim_wants_an_operation(void **state)
{
	(void)state;
	assert_int_equal(post(claim_without_operation)->status, 202);
}

static void keep_state(struct lg_request *request)
{
	static char value[LG_STATE_VALUE_MAX + 1];
	struct lg_slice got = LG_SLICE("untouched");
	char key[LG_STATE_KEY_MAX + 1] = {0};

	assert_int_equal(lg_state_get(request, LG_SLICE("a"), &got), LG_FAIL);
	assert_int_equal(lg_state_get(request, slice_of(NULL, 1), &got), LG_FAIL);
	assert_true(slice_is(got, "untouched"));
	assert_int_equal(lg_state_set(request, LG_SLICE("a"), slice_of(value, sizeof(value))),
			 LG_FAIL);
	assert_int_equal(lg_state_set(request, slice_of(key, sizeof(key)), LG_SLICE("")), LG_FAIL);
	assert_int_equal(lg_state_set(request, LG_SLICE(""), LG_SLICE("")), LG_FAIL);
	assert_int_equal(lg_state_set(request, LG_SLICE("a"), LG_SLICE("one")), LG_OK);
	/* Not before it is committed. */
	assert_int_equal(lg_state_get(request, LG_SLICE("a"), &got), LG_FAIL);
	for (size_t i = 1; i < LG_STATE_KEYS_MAX; i++) {
		key[0] = (char)i;
		assert_int_equal(lg_state_set(request, slice_of(key, 1), LG_SLICE("")), LG_OK);
	}
	assert_int_equal(lg_state_set(request, LG_SLICE("more"), LG_SLICE("")), LG_FAIL);
}

static void change_state(struct lg_request *request)
{
	struct lg_slice got;

	assert_int_equal(lg_state_get(request, LG_SLICE("a"), &got), LG_OK);
	assert_true(slice_is(got, "one"));
	assert_int_equal(lg_state_set(request, LG_SLICE("new"), LG_SLICE("")), LG_FAIL);
	assert_int_equal(lg_state_set(request, LG_SLICE("a"), LG_SLICE("two")), LG_OK);
	assert_int_equal(lg_state_set(request, slice_of("\1", 1), slice_of(NULL, 0)), LG_OK);
}

static void see_state(struct lg_request *request)
{
	struct lg_slice got;

	assert_int_equal(lg_state_get(request, LG_SLICE("a"), &got), LG_OK);
	assert_true(slice_is(got, "two"));
	assert_int_equal(lg_state_get(request, slice_of("\1", 1), &got), LG_FAIL);
	assert_int_equal(lg_state_get(request, slice_of("\2", 1), &got), LG_OK);
	assert_int_equal(got.length, 0);
}

static void test_state_is_what_was_committed(void **state)
{
	struct error error = {""};

	(void)state;
	post(keep_state);
	post(change_state);
	post(see_state);
	/* As after a restart. */
	keep_close(&fixture.ingest.keep);
	struct reader *reader = reader_open(fixture.kit.store.path, &error);
	fixture.ingest.keep = keep_open(reader, &error);
	reader_close(&reader);
	post(see_state);
}

static void move_cursor(struct lg_request *request)
{
	char at[] = "a0";

	assert_int_equal(lg_state_set(request, LG_SLICE("gone"), LG_SLICE("x")), LG_OK);
	for (int i = 0; i < 2 * LG_STATE_KEYS_MAX; i++) {
		at[1] = (char)('0' + i % 10);
		assert_int_equal(lg_state_set(request, LG_SLICE("cursor"), slice_from(at)), LG_OK);
	}
	assert_int_equal(lg_state_set(request, LG_SLICE("gone"), slice_of(NULL, 0)), LG_OK);
}

static void see_cursor(struct lg_request *request)
{
	struct lg_slice got;

	assert_int_equal(lg_state_get(request, LG_SLICE("cursor"), &got), LG_OK);
	assert_true(slice_is(got, "a7"));
	assert_int_equal(lg_state_get(request, LG_SLICE("gone"), &got), LG_FAIL);
}

/* A poll that moves its cursor with each lead of a long page. */
static void test_a_key_is_set_as_often_as_one_likes(void **state)
{
	(void)state;
	post(move_cursor);
	post(see_cursor);
	assert_int_equal(
		kit_count(&fixture.kit, "SELECT count(*) FROM state WHERE scope = 'source:form'"),
		1);
}

static void add_nothing(struct lg_request *request)
{
	(void)request;
}

static int32_t add_late(void *instance, struct lg_request *request, struct lg_reply *reply)
{
	(void)instance;
	(void)reply;
	assert_null(lg_lead(request));
	assert_int_equal(lg_ignore(request, LG_SLICE("late")), LG_FAIL);
	assert_int_equal(add_claim(request, "k", slice_of(NULL, 0)), LG_FAIL);
	assert_int_equal(lg_state_set(request, LG_SLICE("a"), LG_SLICE("one")), LG_FAIL);
	assert_int_equal(lg_result_count(request), 0);
	return LG_OK;
}

/* After `reply` nothing is stored: what it adds would be lost in silence. */
static void test_nothing_is_added_in_a_reply(void **state)
{
	(void)state;
	fixture.instance.source.reply = add_late;
	assert_int_equal(post(add_nothing)->status, 202);
}

static void read_times(struct lg_request *request)
{
	static const char *const same[] = {"2024-05-01T10:00:00+0000", "2024-05-01T12:00:00+02:00",
					   "2024-05-01T05:00:00.000-0500", "1714557600",
					   "1714557600000"};
	int64_t at;

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		assert_int_equal(lg_time(request, slice_from(same[i]), &at), LG_OK);
		assert_int_equal(at, 1714557600000);
	}
	assert_int_equal(lg_time(request, LG_SLICE("tomorrow"), &at), LG_FAIL);
	assert_int_equal(lg_time(request, slice_of(NULL, 5), &at), LG_FAIL);
	assert_true(slice_is(lg_time_text(request, at), "2024-05-01T10:00:00.000Z"));
}

static void test_times_are_read(void **state)
{
	(void)state;
	post(read_times);
}

/* ---- errands ----------------------------------------------------------------------- */

static void claim_ends(struct lg_request *request)
{
	static const char *const words[] = {"retry", "done", "park", "dead"};
	char key[] = "0@example.com";

	for (size_t i = 0; i < 4; i++) {
		key[0] = (char)('0' + i);
		assert_int_equal(add_claim(request, key, slice_from(words[i])), LG_OK);
	}
}

static void test_a_verdict_ends_a_claim(void **state)
{
	(void)state;
	fixture.source.settings.errands.concurrency = 1;
	start_fetcher();
	assert_int_equal(post(claim_ends)->status, 202);
	while (kit_count(&fixture.kit, "SELECT count(*) FROM claim WHERE attempts = 0 AND"
				       " state <> 'done'") > 0)
		clock_sleep_ms(2);
	assert_int_equal(kit_count(&fixture.kit,
				   "SELECT count(*) FROM claim WHERE"
				   " error = 'it was told to' AND blob IS NOT NULL AND"
				   " ((key LIKE '0%' AND state = 'waiting' AND"
				   " due > at + 3500000) OR (key LIKE '2%' AND"
				   " state = 'parked') OR (key LIKE '3%' AND"
				   " state = 'dead'))"),
			 3);
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM event"), 1);
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM event WHERE"
						 " body LIKE '%1@example.com%' AND"
						 " body NOT LIKE '%192.0.2.1%'"),
			 1);
}

static void wait_until_none(const char *query)
{
	int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;

	while (kit_count(&fixture.kit, query) > 0) {
		assert_true(clock_monotonic_ms() < until_ms);
		clock_sleep_ms(2);
	}
}

static void claim_more(struct lg_request *request)
{
	assert_int_equal(add_claim(request, "0@example.com", LG_SLICE("more")), LG_OK);
}

/* The call leads nowhere, for its address is private. */
static void test_a_call_may_lack_what_it_names(void **state)
{
	(void)state;
	start_fetcher();
	assert_int_equal(post(claim_more)->status, 202);
	wait_until_none("SELECT count(*) FROM claim WHERE attempts = 0");
}

static void claim_one_key_twice(struct lg_request *request)
{
	assert_int_equal(add_claim(request, "0@example.com", LG_SLICE("same key")), LG_OK);
	assert_int_equal(add_claim(request, "1@example.com", LG_SLICE("same key")), LG_OK);
}

/* A sender could be told that a key was used for other content; an errand has none. */
static void test_other_content_under_one_key_is_stored(void **state)
{
	(void)state;
	start_fetcher();
	assert_int_equal(post(claim_one_key_twice)->status, 202);
	wait_until_none("SELECT count(*) FROM claim WHERE state <> 'done'");
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM event"), 2);
}

static void claim_wrong_blobs(struct lg_request *request)
{
	assert_int_equal(add_claim(request, "0@example.com", LG_SLICE("leak")), LG_OK);
	assert_int_equal(add_claim(request, "1@example.com", LG_SLICE("flood")), LG_OK);
}

/* What lg_claim does not take is no blob of a verdict either: somebody has to see to the
 * plugin, and the claim stays as it was. */
static void test_a_verdict_with_a_wrong_blob_parks(void **state)
{
	(void)state;
	fixture.source.settings.errands.concurrency = 1;
	start_fetcher();
	assert_int_equal(post(claim_wrong_blobs)->status, 202);
	wait_until_none("SELECT count(*) FROM claim WHERE attempts = 0");
	assert_int_equal(kit_count(&fixture.kit,
				   "SELECT count(*) FROM claim WHERE state = 'parked' AND"
				   " ((key LIKE '0%' AND CAST(blob AS TEXT) = 'leak' AND"
				   " error LIKE '%holds a secret%') OR"
				   " (key LIKE '1%' AND CAST(blob AS TEXT) = 'flood' AND"
				   " error LIKE '%16384 bytes%'))"),
			 2);
}

static void claim_notes(struct lg_request *request)
{
	char key[] = "0@example.com";

	for (; key[0] < '5'; key[0]++)
		assert_int_equal(add_claim(request, key, LG_SLICE("note")), LG_OK);
}

/* One memory for the blobs of all claims, which the errand thread ends one after the
 * other: the writer may come to the first when the last was written over it. */
static void test_a_verdict_is_copied_at_once(void **state)
{
	(void)state;
	fixture.source.settings.errands.concurrency = 5;
	start_fetcher();
	assert_int_equal(post(claim_notes)->status, 202);
	wait_until_none("SELECT count(*) FROM claim WHERE attempts = 0");
	assert_int_equal(
		kit_count(
			&fixture.kit,
			"SELECT count(*) FROM claim WHERE CAST(blob AS TEXT) = CAST(key AS TEXT)"),
		5);
}

static void claim_pause(struct lg_request *request)
{
	assert_int_equal(add_claim(request, "0@example.com", LG_SLICE("pause")), LG_OK);
}

static void claim_done(struct lg_request *request)
{
	assert_int_equal(add_claim(request, "1@example.com", LG_SLICE("done")), LG_OK);
}

/* Until an operator has spoken of claims, for an hour. */
static void test_an_order_ends_a_pause(void **state)
{
	struct chore order = {.kind = CHORE_CLAIMS, .sink = fixture.instance.name};

	(void)state;
	start_fetcher();
	assert_int_equal(post(claim_pause)->status, 202);
	wait_until_none("SELECT count(*) FROM claim WHERE attempts = 0");
	assert_int_equal(post(claim_done)->status, 202);
	assert_true(outbox_do_now(fixture.kit.outbox, &order));
	wait_until_none("SELECT count(*) FROM claim WHERE key LIKE '1%' AND state <> 'done'");
}

/* What a desk does first is tried again soon when the journal did not take it: a minute
 * later, as all that it does by and by, would keep claims waiting. */
static void test_a_desk_opens_when_there_is_room(void **state)
{
	int refused = counter_register(COUNTER_COUNTER, BATCH_REFUSED, "reason=\"queue\"",
				       BATCH_REFUSED_HELP);
	struct submission *first;
	int64_t before = counter_read(refused);

	(void)state;
	assert_int_equal(post(claim_done)->status, 202);
	first = kit_make(&fixture.kit, &(struct post){.email = "ada@example.com"}, 1);
	first->bytes = (size_t)fixture.kit.store.queue_bytes + 1; /* fills the queue */
	assert_true(outbox_admit(fixture.kit.outbox, first));
	start_fetcher();
	while (counter_read(refused) == before)
		clock_sleep_ms(2);
	first->letter.next = NULL;
	outbox_send(fixture.kit.outbox, &first->letter);
	kit_reply(&fixture.kit);
	kit_free(first);
	wait_until_none("SELECT count(*) FROM claim WHERE state <> 'done'");
}

/* More than one commit forgets: a source that learns many keys would know them for ever if
 * the rest had to wait for the next minute. */
static void test_old_claims_are_forgotten_at_once(void **state)
{
	(void)state;
	kit_sql(&fixture.kit, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
			      " WHERE i < 2500) INSERT INTO claim (source, kind, key, parts, at,"
			      " state, due, attempts) SELECT 'form', 'claim', i, 0, 1, 'done', 1, 1"
			      " FROM n");
	start_fetcher();
	wait_until_none("SELECT count(*) FROM claim");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_claims_have_bounds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_too_many_that_wait_are_turned_away, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_claim_wants_an_operation, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_state_is_what_was_committed, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_key_is_set_as_often_as_one_likes, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_is_added_in_a_reply, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_times_are_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_verdict_ends_a_claim, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_call_may_lack_what_it_names, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_other_content_under_one_key_is_stored, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_verdict_with_a_wrong_blob_parks, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_verdict_is_copied_at_once, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_an_order_ends_a_pause, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_desk_opens_when_there_is_room, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_old_claims_are_forgotten_at_once, set_up,
						tear_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
