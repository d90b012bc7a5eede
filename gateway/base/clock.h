/* Time. Monotonic time measures; wall time is written down. Any thread. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLOCK_RFC3339_BYTES 25 /* "2026-01-02T03:04:05.678Z" and a zero byte */

int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);
int64_t clock_wall_ms(void); /* since 1970-01-01T00:00:00Z */
int64_t clock_thread_cpu_us(void);

/* RFC 3339, UTC, three decimals. Years 0000 to 9999; others are clamped. */
void clock_format(int64_t wall_ms, char out[CLOCK_RFC3339_BYTES]);

/* Sleeps; returns early on a signal. Not for loop threads. */
void clock_sleep_ms(int64_t ms);

#endif
