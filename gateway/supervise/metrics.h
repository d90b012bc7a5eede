/* All metrics in the Prometheus text format 0.0.4: what modules count by
 * themselves, and what is only known when it is asked. docs/metrics.md lists
 * them. Main thread. */
#ifndef SUPERVISE_METRICS_H
#define SUPERVISE_METRICS_H

#include "base/buffer.h"
#include "supervise/gateway.h"

/* Appends them; `out` says by `failed` when memory ran out. */
void metrics_print(const struct gateway *gateway, struct buffer *out);

#endif
