#include "unit.h"

#include "base/alloc.h"
#include "base/random.h"
#include "outbox/index.h"
#include "outbox/index_loader.h"
#include "outbox/recent.h"

/* The naive map: a list of all entries in order of addition. */
struct entry {
	uint64_t hash;
	int64_t seq;
};

#define ENTRIES 20000
static struct entry naive[ENTRIES];
static size_t naive_count;
static uint64_t seed;

/* A generator of its own, so that a failure can be run again. */
static uint64_t next_number(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

/* Hashes that crowd: few shards, few homes, many equals. */
static uint64_t next_hash(void)
{
	uint64_t number = next_number();

	switch (number % 4) {
	case 0: return number;
	case 1: return (number >> 8 & 0x3f) << 56 | UINT64_C(0x00ffffffff000000) | number % 50;
	case 2: return number % 300;
	default: return ~UINT64_C(0) - number % 100;
	}
}

static void check_hash(const struct index *index, uint64_t hash)
{
	int64_t seqs[64];
	index_prefetch(index, hash); /* whatever is there, or nothing */
	size_t count = index_find(index, hash, seqs, 64), expected = 0;

	for (size_t i = 0; i < naive_count && expected < 64; i++) {
		if (naive[i].hash != hash || naive[i].seq == 0)
			continue;
		assert_true(expected < count);
		assert_int_equal(seqs[expected], naive[i].seq);
		expected++;
	}
	assert_int_equal(count, expected);
}

static void remove_one(struct index *index)
{
	struct entry *entry = &naive[next_number() % naive_count];

	if (entry->seq == 0)
		return;
	index_remove(index, entry->hash, entry->seq);
	entry->seq = 0;
	check_hash(index, entry->hash);
}

static void agrees_with_a_naive_map(void **state)
{
	struct index index;
	int64_t keys = 0;

	(void)state;
	seed = random_u64() | 1;
	print_message("# seed %llu\n", (unsigned long long)seed);
	index_init(&index);
	naive_count = 0;
	while (naive_count < ENTRIES) {
		struct entry entry = {next_hash(), (int64_t)naive_count * 50000000 + 1};
		assert_true(index_add(&index, entry.hash, entry.seq));
		naive[naive_count++] = entry;
		if (naive_count % 7 == 0)
			remove_one(&index);
		if (naive_count % 50 == 0)
			check_hash(&index, next_hash());
	}
	for (size_t i = 0; i < naive_count; i++) {
		keys += naive[i].seq != 0;
		if (i % 20 == 0)
			check_hash(&index, naive[i].hash);
	}
	assert_int_equal(index.keys, keys);
	index_fini(&index);
	assert_int_equal(index.bytes, 0);
}

static void seqs_of_forty_bits_come_back(void **state)
{
	struct index index;
	int64_t seq;

	(void)state;
	index_init(&index);
	assert_true(index_add(&index, 42, INDEX_SEQ_MAX));
	assert_int_equal(index_find(&index, 42, &seq, 1), 1);
	assert_int_equal(seq, INDEX_SEQ_MAX);
	assert_int_equal(index_find(&index, 43, &seq, 1), 0);
	index_fini(&index);
}

static void undo_restores_what_was(void **state)
{
	struct index index;
	int64_t seqs[4];

	(void)state;
	index_init(&index);
	for (int64_t i = 1; i <= 1000; i++)
		assert_true(index_add(&index, (uint64_t)i * UINT64_C(0x9e3779b97f4a7c15), i));
	for (int64_t i = 1001; i <= 2000; i++)
		assert_true(
			index_add(&index, (uint64_t)(i - 1000) * UINT64_C(0x9e3779b97f4a7c15), i));
	for (int64_t i = 2000; i > 1000; i--)
		index_remove(&index, (uint64_t)(i - 1000) * UINT64_C(0x9e3779b97f4a7c15), i);
	index_remove(&index, 5, 5); /* never was there */
	assert_int_equal(index.keys, 1000);
	for (int64_t i = 1; i <= 1000; i++) {
		assert_int_equal(
			index_find(&index, (uint64_t)i * UINT64_C(0x9e3779b97f4a7c15), seqs, 4), 1);
		assert_int_equal(seqs[0], i);
	}
	index_fini(&index);
}

/* At every size: no more than 64 bytes a lead of three keys. */
static void memory_stays_in_its_budget(void **state)
{
	struct index index;

	(void)state;
	index_init(&index);
	for (int64_t i = 1; i <= 1500000; i++) {
		assert_true(index_add(&index, random_u64(), i));
		if (i > 100000)
			assert_true(index.bytes * 3 <= i * 64);
	}
	print_message("# %.1f bytes a key\n", (double)index.bytes / 1500000);
	index_fini(&index);
}

static void lack_of_memory_changes_nothing(void **state)
{
	struct index index;
	int64_t seq;

	(void)state;
	index_init(&index);
	alloc_fail_at(1);
	assert_false(index_add(&index, 7, 1));
	assert_true(alloc_failed());
	alloc_fail_at(0);
	assert_int_equal(index.keys, 0);
	assert_int_equal(index_find(&index, 7, &seq, 1), 0);
	assert_true(index_add(&index, 7, 1));
	index_fini(&index);
}

/* Loaded at once or one by one: the same, whatever the hashes. */
static void loader_builds_the_same(void **state)
{
	struct index index;

	(void)state;
	seed = random_u64() | 1;
	print_message("# seed %llu\n", (unsigned long long)seed);
	index_init(&index);
	struct index_loader *loader = index_loader_new(&index);
	assert_non_null(loader);
	for (naive_count = 0; naive_count < ENTRIES; naive_count++) {
		struct entry *entry = &naive[naive_count];
		*entry = (struct entry){next_hash(), (int64_t)naive_count + 1};
		assert_true(index_loader_add(loader, entry->hash, entry->seq));
	}
	assert_true(index_loader_finish(loader));
	index_loader_free(&loader);
	assert_int_equal(index.keys, ENTRIES);
	for (size_t i = 0; i < ENTRIES; i += 10)
		check_hash(&index, naive[i].hash);
	/* It is an index like any other. */
	for (int i = 0; i < 200; i++)
		remove_one(&index);
	index_fini(&index);
}

static void recent_forgets_after_its_window(void **state)
{
	struct recent recent;
	int64_t seqs[4];

	(void)state;
	recent_init(&recent, 1000, 5000);
	assert_true(index_add(recent_young(&recent), 9, 1));
	recent_turn(&recent, 6001);
	assert_true(index_add(recent_young(&recent), 9, 2));
	assert_int_equal(recent_find(&recent, 9, seqs, 4), 2);
	assert_int_equal(seqs[0], 1);
	assert_int_equal(seqs[1], 2);
	recent_turn(&recent, 6500);
	assert_int_equal(recent_find(&recent, 9, seqs, 4), 2);
	recent_turn(&recent, 7002);
	assert_int_equal(recent_find(&recent, 9, seqs, 4), 1);
	assert_int_equal(seqs[0], 2);
	recent_turn(&recent, 8003);
	assert_int_equal(recent_find(&recent, 9, seqs, 4), 0);
	assert_int_equal(recent_bytes(&recent), 0);
	recent_fini(&recent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_a_naive_map),
		cmocka_unit_test(seqs_of_forty_bits_come_back),
		cmocka_unit_test(undo_restores_what_was),
		cmocka_unit_test(memory_stays_in_its_budget),
		cmocka_unit_test(lack_of_memory_changes_nothing),
		cmocka_unit_test(loader_builds_the_same),
		cmocka_unit_test(recent_forgets_after_its_window),
	};
	return RUN(tests);
}
