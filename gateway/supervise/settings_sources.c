#include "supervise/settings_entry.h"

/* Whoever takes requests has a path, and nobody else. */
static bool needs_check(struct settings *settings, const struct settings_entry *entry,
			const struct source *source, struct fy_node *node)
{
	bool takes = source_takes_requests(source), given = slice_present(source->settings.path);

	if (takes && !given)
		document_error(
			settings->document, entry->map,
			"source \"%.*s\" lacks the option \"path\": expected the path at which "
			"requests arrive",
			SLICE_ARGS(entry->name));
	if (!takes && given)
		document_error(settings->document, node,
			       "\"path\": plugin %s takes no requests, it only reads files",
			       source->instance->library->plugin.name);
	return takes && given;
}

/* A path that no request can have would make a source that nobody reaches. */
static void check_path(struct settings *settings, const struct settings_entry *entry,
		       const struct source *source)
{
	struct fy_node *node = document_member(entry->map, "path");
	struct lg_slice path = source->settings.path;

	if (!needs_check(settings, entry, source, node))
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
static void check_auth(struct settings *settings, const struct settings_entry *entry,
		       const struct source *source)
{
	struct error error = {0};

	if (source_takes_requests(source) &&
	    !instance_auth_check(source->instance, source->settings.auth == SOURCE_AUTH_NONE,
				 &error))
		document_error(settings->document, entry->name_node, "%s", error.text);
}

/* What rows cannot say of errands. */
static void check_errands(struct settings *settings, const struct settings_entry *entry,
			  struct source *source)
{
	struct errand_settings *errands = &source->settings.errands;
	char first[QUANTITY_TEXT_BYTES], max[QUANTITY_TEXT_BYTES];
	struct fy_node *node;

	if (!source_has_errands(source))
		return;
	errands->client = &settings->http_client;
	settings_ca_file(settings, entry->map, errands->ca_file);
	if (errands->poll_ms > 0 && !source->instance->source.poll)
		document_error(settings->document, document_member(entry->map, "poll"),
			       "\"poll\": plugin %s cannot ask for leads",
			       source->instance->library->plugin.name);
	if (errands->retry_first_ms <= errands->retry_max_ms)
		return;
	node = document_member(entry->map, "retry_first");
	quantity_print(LG_DURATION, errands->retry_first_ms, first);
	quantity_print(LG_DURATION, errands->retry_max_ms, max);
	document_error(settings->document, node ? node : document_member(entry->map, "retry_max"),
		       "retry_first (%s) is longer than retry_max (%s)", first, max);
}

/* Two sources that take files out of one folder would leave it to chance whose they are. */
static void check_folder(struct settings *settings, const struct settings_entry *entry,
			 const struct source *source)
{
	struct lg_slice folder = source->settings.imports.folder;

	if (!source_reads_files(source) || !slice_present(folder))
		return;
	for (size_t i = 0; i < settings->source_count; i++) {
		const struct source *other = &settings->sources[i];

		if (source_reads_files(other) && slice_present(other->settings.imports.folder) &&
		    slice_equal(settings_entry_real_path(settings, other->settings.imports.folder),
				settings_entry_real_path(settings, folder)))
			document_error(settings->document, document_member(entry->map, "folder"),
				       "folder %.*s is watched by source \"%.*s\"",
				       SLICE_ARGS(folder), SLICE_ARGS(other->instance->name));
	}
}

static void read_source(struct settings *settings, const struct settings_entry *entry)
{
	struct source *source = &settings->sources[settings->source_count];
	struct lg_slice region;

	source->instance = settings_entry_instance(settings, entry, &source->settings,
						   &source->settings.plugin);
	if (!source->instance)
		return;
	check_path(settings, entry, source);
	check_auth(settings, entry, source);
	check_errands(settings, entry, source);
	check_folder(settings, entry, source);
	if (source->settings.body_bytes == 0)
		source->settings.body_bytes = settings->http.body_bytes;
	region = source->settings.region;
	if (!slice_present(region))
		slice_to_text(settings->defaults.region, source->normalize.region,
			      sizeof(source->normalize.region));
	else
		settings_region(settings, document_member(entry->map, "region"), region,
				source->normalize.region);
	settings->source_count++;
}

void settings_read_sources(struct settings *settings, struct fy_node *map)
{
	struct settings_entry entry = {
		.kind = "source",
		.plugin_kind = LG_SOURCE,
		.table = {source_options, source_option_count, sizeof(struct lg_option)},
		.http_table = {errand_options, errand_option_count, sizeof(struct lg_option)},
		.file_table = {import_options, import_option_count, sizeof(struct lg_option)},
	};

	settings->sources = settings_entry_room(settings, map, "sources",
						sizeof(*settings->sources));
	if (settings->sources)
		settings_entry_each(settings, map, &entry, read_source);
}
