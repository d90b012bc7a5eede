/* How a call ended: the table that outcomes of deliveries are made from. */
#ifndef CLIENT_HTTP_RESULT_H
#define CLIENT_HTTP_RESULT_H

#include <stdbool.h>

#define HTTP_RESULT(id, name, sent, text) HTTP_##id,
enum http_result {
#include "client/http_results.def"
	HTTP_RESULT_COUNT
};
#undef HTTP_RESULT

const char *http_result_name(enum http_result result); /* "tls-name" */
const char *http_result_text(enum http_result result); /* a sentence without a full stop */
/* Whether the destination may have seen the request. */
bool http_result_sent(enum http_result result);

#endif
