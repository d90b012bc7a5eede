#include "unit.h"

#include "base/alloc.h"

static void only_the_chosen_one_fails(void **state)
{
	(void)state;
	alloc_fail_at(2);
	void *first = alloc_malloc(1);
	assert_non_null(first);
	assert_false(alloc_failed());
	assert_null(alloc_realloc(first, 100)); /* and `first` is still ours */
	assert_true(alloc_failed());
	void *third = alloc_zalloc(16);
	assert_non_null(third);
	assert_memory_equal(third, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	alloc_free(first);
	alloc_free(third);
	alloc_free(NULL);
}

static void zero_switches_it_off(void **state)
{
	(void)state;
	alloc_fail_at(1);
	alloc_fail_at(0);
	void *memory = alloc_realloc(NULL, 8);
	assert_non_null(memory);
	assert_false(alloc_failed());
	alloc_free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_chosen_one_fails),
		cmocka_unit_test(zero_switches_it_off),
	};
	return RUN(tests);
}
