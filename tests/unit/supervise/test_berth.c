/* A sink's place while what the journal says of it is removed. */
#include "../outbox/unit.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "host/library.h"
#include "host/services.h"
#include "supervise/berth.h"

#define CRM LG_SLICE("crm")
#define PATIENCE_MS 60000

/* Nothing is ever sent. */
static int32_t deliver(void *instance, struct lg_batch *batch, int64_t deadline)
{
	(void)instance;
	(void)batch;
	(void)deadline;
	return LG_FAIL;
}

static atomic_bool is_open;
static atomic_int impatience; /* how often somebody was asked for patience and had none */

static int32_t open_sink(struct lg_host *host, const void *memory, void **instance,
			 struct lg_text problem)
{
	(void)host;
	(void)memory;
	(void)problem;
	*instance = NULL;
	atomic_store(&is_open, true);
	return LG_OK;
}

/* It is done a moment after nobody wants to wait for it any more. */
static int32_t drain(void *instance, int64_t deadline)
{
	int64_t until_ms = clock_monotonic_ms() + 60000;

	(void)instance;
	(void)deadline;
	while (atomic_load(&impatience) == 0 && clock_monotonic_ms() < until_ms)
		clock_sleep_ms(1);
	return LG_OK;
}

static const struct lg_sink_operations operations = {
	.size = sizeof(operations), .open = open_sink, .deliver = deliver};
static const struct lg_plugin plugin = {LG_PLUGIN_HEAD(0, 1, "robot"), .kind = LG_SINK,
					.sink = &operations};

/* Whom a generation wants: one sink. */
struct wish {
	struct lg_services services;
	struct library library;
	struct instance instance;
	struct sink_section section;
	struct settings settings;
	struct generation generation;
};

static void wish(struct wish *wish)
{
	struct error error = {""};

	memset(wish, 0, sizeof(*wish));
	services_init(&wish->services);
	assert_true(descriptor_read(&plugin, "static", &wish->library, &error));
	wish->instance = (struct instance){
		.host = {&wish->services},
		.library = &wish->library,
		.name = CRM,
		.sink = operations,
		.description = LG_SLICE("sink crm"),
	};
	wish->section = (struct sink_section){
		.instance = &wish->instance,
		.settings = {.batch_events = 1, .batch_bytes = 1 << 20, .timeout_ms = 1000},
	};
	wish->settings = (struct settings){.sinks = &wish->section, .sink_count = 1};
	wish->generation = (struct generation){.settings = &wish->settings, .references = 1};
}

static int moves;

static void on_moved(struct berths *berths)
{
	(void)berths;
	moves++;
}

static bool is_patient(void *arg)
{
	(void)arg;
	return true;
}

static void barred_sink_has_no_lane(void **state)
{
	struct kit *kit = *state;
	struct loop *loop = loop_new();
	struct berth_bar bar, other;
	struct berths berths;
	struct wish crm;
	int64_t until_ms;

	kit_open(kit);
	wish(&crm);
	moves = 0;
	berths_init(&berths, loop, on_moved);
	berths_open(&berths, kit->outbox, kit->store.path);
	berths_bar(&berths, &other, LG_SLICE("erp"));
	berths_bar(&berths, &bar, CRM);
	assert_true(berths_prepare(&berths, &crm.settings));
	assert_true(berths_adopt(&berths, &crm.generation, NULL));
	assert_null(berths_lane(&berths, CRM));
	for (int i = 0; i < 3; i++)
		loop_turn(loop);
	assert_null(berths_lane(&berths, CRM));
	assert_int_equal(moves, 0);
	berths_unbar(&bar); /* it is still wanted, and begins by itself */
	until_ms = clock_monotonic_ms() + PATIENCE_MS;
	while (!berths_lane(&berths, CRM) && clock_monotonic_ms() < until_ms) {
		loop_turn(loop);
		clock_sleep_ms(1);
	}
	assert_non_null(berths_lane(&berths, CRM));
	assert_int_equal(moves, 1);
	berths_unbar(&other);
	assert_true(berths_stop(&berths, clock_monotonic_ms() + PATIENCE_MS, is_patient, NULL));
	kit_close(kit);
	berths_fini(&berths);
	loop_free(&loop);
	assert_int_equal(crm.generation.references, 1);
}

static bool is_impatient(void *arg)
{
	(void)arg;
	atomic_fetch_add(&impatience, 1);
	return false;
}

/* Impatience alone does not make a hanging lane of one that is about to end. */
static void lane_has_a_moment_to_end(void **state)
{
	struct kit *kit = *state;
	struct loop *loop = loop_new();
	struct berths berths;
	struct wish crm;
	int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;

	kit_open(kit);
	wish(&crm);
	crm.instance.sink.drain = drain;
	atomic_store(&is_open, false);
	atomic_store(&impatience, 0);
	berths_init(&berths, loop, on_moved);
	berths_open(&berths, kit->outbox, kit->store.path);
	assert_true(berths_prepare(&berths, &crm.settings));
	assert_true(berths_adopt(&berths, &crm.generation, NULL));
	while (!atomic_load(&is_open) && clock_monotonic_ms() < until_ms)
		clock_sleep_ms(1);
	assert_true(atomic_load(&is_open));
	assert_true(berths_stop(&berths, clock_monotonic_ms() + PATIENCE_MS, is_impatient, NULL));
	assert_int_equal(berths_count(&berths), 0);
	kit_close(kit);
	berths_fini(&berths);
	loop_free(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(barred_sink_has_no_lane),
		STORE_TEST(lane_has_a_moment_to_end),
	};

	return RUN(tests);
}
