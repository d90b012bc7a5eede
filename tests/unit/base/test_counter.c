#include "unit.h"

#include "base/counter.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static void same_name_and_labels_are_one_row(void **state)
{
	char name[] = "test_same_total"; /* the text decides, not the address */
	(void)state;
	int a = counter_register(COUNTER_COUNTER, "test_same_total", "", "Help.");
	assert_true(a >= 0);
	assert_int_equal(counter_register(COUNTER_COUNTER, name, "", "Help."), a);
	int b = counter_register(COUNTER_COUNTER, "test_same_total", "x=\"1\"", "Help.");
	assert_int_not_equal(a, b);
	counter_add(a, 5);
	counter_inc(b);
	assert_int_equal(counter_read(a), 5);
	assert_int_equal(counter_read(b), 1);
	counter_set(b, -7);
	assert_int_equal(counter_read(b), -7);
}

static void none_does_nothing(void **state)
{
	char labels[COUNTER_LABEL_BYTES + 1];
	(void)state;
	counter_add(COUNTER_NONE, 1);
	counter_set(COUNTER_NONE, 1);
	assert_int_equal(counter_read(COUNTER_NONE), 0);
	memset(labels, 'x', sizeof(labels));
	labels[COUNTER_LABEL_BYTES] = '\0';
	assert_int_equal(counter_register(COUNTER_GAUGE, "test_long", labels, ""), COUNTER_NONE);
	labels[COUNTER_LABEL_BYTES - 1] = '\0';
	assert_true(counter_register(COUNTER_GAUGE, "test_long", labels, "") >= 0);
	/* One name is one kind. */
	assert_int_equal(counter_register(COUNTER_COUNTER, "test_long", "", ""), COUNTER_NONE);
}

static void rows_of_one_name_are_printed_together(void **state)
{
	struct buffer out;
	(void)state;
	int a = counter_register(COUNTER_COUNTER, "test_closed_total", "reason=\"idle\"",
				 "Closes.");
	int b = counter_register(COUNTER_GAUGE, "test_open", "", "Open now.");
	int c = counter_register(COUNTER_COUNTER, "test_closed_total", "reason=\"peer\"",
				 "Closes.");
	counter_add(a, 3);
	counter_set(b, -2);
	counter_add(c, 9000000000);
	buffer_init(&out, 1 << 20);
	counter_print(&out);
	assert_false(out.failed);
	assert_true(buffer_add_byte(&out, '\0'));
	assert_non_null(strstr(buffer_slice(&out).data,
			       "# HELP test_closed_total Closes.\n"
			       "# TYPE test_closed_total counter\n"
			       "test_closed_total{reason=\"idle\"} 3\n"
			       "test_closed_total{reason=\"peer\"} 9000000000\n"
			       "# HELP test_open Open now.\n"
			       "# TYPE test_open gauge\n"
			       "test_open -2\n"));
	buffer_fini(&out);
}

#define THREADS 4
#define ADDS 20000
static void labels_are_escaped(void **state)
{
	char labels[COUNTER_LABEL_BYTES] = "", long_value[COUNTER_LABEL_BYTES];
	(void)state;
	assert_true(counter_label(labels, "sink", LG_SLICE("a\"b\\c\nd")));
	assert_string_equal(labels, "sink=\"a\\\"b\\\\c\\nd\"");
	assert_true(counter_label(labels, "outcome", LG_SLICE("")));
	assert_string_equal(labels, "sink=\"a\\\"b\\\\c\\nd\",outcome=\"\"");
	/* What has no room leaves the labels as they were. */
	memset(long_value, 'x', sizeof(long_value));
	for (size_t n = 0; n < sizeof(long_value); n++) {
		char one[COUNTER_LABEL_BYTES] = "";
		bool fits = counter_label(one, "l", slice_of(long_value, n));
		assert_int_equal(strlen(one), fits ? n + 4 : 0);
		assert_int_equal(fits, n + 4 <= COUNTER_LABEL_BYTES - 2);
	}
}

static void a_help_text_stays_on_its_line(void **state)
{
	struct buffer out;
	(void)state;
	counter_register(COUNTER_COUNTER, "test_help_total", "", "One\nand a \\.");
	buffer_init(&out, 1 << 20);
	counter_print(&out);
	assert_true(buffer_add_byte(&out, '\0'));
	assert_non_null(strstr(buffer_slice(&out).data, "# HELP test_help_total One\\nand a \\\\.\n"
							"# TYPE test_help_total counter\n"));
	buffer_fini(&out);
}

static void *add_much(void *context)
{
	const int *row = context;
	for (int i = 0; i < ADDS; i++)
		counter_inc(*row);
	/* Registering and printing beside others must be safe too. */
	struct buffer out;
	buffer_init(&out, 1 << 20);
	counter_print(&out);
	bool found = counter_register(COUNTER_COUNTER, "test_threads_total", "", "") == *row;
	bool printed = !out.failed && buffer_length(&out) > 0;
	buffer_fini(&out);
	return found && printed ? context : NULL;
}

static void nothing_is_lost_between_threads(void **state)
{
	pthread_t threads[THREADS];
	(void)state;
	int row = counter_register(COUNTER_COUNTER, "test_threads_total", "", "");
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_much, &row), 0);
	for (int i = 0; i < THREADS; i++) {
		void *done;
		pthread_join(threads[i], &done);
		assert_ptr_equal(done, &row);
	}
	assert_int_equal(counter_read(row), THREADS * ADDS);
}

static void a_full_table_says_none(void **state)
{
	char labels[32];
	int last = 0;
	(void)state;
	for (int i = 0; i < COUNTER_ROWS && last != COUNTER_NONE; i++) {
		snprintf(labels, sizeof(labels), "n=\"%d\"", i);
		last = counter_register(COUNTER_COUNTER, "test_full_total", labels, "Full.");
	}
	assert_int_equal(last, COUNTER_NONE);
	assert_true(counter_register(COUNTER_COUNTER, "test_full_total", "n=\"0\"", "") >= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_name_and_labels_are_one_row),
		cmocka_unit_test(none_does_nothing),
		cmocka_unit_test(rows_of_one_name_are_printed_together),
		cmocka_unit_test(nothing_is_lost_between_threads),
		cmocka_unit_test(labels_are_escaped),
		cmocka_unit_test(a_help_text_stays_on_its_line),
		cmocka_unit_test(a_full_table_says_none),
	};
	return RUN(tests);
}
