/* The sections in which each entry is a plugin's instance. */
#include "supervise/settings_part.h"

#include <limits.h>
#include <stdlib.h>

#include "host/services.h"
#include "lead/event.h"
#include "sink/mapping.h"

#define NAME_BYTES 63

/* One table serves every instance: what a handle is not made for is never
 * called with it. */
static const struct lg_services *services(void)
{
	static struct lg_services table;

	if (table.size == 0) {
		services_init(&table);
		ingest_services_add(&table);
		sink_services_add(&table);
	}
	return &table;
}

static bool check_name(struct settings *settings, struct fy_node *node, const char *kind,
		       struct lg_slice name)
{
	bool good = name.length > 0 && name.length <= NAME_BYTES;

	for (size_t i = 0; i < name.length && good; i++) {
		char c = name.data[i];
		good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
	}
	if (!good)
		document_error(settings->document, node,
			       "\"%.*s\" is no name for a %s: give 1 to %d of a-z, 0-9 and \"-\"",
			       SLICE_ARGS(name), kind, NAME_BYTES);
	return good;
}

/* Names of the rows of some tables, NULL-terminated; NULL when memory ran out. */
static const char **row_names(struct settings *settings, const struct option_table *tables,
			      size_t count)
{
	size_t rows = 0, n = 0;
	const char **names;

	for (size_t t = 0; t < count; t++)
		rows += tables[t].count;
	names = arena_zalloc(document_arena(settings->document), (rows + 1) * sizeof(*names));
	for (size_t t = 0; names && t < count; t++)
		for (size_t i = 0; i < tables[t].count; i++)
			names[n++] = option_at(&tables[t], i).name;
	return names;
}

static bool has_row(const struct option_table *table, struct lg_slice name)
{
	for (size_t i = 0; i < table->count; i++)
		if (slice_is(name, option_at(table, i).name))
			return true;
	return false;
}

/* Keys of the section that are none of the gateway's rows: the plugin reads
 * those and says which of them it does not know. */
static const char **other_keys(struct settings *settings, struct fy_node *map,
			       const struct option_table *table)
{
	struct arena *arena = document_arena(settings->document);
	size_t count = settings_count(settings->document, map), n = 0;
	const char **names = arena_zalloc(arena, (count + 1) * sizeof(*names));
	struct lg_slice key;
	struct fy_node *key_node, *value;
	void *cursor = NULL;

	while (names && document_each(settings->document, map, &cursor, &key, &key_node, &value))
		if (!has_row(table, key))
			names[n++] = arena_copy(arena, key).data;
	return names;
}

struct section {
	const char *kind; /* "source" */
	int32_t plugin_kind;
	struct option_table table;
	struct option_table http_table; /* when the plugin makes calls … */
	size_t http_offset;		/* … into the rows' struct */
	struct option_table file_table; /* when the plugin reads files */
	struct lg_slice name;
	struct fy_node *name_node, *map;
};

static const struct library *load_plugin(struct settings *settings, const struct section *section,
					 struct lg_slice plugin)
{
	struct fy_node *node = document_member(section->map, "plugin");
	const struct library *library;
	struct error error = {0};

	if (!slice_present(plugin))
		return NULL; /* a missing one was reported with the rows */
	library = library_load(plugin, &error);
	if (!library) {
		document_error(settings->document, node, "%s", error.text);
		return NULL;
	}
	if (library->plugin.kind == section->plugin_kind)
		return library;
	document_error(settings->document, node, "plugin \"%.*s\" is no %s plugin",
		       SLICE_ARGS(plugin), section->kind);
	return NULL;
}

/* Success and ids are told by what a destination answers, not by the record. */
static const struct bind_hooks answer_hooks = {.expression = outcome_expression_check};

/* Reads one of the gateway's own tables. False: no memory. */
static bool read_rows(struct settings *settings, const struct section *section, const char *what,
		      const struct option_table *table, const struct bind_hooks *hooks, void *rows)
{
	const char **others = other_keys(settings, section->map, table);

	if (others)
		bind_options(settings->document, section->map, what, table, others, hooks, rows);
	else
		document_error(settings->document, section->map, "not enough memory");
	return others != NULL;
}

/* The rows that are for plugins of a kind: `tables` gets those that are this one's. False:
 * no memory. */
static bool read_more_rows(struct settings *settings, const struct section *section,
			   const char *what, uint32_t flags, void *rows,
			   struct option_table *tables, size_t *count)
{
	if (flags & LG_CALLS_HTTP) {
		tables[(*count)++] = section->http_table;
		if (!read_rows(settings, section, what, &section->http_table, &answer_hooks,
			       (char *)rows + section->http_offset))
			return false;
	}
	if ((flags & LG_READS_FILES) && section->file_table.count > 0) {
		tables[(*count)++] = section->file_table;
		return read_rows(settings, section, what, &section->file_table, &settings_hooks,
				 rows);
	}
	return true;
}

/* Reads the gateway's rows and then the plugin's. NULL when the entry has a
 * mistake. */
static struct instance *read_instance(struct settings *settings, const struct section *section,
				      void *rows, const struct lg_slice *plugin)
{
	struct option_table tables[3] = {section->table};
	size_t table_count = 1;
	const struct library *library;
	const char **mine;
	char what[96];

	if (!check_name(settings, section->name_node, section->kind, section->name))
		return NULL;
	if (!document_is_map(section->map)) {
		document_error(settings->document, section->map,
			       "%s \"%.*s\" must be a mapping of options", section->kind,
			       SLICE_ARGS(section->name));
		return NULL;
	}
	snprintf(what, sizeof(what), "%s \"%.*s\"", section->kind, SLICE_ARGS(section->name));
	if (!read_rows(settings, section, what, &section->table, &settings_hooks, rows))
		return NULL;
	library = load_plugin(settings, section, *plugin);
	if (!library)
		return NULL;
	if (!read_more_rows(settings, section, what, library->plugin.flags, rows, tables,
			    &table_count))
		return NULL;
	mine = row_names(settings, tables, table_count);
	if (!mine) {
		document_error(settings->document, section->map, "not enough memory");
		return NULL;
	}
	return instance_new(settings->document, section->map, section->name, library, mine,
			    &settings_hooks, services());
}

/* Whoever takes requests has a path, and nobody else. */
static bool needs_check(struct settings *settings, const struct section *section,
			const struct source *source, struct fy_node *node)
{
	bool takes = source_takes_requests(source), given = slice_present(source->settings.path);

	if (takes && !given)
		document_error(
			settings->document, section->map,
			"source \"%.*s\" lacks the option \"path\": expected the path at which "
			"requests arrive",
			SLICE_ARGS(section->name));
	if (!takes && given)
		document_error(settings->document, node,
			       "\"path\": plugin %s takes no requests, it only reads files",
			       source->instance->library->plugin.name);
	return takes && given;
}

/* A path that no request can have would make a source that nobody reaches. */
static void check_path(struct settings *settings, const struct section *section,
		       const struct source *source)
{
	struct fy_node *node = document_member(section->map, "path");
	struct lg_slice path = source->settings.path;

	if (!needs_check(settings, section, source, node))
		return;
	for (size_t i = 0; i < path.length; i++) {
		unsigned char c = (unsigned char)path.data[i];
		if (c <= ' ' || c >= 0x7f || c == '?' || c == '#' || (i == 0 && c != '/')) {
			document_error(settings->document, node,
				       "\"%.*s\" is no path: begin with \"/\", percent-encode what "
				       "is not ASCII, give no query",
				       SLICE_ARGS(path));
			return;
		}
	}
	for (size_t i = 0; i < settings->source_count; i++)
		if (slice_equal(settings->sources[i].settings.path, path))
			document_error(settings->document, node,
				       "path %.*s is taken by source \"%.*s\"", SLICE_ARGS(path),
				       SLICE_ARGS(settings->sources[i].instance->name));
}

/* Nobody should find out by accident that a source takes leads from everyone. */
static void check_auth(struct settings *settings, const struct section *section,
		       const struct source *source)
{
	struct error error = {0};

	if (source_takes_requests(source) &&
	    !instance_auth_check(source->instance, source->settings.auth == SOURCE_AUTH_NONE,
				 &error))
		document_error(settings->document, section->name_node, "%s", error.text);
}

/* What rows cannot say of errands. */
static void check_errands(struct settings *settings, const struct section *section,
			  struct source *source)
{
	struct errand_settings *errands = &source->settings.errands;
	char first[QUANTITY_TEXT_BYTES], max[QUANTITY_TEXT_BYTES];
	struct fy_node *node;

	if (!source_has_errands(source))
		return;
	errands->client = &settings->http_client;
	settings_ca_file(settings, section->map, errands->ca_file);
	if (errands->poll_ms > 0 && !source->instance->source.poll)
		document_error(settings->document, document_member(section->map, "poll"),
			       "\"poll\": plugin %s cannot ask for leads",
			       source->instance->library->plugin.name);
	if (errands->retry_first_ms <= errands->retry_max_ms)
		return;
	node = document_member(section->map, "retry_first");
	quantity_print(LG_DURATION, errands->retry_first_ms, first);
	quantity_print(LG_DURATION, errands->retry_max_ms, max);
	document_error(settings->document, node ? node : document_member(section->map, "retry_max"),
		       "retry_first (%s) is longer than retry_max (%s)", first, max);
}

/* A path without detours: of the file, or of its folder when there is no file yet.
 * What cannot be resolved stays as it is. */
static struct lg_slice real_path(struct settings *settings, struct lg_slice path)
{
	struct arena *arena = document_arena(settings->document);
	char text[PATH_MAX], resolved[PATH_MAX];
	struct lg_slice name = path;
	char *slash;

	if (path.length >= sizeof(text))
		return path;
	slice_to_text(path, text, sizeof(text));
	if (realpath(text, resolved))
		return arena_copy(arena, slice_from(resolved));
	slash = strrchr(text, '/');
	if (slash) {
		slash[1] = '\0';
		name = slice_cut(path, strlen(text), path.length);
	}
	if (!realpath(slash ? text : ".", resolved))
		return path;
	return arena_printf(arena, "%s/%.*s", resolved, SLICE_ARGS(name));
}

/* Two sources that take files out of one folder would leave it to chance whose they are. */
static void check_folder(struct settings *settings, const struct section *section,
			 const struct source *source)
{
	struct lg_slice folder = source->settings.imports.folder;

	if (!source_reads_files(source) || !slice_present(folder))
		return;
	for (size_t i = 0; i < settings->source_count; i++) {
		const struct source *other = &settings->sources[i];

		if (source_reads_files(other) && slice_present(other->settings.imports.folder) &&
		    slice_equal(real_path(settings, other->settings.imports.folder),
				real_path(settings, folder)))
			document_error(settings->document, document_member(section->map, "folder"),
				       "folder %.*s is watched by source \"%.*s\"",
				       SLICE_ARGS(folder), SLICE_ARGS(other->instance->name));
	}
}

static void read_source(struct settings *settings, const struct section *section)
{
	struct source *source = &settings->sources[settings->source_count];
	struct lg_slice region;

	source->instance = read_instance(settings, section, &source->settings,
					 &source->settings.plugin);
	if (!source->instance)
		return;
	check_path(settings, section, source);
	check_auth(settings, section, source);
	check_errands(settings, section, source);
	check_folder(settings, section, source);
	if (source->settings.body_bytes == 0)
		source->settings.body_bytes = settings->http.body_bytes;
	region = source->settings.region;
	if (!slice_present(region))
		slice_to_text(settings->defaults.region, source->normalize.region,
			      sizeof(source->normalize.region));
	else
		settings_region(settings, document_member(section->map, "region"), region,
				source->normalize.region);
	settings->source_count++;
}

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

/* Two sinks that write one file would tear each other's lines. */
static void check_file(struct settings *settings, const struct section *section,
		       const struct sink_section *sink)
{
	struct lg_slice file = sink_file(sink), mine;

	if (!slice_present(file))
		return;
	mine = real_path(settings, file);
	for (size_t i = 0; i < settings->sink_count; i++) {
		struct lg_slice other = sink_file(&settings->sinks[i]);

		if (slice_present(other) && slice_equal(real_path(settings, other), mine))
			document_error(settings->document, document_member(section->map, "path"),
				       "file %.*s is written by sink \"%.*s\"", SLICE_ARGS(file),
				       SLICE_ARGS(settings->sinks[i].instance->name));
	}
}

/* Here and not when the lane starts: a reload must know it before it swaps. */
static void check_events(struct settings *settings, const struct section *section,
			 const struct sink_section *sink)
{
	const struct lg_list *events = &sink->settings.events;

	for (size_t i = 0; i < events->count; i++)
		if (event_type_parse(events->items[i]) < 0)
			document_error(settings->document, document_member(section->map, "events"),
				       "there is no event type \"%.*s\"",
				       SLICE_ARGS(events->items[i]));
}

static void check_start(struct settings *settings, const struct section *section,
			const struct sink_section *sink)
{
	struct lg_slice start = sink->settings.start;
	int64_t at_ms;

	if (!sink_start_parse(start, &at_ms))
		document_error(settings->document, document_member(section->map, "start"),
			       "\"%.*s\" is no start: write beginning, now, or a time such as "
			       "2026-01-31T00:00:00Z",
			       SLICE_ARGS(start));
}

/* Either may be a default: the error stands at one that is written. */
static void check_retry(struct settings *settings, const struct section *section,
			const struct sink_section *sink)
{
	struct fy_node *node = document_member(section->map, "retry_first");
	char first[QUANTITY_TEXT_BYTES], max[QUANTITY_TEXT_BYTES];

	if (sink->settings.retry_first_ms <= sink->settings.retry_max_ms)
		return;
	quantity_print(LG_DURATION, sink->settings.retry_first_ms, first);
	quantity_print(LG_DURATION, sink->settings.retry_max_ms, max);
	document_error(settings->document, node ? node : document_member(section->map, "retry_max"),
		       "retry_first (%s) is longer than retry_max (%s)", first, max);
}

/* What rows cannot say of `outcomes`. */
static void check_outcomes(struct settings *settings, const struct section *section,
			   const struct http_service_settings *http)
{
	struct fy_node *map = document_member(section->map, "outcomes");
	struct lg_pair entry;
	struct fy_node *key_node, *value;
	struct error error;
	void *cursor = NULL;

	if (http->outcome.overrides.count == 0)
		return;
	while (document_each(settings->document, map, &cursor, &entry.name, &key_node, &value)) {
		entry.value = document_text(settings->document, value);
		if (slice_present(entry.value) && !outcome_override_check(&entry, &error))
			document_error(settings->document, key_node, "\"outcomes\": %s",
				       error.text);
	}
}

/* What one row cannot say: whether all of it fits into the limits of expressions,
 * and whether a form fits what the plugin sends. */
static void check_mapping(struct settings *settings, const struct section *section,
			  const struct sink_section *sink)
{
	const struct outline *outline = &sink->settings.mapping;
	enum mapping_form form = (enum mapping_form)sink->settings.mapping_as;
	struct fy_node *node = document_member(section->map, "mapping");
	const struct instance *instance = sink->instance;
	int64_t events = instance->sink.batch_events, bytes = 0;
	struct mapping *mapping;
	struct error error;

	if (outline->kind == OUTLINE_ABSENT) {
		if (form != MAPPING_JSON)
			document_error(settings->document,
				       document_member(section->map, "mapping_as"),
				       "\"mapping_as\": there is no mapping");
		return;
	}
	if (instance->sink.limits)
		instance->sink.limits(instance->settings, &events, &bytes);
	if (form == MAPPING_FORM && events != 1)
		document_error(
			settings->document, document_member(section->map, "mapping_as"),
			"\"mapping_as\": a form holds one event, and this sink sends several "
			"at once");
	mapping = mapping_new(outline, form, sink->settings.max_body_bytes, &settings->expressions,
			      &error);
	if (!mapping)
		document_error(settings->document, node, "\"mapping\": %s", error.text);
	mapping_free(&mapping);
}

static void read_sink(struct settings *settings, const struct section *section)
{
	struct sink_section *sink = &settings->sinks[settings->sink_count];
	int mistakes = document_error_count(settings->document);

	sink->instance = read_instance(settings, section, &sink->settings, &sink->settings.plugin);
	if (!sink->instance)
		return;
	check_file(settings, section, sink);
	check_events(settings, section, sink);
	check_start(settings, section, sink);
	check_retry(settings, section, sink);
	check_outcomes(settings, section, &sink->settings.http);
	settings_ca_file(settings, section->map, sink->settings.http.ca_file);
	if (document_error_count(settings->document) == mistakes)
		check_mapping(settings, section, sink);
	sink->settings.http.client = &settings->http_client;
	sink->settings.http.limits = &settings->expressions;
	settings->sink_count++;
}

/* Hands each entry of a mapping to `read`. */
static void each_entry(struct settings *settings, struct fy_node *map, struct section *section,
		       void (*read)(struct settings *, const struct section *))
{
	void *cursor = NULL;

	while (document_each(settings->document, map, &cursor, &section->name, &section->name_node,
			     &section->map))
		read(settings, section);
}

/* Room for all entries of a mapping; NULL when there is none, or after a report. */
static void *make_room(struct settings *settings, struct fy_node *map, const char *name,
		       size_t size)
{
	size_t count;
	void *room;

	if (!map)
		return NULL;
	if (!document_is_map(map)) {
		document_error(settings->document, map,
			       "\"%s\" must be a mapping: a name, and below it its options", name);
		return NULL;
	}
	count = settings_count(settings->document, map);
	if (count == 0)
		return NULL;
	room = arena_zalloc(document_arena(settings->document), count * size);
	if (!room)
		document_error(settings->document, map, "not enough memory");
	return room;
}

void settings_read_sources(struct settings *settings, struct fy_node *map)
{
	struct section section = {
		.kind = "source",
		.plugin_kind = LG_SOURCE,
		.table = {source_options, source_option_count, sizeof(struct lg_option)},
		.http_table = {errand_options, errand_option_count, sizeof(struct lg_option)},
		.file_table = {import_options, import_option_count, sizeof(struct lg_option)},
	};

	settings->sources = make_room(settings, map, "sources", sizeof(*settings->sources));
	if (settings->sources)
		each_entry(settings, map, &section, read_source);
}

void settings_read_sinks(struct settings *settings, struct fy_node *map)
{
	struct section section = {
		.kind = "sink",
		.plugin_kind = LG_SINK,
		.table = {sink_options, sink_option_count, sizeof(struct lg_option)},
		.http_table = {http_service_options, http_service_option_count,
			       sizeof(struct lg_option)},
		.http_offset = offsetof(struct sink_settings, http),
	};

	settings->sinks = make_room(settings, map, "sinks", sizeof(*settings->sinks));
	if (settings->sinks)
		each_entry(settings, map, &section, read_sink);
}
