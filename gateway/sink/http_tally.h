/* Counts the calls of one sink by how they ended:
 * leadgate_sink_calls_total{sink,result}. One thread at a time. */
#ifndef SINK_HTTP_TALLY_H
#define SINK_HTTP_TALLY_H

#include "client/http_client.h"

#define HTTP_TALLY_CLASSES 6 /* of a status: 1 to 5, 0 for what is none */

struct http_tally {
	struct lg_slice sink;
	/* Rows by result; an answer goes by the class of its status, behind them. */
	int rows[HTTP_RESULT_COUNT + HTTP_TALLY_CLASSES];
};

/* `sink` outlives the tally. */
void http_tally_init(struct http_tally *tally, struct lg_slice sink);
void http_tally_count(struct http_tally *tally, const struct http_answer *answer);

#endif
