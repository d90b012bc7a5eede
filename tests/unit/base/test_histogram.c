#include "unit.h"

#include "base/histogram.h"

#include <pthread.h>
#include <stdio.h>

static int new_row(const char *labels)
{
	int row = histogram_register("test_seconds", labels, "A test.");
	assert_true(row >= 0);
	return row;
}

static void one_value_is_its_own_quantile(void **state)
{
	char labels[32];
	(void)state;
	/* Powers of two are exact; others are rounded up by a sixteenth at most. */
	for (int bits = 0; bits <= 36; bits += 4) {
		snprintf(labels, sizeof(labels), "bits=\"%d\"", bits);
		int row = new_row(labels);
		assert_int_equal(histogram_quantile_us(row, 0.5), 0);
		histogram_add_us(row, INT64_C(1) << bits);
		assert_int_equal(histogram_quantile_us(row, 0), INT64_C(1) << bits);
		assert_int_equal(histogram_quantile_us(row, 1), INT64_C(1) << bits);
	}
	int row = new_row("odd=\"\"");
	histogram_add_us(row, 1000003);
	assert_in_range(histogram_quantile_us(row, 0.5), 1000003, 1000003 + 1000003 / 16);
}

static void quantiles_of_many(void **state)
{
	int row = new_row("many=\"\"");
	(void)state;
	for (int us = 1; us <= 10000; us++)
		histogram_add_us(row, us);
	assert_int_equal(histogram_count(row), 10000);
	assert_int_equal(histogram_sum_us(row), 50005000);
	assert_in_range(histogram_quantile_us(row, 0.5), 5000, 5320);
	assert_in_range(histogram_quantile_us(row, 0.99), 9900, 10240);
	assert_in_range(histogram_quantile_us(row, 0.001), 10, 10);
}

static void the_ends_are_clamped(void **state)
{
	int row = new_row("ends=\"\"");
	(void)state;
	histogram_add_us(row, -5);
	histogram_add_us(row, 0);
	assert_int_equal(histogram_quantile_us(row, 1), 1);
	assert_int_equal(histogram_sum_us(row), 0);
	histogram_add_us(row, INT64_MAX);
	assert_int_equal(histogram_quantile_us(row, 1), INT64_C(1) << 36);
	assert_int_equal(histogram_count(row), 3);
	histogram_add_us(HISTOGRAM_NONE, 1);
	assert_int_equal(histogram_count(HISTOGRAM_NONE), 0);
	assert_int_equal(histogram_sum_us(HISTOGRAM_NONE), 0);
	assert_int_equal(histogram_quantile_us(HISTOGRAM_NONE, 0.5), 0);
}

static void printed_bounds_include_their_value(void **state)
{
	struct buffer out;
	(void)state;
	int row = histogram_register("test_print_seconds", "sink=\"a\"", "Printed.");
	assert_int_equal(histogram_register("test_print_seconds", "sink=\"a\"", "Printed."), row);
	int bare = histogram_register("test_print_seconds", "", "Printed.");
	histogram_add_us(row, 16);
	histogram_add_us(row, 17);
	histogram_add_us(row, 1048576);
	histogram_add_us(row, 90000000);
	histogram_add_us(bare, 1);
	buffer_init(&out, 1 << 20);
	histogram_print(&out);
	assert_true(buffer_add_byte(&out, '\0'));
	const char *text = strstr(buffer_slice(&out).data, "# HELP test_print_seconds");
	assert_non_null(text);
	static const char begin[] = "# HELP test_print_seconds Printed.\n"
				    "# TYPE test_print_seconds histogram\n"
				    "test_print_seconds_bucket{sink=\"a\",le=\"0.000016\"} 1\n"
				    "test_print_seconds_bucket{sink=\"a\",le=\"0.000032\"} 2\n";
	assert_memory_equal(text, begin, sizeof(begin) - 1);
	assert_non_null(strstr(text, "{sink=\"a\",le=\"0.524288\"} 2\n"
				     "test_print_seconds_bucket{sink=\"a\",le=\"1.048576\"} 3\n"));
	assert_non_null(strstr(text, "{sink=\"a\",le=\"67.108864\"} 3\n"
				     "test_print_seconds_bucket{sink=\"a\",le=\"+Inf\"} 4\n"
				     "test_print_seconds_sum{sink=\"a\"} 91.048609\n"
				     "test_print_seconds_count{sink=\"a\"} 4\n"
				     "test_print_seconds_bucket{le=\"0.000016\"} 1\n"));
	assert_non_null(strstr(text, "test_print_seconds_count 1\n"));
	buffer_fini(&out);
}

static void *add_much(void *context)
{
	const int *row = context;
	for (int i = 0; i < 10000; i++)
		histogram_add_us(*row, i);
	return NULL;
}

static void nothing_is_lost_between_threads(void **state)
{
	pthread_t threads[3];
	int row = new_row("threads=\"\"");
	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_much, &row), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(histogram_count(row), 30000);
	assert_int_equal(histogram_sum_us(row), INT64_C(3) * 9999 * 5000);
}

/* More threads than have numbers of their own. */
static void late_threads_share(void **state)
{
	enum { THREADS = 24 };
	pthread_t threads[THREADS];
	int row = new_row("late=\"\"");
	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_much, &row), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(histogram_count(row), THREADS * 10000);
	assert_int_equal(histogram_sum_us(row), INT64_C(5000) * 9999 * THREADS);
}

static void stages_are_one_family(void **state)
{
	(void)state;
	int queue = histogram_register_stage("queue");
	assert_true(queue >= 0);
	assert_int_equal(histogram_register_stage("queue"), queue);
	assert_int_not_equal(histogram_register_stage("commit"), queue);
}

static void a_full_table_says_none(void **state)
{
	char labels[32];
	int last = 0;
	(void)state;
	for (int i = 0; i <= HISTOGRAM_ROWS && last != HISTOGRAM_NONE; i++) {
		snprintf(labels, sizeof(labels), "n=\"%d\"", i);
		last = histogram_register("test_full_seconds", labels, "Full.");
	}
	assert_int_equal(last, HISTOGRAM_NONE);
	char long_labels[COUNTER_LABEL_BYTES + 1];
	memset(long_labels, 'x', sizeof(long_labels));
	long_labels[COUNTER_LABEL_BYTES] = '\0';
	assert_int_equal(histogram_register("test_seconds", long_labels, ""), HISTOGRAM_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_value_is_its_own_quantile),
		cmocka_unit_test(quantiles_of_many),
		cmocka_unit_test(the_ends_are_clamped),
		cmocka_unit_test(printed_bounds_include_their_value),
		cmocka_unit_test(nothing_is_lost_between_threads),
		cmocka_unit_test(late_threads_share),
		cmocka_unit_test(stages_are_one_family),
		cmocka_unit_test(a_full_table_says_none),
	};
	return RUN(tests);
}
