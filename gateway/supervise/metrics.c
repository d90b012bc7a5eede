#include "supervise/metrics.h"

#include <malloc.h>
#include <string.h>

#include "base/histogram.h"
#include "supervise/monitor.h"
#include "supervise/picture.h"

static void print_head(struct buffer *out, const char *name, const char *help)
{
	buffer_printf(out, "# HELP leadgate_%s %s\n# TYPE leadgate_%s gauge\n", name, help, name);
}

static void print_gauge(struct buffer *out, const char *name, const char *help, int64_t value)
{
	print_head(out, name, help);
	buffer_printf(out, "leadgate_%s %lld\n", name, (long long)value);
}

/* What the process holds of the heap; what it gave back but the heap kept as
 * holes is not in it. */
static int64_t heap_in_use(void)
{
	struct mallinfo2 heap = mallinfo2();

	return (int64_t)(heap.uordblks + heap.hblkhd);
}

static void print_process(const struct gateway *gateway, struct buffer *out)
{
	const char *reason;

	print_head(out, "build_info", "1, with the version of the gateway");
	buffer_add_literal(out, "leadgate_build_info{version=\"" PACKAGE_VERSION "\"} 1\n");
	print_gauge(out, "start_time_seconds", "When the process was ready, since 1970",
		    gateway->started_ms / 1000);
	print_gauge(out, "generation", "Configurations that were taken since the start",
		    gateway->generation->number);
	print_gauge(out, "ready", "Whether leads are taken", picture_ready(gateway, &reason));
	print_gauge(out, "heap_in_use_bytes", "Memory that the process holds of its heap",
		    heap_in_use());
	print_gauge(out, "connections", "Open connections",
		    (int64_t)http_server_connections(gateway->server));
}

static void print_store(const struct gateway *gateway, struct buffer *out)
{
	struct outbox_stats stats;

	outbox_stats(gateway->outbox, &stats);
	print_gauge(out, "store_file_bytes", "Size of the journal's file", stats.file_bytes);
	print_gauge(out, "store_log_file_bytes", "Size of the write-ahead log's file",
		    stats.log_file_bytes);
	print_gauge(out, "store_max_bytes", "What store.max_size allows",
		    gateway->settings->store.max_size_bytes);
	print_gauge(out, "store_index_keys", "Keys in the index of persons and deliveries",
		    stats.index_keys);
	print_gauge(out, "store_queue_bytes", "About the bytes that wait for the journal",
		    stats.queue_bytes);
}

/* `state` NULL: without that label. Names of sinks need no escape: they are of
 * a-z, 0-9 and "-". */
static void print_sink_row(struct buffer *out, const char *name, struct lg_slice sink,
			   const char *state, int64_t value)
{
	buffer_printf(out, "leadgate_%s{sink=\"%.*s\"", name, SLICE_ARGS(sink));
	if (state)
		buffer_printf(out, ",state=\"%s\"", state);
	buffer_printf(out, "} %lld\n", (long long)value);
}

/* A row a sink and state, so that a state which was left shows as 0. */
static void print_states(const struct gateway *gateway, struct buffer *out)
{
	static const char *const states[] = {"running", "waiting", "parked", "paused", "stopping"};

	print_head(out, "sink_state", "1 for the state that the sink's lane is in");
	for (size_t i = 0; i < gateway->settings->sink_count; i++) {
		struct lane_status status;

		if (!gateway->lanes[i])
			continue;
		lane_status(gateway->lanes[i], &status);
		for (size_t k = 0; k < sizeof(states) / sizeof(states[0]); k++)
			print_sink_row(out, "sink_state", lane_name(gateway->lanes[i]), states[k],
				       strcmp(status.state, states[k]) == 0);
	}
}

/* What waits for the sinks, as the journal says. */
static void print_backlogs(const struct gateway *gateway, struct buffer *out)
{
	static const enum delivery_state states[] = {DELIVERY_RETRY, DELIVERY_UNCLASSIFIED,
						     DELIVERY_PARKED, DELIVERY_DEAD};
	const struct settings *settings = gateway->settings;
	struct sink_backlog backlog;

	print_head(out, "sink_open_events", "Events that were tried and are not delivered");
	for (size_t i = 0; i < settings->sink_count; i++) {
		struct lg_slice sink = settings->sinks[i].instance->name;

		monitor_backlog(gateway->monitor, sink, &backlog);
		for (size_t k = 0; k < sizeof(states) / sizeof(states[0]); k++)
			print_sink_row(out, "sink_open_events", sink,
				       delivery_state_name(states[k]), backlog.by_state[states[k]]);
	}
	print_head(out, "sink_oldest_pending_seconds",
		   "Age of the oldest event that is not settled for good");
	for (size_t i = 0; i < settings->sink_count; i++) {
		struct lg_slice sink = settings->sinks[i].instance->name;

		print_sink_row(out, "sink_oldest_pending_seconds", sink, NULL,
			       monitor_age_ms(gateway->monitor, sink) / 1000);
	}
}

/* Asking a lane how it stands brings its gauges up to date. */
static void refresh_lanes(const struct gateway *gateway)
{
	struct lane_status status;

	for (size_t i = 0; i < gateway->settings->sink_count; i++)
		if (gateway->lanes[i])
			lane_status(gateway->lanes[i], &status);
}

void metrics_print(const struct gateway *gateway, struct buffer *out)
{
	refresh_lanes(gateway);
	counter_print(out);
	histogram_print(out);
	print_process(gateway, out);
	print_store(gateway, out);
	print_states(gateway, out);
	print_backlogs(gateway, out);
}
