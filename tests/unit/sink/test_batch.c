/* What a plugin may do to a batch: settle, settle twice, settle too late, from
 * several threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "sink/batch.h"

#define EVENTS 500

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

static void fill(struct batch *batch, size_t count)
{
	assert_true(batch_reset(batch, count));
	for (size_t i = 0; i < count; i++) {
		batch->events[i] = (struct batch_event){
			.seq = 100 + (int64_t)i,
			.attempt = 1,
			.id = LG_SLICE("id"),
			.type = LG_SLICE("lead.created"),
			.json = LG_SLICE("{\"seq\":1}"),
		};
		snprintf(batch->events[i].lead_id, UUID_TEXT_BYTES, "%036zu", i);
	}
}

static struct lg_settlement said(int32_t outcome)
{
	return (struct lg_settlement){.size = sizeof(struct lg_settlement), .outcome = outcome};
}

static int32_t outcome_of(const struct batch *batch, size_t index)
{
	struct lg_settlement answer;

	batch_answer(batch, index, &answer);
	return answer.outcome;
}

/* A gateway that was built before lg_event had its last members. */
static int32_t older_event(const struct lg_batch *batch, size_t index, struct lg_event *event)
{
	(void)batch;
	(void)index;
	event->seq = 7;
	return LG_OK;
}

static void test_missing_members_are_zero(void **state)
{
	struct lg_services older = services;
	struct lg_batch batch = {.services = &older};
	struct lg_event event;

	(void)state;
	older.batch_event = older_event;
	memset(&event, 0xff, sizeof(event));
	assert_int_equal(lg_batch_event(&batch, 0, &event), LG_OK);
	assert_int_equal(event.seq, 7);
	assert_int_equal(event.attempt, 0);
	assert_null(event.json.data);
}

static void test_abandoned_batch_is_not_waited_for(void **state)
{
	struct batch batch;
	struct lg_settlement delivered = said(LG_DELIVERED);

	(void)state;
	batch_init(&batch, &services, &wake);
	fill(&batch, 3);
	lg_settle(&batch.handle, 1, &delivered);
	batch_abandon(&batch, LG_RETRY, "given back");
	assert_int_equal(batch_unsettled(&batch), 0);
	assert_int_equal(outcome_of(&batch, 0), LG_RETRY);
	assert_int_equal(outcome_of(&batch, 1), LG_DELIVERED);
	assert_int_equal(outcome_of(&batch, 2), LG_RETRY);
	batch_fini(&batch);
}

static void test_events_can_be_read(void **state)
{
	struct batch batch;
	struct lg_event event;

	(void)state;
	batch_init(&batch, &services, &wake);
	fill(&batch, 3);
	assert_int_equal(lg_batch_count(&batch.handle), 3);
	assert_int_equal(lg_batch_event(&batch.handle, 2, &event), LG_OK);
	assert_int_equal(event.seq, 102);
	assert_int_equal(event.lead_id.length, 36);
	assert_int_equal(lg_batch_event(&batch.handle, 3, &event), LG_FAIL);
	batch_fini(&batch);
}

/* A plugin that was built with a smaller struct gets what it knows. */
static void test_smaller_event_struct(void **state)
{
	struct batch batch;
	struct lg_event event;

	(void)state;
	batch_init(&batch, &services, &wake);
	fill(&batch, 1);
	memset(&event, 0xee, sizeof(event));
	event.size = offsetof(struct lg_event, attempt);
	assert_int_equal(services.batch_event(&batch.handle, 0, &event), LG_OK);
	assert_int_equal(event.size, offsetof(struct lg_event, attempt));
	assert_int_equal(event.seq, 100);
	assert_memory_equal(&event.attempt, "\xee\xee\xee\xee\xee\xee\xee\xee", 8);
	batch_fini(&batch);
}

static void test_first_settlement_counts(void **state)
{
	struct lg_settlement first = said(LG_REJECT), second = said(LG_DELIVERED);
	struct lg_settlement answer;
	struct batch batch;

	(void)state;
	batch_init(&batch, &services, &wake);
	fill(&batch, 2);
	first.status = 422;
	first.reason = LG_SLICE("not this one");
	first.answer = LG_SLICE("\x00\x01");
	lg_settle(&batch.handle, 0, &first);
	lg_settle(&batch.handle, 0, &second);
	lg_settle(&batch.handle, 99, &second);
	assert_int_equal(batch_unsettled(&batch), 1);
	batch_answer(&batch, 0, &answer);
	assert_int_equal(answer.outcome, LG_REJECT);
	assert_int_equal(answer.status, 422);
	assert_true(slice_is(answer.reason, "not this one"));
	assert_int_equal(answer.answer.length, 2);
	assert_false(slice_present(answer.external_id));
	batch_fini(&batch);
}

static void test_unknown_and_odd_values(void **state)
{
	static char longest[5000];
	struct lg_settlement odd = said(77), answer, tiny = said(LG_DELIVERED);
	struct batch batch;

	(void)state;
	batch_init(&batch, &services, &wake);
	fill(&batch, 2);
	memset(longest, 'x', sizeof(longest));
	odd.retry_after = -5;
	odd.reason = odd.answer = odd.external_id = slice_of(longest, sizeof(longest));
	lg_settle(&batch.handle, 0, &odd);
	batch_answer(&batch, 0, &answer);
	assert_int_equal(answer.outcome, LG_RETRY);
	assert_int_equal(answer.retry_after, 0);
	assert_int_equal(answer.reason.length, BATCH_REASON_BYTES);
	assert_int_equal(answer.answer.length, BATCH_ANSWER_BYTES);
	assert_false(slice_present(answer.external_id));    /* a part may be another lead's */
	tiny.size = offsetof(struct lg_settlement, status); /* an older plugin's struct */
	tiny.reason = LG_SLICE("beyond its size");
	lg_settle(&batch.handle, 1, &tiny);
	batch_answer(&batch, 1, &answer);
	assert_int_equal(answer.outcome, LG_DELIVERED);
	assert_false(slice_present(answer.reason));
	batch_fini(&batch);
}

static void test_late_word_has_no_effect(void **state)
{
	struct lg_settlement delivered = said(LG_DELIVERED);
	struct lg_settlement answer;
	struct batch batch;

	(void)state;
	batch_init(&batch, &services, &wake);
	fill(&batch, 2);
	lg_settle(&batch.handle, 0, &delivered);
	batch_expire(&batch, LG_UNCLASSIFIED, "too late");
	assert_int_equal(batch_unsettled(&batch), 1);
	assert_int_equal(outcome_of(&batch, 0), LG_DELIVERED);
	batch_answer(&batch, 1, &answer);
	assert_int_equal(answer.outcome, LG_UNCLASSIFIED);
	assert_true(slice_is(answer.reason, "too late"));
	delivered.reason = LG_SLICE("never kept");
	lg_settle(&batch.handle, 1, &delivered);
	lg_settle(&batch.handle, 1, &delivered);
	assert_int_equal(batch_unsettled(&batch), 0);
	assert_int_equal(outcome_of(&batch, 1), LG_UNCLASSIFIED);
	batch_fini(&batch);
}

/* ---- threads --------------------------------------------------------------- */

struct crowd {
	struct batch *batch;
	int32_t outcome;
};

static void *settle_all(void *arg)
{
	struct crowd *crowd = arg;
	struct lg_settlement settlement = said(crowd->outcome);

	settlement.reason = LG_SLICE("from a thread");
	lg_settle_all(&crowd->batch->handle, &settlement);
	return NULL;
}

/* Three threads and the deadline at once: each event has exactly one outcome,
 * and the count comes to 0 once. */
static void test_race(void **state)
{
	struct batch batch;

	(void)state;
	batch_init(&batch, &services, &wake);
	for (int round = 0; round < 50; round++) {
		struct crowd crowd[] = {
			{&batch, LG_DELIVERED}, {&batch, LG_REJECT}, {&batch, LG_PARK}};
		pthread_t threads[3];
		int32_t seen[EVENTS];
		fill(&batch, EVENTS);
		for (int i = 0; i < 3; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, settle_all, &crowd[i]),
					 0);
		batch_expire(&batch, LG_UNCLASSIFIED, "deadline");
		for (size_t i = 0; i < EVENTS; i++)
			seen[i] = outcome_of(&batch, i);
		for (int i = 0; i < 3; i++)
			pthread_join(threads[i], NULL);
		assert_int_equal(batch_unsettled(&batch), 0);
		for (size_t i = 0; i < EVENTS; i++) {
			assert_int_equal(outcome_of(&batch, i), seen[i]);
			assert_in_range(seen[i], LG_DELIVERED, LG_REJECT);
		}
	}
	batch_fini(&batch);
}

/* The last word from elsewhere wakes the lane; the lane's own does not. */
static void test_wakes_the_lane(void **state)
{
	struct lg_settlement delivered = said(LG_DELIVERED);
	struct batch batch;
	struct crowd crowd = {&batch, LG_DELIVERED};
	pthread_t thread;

	(void)state;
	batch_init(&batch, &services, &wake);
	mailbox_take(&wake);
	fill(&batch, 2);
	lg_settle_all(&batch.handle, &delivered);
	assert_false(mailbox_wait(&wake, 0));
	fill(&batch, 2);
	assert_int_equal(pthread_create(&thread, NULL, settle_all, &crowd), 0);
	assert_true(mailbox_wait(&wake, -1));
	pthread_join(thread, NULL);
	assert_int_equal(batch_unsettled(&batch), 0);
	batch_fini(&batch);
}

/* A plugin that forgets .size: a retry, with a reason that names the mistake. */
static void test_settlement_without_a_size(void **state)
{
	struct lg_settlement settlement = said(LG_DELIVERED), answer;
	struct batch batch;

	(void)state;
	batch_init(&batch, &services, &wake);
	fill(&batch, 2);
	/* Texts without data are absent, whatever their lengths say. */
	settlement.reason = LG_SLICE("why");
	settlement.answer = settlement.external_id = slice_of(NULL, 5);
	lg_settle(&batch.handle, 0, &settlement);
	assert_false(batch.unsized);
	settlement.size = 0;
	lg_settle(&batch.handle, 1, &settlement);
	assert_true(batch.unsized);
	assert_int_equal(batch_unsettled(&batch), 0);
	batch_answer(&batch, 1, &answer);
	assert_int_equal(answer.outcome, LG_RETRY);
	assert_true(slice_is(answer.reason, BATCH_UNSIZED));
	fill(&batch, 1);
	assert_false(batch.unsized);
	batch_fini(&batch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_abandoned_batch_is_not_waited_for),
		cmocka_unit_test(test_missing_members_are_zero),
		cmocka_unit_test(test_events_can_be_read),
		cmocka_unit_test(test_smaller_event_struct),
		cmocka_unit_test(test_first_settlement_counts),
		cmocka_unit_test(test_unknown_and_odd_values),
		cmocka_unit_test(test_settlement_without_a_size),
		cmocka_unit_test(test_late_word_has_no_effect),
		cmocka_unit_test(test_race),
		cmocka_unit_test(test_wakes_the_lane),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("batch", tests, setup, teardown);
}
