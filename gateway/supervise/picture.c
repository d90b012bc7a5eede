#include "supervise/picture.h"

#include <unistd.h>

#include "base/clock.h"
#include "codec/json_writer.h"
#include "supervise/monitor.h"

bool picture_ready(const struct gateway *gateway, const char **reason)
{
	*reason = "the gateway is stopping";
	return !gateway->draining && outbox_ready(gateway->outbox, reason);
}

static void write_store(const struct gateway *gateway, struct json_writer *writer)
{
	struct outbox_stats stats;

	outbox_stats(gateway->outbox, &stats);
	json_write_name(writer, LG_SLICE("store"));
	json_write_open(writer, '{');
	json_write_member_text(writer, "path", gateway->settings->store.path);
	json_write_member_int(writer, "last_seq", stats.last_seq);
	json_write_member_int(writer, "leads", stats.leads);
	json_write_member_int(writer, "bytes", stats.store_bytes);
	json_write_member_int(writer, "wal_bytes", stats.wal_bytes);
	json_write_member_int(writer, "max_bytes", gateway->settings->store.max_size_bytes);
	json_write_member_int(writer, "queue", stats.queue_submissions);
	json_write_member_int(writer, "index_bytes", stats.index_bytes);
	json_write_member_int(writer, "commits", stats.commits);
	json_write_member_int(writer, "captures", stats.captures);
	json_write_member_int(writer, "sync_p50_us", stats.sync_p50_us);
	json_write_member_int(writer, "sync_p99_us", stats.sync_p99_us);
	json_write_member_int(writer, "checkpoint_hold_p99_us", stats.checkpoint_hold_p99_us);
	json_write_close(writer, '}');
}

static void write_requests(const struct source *source, struct json_writer *writer)
{
	json_write_member_int(writer, "stored", counter_read(source->counters[SOURCE_STORED]));
	json_write_member_int(writer, "refused", counter_read(source->counters[SOURCE_REFUSED]));
	json_write_member_int(writer, "busy", counter_read(source->counters[SOURCE_BUSY]));
}

static void write_claims(const struct source *source, struct json_writer *writer)
{
	json_write_name(writer, LG_SLICE("claims"));
	json_write_open(writer, '{');
	json_write_member_int(writer, "waiting",
			      counter_read(source->counters[SOURCE_CLAIMS_WAITING]));
	json_write_member_int(writer, "parked",
			      counter_read(source->counters[SOURCE_CLAIMS_PARKED]));
	json_write_member_int(writer, "dead", counter_read(source->counters[SOURCE_CLAIMS_DEAD]));
	json_write_close(writer, '}');
}

static void write_sources(const struct gateway *gateway, struct json_writer *writer)
{
	json_write_name(writer, LG_SLICE("sources"));
	json_write_open(writer, '[');
	for (size_t i = 0; i < gateway->settings->source_count; i++) {
		const struct source *source = &gateway->settings->sources[i];

		json_write_open(writer, '{');
		json_write_member_text(writer, "name", source->instance->name);
		json_write_member_text(writer, "plugin", source->settings.plugin);
		json_write_member_text(writer, "path", source->settings.path);
		if (source_takes_requests(source))
			write_requests(source, writer);
		if (source_reads_files(source))
			json_write_member_int(writer, "imports",
					      counter_read(source->counters[SOURCE_IMPORTS]));
		if (source_has_errands(source))
			write_claims(source, writer);
		json_write_close(writer, '}');
	}
	json_write_close(writer, ']');
}

static void write_sink(const struct gateway *gateway, size_t index, struct json_writer *writer)
{
	const struct sink_section *sink = &gateway->settings->sinks[index];
	struct lane_status status = {.state = "gone"};
	struct sink_backlog backlog;

	monitor_backlog(gateway->monitor, sink->instance->name, &backlog);
	if (gateway->lanes[index])
		lane_status(gateway->lanes[index], &status);
	json_write_open(writer, '{');
	json_write_member_text(writer, "name", sink->instance->name);
	json_write_member_text(writer, "plugin", sink->settings.plugin);
	json_write_member_text(writer, "state", slice_from(status.state));
	if (*status.reason)
		json_write_member_text(writer, "reason", slice_from(status.reason));
	json_write_member_time(writer, "since", status.since_ms);
	json_write_member_int(writer, "in_flight", status.in_flight);
	json_write_member_time(writer, "next_attempt", status.next_attempt_ms);
	json_write_member_time(writer, "oldest_pending", backlog.oldest_ms);
	json_write_member_int(writer, "position", status.position);
	json_write_member_int(writer, "lag", status.lag);
	json_write_member_int(writer, "delivered", status.delivered);
	json_write_member_int(writer, "retry", status.retries);
	json_write_member_int(writer, "parked", status.parked);
	json_write_member_int(writer, "dead", status.dead);
	json_write_close(writer, '}');
}

void picture_sink(const struct gateway *gateway, size_t index, struct buffer *out)
{
	struct json_writer writer;

	json_writer_init(&writer, out);
	write_sink(gateway, index, &writer);
	buffer_add_byte(out, '\n');
}

/* Readiness is for whoever sends leads here: an alert does not touch it. */
void picture_readiness(const struct gateway *gateway, struct buffer *out)
{
	const struct alerts *alerts = monitor_alerts(gateway->monitor);
	struct json_writer writer;

	json_writer_init(&writer, out);
	json_write_open(&writer, '{');
	json_write_member_text(&writer, "status", LG_SLICE("ready"));
	if (alerts_raised(alerts) > 0) {
		json_write_name(&writer, LG_SLICE("alerts"));
		alerts_write(alerts, &writer);
	}
	json_write_close(&writer, '}');
	buffer_add_byte(out, '\n');
}

void picture_status(const struct gateway *gateway, struct buffer *out)
{
	const char *reason = NULL;
	bool ready = picture_ready(gateway, &reason);
	struct json_writer writer;

	json_writer_init(&writer, out);
	json_write_open(&writer, '{');
	json_write_member_text(&writer, "state",
			       gateway->draining
				       ? LG_SLICE("stopping")
				       : (ready ? LG_SLICE("ready") : LG_SLICE("refusing")));
	if (!ready && reason)
		json_write_member_text(&writer, "reason", slice_from(reason));
	json_write_member_int(&writer, "pid", getpid());
	json_write_member_int(&writer, "uptime_ms", clock_wall_ms() - gateway->started_ms);
	json_write_member_int(&writer, "generation", gateway->generation->number);
	json_write_member_int(&writer, "loops", (int64_t)gateway->worker_count);
	json_write_member_int(&writer, "connections",
			      (int64_t)http_server_connections(gateway->server));
	write_store(gateway, &writer);
	write_sources(gateway, &writer);
	json_write_name(&writer, LG_SLICE("sinks"));
	json_write_open(&writer, '[');
	for (size_t i = 0; i < gateway->settings->sink_count; i++)
		write_sink(gateway, i, &writer);
	json_write_close(&writer, ']');
	json_write_name(&writer, LG_SLICE("alerts"));
	alerts_write(monitor_alerts(gateway->monitor), &writer);
	json_write_close(&writer, '}');
	buffer_add_byte(out, '\n');
}
