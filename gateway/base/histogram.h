/* Histograms of durations: fixed log-linear buckets of atomic counts, precise
 * to a sixteenth of the value, from a microsecond to 19 hours. Registering is
 * for start and reload (it takes a lock); adding is lock-free on any thread. */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include "base/buffer.h"
#include "base/counter.h"

#define HISTOGRAM_ROWS 128
#define HISTOGRAM_NONE (-1)

/* As counter_register: `name` and `help` live for ever, `labels` is copied,
 * the same name and labels give the same histogram. The name is printed with
 * seconds as its unit: it ends with `_seconds`. HISTOGRAM_NONE when the table
 * is full or the labels are longer than COUNTER_LABEL_BYTES allow. */
int histogram_register(const char *name, const char *labels, const char *help);

/* The histogram of one stage of a request's way through the gateway:
 * leadgate_stage_seconds{stage="…"}. */
int histogram_register_stage(const char *stage);

/* Counts one duration. Below 0 counts as 0, beyond the range as its end.
 * Adding to HISTOGRAM_NONE does nothing. */
void histogram_add_us(int histogram, int64_t us);

/* How many durations were counted, and what they add up to. */
int64_t histogram_count(int histogram);
int64_t histogram_sum_us(int histogram);

/* The duration that the share `quantile` (0 to 1) of all does not exceed,
 * rounded up to its bucket's end; 0 when nothing was counted. */
int64_t histogram_quantile_us(int histogram, double quantile);

/* All histograms in the Prometheus text format 0.0.4, grouped by name, with
 * one printed bucket for each power of two from 16 µs to 67 s. */
void histogram_print(struct buffer *out);

#endif
