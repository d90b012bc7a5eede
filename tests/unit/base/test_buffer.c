#include "unit.h"

#include "base/alloc.h"
#include "base/buffer.h"

static void an_empty_buffer_has_no_memory(void **state)
{
	struct buffer b;
	(void)state;
	buffer_init(&b, 100);
	assert_null(b.data);
	assert_slice_is(buffer_slice(&b), "");
	assert_true(buffer_add(&b, NULL, 0));
	assert_true(buffer_add_slice(&b, slice_from(NULL)));
	assert_null(b.data);
	buffer_take(&b, 0);
	buffer_shrink(&b, 0);
	buffer_clear(&b);
	buffer_fini(&b);
}

static void what_goes_in_comes_out(void **state)
{
	struct buffer b;
	(void)state;
	buffer_init(&b, SIZE_MAX);
	assert_true(buffer_add_literal(&b, "GET "));
	assert_true(buffer_add_byte(&b, '/'));
	assert_true(buffer_add_u64(&b, 0));
	assert_true(buffer_add_u64(&b, UINT64_MAX));
	assert_true(buffer_printf(&b, " %s", "x"));
	assert_slice_is(buffer_slice(&b), "GET /018446744073709551615 x");
	buffer_take(&b, 4);
	assert_slice_is(buffer_slice(&b), "/018446744073709551615 x");
	buffer_take(&b, 24);
	assert_int_equal(buffer_length(&b), 0);
	assert_int_equal(b.start, 0);
	char *room = buffer_room(&b, 3);
	memcpy(room, "abc", 3);
	buffer_added(&b, 2);
	assert_slice_is(buffer_slice(&b), "ab");
	buffer_fini(&b);
}

/* A model of the stream in one large array, beside a buffer with a limit. */
static void a_long_stream_stays_whole_and_bounded(void **state)
{
	struct buffer b;
	unsigned char next_in = 0, next_out = 0;
	uint32_t dice = 1;
	size_t length = 0;
	(void)state;
	buffer_init(&b, 3000);
	for (int round = 0; round < 20000; round++) {
		dice = dice * 1664525 + 1013904223;
		size_t size = dice >> 20 & 1023;
		if (dice >> 31 && length + size <= 3000) {
			char *room = buffer_room(&b, size);
			assert_non_null(room);
			for (size_t i = 0; i < size; i++)
				room[i] = (char)next_in++;
			buffer_added(&b, size);
			length += size;
		} else {
			size = size < length ? size : length;
			struct lg_slice s = buffer_slice(&b);
			for (size_t i = 0; i < size; i++)
				if ((unsigned char)s.data[i] != next_out++)
					fail_msg("round %d", round);
			buffer_take(&b, size);
			length -= size;
		}
		assert_int_equal(buffer_length(&b), length);
		assert_true(b.capacity <= 3000);
	}
	buffer_fini(&b);
}

static void the_limit_is_exact(void **state)
{
	struct buffer b;
	char text[1001];
	(void)state;
	memset(text, 'x', sizeof(text));
	text[1000] = '\0';
	buffer_init(&b, 1000);
	assert_true(buffer_printf(&b, "%s", text));
	assert_int_equal(buffer_length(&b), 1000);
	assert_false(buffer_add_byte(&b, 'y'));
	assert_true(b.failed);
	buffer_take(&b, 500);
	assert_false(buffer_add_byte(&b, 'y')); /* failed stays failed */
	assert_false(buffer_add(&b, "", 0));
	assert_int_equal(buffer_length(&b), 500);
	buffer_clear(&b);
	assert_true(buffer_add(&b, text, 1000));
	buffer_clear(&b);
	assert_null(buffer_room(&b, SIZE_MAX));
	buffer_fini(&b);
	buffer_init(&b, 0);
	assert_false(buffer_add_byte(&b, 'x'));
	buffer_fini(&b);
}

static void printf_of_every_length(void **state)
{
	struct buffer b;
	(void)state;
	for (int length = 505; length < 520; length++) {
		buffer_init(&b, 600);
		assert_true(buffer_printf(&b, "%0*d", length, 7));
		assert_int_equal(buffer_length(&b), length);
		assert_int_equal(buffer_slice(&b).data[length - 1], '7');
		buffer_fini(&b);
	}
}

static void shrink_gives_back_only_what_is_unused(void **state)
{
	struct buffer b;
	(void)state;
	buffer_init(&b, 100000);
	assert_non_null(buffer_room(&b, 50000));
	assert_true(buffer_add_byte(&b, 'x'));
	buffer_shrink(&b, 1000);
	assert_slice_is(buffer_slice(&b), "x");
	buffer_clear(&b);
	buffer_shrink(&b, 100000);
	assert_non_null(b.data);
	buffer_shrink(&b, 1000);
	assert_null(b.data);
	assert_true(buffer_add_byte(&b, 'y'));
	assert_slice_is(buffer_slice(&b), "y");
	buffer_fini(&b);
}

static void every_failing_allocation_is_survived(void **state)
{
	int64_t n = 0;
	(void)state;
	do {
		struct buffer b;
		buffer_init(&b, 1 << 20);
		alloc_fail_at(++n);
		bool whole = true;
		for (int i = 0; i < 100; i++) {
			whole = buffer_add_literal(&b, "0123456789") && whole;
			whole = buffer_printf(&b, "%0600d", i) && whole;
		}
		assert_int_equal(whole, !alloc_failed());
		assert_int_equal(b.failed, alloc_failed());
		if (whole)
			assert_int_equal(buffer_length(&b), 61000);
		buffer_clear(&b);
		assert_true(buffer_add_byte(&b, 'x'));
		buffer_fini(&b);
	} while (alloc_failed());
	assert_true(n > 5);
	alloc_fail_at(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_buffer_has_no_memory),
		cmocka_unit_test(what_goes_in_comes_out),
		cmocka_unit_test(a_long_stream_stays_whole_and_bounded),
		cmocka_unit_test(the_limit_is_exact),
		cmocka_unit_test(printf_of_every_length),
		cmocka_unit_test(shrink_gives_back_only_what_is_unused),
		cmocka_unit_test(every_failing_allocation_is_survived),
	};
	return RUN(tests);
}
