#include "unit.h"

#include "base/clock.h"

/* A successor that waits for the kit's outbox, and what happens meanwhile. */
struct wait {
	struct kit *kit;
	void (*meanwhile)(struct wait *wait); /* once, when it waits; NULL: nothing */
	int asked[OUTBOX_READS + 1];
	bool hopeless; /* gives up when it waits */
};

static bool goes_on(void *arg, enum outbox_stage stage)
{
	struct wait *wait = arg;

	if (wait->asked[stage]++ == 0 && stage == OUTBOX_WAITS && wait->meanwhile)
		wait->meanwhile(wait);
	return stage != OUTBOX_WAITS || !wait->hopeless;
}

static bool take_over(struct wait *wait, struct error *error)
{
	const struct outbox_patience patience = {goes_on, wait};
	struct outbox *next = kit_open_patiently(wait->kit, &patience, error);

	if (!next)
		return false;
	assert_null(wait->kit->outbox);
	wait->kit->outbox = next;
	return true;
}

static enum capture_verdict post(struct kit *kit, const char *email)
{
	return kit_post(kit, (struct post){.name = email, .email = email}).verdict;
}

static int64_t lead_count(struct kit *kit)
{
	struct outbox_stats stats;

	outbox_stats(kit->outbox, &stats);
	return stats.leads;
}

static void leave_with_one_more(struct wait *wait)
{
	assert_int_equal(post(wait->kit, "second@example.com"), CAPTURE_CREATED);
	kit_close(wait->kit);
}

static void knows_what_came_before_and_while_it_waited(void **state)
{
	struct wait wait = {.kit = *state, .meanwhile = leave_with_one_more};
	struct error error = {""};

	wait.kit->store.wait_ms = 60000;
	kit_open(wait.kit);
	assert_int_equal(post(wait.kit, "first@example.com"), CAPTURE_CREATED);
	if (!take_over(&wait, &error))
		fail_msg("%s", error.text);
	assert_int_equal(wait.asked[OUTBOX_READS], 2); /* before, and the rest */
	assert_int_equal(lead_count(wait.kit), 2);
	assert_int_equal(post(wait.kit, "first@example.com"), CAPTURE_REPEATED);
	assert_int_equal(post(wait.kit, "second@example.com"), CAPTURE_REPEATED);
	assert_int_equal(post(wait.kit, "third@example.com"), CAPTURE_CREATED);
}

static void leave_pruned(struct wait *wait)
{
	kit_close(wait->kit);
	kit_sql(wait->kit, "DELETE FROM identity WHERE seq = 1");
}

static void reads_all_anew_when_rows_are_gone(void **state)
{
	struct wait wait = {.kit = *state, .meanwhile = leave_pruned};
	struct error error = {""};

	wait.kit->store.wait_ms = 60000;
	kit_open(wait.kit);
	post(wait.kit, "first@example.com");
	post(wait.kit, "second@example.com");
	if (!take_over(&wait, &error))
		fail_msg("%s", error.text);
	assert_int_equal(lead_count(wait.kit), 1);
	assert_int_equal(post(wait.kit, "first@example.com"), CAPTURE_CREATED);
	assert_int_equal(post(wait.kit, "second@example.com"), CAPTURE_REPEATED);
}

static void gives_up_when_told_to(void **state)
{
	struct wait wait = {.kit = *state, .hopeless = true};
	struct error error = {""};

	wait.kit->store.wait_ms = 60000;
	kit_open(wait.kit);
	assert_false(take_over(&wait, &error));
	assert_string_equal(error.text, OUTBOX_GIVEN_UP);
	assert_int_equal(post(wait.kit, "first@example.com"), CAPTURE_CREATED);
}

static void names_the_owner_when_the_time_is_over(void **state)
{
	struct wait wait = {.kit = *state};
	struct error error = {""};
	int64_t began_ms;

	kit_open(wait.kit);
	/* On a busy machine the time may be over before it waits. */
	for (int64_t wait_ms = 50; wait.asked[OUTBOX_WAITS] == 0; wait_ms *= 2) {
		assert_true(wait_ms < 60000);
		wait.kit->store.wait_ms = wait_ms;
		began_ms = clock_monotonic_ms();
		assert_false(take_over(&wait, &error));
		assert_non_null(strstr(error.text, "is in use by process"));
		assert_true(clock_monotonic_ms() - began_ms >= wait_ms);
	}
}

static void does_not_wait_without_a_time(void **state)
{
	struct wait wait = {.kit = *state};
	struct error error = {""};

	kit_open(wait.kit);
	assert_false(take_over(&wait, &error));
	assert_non_null(strstr(error.text, "is in use by process"));
	assert_int_equal(wait.asked[OUTBOX_WAITS], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(knows_what_came_before_and_while_it_waited),
		STORE_TEST(reads_all_anew_when_rows_are_gone),
		STORE_TEST(gives_up_when_told_to),
		STORE_TEST(names_the_owner_when_the_time_is_over),
		STORE_TEST(does_not_wait_without_a_time),
	};
	return RUN(tests);
}
