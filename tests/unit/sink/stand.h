/* A lane between a real journal and a sink that does what it is told: what the
 * tests of lanes stand on. One at a time: tests run one after the other. */
#ifndef TESTS_UNIT_SINK_STAND_H
#define TESTS_UNIT_SINK_STAND_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../outbox/kit.h"
#include "base/clock.h"
#include "sink/lane.h"

#define SEQ_MAX 4096
#define PATIENCE_MS 60000
/* A back-off that no test lives to see the end of, whatever the jitter draws. */
#define FAR_OFF_MS (30LL * 24 * 3600 * 1000)

enum robot_order {
	DELIVER,
	RETRY,
	UNCLASSIFIED,
	PARK,
	REJECT,
	FAIL,
	NEVER,
	HALF,	/* what is not delivered is kept */
	THREAD, /* another thread settles it, as POISON does */
	HANG,
	ODD_REJECTED,
	POISON,	    /* a batch with a poisoned event goes as that one does */
	KEEP,	    /* robot_settle settles it later */
	KEEP_FIRST, /* the first, and the others are delivered */
	NAME,	    /* delivered, and the lead is called n and the event's seq */
};

#define KEPT_MAX 64

/* The sink, and what it saw. */
extern struct robot {
	_Atomic(int) order;
	_Atomic(bool) may_open;
	_Atomic(int64_t) retry_after_ms; /* of what is not delivered */
	_Atomic(int) batches, opened, closed, drained;
	_Atomic(int) largest;
	_Atomic(int) delivered[SEQ_MAX]; /* how often, by seq */
	_Atomic(int) delivered_in_all;
	_Atomic(bool) hangs, out_of_order, bad_json;
	int64_t last_seq; /* the lane's */
	pthread_t helper;
	bool has_helper;
	_Atomic(int) poison[SEQ_MAX];		 /* outcome by seq, 0: delivered */
	struct lg_batch *_Atomic kept[KEPT_MAX]; /* by number of the batch */
	_Atomic(int) kept_count;
	_Atomic(int) turn[SEQ_MAX];  /* the how manieth it was that was delivered */
	_Atomic(int) tried[SEQ_MAX]; /* how often, by seq */
	_Atomic(int) known[SEQ_MAX]; /* the number of its lead's name before; -1: it had none */
} robot;

/* Settles all events of a batch that was kept. */
void robot_settle(int batch, int32_t outcome);
/* The same of all that were kept: the lane goes on however many it had sent meanwhile. */
void robot_settle_kept(int32_t outcome);

extern struct stand {
	struct kit kit;
	struct lg_services services;
	struct library library;
	struct instance instance;
	struct sink_settings settings;
	struct lane *lane;
	int posted;
} stand;

/* Before and after each test. */
int stand_up(void **state);
int stand_down(void **state);

void start(void);
void stop(void);
/* So many new leads. */
void post(int count);
struct lane_status status(void);
/* How many events the journal has in a state for this sink. */
int64_t in_state(enum delivery_state wanted);
/* Events from..to were delivered, each once or at least once. */
void each_delivered(int from, int to, bool once);

/* Nothing depends on how long it takes: this is only the end of patience. */
#define WAIT_FOR(condition)                                                    \
	do {                                                                   \
		int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;         \
		while (!(condition)) {                                         \
			if (clock_monotonic_ms() > until_ms)                   \
				fail_msg("waited in vain for %s", #condition); \
			clock_sleep_ms(1);                                     \
		}                                                              \
	} while (0)

#endif
