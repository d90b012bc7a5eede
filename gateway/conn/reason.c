#include "conn/reason.h"

#include "base/counter.h"

#include <pthread.h>
#include <stdio.h>

static const struct {
	const char *label, *text;
} rows[] = {
#define CONN_REASON(name, label, text) {label, text},
#include "conn/reasons.def"
#undef CONN_REASON
};

static int counters[CONN_REASON_COUNT];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void register_all(void)
{
	for (int i = 0; i < CONN_REASON_COUNT; i++) {
		char labels[COUNTER_LABEL_BYTES];

		snprintf(labels, sizeof(labels), "reason=\"%s\"", rows[i].label);
		counters[i] = counter_register(COUNTER_COUNTER, "leadgate_connections_closed_total",
					       labels, "Connections closed, by reason");
	}
}

void conn_reason_register(void)
{
	pthread_once(&once, register_all);
}

void conn_reason_count(enum conn_reason reason)
{
	counter_inc(counters[reason]);
}

const char *conn_reason_label(enum conn_reason reason)
{
	return rows[reason].label;
}

const char *conn_reason_text(enum conn_reason reason)
{
	return rows[reason].text;
}

bool conn_reason_is_orderly(enum conn_reason reason)
{
	switch (reason) {
	case CONN_PEER_CLOSED:
	case CONN_TLS_TRUNCATED:
	case CONN_ANSWERED:
	case CONN_REFUSED:
	case CONN_IDLE_TIMEOUT:
	case CONN_DRAINED: return true;
	default: return false;
	}
}
