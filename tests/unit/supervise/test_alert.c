/* Alerts: raised once, cleared once, told to the journal when a sink asks. */
#include "../outbox/unit.h"

#include <string.h>

#include "base/clock.h"
#include "base/counter.h"
#include "supervise/alert.h"

#define FORM LG_SLICE("form")
#define CRM LG_SLICE("crm")

struct watch {
	struct kit *kit;
	struct loop *loop;
	struct alerts alerts;
};

static void begin(struct watch *watch, struct kit *kit)
{
	watch->kit = kit;
	watch->loop = loop_new();
	assert_non_null(watch->loop);
	assert_true(alerts_open(&watch->alerts, watch->loop, kit->outbox));
}

/* In the gateway's order: the outbox first. */
static void end(struct watch *watch)
{
	kit_close(watch->kit);
	alerts_close(&watch->alerts);
	loop_free(&watch->loop);
}

static void find(struct watch *watch, enum alert_kind kind, struct lg_slice name, bool raised)
{
	alerts_take(&watch->alerts, &(struct alert_finding){.kind = kind,
							    .name = name,
							    .raised = raised,
							    .reason = LG_SLICE("so it is")});
}

static void round_of(struct watch *watch, bool asked, bool raised)
{
	alerts_begin(&watch->alerts, asked);
	find(watch, ALERT_SILENT, FORM, raised);
	alerts_end(&watch->alerts);
}

/* Until the writer has given back what is under way. */
static void settle(struct watch *watch)
{
	int64_t until_ms = clock_monotonic_ms() + 60000;
	bool busy = true;

	while (busy) {
		busy = false;
		loop_turn(watch->loop);
		LIST_EACH(link, &watch->alerts.all)
			busy = busy || container_of(link, struct alert, link)->under_way;
		if (clock_monotonic_ms() > until_ms)
			kit_fail("a chore has not come back");
	}
}

static int64_t events(struct watch *watch)
{
	return kit_count(watch->kit, "SELECT count(*) FROM event WHERE type = 'gateway.alert'");
}

static int64_t gauge(const char *labels)
{
	return counter_read(counter_register(COUNTER_GAUGE, "leadgate_alert", labels, ""));
}

static void raised_and_cleared_once(void **state)
{
	struct kit *kit = *state;
	struct watch watch;

	kit_open(kit);
	begin(&watch, kit);
	for (int i = 0; i < 3; i++)
		round_of(&watch, true, false);
	assert_int_equal(alerts_raised(&watch.alerts), 0);
	assert_int_equal(gauge("kind=\"silent\",name=\"form\""), 0);
	for (int i = 0; i < 3; i++) {
		round_of(&watch, true, true);
		settle(&watch);
		assert_int_equal(events(&watch), 1);
	}
	assert_int_equal(alerts_raised(&watch.alerts), 1);
	assert_int_equal(gauge("kind=\"silent\",name=\"form\""), 1);
	for (int i = 0; i < 3; i++) {
		round_of(&watch, true, false);
		settle(&watch);
		assert_int_equal(events(&watch), 2);
	}
	assert_int_equal(gauge("kind=\"silent\",name=\"form\""), 0);
	end(&watch);
}

/* What turns while the writer has the order is told when it is back. */
static void what_turns_meanwhile_is_told(void **state)
{
	struct kit *kit = *state;
	struct watch watch;

	kit_open(kit);
	begin(&watch, kit);
	round_of(&watch, true, true);
	round_of(&watch, true, false);
	settle(&watch);
	round_of(&watch, true, false);
	settle(&watch);
	assert_int_equal(events(&watch), 2);
	end(&watch);
}

static void nobody_asks(void **state)
{
	struct kit *kit = *state;
	struct watch watch;

	kit_open(kit);
	begin(&watch, kit);
	round_of(&watch, false, true);
	settle(&watch);
	assert_int_equal(events(&watch), 0);
	assert_int_equal(alerts_raised(&watch.alerts), 1);
	/* A reload brings a sink that asks, and the next takes it away. */
	round_of(&watch, true, true);
	settle(&watch);
	assert_int_equal(events(&watch), 1);
	round_of(&watch, false, false);
	settle(&watch);
	assert_int_equal(events(&watch), 2);
	end(&watch);
}

static void what_is_gone_is_cleared(void **state)
{
	struct kit *kit = *state;
	struct watch watch;

	kit_open(kit);
	begin(&watch, kit);
	alerts_begin(&watch.alerts, true);
	find(&watch, ALERT_SILENT, FORM, true);
	find(&watch, ALERT_PARKED, CRM, true);
	alerts_end(&watch.alerts);
	settle(&watch);
	for (int i = 0; i < 3; i++) {
		alerts_begin(&watch.alerts, true);
		alerts_keep(&watch.alerts, ALERT_PARKED, CRM);
		alerts_end(&watch.alerts);
		settle(&watch);
	}
	assert_int_equal(events(&watch), 3);
	assert_null(alerts_find(&watch.alerts, ALERT_SILENT, FORM));
	assert_non_null(alerts_find(&watch.alerts, ALERT_PARKED, CRM));
	assert_int_equal(alerts_raised(&watch.alerts), 1);
	assert_int_equal(gauge("kind=\"silent\",name=\"form\""), 0);
	assert_int_equal(gauge("kind=\"parked\",name=\"crm\""), 1);
	end(&watch);
}

static void a_restart_inherits(void **state)
{
	struct kit *kit = *state;
	struct error error;
	struct watch watch;
	struct reader *reader;
	int64_t since_ms;

	kit_open(kit);
	begin(&watch, kit);
	round_of(&watch, true, true);
	settle(&watch);
	since_ms = alerts_find(&watch.alerts, ALERT_SILENT, FORM)->since_ms;
	end(&watch);

	kit_open(kit);
	begin(&watch, kit);
	reader = reader_open(kit->store.path, &error);
	assert_non_null(reader);
	alerts_inherit(&watch.alerts, reader);
	reader_close(&reader);
	const struct alert *alert = alerts_find(&watch.alerts, ALERT_SILENT, FORM);
	assert_non_null(alert);
	assert_true(alert->raised && alert->inherited);
	assert_int_equal(alert->since_ms, since_ms);
	assert_string_equal(alert->reason, "so it is");
	round_of(&watch, true, true);
	settle(&watch);
	assert_int_equal(events(&watch), 1);
	round_of(&watch, true, false);
	settle(&watch);
	assert_int_equal(events(&watch), 2);
	end(&watch);
}

static void raised_ones_are_written(void **state)
{
	struct kit *kit = *state;
	struct json_writer writer;
	struct buffer out;
	struct watch watch;

	kit_open(kit);
	begin(&watch, kit);
	alerts_begin(&watch.alerts, false);
	find(&watch, ALERT_SILENT, FORM, false);
	alerts_take(&watch.alerts, &(struct alert_finding){.kind = ALERT_LAG,
							   .name = CRM,
							   .raised = true,
							   .last_ms = 1000,
							   .reason = LG_SLICE("a \"quoted\" one")});
	alerts_end(&watch.alerts);
	alerts_find(&watch.alerts, ALERT_LAG, CRM)->since_ms = 2000;
	buffer_init(&out, 4096);
	json_writer_init(&writer, &out);
	alerts_write(&watch.alerts, &writer);
	buffer_add_byte(&out, '\0');
	assert_string_equal(buffer_slice(&out).data,
			    "[{\"kind\":\"lag\",\"name\":\"crm\",\"state\":\"raised\","
			    "\"since\":\"1970-01-01T00:00:02.000Z\","
			    "\"oldest_pending\":\"1970-01-01T00:00:01.000Z\","
			    "\"reason\":\"a \\\"quoted\\\" one\"}]");
	buffer_fini(&out);
	end(&watch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(raised_and_cleared_once),
		STORE_TEST(what_turns_meanwhile_is_told),
		STORE_TEST(nobody_asks),
		STORE_TEST(what_is_gone_is_cleared),
		STORE_TEST(a_restart_inherits),
		STORE_TEST(raised_ones_are_written),
	};

	return RUN(tests);
}
