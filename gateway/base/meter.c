#include "base/meter.h"

#include "base/alloc.h"
#include "base/keyed_hash.h"
#include "base/random.h"

#define MINUTE_NS INT64_C(60000000000)
#define MS_NS INT64_C(1000000)

struct meter_rate meter_rate(int64_t per_minute, int64_t burst)
{
	int64_t interval_ns = per_minute > 0 ? MINUTE_NS / per_minute : 0;

	return (struct meter_rate){.interval_ns = interval_ns, .burst_ns = interval_ns * burst};
}

/* The moment at which a bucket was full, or will be, as of now. */
static int64_t full_at(int64_t full_ns, int64_t now_ns)
{
	return full_ns > now_ns ? full_ns : now_ns;
}

static int64_t wait_ms(int64_t full_ns, const struct meter_rate *rate, int64_t now_ns)
{
	int64_t short_ns = full_at(full_ns, now_ns) + rate->interval_ns - now_ns - rate->burst_ns;

	return short_ns > 0 ? (short_ns - 1) / MS_NS + 1 : 0;
}

/* Takes a token whether there is one or not; returns what was there before. */
static int64_t draw(struct meter *meter, const struct meter_rate *rate, int64_t now_ns)
{
	int64_t before_ns = atomic_load_explicit(&meter->full_ns, memory_order_relaxed);

	while (!atomic_compare_exchange_weak_explicit(
		&meter->full_ns, &before_ns, full_at(before_ns, now_ns) + rate->interval_ns,
		memory_order_relaxed, memory_order_relaxed))
		;
	return before_ns;
}

static void put_back(struct meter *meter, const struct meter_rate *rate)
{
	atomic_fetch_sub_explicit(&meter->full_ns, rate->interval_ns, memory_order_relaxed);
}

static int64_t look(struct meter *meter)
{
	return atomic_load_explicit(&meter->full_ns, memory_order_relaxed);
}

static int64_t lesser(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t meter_take(struct meter *meter, const struct meter_rate *rate, int64_t now_ns)
{
	int64_t wait;

	if (rate->interval_ns == 0)
		return 0;
	/* A flood is turned away by reading alone. */
	wait = wait_ms(look(meter), rate, now_ns);
	if (wait > 0)
		return wait;
	wait = wait_ms(draw(meter, rate, now_ns), rate, now_ns);
	if (wait > 0)
		put_back(meter, rate);
	return wait;
}

struct meter_table *meter_table_new(void)
{
	struct meter_table *table = alloc_zalloc(sizeof(*table));

	if (table)
		random_bytes(table->secret, sizeof(table->secret));
	return table;
}

void meter_table_free(struct meter_table **table)
{
	alloc_free(*table);
	*table = NULL;
}

int64_t meter_table_take(struct meter_table *table, const uint64_t key[2],
			 const struct meter_rate *rate, int64_t now_ns)
{
	uint64_t hash = keyed_hash(table->secret, key);
	struct meter *first = &table->cells[0][hash % METER_TABLE_CELLS];
	struct meter *second = &table->cells[1][(hash >> 32) % METER_TABLE_CELLS];
	int64_t wait;

	if (rate->interval_ns == 0)
		return 0;
	wait = wait_ms(lesser(look(first), look(second)), rate, now_ns);
	if (wait > 0)
		return wait;
	int64_t before_ns = draw(first, rate, now_ns);
	wait = wait_ms(lesser(before_ns, draw(second, rate, now_ns)), rate, now_ns);
	if (wait > 0) {
		put_back(first, rate);
		put_back(second, rate);
	}
	return wait;
}
