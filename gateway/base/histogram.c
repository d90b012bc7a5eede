#include "base/histogram.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

/* Bucket i ends at a value that belongs to it, as Prometheus defines `le`, so
 * v is filed as v - 1: below 16 each value has a bucket, and from there each
 * power of two has 16. */
#define STEP_BITS 4
#define STEPS (1 << STEP_BITS)
#define LARGEST_BITS 36
#define BUCKETS ((LARGEST_BITS - STEP_BITS + 1) * STEPS)

/* The first threads that add have numbers of their own, which nobody else
 * writes: adding is then a plain load and store on lines that stay with their
 * core. All later threads share the last part and add atomically. */
#define PARTS 16

#define FIRST_PRINTED_BITS 4
#define LAST_PRINTED_BITS 26

struct row {
	const char *name, *help;
	bool first; /* of its name: prints the head */
	char labels[COUNTER_LABEL_BYTES];
};

struct numbers {
	_Alignas(64) _Atomic(int64_t) sum_us;
	_Atomic(int64_t) counts[BUCKETS];
};

/* Pages of what nobody registered, or no thread added to, stay untouched. */
static struct numbers numbers[PARTS][HISTOGRAM_ROWS];
static _Atomic(int) threads; /* that have added */
static _Thread_local int own_part = -1;

/* Only the numbers are shared without the lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct row rows[HISTOGRAM_ROWS];
static int row_count;

static int bucket_of(int64_t us)
{
	uint64_t v = us > 0 ? (uint64_t)us - 1 : 0;

	if (v < STEPS)
		return (int)v;
	if (v >> LARGEST_BITS)
		return BUCKETS - 1;
	int bits = 63 - __builtin_clzll(v), shift = bits - STEP_BITS;
	return (shift + 1) * STEPS + (int)(v >> shift & (STEPS - 1));
}

/* The largest value that bucket_of files there. */
static int64_t bucket_end_us(int bucket)
{
	if (bucket < STEPS)
		return bucket + 1;
	int shift = bucket / STEPS - 1;
	return (int64_t)(STEPS + bucket % STEPS + 1) << shift;
}

static int find_or_add(const char *name, const char *labels, const char *help)
{
	bool first = true;

	for (int i = 0; i < row_count; i++) {
		if (strcmp(rows[i].name, name) != 0)
			continue;
		if (strcmp(rows[i].labels, labels) == 0)
			return i;
		first = false;
	}
	if (row_count == HISTOGRAM_ROWS)
		return HISTOGRAM_NONE;
	struct row *row = &rows[row_count];
	*row = (struct row){.name = name, .help = help, .first = first};
	slice_to_text(slice_from(labels), row->labels, sizeof(row->labels));
	return row_count++;
}

int histogram_register(const char *name, const char *labels, const char *help)
{
	if (strlen(labels) >= COUNTER_LABEL_BYTES)
		return HISTOGRAM_NONE;
	pthread_mutex_lock(&lock);
	int row = find_or_add(name, labels, help);
	pthread_mutex_unlock(&lock);
	return row;
}

int histogram_register_stage(const char *stage)
{
	char labels[COUNTER_LABEL_BYTES] = "";

	counter_label(labels, "stage", slice_from(stage));
	return histogram_register("leadgate_stage_seconds", labels,
				  "Time that requests spend in each stage of their way");
}

static int take_part(void)
{
	int number = atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed);

	own_part = number < PARTS - 1 ? number : PARTS - 1;
	return own_part;
}

static int parts_in_use(void)
{
	int count = atomic_load_explicit(&threads, memory_order_relaxed);

	return count < PARTS ? count : PARTS;
}

static void add(_Atomic(int64_t) *number, int64_t n, bool alone)
{
	if (alone)
		atomic_store_explicit(number,
				      atomic_load_explicit(number, memory_order_relaxed) + n,
				      memory_order_relaxed);
	else
		atomic_fetch_add_explicit(number, n, memory_order_relaxed);
}

void histogram_add_us(int histogram, int64_t us)
{
	if (histogram < 0)
		return;
	int part = own_part >= 0 ? own_part : take_part();
	struct numbers *n = &numbers[part][histogram];
	int bucket = bucket_of(us);
	/* The sum must not overflow before the counts do: it takes what is counted. */
	int64_t counted = us < 0 ? 0 : bucket == BUCKETS - 1 ? bucket_end_us(bucket) : us;
	add(&n->counts[bucket], 1, part < PARTS - 1);
	add(&n->sum_us, counted, part < PARTS - 1);
}

static int64_t count_in(int histogram, int bucket)
{
	int64_t count = 0;

	for (int part = 0; part < parts_in_use(); part++)
		count += atomic_load_explicit(&numbers[part][histogram].counts[bucket],
					      memory_order_relaxed);
	return count;
}

int64_t histogram_count(int histogram)
{
	int64_t count = 0;

	if (histogram < 0)
		return 0;
	for (int i = 0; i < BUCKETS; i++)
		count += count_in(histogram, i);
	return count;
}

int64_t histogram_sum_us(int histogram)
{
	int64_t sum_us = 0;

	for (int part = 0; histogram >= 0 && part < parts_in_use(); part++)
		sum_us += atomic_load_explicit(&numbers[part][histogram].sum_us,
					       memory_order_relaxed);
	return sum_us;
}

int64_t histogram_quantile_us(int histogram, double quantile)
{
	int64_t all = histogram_count(histogram), seen = 0;

	if (all == 0)
		return 0;
	int bucket = 0;
	while (bucket < BUCKETS - 1) {
		seen += count_in(histogram, bucket);
		if (seen > 0 && (double)seen >= quantile * (double)all)
			break;
		bucket++;
	}
	return bucket_end_us(bucket);
}

static void print_bucket(const struct row *row, const char *le, int64_t count, struct buffer *out)
{
	buffer_printf(out, "%s_bucket{%s%sle=\"%s\"} %lld\n", row->name, row->labels,
		      row->labels[0] ? "," : "", le, (long long)count);
}

static void print_total(const struct row *row, const char *what, struct buffer *out)
{
	buffer_printf(out, "%s_%s", row->name, what);
	if (row->labels[0])
		buffer_printf(out, "{%s}", row->labels);
}

static void print_row(int index, struct buffer *out)
{
	const struct row *row = &rows[index];
	int64_t count = 0, sum_us = histogram_sum_us(index);
	int bits = FIRST_PRINTED_BITS;

	for (int i = 0; i < BUCKETS; i++) {
		count += count_in(index, i);
		if (bits > LAST_PRINTED_BITS || bucket_end_us(i) != INT64_C(1) << bits)
			continue;
		char le[32];
		unsigned long long end_us = 1ULL << bits++;
		snprintf(le, sizeof(le), "%llu.%06llu", end_us / 1000000, end_us % 1000000);
		print_bucket(row, le, count, out);
	}
	print_bucket(row, "+Inf", count, out);
	print_total(row, "sum", out);
	buffer_printf(out, " %lld.%06lld\n", (long long)(sum_us / 1000000),
		      (long long)(sum_us % 1000000));
	print_total(row, "count", out);
	buffer_printf(out, " %lld\n", (long long)count);
}

void histogram_print(struct buffer *out)
{
	pthread_mutex_lock(&lock);
	for (int i = 0; i < row_count; i++) {
		if (!rows[i].first)
			continue;
		buffer_printf(out, "# HELP %s %s\n# TYPE %s histogram\n", rows[i].name,
			      rows[i].help, rows[i].name);
		for (int j = i; j < row_count; j++)
			if (strcmp(rows[i].name, rows[j].name) == 0)
				print_row(j, out);
	}
	pthread_mutex_unlock(&lock);
}
