#include "http/refusal.h"

#include "base/counter.h"

#include <pthread.h>
#include <stdio.h>

static const struct {
	int status;
	const char *label, *text;
} rows[] = {
	[HTTP_ACCEPTED] = {200, "accepted", "accepted"},
#define HTTP_REFUSAL(name, status, label, text) [HTTP_REFUSED_##name] = {status, label, text},
#include "http/refusals.def"
#undef HTTP_REFUSAL
};

static int counters[HTTP_REFUSAL_COUNT] = {[HTTP_ACCEPTED] = COUNTER_NONE};
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void register_all(void)
{
	for (int i = HTTP_ACCEPTED + 1; i < HTTP_REFUSAL_COUNT; i++) {
		char labels[COUNTER_LABEL_BYTES];

		snprintf(labels, sizeof(labels), "reason=\"%s\"", rows[i].label);
		counters[i] = counter_register(COUNTER_COUNTER, "leadgate_http_refused_total",
					       labels,
					       "Requests refused before a source saw them whole");
	}
}

void http_refusal_register(void)
{
	pthread_once(&once, register_all);
}

void http_refusal_count(enum http_refusal refusal)
{
	counter_inc(counters[refusal]);
}

int http_refusal_status(enum http_refusal refusal)
{
	return rows[refusal].status;
}

const char *http_refusal_label(enum http_refusal refusal)
{
	return rows[refusal].label;
}

const char *http_refusal_text(enum http_refusal refusal)
{
	return rows[refusal].text;
}
