#include "unit.h"

#include <string.h>

#include "outbox/identity_row.h"

static void packs_and_unpacks(void **state)
{
	struct identity_row row = {.flags = IDENTITY_ROW_CREATED,
				   .key_count = IDENTITY_ROW_KEYS_MAX};
	struct identity_row again = {.flags = 0};
	uint8_t packed[IDENTITY_ROW_BYTES_MAX];

	(void)state;
	memset(row.digest, 0xab, sizeof(row.digest));
	for (size_t i = 0; i < row.key_count; i++)
		row.keys[i] = (struct identity_key){UINT64_C(0x0123456789abcdef) * (i + 1),
						    (uint8_t)(1 + i % 5), (uint8_t)(i * 16)};
	size_t length = identity_row_pack(&row, packed);
	assert_int_equal(length, IDENTITY_ROW_BYTES_MAX);
	assert_true(identity_row_unpack(&again, slice_of((const char *)packed, length)));
	assert_int_equal(again.flags, row.flags);
	assert_int_equal(again.key_count, row.key_count);
	assert_memory_equal(again.digest, row.digest, sizeof(row.digest));
	for (size_t i = 0; i < row.key_count; i++) {
		assert_true(again.keys[i].hash == row.keys[i].hash);
		assert_int_equal(again.keys[i].kind, row.keys[i].kind);
		assert_int_equal(again.keys[i].flags, row.keys[i].flags);
		assert_true(identity_row_has(&again, &row.keys[i]));
	}
	struct identity_key other = row.keys[0];
	other.kind = 9;
	assert_false(identity_row_has(&again, &other));
}

/* Numbers are stored, so their form is for ever. */
static void form_is_little_endian(void **state)
{
	struct identity_row row = {.flags = 1, .key_count = 1};
	uint8_t packed[IDENTITY_ROW_BYTES_MAX];

	(void)state;
	row.keys[0] = (struct identity_key){UINT64_C(0x1122334455667788), IDENTITY_PHONE, 0x80};
	assert_int_equal(identity_row_pack(&row, packed), 27);
	assert_memory_equal(packed + 17, "\x02\x80\x88\x77\x66\x55\x44\x33\x22\x11", 10);
}

static void refuses_what_is_none(void **state)
{
	struct identity_row row;
	char bytes[IDENTITY_ROW_BYTES_MAX + 10] = {0};

	(void)state;
	assert_false(identity_row_unpack(&row, slice_of(bytes, 0)));
	assert_false(identity_row_unpack(&row, slice_of(bytes, 16)));
	assert_true(identity_row_unpack(&row, slice_of(bytes, 17)));
	assert_int_equal(row.key_count, 0);
	assert_false(identity_row_unpack(&row, slice_of(bytes, 26)));
	assert_false(identity_row_unpack(&row, slice_of(bytes, sizeof(bytes))));
	assert_false(identity_row_unpack(&row, slice_of(NULL, 0)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packs_and_unpacks),
		cmocka_unit_test(form_is_little_endian),
		cmocka_unit_test(refuses_what_is_none),
	};
	return RUN(tests);
}
