#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "host/once.h"

static struct lg_slice key_of(int i, char out[16])
{
	int n = snprintf(out, 16, "k%d", i);
	return slice_of(out, (size_t)n);
}

static void test_second_sight(void **state)
{
	struct once *once = once_new(64);

	(void)state;
	assert_true(once_take(once, LG_SLICE("a"), LG_SLICE("k"), 1000, 5));
	assert_false(once_take(once, LG_SLICE("a"), LG_SLICE("k"), 1000, 1004));
	assert_true(once_take(once, LG_SLICE("a"), LG_SLICE("k"), 1000, 1005));
	assert_false(once_take(once, LG_SLICE("a"), LG_SLICE("k"), 1000, 1006));
	once_free(&once);
	assert_null(once);
}

static void test_scopes_are_apart(void **state)
{
	struct once *once = once_new(64);

	(void)state;
	assert_true(once_take(once, LG_SLICE("a"), LG_SLICE("bc"), 1000, 0));
	assert_true(once_take(once, LG_SLICE("ab"), LG_SLICE("c"), 1000, 0));
	assert_true(once_take(once, LG_SLICE("b"), LG_SLICE("bc"), 1000, 0));
	assert_false(once_take(once, LG_SLICE("ab"), LG_SLICE("c"), 1000, 0));
	once_free(&once);
}

/* The bound holds, and it is the oldest that is forgotten. */
static void test_full_table_forgets_the_oldest(void **state)
{
	struct once *once = once_new(16);
	char text[16];

	(void)state;
	for (int i = 0; i < 17; i++)
		assert_true(once_take(once, LG_SLICE("s"), key_of(i, text), 1000000, i));
	for (int i = 1; i < 17; i++)
		assert_false(once_take(once, LG_SLICE("s"), key_of(i, text), 1000000, 20));
	assert_true(once_take(once, LG_SLICE("s"), key_of(0, text), 1000000, 20));
	once_free(&once);
}

/* Against a model: many keys, few slots, times that pass. */
static void test_many(void **state)
{
	enum { KEYS = 200, SLOTS = 32 };
	struct once *once = once_new(SLOTS);
	int64_t until[KEYS] = {0};
	int ring[SLOTS], newest = 0;
	unsigned int dice = 1;
	char text[16];

	(void)state;
	for (int i = 0; i < SLOTS; i++)
		ring[i] = -1;
	for (int64_t now = 1; now < 20000; now++) {
		dice = dice * 1103515245u + 12345u;
		int key = (int)(dice >> 16) % KEYS;
		bool first = until[key] <= now;
		assert_int_equal(once_take(once, LG_SLICE("s"), key_of(key, text), 300, now),
				 first);
		if (!first)
			continue;
		for (int i = 0; i < SLOTS; i++)
			if (ring[i] == key)
				ring[i] = -1;
		newest = (newest + 1) % SLOTS;
		if (ring[newest] >= 0)
			until[ring[newest]] = 0;
		ring[newest] = key;
		until[key] = now + 300;
	}
	once_free(&once);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_second_sight),
		cmocka_unit_test(test_scopes_are_apart),
		cmocka_unit_test(test_full_table_forgets_the_oldest),
		cmocka_unit_test(test_many),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("once", tests, NULL, NULL);
}
