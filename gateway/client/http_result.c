#include "client/http_result.h"

static const struct {
	const char *name, *text;
	bool sent;
} results[HTTP_RESULT_COUNT] = {
#define HTTP_RESULT(id, name, sent, text) {name, text, sent},
#include "client/http_results.def"
#undef HTTP_RESULT
};

const char *http_result_name(enum http_result result)
{
	return results[result].name;
}

const char *http_result_text(enum http_result result)
{
	return results[result].text;
}

bool http_result_sent(enum http_result result)
{
	return results[result].sent;
}
