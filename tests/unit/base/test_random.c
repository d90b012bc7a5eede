#include "unit.h"

#include "base/random.h"

#include <pthread.h>
#include <stdlib.h>

static void all_sizes_are_filled(void **state)
{
	unsigned char bytes[9000];
	(void)state;
	for (size_t size = 1; size < sizeof(bytes); size = size * 3 / 2 + 1) {
		/* Each byte must be set to something by one of a few draws. */
		unsigned char seen[sizeof(bytes)] = {0};
		for (int draw = 0; draw < 16; draw++) {
			memset(bytes, 0, sizeof(bytes));
			random_bytes(bytes, size);
			for (size_t i = 0; i < size; i++)
				seen[i] |= bytes[i];
			assert_int_equal(bytes[size], 0);
		}
		for (size_t i = 0; i < size; i++)
			assert_int_not_equal(seen[i], 0);
	}
}

static void below_stays_below_and_reaches_all(void **state)
{
	unsigned seen = 0;
	(void)state;
	assert_int_equal(random_below(0), 0);
	assert_int_equal(random_below(1), 0);
	for (int i = 0; i < 1000; i++) {
		uint64_t value = random_below(10);
		assert_in_range(value, 0, 9);
		seen |= 1u << value;
		/* Half of all numbers are refused for this bound. */
		assert_true(random_below((UINT64_C(1) << 63) + 1) <= UINT64_C(1) << 63);
	}
	assert_int_equal(seen, 0x3FF);
}

static void uuid_has_its_fields(void **state)
{
	uint8_t uuid[UUID_BYTES];
	char text[UUID_TEXT_BYTES];
	(void)state;
	/* The time of the example in RFC 9562, appendix A.6. */
	uuid_new(0x017F22E279B0, uuid);
	uuid_format(uuid, text);
	assert_int_equal(strlen(text), 36);
	assert_memory_equal(text, "017f22e2-79b0-7", 15);
	assert_non_null(strchr("89ab", text[19]));
	uuid_new(-5, uuid);
	assert_memory_equal(uuid, "\0\0\0\0\0\0", 6);
}

/* More than the counter holds, so that it carries into the time stamp. */
static void uuids_of_one_millisecond_ascend(void **state)
{
	uint8_t before[UUID_BYTES], uuid[UUID_BYTES];
	(void)state;
	uuid_new(1767323045678, before);
	for (int i = 0; i < 70000; i++) {
		uuid_new(1767323045678, uuid);
		if (memcmp(before, uuid, UUID_BYTES) >= 0)
			fail_msg("id %d does not ascend", i);
		assert_int_equal(uuid[6] >> 4, 7);
		assert_int_equal(uuid[8] >> 6, 2);
		memcpy(before, uuid, UUID_BYTES);
	}
	uuid_new(1767323046678, uuid);
	assert_true(memcmp(before, uuid, UUID_BYTES) < 0);
}

#define IDS 2000
static void *make_ids(void *out)
{
	for (int i = 0; i < IDS; i++)
		uuid_new(1767323045678, (uint8_t *)out + (size_t)i * UUID_BYTES);
	return NULL;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, UUID_BYTES);
}

static void threads_make_different_ids(void **state)
{
	static uint8_t ids[4 * IDS][UUID_BYTES];
	pthread_t threads[4];
	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, make_ids, ids[i * IDS]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	qsort(ids, 4 * IDS, UUID_BYTES, compare);
	for (int i = 1; i < 4 * IDS; i++)
		assert_memory_not_equal(ids[i - 1], ids[i], UUID_BYTES);
}

static void uuid_text_is_read_back(void **state)
{
	uint8_t uuid[UUID_BYTES], again[UUID_BYTES];
	char text[UUID_TEXT_BYTES];
	(void)state;
	random_bytes(uuid, sizeof(uuid));
	uuid_format(uuid, text);
	assert_int_equal(uuid_parse(text, 36, again), 0);
	assert_memory_equal(uuid, again, UUID_BYTES);
	assert_int_equal(uuid_parse("C232AB00-9414-11EC-B3C8-9F6BDECED846", 36, again), 0);
	uuid_format(again, text);
	assert_string_equal(text, "c232ab00-9414-11ec-b3c8-9f6bdeced846");
}

static void other_text_is_refused(void **state)
{
	static const char good[] = "c232ab00-9414-11ec-b3c8-9f6bdeced846";
	uint8_t uuid[UUID_BYTES];
	(void)state;
	assert_int_equal(uuid_parse(good, 35, uuid), -1);
	assert_int_equal(uuid_parse(good, 37, uuid), -1);
	assert_int_equal(uuid_parse(NULL, 0, uuid), -1);
	for (size_t i = 0; i < 36; i++) {
		char bad[UUID_TEXT_BYTES];
		memcpy(bad, good, sizeof(good));
		bad[i] = bad[i] == '-' ? '0' : '-';
		assert_int_equal(uuid_parse(bad, 36, uuid), -1);
		bad[i] = 'g';
		assert_int_equal(uuid_parse(bad, 36, uuid), -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_sizes_are_filled),
		cmocka_unit_test(below_stays_below_and_reaches_all),
		cmocka_unit_test(uuid_has_its_fields),
		cmocka_unit_test(uuids_of_one_millisecond_ascend),
		cmocka_unit_test(threads_make_different_ids),
		cmocka_unit_test(uuid_text_is_read_back),
		cmocka_unit_test(other_text_is_refused),
	};
	return RUN(tests);
}
