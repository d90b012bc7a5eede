#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "http/h2_pieces.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* Beyond the largest that are kept. */
#define SIZES 600
/* More than are kept of one size. */
#define MANY 300

static size_t kept(const struct h2_pieces *pieces)
{
	size_t count = 0;

	for (size_t i = 0; i < H2_PIECES_PLACES; i++)
		count += pieces->places[i].count;
	return count;
}

static void gives_the_last_of_a_size_again(void **state)
{
	struct h2_pieces pieces;

	(void)state;
	h2_pieces_init(&pieces);
	char *first = h2_pieces_take(&pieces, 200), *second = h2_pieces_take(&pieces, 200);
	h2_pieces_give(&pieces, first);
	h2_pieces_give(&pieces, second);
	char *other = h2_pieces_take(&pieces, 300), *same = h2_pieces_take(&pieces, 200);
	if (!ARENA_ONE_MALLOC_A_PIECE) {
		assert_ptr_equal(same, second);
		assert_ptr_not_equal(other, first);
		assert_int_equal(kept(&pieces), 1);
	}
	h2_pieces_give(&pieces, same);
	h2_pieces_give(&pieces, other);
	h2_pieces_fini(&pieces);
}

/* Twice, so that each size is served by what others of about that size have left. */
static void holds_what_is_asked_for(void **state)
{
	struct h2_pieces pieces;
	unsigned char *taken[SIZES];

	(void)state;
	h2_pieces_init(&pieces);
	for (int round = 0; round < 2; round++) {
		for (size_t size = 0; size < SIZES; size++) {
			taken[size] = h2_pieces_take(&pieces, size);
			assert_non_null(taken[size]);
			assert_true(malloc_usable_size(taken[size]) >= size);
			memset(taken[size], (int)(size % 251), size);
		}
		for (size_t size = 0; size < SIZES; size++) {
			for (size_t at = 0; at < size; at++)
				assert_int_equal(taken[size][at], size % 251);
			h2_pieces_give(&pieces, taken[size]);
		}
	}
	h2_pieces_fini(&pieces);
}

static void keeps_no_more_than_its_bound(void **state)
{
	struct h2_pieces pieces;
	void *taken[MANY];

	(void)state;
	h2_pieces_init(&pieces);
	for (int i = 0; i < MANY; i++)
		taken[i] = h2_pieces_take(&pieces, 100);
	for (int i = 0; i < MANY; i++)
		h2_pieces_give(&pieces, taken[i]);
	/* The heap has given a few that are larger than they need be. */
	for (size_t i = 0; i < H2_PIECES_PLACES; i++)
		assert_in_range(pieces.places[i].count, 0, 256);
	assert_in_range(kept(&pieces), ARENA_ONE_MALLOC_A_PIECE ? 0 : 256, MANY - 1);
	h2_pieces_fini(&pieces);
	assert_int_equal(kept(&pieces), 0);
}

static void takes_what_the_heap_gave(void **state)
{
	struct h2_pieces pieces;

	(void)state;
	h2_pieces_init(&pieces);
	h2_pieces_give(&pieces, NULL);
	for (size_t size = 1; size < SIZES; size += 7) {
		h2_pieces_give(&pieces, realloc(malloc(size), size + 5));
		char *piece = h2_pieces_take(&pieces, size);
		memset(piece, 'x', size);
		h2_pieces_give(&pieces, realloc(piece, 2 * size));
	}
	h2_pieces_give(&pieces, malloc(100000));
	h2_pieces_fini(&pieces);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_the_last_of_a_size_again),
		cmocka_unit_test(holds_what_is_asked_for),
		cmocka_unit_test(keeps_no_more_than_its_bound),
		cmocka_unit_test(takes_what_the_heap_gave),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
