#include "stand.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "host/services.h"

struct robot robot;
struct stand stand;

static void look_at(const struct lg_event *event)
{
	char head[96];
	int length = snprintf(head, sizeof(head), "{\"seq\":%lld,\"id\":\"%.*s\",\"type\":\"%.*s\"",
			      (long long)event->seq, SLICE_ARGS(event->id),
			      SLICE_ARGS(event->type));

	if (event->json.length < (size_t)length || memcmp(event->json.data, head, (size_t)length) ||
	    event->json.data[event->json.length - 1] != '}' ||
	    memchr(event->json.data, '\n', event->json.length))
		robot.bad_json = true;
	if (event->attempt == 1 && event->seq <= robot.last_seq)
		robot.out_of_order = true;
	if (event->attempt == 1)
		robot.last_seq = event->seq;
}

#define NAME_BYTES 24

static void name_lead(const struct lg_event *event, struct lg_settlement *settlement,
		      char name[NAME_BYTES])
{
	slice_to_text(event->external_id, name, NAME_BYTES);
	atomic_store(&robot.known[event->seq], name[0] ? (int)strtol(name + 1, NULL, 10) : -1);
	snprintf(name, NAME_BYTES, "n%lld", (long long)event->seq);
	settlement->external_id = slice_from(name);
}

static void settle_one(struct lg_batch *batch, size_t index, int32_t outcome)
{
	struct lg_settlement settlement = {.size = sizeof(settlement), .outcome = outcome};
	struct lg_event event;
	char name[NAME_BYTES];

	if (outcome != LG_DELIVERED) {
		settlement.reason = LG_SLICE("the robot was told to");
		settlement.answer = LG_SLICE("no");
		settlement.status = 400;
		settlement.retry_after = atomic_load(&robot.retry_after_ms);
	}
	if (lg_batch_event(batch, index, &event) != LG_OK)
		kit_fail("an event of the batch is not there");
	look_at(&event);
	if (event.seq < SEQ_MAX)
		atomic_fetch_add(&robot.tried[event.seq], 1);
	if (outcome == LG_DELIVERED && event.seq < SEQ_MAX) {
		atomic_fetch_add(&robot.delivered[event.seq], 1);
		atomic_store(&robot.turn[event.seq],
			     1 + atomic_fetch_add(&robot.delivered_in_all, 1));
	}
	if (atomic_load(&robot.order) == NAME)
		name_lead(&event, &settlement, name);
	lg_settle(batch, index, &settlement);
}

static void settle_every(struct lg_batch *batch, int32_t outcome)
{
	for (size_t i = 0, count = lg_batch_count(batch); i < count; i++)
		settle_one(batch, i, outcome);
}

static void end_helper(void)
{
	if (robot.has_helper)
		pthread_join(robot.helper, NULL);
	robot.has_helper = false;
}

void robot_settle(int batch, int32_t outcome)
{
	settle_every(atomic_load(&robot.kept[batch]), outcome);
}

void robot_settle_kept(int32_t outcome)
{
	for (int number = 0; number < atomic_load(&robot.kept_count); number++) {
		struct lg_batch *batch = atomic_load(&robot.kept[number]);

		/* With the last that was not settled the batch is gone; HALF leaves the first. */
		for (size_t i = lg_batch_count(batch); i-- > 0;)
			settle_one(batch, i, outcome);
	}
}

static void keep(struct lg_batch *batch)
{
	int number = atomic_load(&robot.kept_count);

	if (number == KEPT_MAX)
		kit_fail("more batches than the robot can keep");
	atomic_store(&robot.kept[number], batch);
	atomic_store(&robot.kept_count, number + 1);
}

/* One poisoned event spoils the batch. */
static void settle_poisoned(struct lg_batch *batch)
{
	int32_t outcome = LG_DELIVERED;

	for (size_t i = 0, count = lg_batch_count(batch); i < count; i++) {
		struct lg_event event;
		lg_batch_event(batch, i, &event);
		if (event.seq < SEQ_MAX && robot.poison[event.seq])
			outcome = robot.poison[event.seq];
	}
	settle_every(batch, outcome);
}

static void *help(void *arg)
{
	settle_poisoned(arg);
	return NULL;
}

static int32_t robot_deliver(void *instance, struct lg_batch *batch, int64_t deadline)
{
	static const int32_t outcomes[] = {LG_DELIVERED, LG_RETRY, LG_UNCLASSIFIED, LG_PARK,
					   LG_REJECT};
	size_t count = lg_batch_count(batch);
	int order = atomic_load(&robot.order);
	bool is_first = atomic_load(&robot.batches) == 0;
	bool is_kept = order == KEEP || (order == KEEP_FIRST && is_first);

	(void)instance;
	(void)deadline;
	end_helper();
	if ((int)count > atomic_load(&robot.largest))
		atomic_store(&robot.largest, (int)count);
	if (order <= REJECT)
		settle_every(batch, outcomes[order]);
	for (size_t i = 0; (order == HALF || order == ODD_REJECTED) && i < count; i++) {
		struct lg_event event;
		lg_batch_event(batch, i, &event);
		if (event.seq % 2 == 0)
			settle_one(batch, i, LG_DELIVERED);
		else if (order == ODD_REJECTED)
			settle_one(batch, i, LG_REJECT);
		else
			is_kept = true;
	}
	if (order == POISON)
		settle_poisoned(batch);
	if (order == NAME || (order == KEEP_FIRST && !is_first))
		settle_every(batch, LG_DELIVERED);
	if (is_kept)
		keep(batch);
	if (order == THREAD)
		robot.has_helper = pthread_create(&robot.helper, NULL, help, batch) == 0;
	atomic_store(&robot.hangs, order == HANG);
	while (atomic_load(&robot.order) == HANG)
		clock_sleep_ms(1);
	if (order == HANG)
		settle_every(batch, LG_DELIVERED);
	atomic_fetch_add(&robot.batches, 1);
	return order == FAIL ? LG_FAIL : LG_OK;
}

static int32_t robot_open(struct lg_host *host, const void *settings, void **instance,
			  struct lg_text problem)
{
	(void)host;
	(void)settings;
	*instance = &robot;
	if (!atomic_load(&robot.may_open)) {
		snprintf(problem.data, problem.capacity, "the robot is asleep");
		return LG_FAIL;
	}
	atomic_fetch_add(&robot.opened, 1);
	return LG_OK;
}

static int32_t robot_drain(void *instance, int64_t deadline)
{
	(void)instance;
	(void)deadline;
	atomic_fetch_add(&robot.drained, 1);
	return LG_OK;
}

static void robot_close(void *instance)
{
	(void)instance;
	end_helper();
	atomic_fetch_add(&robot.closed, 1);
}

static const struct lg_sink_operations operations = {
	.size = sizeof(operations),
	.open = robot_open,
	.deliver = robot_deliver,
	.drain = robot_drain,
	.close = robot_close,
	.concurrency = 4,
};
static const struct lg_plugin plugin = {LG_PLUGIN_HEAD(0, 1, "robot"), .kind = LG_SINK,
					.sink = &operations};

/* ---- the stand ------------------------------------------------------------- */

int stand_up(void **state)
{
	static const struct expr_limits limits = {.memory_bytes = 4 << 20, .steps = 200000};

	struct error error = {""};

	(void)state;
	memset(&stand, 0, sizeof(stand));
	memset((void *)&robot, 0, sizeof(robot));
	atomic_store(&robot.may_open, true);
	kit_init(&stand.kit);
	log_setup(2, LOG_LOGFMT, LG_LOG_ERROR);
	kit_open(&stand.kit);
	services_init(&stand.services);
	sink_services_add(&stand.services);
	if (!descriptor_read(&plugin, "static", &stand.library, &error))
		return -1;
	stand.instance = (struct instance){
		.host = {&stand.services},
		.library = &stand.library,
		.name = LG_SLICE("robot"),
		.sink = operations,
		.description = LG_SLICE("sink robot"),
	};
	stand.settings = (struct sink_settings){
		.batch_events = 64,
		.batch_bytes = 1 << 20,
		.timeout_ms = PATIENCE_MS,
		.stop_wait_ms = PATIENCE_MS,
		.retry_first_ms = 1,
		.retry_max_ms = 4,
		.retry_for_ms = 1000000000,
		.max_unanswered = 1000,
		.gather_ms = 2,
		.max_retry_after_ms = 86400000,
		.max_held = 1000,
		.http = {.limits = &limits},
	};
	return 0;
}

void start(void)
{
	struct error error = {""};

	stand.lane = lane_start(&stand.instance, &stand.settings, stand.kit.outbox,
				stand.kit.store.path, &error);
	if (!stand.lane)
		fail_msg("%s", error.text);
}

void stop(void)
{
	if (!stand.lane)
		return;
	lane_stop(stand.lane, INT64_MAX);
	assert_true(lane_join(&stand.lane, PATIENCE_MS));
	assert_null(stand.lane);
}

int stand_down(void **state)
{
	(void)state;
	atomic_store(&robot.order, DELIVER);
	stop();
	kit_fini(&stand.kit);
	return 0;
}

void post(int count)
{
	char email[64];

	while (count-- > 0) {
		snprintf(email, sizeof(email), "person%d@example.com", ++stand.posted);
		kit_post(&stand.kit, (struct post){.name = "A Person", .email = email});
	}
}

struct lane_status status(void)
{
	struct lane_status now;

	lane_status(stand.lane, &now);
	return now;
}

int64_t in_state(enum delivery_state wanted)
{
	struct error error = {""};
	struct arena arena;
	struct sink_tally tally;
	struct reader *reader = reader_open(stand.kit.store.path, &error);
	bool good;

	arena_init(&arena, 4096, 0);
	assert_non_null(reader);
	good = reader_tally(reader, &arena, LG_SLICE("robot"), &tally, &error);
	reader_close(&reader);
	arena_fini(&arena);
	if (!good)
		fail_msg("%s", error.text);
	return tally.by_state[wanted];
}

void each_delivered(int from, int to, bool once)
{
	for (int seq = from; seq <= to; seq++) {
		int times = atomic_load(&robot.delivered[seq]);
		if (times < 1 || (once && times > 1))
			fail_msg("event %d was delivered %d times", seq, times);
	}
}
