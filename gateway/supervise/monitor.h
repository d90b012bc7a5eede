/* The one who looks: once a second at sources and sinks, from the main thread.
 * It finds what alerts are about, and keeps what waits for each sink, which
 * only the journal knows, for status and metrics. */
#ifndef SUPERVISE_MONITOR_H
#define SUPERVISE_MONITOR_H

#include "supervise/alert.h"
#include "supervise/gateway.h"

struct monitor;

/* Begins to look; sets gateway->monitor. After the lanes were started. */
bool monitor_open(struct gateway *gateway, struct error *error);
/* After the outbox is closed. */
void monitor_close(struct monitor **monitor);

const struct alerts *monitor_alerts(const struct monitor *monitor);

/* What waits for a sink, as of now or a moment ago: the journal is asked again
 * only when something was committed, and for a hundredth of the time at most. */
void monitor_backlog(struct monitor *monitor, struct lg_slice sink, struct sink_backlog *backlog);

/* For how long the oldest event has waited for a sink, in milliseconds; 0: none
 * waits. Only what is known for sure: something that may be delivered since the
 * last look had waited by then. */
int64_t monitor_age_ms(struct monitor *monitor, struct lg_slice sink);

#endif
