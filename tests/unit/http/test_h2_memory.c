#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "http/h2_memory.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LARGE 4096
#define SMALL 64
/* More than are kept, and than one slab holds. */
#define MANY 200

static bool is_inside(const struct h2_block *block, const char *piece)
{
	return piece >= block->bytes && piece < block->bytes + block->used;
}

static void lays_large_pieces_side_by_side(void **state)
{
	struct h2_memory memory;

	(void)state;
	h2_memory_init(&memory);
	struct h2_block *block = h2_memory_take(&memory);
	assert_non_null(block);
	nghttp2_mem mem = h2_memory_of(block);
	char *first = mem.malloc(LARGE + 1, mem.mem_user_data);
	char *small = mem.malloc(SMALL, mem.mem_user_data);
	char *second = mem.calloc(2, LARGE / 2, mem.mem_user_data);
	char *third = mem.realloc(NULL, LARGE, mem.mem_user_data);

	assert_ptr_equal(first, block->bytes);
	assert_ptr_equal(second, first + LARGE + 16);
	assert_ptr_equal(third, second + LARGE);
	assert_false(is_inside(block, small));
	memset(first, 'a', LARGE + 1);
	memset(second, 'b', LARGE);
	memset(third, 'c', LARGE);
	assert_int_equal(first[LARGE], 'a');
	assert_int_equal(second[LARGE - 1], 'b');
	mem.free(first, mem.mem_user_data);
	mem.free(small, mem.mem_user_data);
	mem.free(NULL, mem.mem_user_data);
	h2_memory_give(&memory, block);
	h2_memory_fini(&memory);
}

static void goes_on_where_the_block_ends(void **state)
{
	struct h2_memory memory;
	char *pieces[MANY];

	(void)state;
	h2_memory_init(&memory);
	struct h2_block *block = h2_memory_take(&memory);
	nghttp2_mem mem = h2_memory_of(block);
	size_t outside = 0;

	for (int i = 0; i < MANY; i++) {
		pieces[i] = mem.malloc(LARGE, mem.mem_user_data);
		memset(pieces[i], i, LARGE);
		outside += !is_inside(block, pieces[i]);
	}
	assert_in_range(outside, MANY - 8, MANY - 1);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal((unsigned char)pieces[i][LARGE - 1], i);
		mem.free(pieces[i], mem.mem_user_data);
	}
	/* There is no such number of bytes. */
	assert_null(mem.calloc(SIZE_MAX / 2, 4, mem.mem_user_data));
	h2_memory_give(&memory, block);
	h2_memory_fini(&memory);
}

static void moves_what_grows(void **state)
{
	struct h2_memory memory;

	(void)state;
	h2_memory_init(&memory);
	struct h2_block *block = h2_memory_take(&memory);
	nghttp2_mem mem = h2_memory_of(block);
	char *large = mem.malloc(LARGE, mem.mem_user_data);
	char *small = mem.malloc(SMALL, mem.mem_user_data);

	memset(large, 'l', LARGE);
	memset(small, 's', SMALL);
	large = mem.realloc(large, 40 * LARGE, mem.mem_user_data);
	small = mem.realloc(small, LARGE, mem.mem_user_data);
	assert_false(is_inside(block, large));
	assert_int_equal(large[0], 'l');
	assert_int_equal(large[LARGE - 1], 'l');
	assert_int_equal(small[SMALL - 1], 's');
	mem.free(large, mem.mem_user_data);
	mem.free(small, mem.mem_user_data);
	h2_memory_give(&memory, block);
	h2_memory_fini(&memory);
}

static bool holds_memory(const struct h2_block *block)
{
	unsigned char resident = 0;

	assert_int_equal(mincore(block->bytes, (size_t)sysconf(_SC_PAGESIZE), &resident), 0);
	return resident & 1;
}

static void gives_pages_back(void **state)
{
	struct h2_memory memory;
	struct h2_block *blocks[MANY];
	size_t kept = 0;

	(void)state;
	h2_memory_init(&memory);
	for (int i = 0; i < MANY; i++) {
		blocks[i] = h2_memory_take(&memory);
		nghttp2_mem mem = h2_memory_of(blocks[i]);
		memset(mem.malloc(LARGE, mem.mem_user_data), 'x', LARGE);
		assert_true(holds_memory(blocks[i]));
	}
	for (int i = 0; i < MANY; i++)
		h2_memory_give(&memory, blocks[i]);
	for (int i = 0; i < MANY; i++)
		kept += holds_memory(blocks[i]);
	assert_int_equal(kept, memory.kept);
	assert_in_range(kept, 1, MANY / 2);
	/* What serves again is clean where that is asked for; those with memory first. */
	for (int i = 0; i < MANY; i++) {
		struct h2_block *block = h2_memory_take(&memory);
		assert_true(holds_memory(block) == (i < (int)kept));
		nghttp2_mem mem = h2_memory_of(block);
		char *piece = mem.calloc(1, LARGE, mem.mem_user_data);
		for (size_t at = 0; at < LARGE; at++)
			assert_int_equal(piece[at], 0);
		blocks[i] = block;
	}
	assert_int_equal(memory.kept, 0);
	for (int i = 0; i < MANY; i++)
		h2_memory_give(&memory, blocks[i]);
	h2_memory_fini(&memory);
}

static void bears_to_run_out(void **state)
{
	struct h2_memory memory;

	(void)state;
	h2_memory_init(&memory);
	alloc_fail_at(1);
	assert_null(h2_memory_take(&memory));
	struct h2_block *block = h2_memory_take(&memory);
	assert_non_null(block);
	alloc_fail_at(0);
	h2_memory_give(&memory, block);
	h2_memory_give(&memory, NULL);
	h2_memory_fini(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lays_large_pieces_side_by_side),
		cmocka_unit_test(goes_on_where_the_block_ends),
		cmocka_unit_test(moves_what_grows),
		cmocka_unit_test(gives_pages_back),
		cmocka_unit_test(bears_to_run_out),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
