#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "conn/quota.h"

#include <pthread.h>
#include <stdio.h>

static struct address address_of(const char *text)
{
	struct address address;

	assert_true(address_parse(slice_from(text), &address));
	return address;
}

static void bounds_the_total(void **state)
{
	struct quota *quota = quota_new(2, 10);
	struct address a = address_of("192.0.2.1"), b = address_of("192.0.2.2");
	enum conn_reason reason = CONN_STOPPED;

	(void)state;
	assert_true(quota_take(quota, &a, false, &reason));
	assert_true(quota_take(quota, &b, true, &reason));
	assert_false(quota_take(quota, &a, false, &reason));
	assert_int_equal(reason, CONN_FULL);
	assert_false(quota_take(quota, &a, true, &reason));
	assert_int_equal(quota_total(quota), 2);
	quota_give(quota, &b, true);
	assert_true(quota_take(quota, &a, false, &reason));
	quota_free(&quota);
	assert_null(quota);
}

static void bounds_each_address(void **state)
{
	struct quota *quota = quota_new(1000, 3);
	struct address a = address_of("192.0.2.1"), b = address_of("192.0.2.2");
	enum conn_reason reason = CONN_STOPPED;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(quota_take(quota, &a, false, &reason));
	assert_false(quota_take(quota, &a, false, &reason));
	assert_int_equal(reason, CONN_FULL_ADDRESS);
	assert_int_equal(quota_total(quota), 3);
	assert_true(quota_take(quota, &a, true, &reason));
	assert_true(quota_take(quota, &b, false, &reason));
	quota_give(quota, &a, false);
	assert_true(quota_take(quota, &a, false, &reason));
	assert_false(quota_take(quota, &a, false, &reason));
	quota_free(&quota);
}

/* One subscriber has a whole /64, and addresses in it for every connection. */
static void counts_v6_by_64(void **state)
{
	struct quota *quota = quota_new(1000, 2);
	struct address a = address_of("2001:db8::1"), b = address_of("2001:db8::ffff:2");
	struct address other = address_of("2001:db8:0:1::1");
	enum conn_reason reason = CONN_STOPPED;

	(void)state;
	assert_true(quota_take(quota, &a, false, &reason));
	assert_true(quota_take(quota, &b, false, &reason));
	assert_false(quota_take(quota, &a, false, &reason));
	assert_true(quota_take(quota, &other, false, &reason));
	quota_free(&quota);
}

/* A thousand strangers at once: collisions would take both cells of one. */
static void keeps_strangers_apart(void **state)
{
	struct quota *quota = quota_new(100000, 4);
	enum conn_reason reason;
	int refused = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		char text[32];
		snprintf(text, sizeof(text), "10.0.%d.%d", i / 256, i % 256);
		struct address address = address_of(text);
		for (int j = 0; j < 4; j++)
			refused += !quota_take(quota, &address, false, &reason);
	}
	assert_true(refused < 200);
	quota_free(&quota);
}

static void moves_to_another_address(void **state)
{
	struct quota *quota = quota_new(10, 2);
	struct address proxy = {.bytes = {1}}, client = {.bytes = {2}}, other = {.bytes = {3}};
	enum conn_reason reason;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(quota_take(quota, &proxy, true, &reason));
	assert_true(quota_move(quota, &proxy, true, &client, false));
	assert_true(quota_move(quota, &proxy, true, &client, false));
	assert_false(quota_move(quota, &proxy, true, &client, false));
	assert_int_equal(quota_total(quota), 3);
	/* From one that is counted to another, and to one that is exempt. */
	assert_true(quota_move(quota, &client, false, &other, false));
	assert_true(quota_move(quota, &proxy, true, &client, false));
	assert_true(quota_move(quota, &other, false, &proxy, true));
	assert_true(quota_take(quota, &other, false, &reason));
	assert_true(quota_take(quota, &other, false, &reason));
	assert_false(quota_take(quota, &other, false, &reason));
	assert_int_equal(reason, CONN_FULL_ADDRESS);
	quota_give(quota, &other, false);
	assert_true(quota_take(quota, &other, false, &reason));
	assert_int_equal(quota_total(quota), 5);
	quota_free(&quota);
}

static void *take_and_give(void *arg)
{
	struct quota *quota = arg;
	struct address a = {.bytes = {1}};
	enum conn_reason reason;

	for (int i = 0; i < 10000; i++)
		if (quota_take(quota, &a, false, &reason))
			quota_give(quota, &a, false);
	return NULL;
}

static void comes_to_nothing_among_threads(void **state)
{
	struct quota *quota = quota_new(3, 2);
	struct address a = {.bytes = {1}};
	enum conn_reason reason;
	pthread_t threads[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, quota), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(quota_total(quota), 0);
	assert_true(quota_take(quota, &a, false, &reason));
	assert_true(quota_take(quota, &a, false, &reason));
	assert_false(quota_take(quota, &a, false, &reason));
	quota_free(&quota);
}

static void answers_without_memory(void **state)
{
	(void)state;
	alloc_fail_at(1);
	assert_null(quota_new(1, 1));
	alloc_fail_at(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds_the_total),
		cmocka_unit_test(bounds_each_address),
		cmocka_unit_test(counts_v6_by_64),
		cmocka_unit_test(keeps_strangers_apart),
		cmocka_unit_test(moves_to_another_address),
		cmocka_unit_test(comes_to_nothing_among_threads),
		cmocka_unit_test(answers_without_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
