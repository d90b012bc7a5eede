/* Counters and gauges: a fixed table of atomic numbers that /metrics prints.
 * A row is one name with one set of labels; rows of one name share its help.
 * Names are Prometheus': leadgate_ and what is counted, seconds and bytes as
 * units, _total behind counters. docs/metrics.md lists all of them.
 * Registering is for start and reload (it takes a lock); adding is lock-free
 * on any thread. */
#ifndef BASE_COUNTER_H
#define BASE_COUNTER_H

#include "base/buffer.h"

#define COUNTER_ROWS 4096
#define COUNTER_LABEL_BYTES 192
#define COUNTER_NONE (-1)

enum counter_kind { COUNTER_COUNTER, COUNTER_GAUGE };

/* `name` and `help` live for ever (literals); `labels` is copied, already in
 * the exposition format: `reason="head-timeout"`, or "". The same name and
 * labels give the same row. COUNTER_NONE when the table is full. */
int counter_register(enum counter_kind kind, const char *name, const char *labels,
		     const char *help);

/* Appends NAME="value" to `labels`, behind a comma when it is not the first,
 * with what the exposition format wants escaped. False when there is no room:
 * `labels` is then as it was. `name` is a literal. */
bool counter_label(char labels[COUNTER_LABEL_BYTES], const char *name, struct lg_slice value);

/* Adding to COUNTER_NONE does nothing. */
void counter_add(int counter, int64_t n);
void counter_set(int counter, int64_t value);
int64_t counter_read(int counter);
static inline void counter_inc(int counter)
{
	counter_add(counter, 1);
}

/* All rows in the Prometheus text format 0.0.4, grouped by name. */
void counter_print(struct buffer *out);

#endif
