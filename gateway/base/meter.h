/* Token buckets that many threads draw from at once: one atomic number each.
 *
 * A meter holds the moment at which its bucket will be full again, so that a
 * token moves that moment on by its own interval and time alone refills it (the
 * "generic cell rate algorithm", ATM Forum TM 4.1, section 4.4.3). A meter of
 * zeros is full. A rate may change between two calls: what was drawn counts on
 * as time. */
#ifndef BASE_METER_H
#define BASE_METER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct meter {
	_Atomic(int64_t) full_ns; /* monotonic */
};

struct meter_rate {
	int64_t interval_ns; /* of one token; 0: no limit */
	int64_t burst_ns;    /* of all tokens */
};

/* At most 1,000,000,000 a minute and a burst from 1 to 1,000,000; 0 a minute
 * is no limit. */
struct meter_rate meter_rate(int64_t per_minute, int64_t burst);

/* Takes a token and returns 0; or takes none and returns the milliseconds, at
 * least 1, after which there will be one if nobody else comes. Any thread. */
int64_t meter_take(struct meter *meter, const struct meter_rate *rate, int64_t now_ns);

/* Meters of very many keys in a table of fixed size.
 *
 * A key is hashed under a secret into two rows of meters and draws from both; it
 * is refused only when both are empty. So nobody gets more than its rate, but for a
 * token where several threads draw the last one at the same moment; and of those who
 * keep to it a stranger suffers only when both of its meters are shared with others
 * who are at their limit: with 1,000 such others that is the lot of 2 in 10,000, with
 * 10,000 of 2 in 100. */
#define METER_TABLE_CELLS 65536 /* a row; a power of two */

struct meter_table {
	uint64_t secret[3];
	struct meter cells[2][METER_TABLE_CELLS];
};

/* 1 MiB. NULL: no memory. */
struct meter_table *meter_table_new(void);
void meter_table_free(struct meter_table **table);

/* As meter_take, for a key of 128 bits. Any thread. */
int64_t meter_table_take(struct meter_table *table, const uint64_t key[2],
			 const struct meter_rate *rate, int64_t now_ns);

#endif
