/* Calls are counted by how they ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/counter.h"
#include "sink/http_tally.h"

static int64_t counted(const char *labels)
{
	return counter_read(
		counter_register(COUNTER_COUNTER, "leadgate_sink_calls_total", labels, ""));
}

static void each_end_has_its_row(void **state)
{
	struct http_tally tally;

	(void)state;
	http_tally_init(&tally, LG_SLICE("crm"));
	for (int i = 0; i < HTTP_RESULT_COUNT; i++) {
		char labels[COUNTER_LABEL_BYTES] = "";
		struct http_answer answer = {.result = (enum http_result)i};

		if (answer.result == HTTP_ANSWERED)
			continue;
		counter_label(labels, "sink", LG_SLICE("crm"));
		counter_label(labels, "result", slice_from(http_result_name(answer.result)));
		http_tally_count(&tally, &answer);
		assert_int_equal(counted(labels), 1);
		http_tally_count(&tally, &answer);
		assert_int_equal(counted(labels), 2);
	}
}

static void an_answer_goes_by_its_class(void **state)
{
	static const struct {
		int status;
		const char *labels;
	} rows[] = {
		{200, "sink=\"api\",result=\"2xx\""},	{299, "sink=\"api\",result=\"2xx\""},
		{302, "sink=\"api\",result=\"3xx\""},	{404, "sink=\"api\",result=\"4xx\""},
		{503, "sink=\"api\",result=\"5xx\""},	{0, "sink=\"api\",result=\"other\""},
		{999, "sink=\"api\",result=\"other\""}, {-1, "sink=\"api\",result=\"other\""},
	};
	struct http_tally tally;

	(void)state;
	http_tally_init(&tally, LG_SLICE("api"));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_answer answer = {.result = HTTP_ANSWERED, .status = rows[i].status};
		int64_t before = counted(rows[i].labels);

		http_tally_count(&tally, &answer);
		assert_int_equal(counted(rows[i].labels), before + 1);
	}
	assert_int_equal(counted("sink=\"api\",result=\"answered\""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_end_has_its_row),
		cmocka_unit_test(an_answer_goes_by_its_class),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
