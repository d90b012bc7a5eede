#include "supervise/settings_entry.h"

#include <stdio.h>

#include "base/clock.h"
#include "lead/event.h"
#include "sink/mapping.h"

/* The file that a sink writes, when its plugin has an option `path`. */
static struct lg_slice sink_file(const struct sink_section *sink)
{
	const struct option_table *table = &sink->instance->library->options;

	for (size_t i = 0; i < table->count; i++) {
		struct lg_option row = option_at(table, i);
		const char *settings = sink->instance->settings;
		struct lg_slice path;

		if (row.type != LG_PATH || strcmp(row.name, "path") != 0)
			continue;
		memcpy(&path, settings + row.offset, sizeof(path));
		return path;
	}
	return (struct lg_slice){0};
}

const struct sink_section *settings_sink_of_file(struct settings *settings, struct lg_slice file)
{
	struct lg_slice wanted = settings_entry_real_path(settings, file);

	for (size_t i = 0; i < settings->sink_count; i++) {
		struct lg_slice other = sink_file(&settings->sinks[i]);

		if (slice_present(other) &&
		    slice_equal(settings_entry_real_path(settings, other), wanted))
			return &settings->sinks[i];
	}
	return NULL;
}

/* Two sinks that write one file would tear each other's lines, and one that opens a file of the
 * journal would take SQLite's locks away. */
static void check_file(struct settings *settings, const struct settings_entry *entry,
		       const struct sink_section *sink)
{
	struct fy_node *node = document_member(entry->map, "path");
	struct lg_slice file = sink_file(sink);
	const struct sink_section *other;

	if (!slice_present(file))
		return;
	if (settings_journal_has(settings, file))
		document_error(settings->document, node,
			       "file %.*s is a file of the journal, \"store.path\"",
			       SLICE_ARGS(file));
	other = settings_sink_of_file(settings, file);
	if (other)
		document_error(settings->document, node, "file %.*s is written by sink \"%.*s\"",
			       SLICE_ARGS(file), SLICE_ARGS(other->instance->name));
}

/* `asker` names who wants the type where that is not the configuration. */
static void check_event_type(struct settings *settings, struct fy_node *node, const char *asker,
			     struct lg_slice type)
{
	char all[EVENT_TYPE_LIST_BYTES];

	if (event_type_parse(type) >= 0)
		return;
	event_type_list(all);
	document_error(settings->document, node, "%sthere is no event type \"%.*s\", only %s",
		       asker, SLICE_ARGS(type), all);
}

static void check_plugin_events(struct settings *settings, const struct settings_entry *entry,
				const struct sink_section *sink)
{
	const struct instance *instance = sink->instance;
	struct fy_node *node = document_member(entry->map, "plugin");
	struct lg_slice rest = slice_from(instance->sink.events), type;
	const char *plugin = instance->library->plugin.name;
	bool asks = !instance->sink.events; /* NULL leaves it to the gateway */
	char asker[160];

	while (slice_split(&rest, ' ', &type)) {
		if (type.length == 0)
			continue;
		snprintf(asker, sizeof(asker), "plugin %s asks for %.*s: ", plugin,
			 SLICE_ARGS(type));
		check_event_type(settings, node, asker, type);
		asks = true;
	}
	if (!asks && sink->settings.events.count == 0)
		document_error(settings->document, node,
			       "plugin %s asks for no events, so the sink would get nothing: name "
			       "event types in \"events\"",
			       plugin);
}

/* Here and not when the lane starts: a reload must know it before it swaps. */
static void check_events(struct settings *settings, const struct settings_entry *entry,
			 const struct sink_section *sink)
{
	const struct lg_list *events = &sink->settings.events;
	struct fy_node *node = document_member(entry->map, "events");

	if (document_is_list(node) && events->count == 0)
		document_error(settings->document, node,
			       "\"events\" is empty, so the sink would get nothing: name event "
			       "types, or leave it out for what the plugin takes");
	for (size_t i = 0; i < events->count; i++)
		check_event_type(settings, node, "", events->items[i]);
	check_plugin_events(settings, entry, sink);
}

bool settings_start_is_ahead(const struct sink_section *sink)
{
	struct lg_slice start = sink->settings.start;
	int64_t at_ms;

	return !slice_is(start, "now") && sink_start_parse(start, &at_ms) &&
	       at_ms > clock_wall_ms();
}

static void check_start(struct settings *settings, const struct settings_entry *entry,
			const struct sink_section *sink)
{
	struct fy_node *node = document_member(entry->map, "start");
	struct lg_slice start = sink->settings.start;
	int64_t at_ms;

	if (!sink_start_parse(start, &at_ms))
		document_error(settings->document, node,
			       "\"%.*s\" is no start: write beginning, now, or a time such as "
			       "2026-01-31T00:00:00Z",
			       SLICE_ARGS(start));
	else if (settings->strict && settings_start_is_ahead(sink))
		document_error(settings->document, node,
			       "start %.*s is yet to come, and a sink does not wait for it: all "
			       "that comes until then would be delivered, too",
			       SLICE_ARGS(start));
}

/* Either may be a default: the error stands at one that is written. */
static void check_retry(struct settings *settings, const struct settings_entry *entry,
			const struct sink_section *sink)
{
	struct fy_node *node = document_member(entry->map, "retry_first");
	char first[QUANTITY_TEXT_BYTES], max[QUANTITY_TEXT_BYTES];

	if (sink->settings.retry_first_ms <= sink->settings.retry_max_ms)
		return;
	quantity_print(LG_DURATION, sink->settings.retry_first_ms, first);
	quantity_print(LG_DURATION, sink->settings.retry_max_ms, max);
	document_error(settings->document, node ? node : document_member(entry->map, "retry_max"),
		       "retry_first (%s) is longer than retry_max (%s)", first, max);
}

/* What rows cannot say of `outcomes`. */
static void check_outcomes(struct settings *settings, const struct settings_entry *entry,
			   const struct http_service_settings *http)
{
	struct fy_node *map = document_member(entry->map, "outcomes");
	struct lg_pair pair;
	struct fy_node *key_node, *value;
	struct error error;
	void *cursor = NULL;

	if (http->outcome.overrides.count == 0)
		return;
	while (document_each(settings->document, map, &cursor, &pair.name, &key_node, &value)) {
		pair.value = document_text(settings->document, value);
		if (slice_present(pair.value) && !outcome_override_check(&pair, &error))
			document_error(settings->document, key_node, "\"outcomes\": %s",
				       error.text);
	}
}

/* What one row cannot say: whether all of it fits into the limits of expressions,
 * and whether a form fits what the plugin sends. */
static void check_mapping(struct settings *settings, const struct settings_entry *entry,
			  const struct sink_section *sink)
{
	const struct outline *outline = &sink->settings.mapping;
	enum mapping_form form = (enum mapping_form)sink->settings.mapping_as;
	struct fy_node *node = document_member(entry->map, "mapping");
	const struct instance *instance = sink->instance;
	int64_t events = instance->sink.batch_events, bytes = 0;
	struct mapping *mapping;
	struct error error;

	if (outline->kind == OUTLINE_ABSENT) {
		if (form != MAPPING_JSON)
			document_error(settings->document,
				       document_member(entry->map, "mapping_as"),
				       "\"mapping_as\": there is no mapping");
		return;
	}
	if (instance->sink.limits)
		instance->sink.limits(instance->settings, &events, &bytes);
	if (form == MAPPING_FORM && events != 1)
		document_error(
			settings->document, document_member(entry->map, "mapping_as"),
			"\"mapping_as\": a form holds one event, and this sink sends several "
			"at once");
	mapping = mapping_new(outline, form, sink->settings.max_body_bytes, &settings->expressions,
			      &error);
	if (!mapping)
		document_error(settings->document, node, "\"mapping\": %s", error.text);
	mapping_free(&mapping);
}

static void read_sink(struct settings *settings, const struct settings_entry *entry)
{
	struct sink_section *sink = &settings->sinks[settings->sink_count];
	int mistakes = document_error_count(settings->document);

	sink->instance = settings_entry_instance(settings, entry, &sink->settings,
						 &sink->settings.plugin);
	if (!sink->instance)
		return;
	check_file(settings, entry, sink);
	check_events(settings, entry, sink);
	check_start(settings, entry, sink);
	check_retry(settings, entry, sink);
	check_outcomes(settings, entry, &sink->settings.http);
	settings_ca_file(settings, entry->map, sink->settings.http.ca_file);
	if (document_error_count(settings->document) == mistakes)
		check_mapping(settings, entry, sink);
	sink->settings.http.client = &settings->http_client;
	sink->settings.http.limits = &settings->expressions;
	settings->sink_count++;
}

void settings_read_sinks(struct settings *settings, struct fy_node *map)
{
	struct settings_entry entry = {
		.kind = "sink",
		.plugin_kind = LG_SINK,
		.table = {sink_options, sink_option_count, sizeof(struct lg_option)},
		.http_table = {http_service_options, http_service_option_count,
			       sizeof(struct lg_option)},
		.http_offset = offsetof(struct sink_settings, http),
	};

	settings->sinks = settings_entry_room(settings, map, "sinks", sizeof(*settings->sinks));
	if (settings->sinks)
		settings_entry_each(settings, map, &entry, read_sink);
}
