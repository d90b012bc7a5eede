#include "unit.h"

#include "base/alloc.h"
#include "base/arena.h"

#include <stdlib.h>

static void pieces_are_aligned_and_apart(void **state)
{
	struct arena arena;
	unsigned char *pieces[200];
	(void)state;
	arena_init(&arena, 512, 0);
	for (size_t i = 0; i < 200; i++) {
		pieces[i] = arena_alloc(&arena, i);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % 16, 0);
		memset(pieces[i], (int)i, i);
	}
	for (size_t i = 0; i < 200; i++)
		for (size_t j = 0; j < i; j++)
			assert_int_equal(pieces[i][j], i);
	arena_fini(&arena);
	assert_int_equal(arena.used_bytes, 0);
}

static void large_pieces_leave_the_block_in_use(void **state)
{
	struct arena arena;
	(void)state;
	arena_init(&arena, 4096, 0);
	char *small = arena_alloc(&arena, 16);
	char *large = arena_alloc(&arena, 100000);
	assert_non_null(small);
	assert_non_null(large);
	memset(large, 1, 100000);
	char *next = arena_alloc(&arena, 16);
	assert_non_null(next);
	if (!ARENA_ONE_MALLOC_A_PIECE)
		assert_ptr_equal(next, small + 16);
	arena_fini(&arena);
}

static void zalloc_and_new_are_clear(void **state)
{
	struct arena arena;
	(void)state;
	arena_init(&arena, 256, 0);
	memset(arena_alloc(&arena, 200), 0xFF, 200);
	arena_reset(&arena);
	unsigned char *zeros = arena_zalloc(&arena, 200);
	for (int i = 0; i < 200; i++)
		assert_int_equal(zeros[i], 0);
	struct lg_pair *pair = arena_new(&arena, struct lg_pair);
	assert_false(slice_present(pair->name));
	arena_fini(&arena);
}

static void the_limit_holds_and_failure_stays(void **state)
{
	struct arena arena;
	(void)state;
	arena_init(&arena, 256, 1000);
	assert_non_null(arena_alloc(&arena, 900));
	assert_null(arena_alloc(&arena, 200));
	assert_true(arena.failed);
	assert_null(arena_alloc(&arena, 1));
	assert_false(slice_present(arena_copy(&arena, LG_SLICE("x"))));
	arena_reset(&arena);
	assert_false(arena.failed);
	assert_non_null(arena_alloc(&arena, 900));
	arena_fini(&arena);
	assert_null(arena_alloc(&arena, SIZE_MAX));
	arena_reset(&arena);
	assert_null(arena_alloc(&arena, SIZE_MAX - 8));
	arena_fini(&arena);
}

static void reset_keeps_one_block(void **state)
{
	struct arena arena;
	(void)state;
	arena_init(&arena, 1024, 0);
	for (int i = 0; i < 50; i++)
		assert_non_null(arena_alloc(&arena, 400));
	assert_non_null(arena_alloc(&arena, 5000));
	arena_reset(&arena);
	assert_int_equal(arena.used_bytes, 0);
	alloc_fail_at(1);
	assert_int_equal(arena_alloc(&arena, 400) == NULL, ARENA_ONE_MALLOC_A_PIECE);
	alloc_fail_at(0);
	arena_fini(&arena);
	assert_null(arena.blocks);
}

static void copies_and_texts_are_terminated(void **state)
{
	struct arena arena;
	char long_text[1000];
	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	arena_init(&arena, 256, 0);
	struct lg_slice copy = arena_copy(&arena, slice_of("abcdef", 3));
	assert_string_equal(copy.data, "abc");
	assert_slice_is(arena_copy(&arena, slice_from("")), "");
	assert_false(slice_present(arena_copy(&arena, slice_from(NULL))));
	assert_false(arena.failed);
	assert_slice_is(arena_printf(&arena, "%s=%d", "n", 42), "n=42");
	/* Around the size that is formatted in one pass. */
	for (int length = 250; length < 262; length++) {
		struct lg_slice text = arena_printf(&arena, "%.*s", length, long_text);
		assert_int_equal(text.length, length);
		assert_int_equal(strlen(text.data), length);
	}
	arena_fini(&arena);
}

static void every_failing_allocation_is_survived(void **state)
{
	int64_t n = 0;
	bool failed;
	(void)state;
	do {
		struct arena arena;
		arena_init(&arena, 128, 0);
		alloc_fail_at(++n);
		bool whole = true;
		for (size_t i = 1; i < 20; i++) {
			whole = arena_zalloc(&arena, i * 9) && whole;
			whole = slice_present(arena_printf(&arena, "%0300zu", i)) && whole;
		}
		failed = alloc_failed();
		alloc_fail_at(0);
		assert_int_equal(whole, !failed);
		assert_int_equal(arena.failed, failed);
		arena_reset(&arena);
		assert_non_null(arena_alloc(&arena, 8));
		arena_fini(&arena);
	} while (failed);
	assert_true(n > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_aligned_and_apart),
		cmocka_unit_test(large_pieces_leave_the_block_in_use),
		cmocka_unit_test(zalloc_and_new_are_clear),
		cmocka_unit_test(the_limit_holds_and_failure_stays),
		cmocka_unit_test(reset_keeps_one_block),
		cmocka_unit_test(copies_and_texts_are_terminated),
		cmocka_unit_test(every_failing_allocation_is_survived),
	};
	return RUN(tests);
}
