/* Which event of a lead waits for which: by hand, and by random play. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "sink/order.h"

#define LEADS 7
#define SEQS 400

static const uint8_t *lead(int number)
{
	static uint8_t ids[SEQS][UUID_BYTES];

	ids[number][UUID_BYTES - 1] = (uint8_t)number;
	ids[number][UUID_BYTES - 2] = (uint8_t)(number >> 8);
	return ids[number];
}

static void test_one_after_the_other(void **state)
{
	struct order *order = order_new();
	int64_t seq, attempts;

	(void)state;
	assert_non_null(order);
	assert_int_equal(order_before(order, lead(1), 5), ORDER_NONE);
	assert_true(order_set(order, lead(1), 5, 0, ORDER_FLYING));
	assert_int_equal(order_before(order, lead(1), 5), ORDER_NONE);
	assert_int_equal(order_before(order, lead(1), 6), ORDER_FLYING);
	assert_int_equal(order_before(order, lead(2), 6), ORDER_NONE);
	assert_true(order_set(order, lead(1), 5, 1, ORDER_OPEN));
	assert_true(order_set(order, lead(1), 6, 3, ORDER_HELD));
	assert_true(order_set(order, lead(1), 9, 0, ORDER_HELD));
	assert_int_equal(order_count(order), 3);
	assert_false(order_take_free(order, 100, &seq, &attempts));
	order_remove(order, lead(1), 5);
	assert_false(order_take_free(order, 5, &seq, &attempts)); /* not stored yet */
	assert_true(order_take_free(order, 6, &seq, &attempts));
	assert_int_equal(seq, 6);
	assert_int_equal(attempts, 3);
	assert_false(order_take_free(order, 100, &seq, &attempts));
	assert_int_equal(order_before(order, lead(1), 9), ORDER_OPEN);
	order_remove(order, lead(1), 6);
	order_remove(order, lead(1), 6);
	assert_true(order_take_free(order, 100, &seq, &attempts));
	assert_int_equal(seq, 9);
	order_free(&order);
	assert_null(order);
}

/* Of each lead at most the first is ever free, and each comes to be. */
static void test_random_play(void **state)
{
	enum order_state states[SEQS];
	struct order *order = order_new();
	int64_t seq, attempts;
	size_t left = 0;

	(void)state;
	srand(3);
	memset(states, 0, sizeof(states));
	for (int i = 1; i < SEQS; i++) {
		states[i] = order_before(order, lead(i % LEADS), i) ? ORDER_HELD : ORDER_OPEN;
		assert_int_equal(states[i], i <= LEADS ? ORDER_OPEN : ORDER_HELD);
		assert_true(order_set(order, lead(i % LEADS), i, i, states[i]));
		left++;
	}
	while (left > 0) {
		int number = rand() % LEADS, i = number ? number : LEADS;
		while (i < SEQS && states[i] != ORDER_OPEN)
			i += LEADS;
		if (i >= SEQS)
			continue;
		order_remove(order, lead(number), i);
		states[i] = ORDER_NONE;
		assert_int_equal(order_count(order), --left);
		if (order_take_free(order, SEQS, &seq, &attempts)) {
			assert_int_equal(seq, i + LEADS);
			assert_int_equal(attempts, seq);
			states[seq] = ORDER_OPEN;
		} else {
			assert_true(i + LEADS >= SEQS);
		}
	}
	order_free(&order);
}

/* What a journal had: the first of each lead is free when it has no time. */
static void test_free_first(void **state)
{
	struct order *order = order_new();
	int64_t seq, attempts;
	int count = 0;

	(void)state;
	for (int i = 1; i < SEQS; i++) /* more than the table is made for */
		assert_true(order_set(order, lead(i), i, 0, i % 2 ? ORDER_HELD : ORDER_OPEN));
	for (int i = 1; i < SEQS; i++)
		assert_true(order_set(order, lead(i), SEQS + i, 0, ORDER_HELD));
	order_free_first(order);
	order_free_first(order);
	while (order_take_free(order, INT64_MAX, &seq, &attempts)) {
		assert_true(seq < SEQS && seq % 2);
		count++;
	}
	assert_int_equal(count, SEQS / 2);
	order_clear(order);
	assert_int_equal(order_count(order), 0);
	assert_int_equal(order_before(order, lead(1), SEQS), ORDER_NONE);
	order_free(&order);
}

static void test_no_memory(void **state)
{
	(void)state;
	for (int64_t n = 1; n < 8; n++) {
		struct order *order;
		int set = 0;
		alloc_fail_at(n);
		order = order_new();
		for (int i = 1; order && i < 4; i++)
			set += order_set(order, lead(i), i, 0, ORDER_OPEN);
		alloc_fail_at(0);
		if (order)
			assert_int_equal(order_count(order), set);
		order_free(&order);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_after_the_other),
		cmocka_unit_test(test_random_play),
		cmocka_unit_test(test_free_first),
		cmocka_unit_test(test_no_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
