#include "sink/http_tally.h"

#include "base/counter.h"

/* Most ways to end never happen to a sink: each gets its row when it does. */
#define NO_ROW_YET (COUNTER_NONE - 1)

#define ROWS ((int)(sizeof(((struct http_tally *)0)->rows) / sizeof(int)))

void http_tally_init(struct http_tally *tally, struct lg_slice sink)
{
	tally->sink = sink;
	for (int i = 0; i < ROWS; i++)
		tally->rows[i] = NO_ROW_YET;
}

static const char *label_of(int index)
{
	static const char *const classes[HTTP_TALLY_CLASSES] = {"other", "1xx", "2xx",
								"3xx",	 "4xx", "5xx"};

	return index < HTTP_RESULT_COUNT ? http_result_name((enum http_result)index)
					 : classes[index - HTTP_RESULT_COUNT];
}

static int row_of(const struct http_tally *tally, int index)
{
	char labels[COUNTER_LABEL_BYTES] = "";

	counter_label(labels, "sink", tally->sink);
	counter_label(labels, "result", slice_from(label_of(index)));
	return counter_register(COUNTER_COUNTER, "leadgate_sink_calls_total", labels,
				"HTTP calls of a sink by how they ended");
}

void http_tally_count(struct http_tally *tally, const struct http_answer *answer)
{
	int status_class = answer->status / 100, index = (int)answer->result;

	if (status_class < 0 || status_class >= HTTP_TALLY_CLASSES)
		status_class = 0;
	if (answer->result == HTTP_ANSWERED)
		index = HTTP_RESULT_COUNT + status_class;
	if (tally->rows[index] == NO_ROW_YET)
		tally->rows[index] = row_of(tally, index);
	counter_inc(tally->rows[index]);
}
