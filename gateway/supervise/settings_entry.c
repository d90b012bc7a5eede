#include "supervise/settings_entry.h"

#include "base/log.h"
#include "base/real_path.h"
#include "host/services.h"

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

/* Keys that are none of the gateway's wait for the plugin. Without one, only the key that
 * was meant to name it is sure to be wrong. */
static void report_misspelt(struct settings *settings, const struct settings_entry *entry)
{
	static const char *const plugin[] = {"plugin", NULL};
	struct lg_slice key;
	struct fy_node *key_node, *value;
	void *cursor = NULL;

	while (document_each(settings->document, entry->map, &cursor, &key, &key_node, &value))
		if (!has_row(&entry->table, key) && bind_suggestion(key, plugin))
			document_error(
				settings->document, key_node,
				"unknown option \"%.*s\" in %s \"%.*s\"; did you mean \"plugin\"?",
				SLICE_ARGS(key), entry->kind, SLICE_ARGS(entry->name));
}

static const struct library *load_plugin(struct settings *settings,
					 const struct settings_entry *entry, struct lg_slice plugin)
{
	struct fy_node *node = document_member(entry->map, "plugin");
	const struct library *library;
	struct error error = {0};

	if (!slice_present(plugin)) { /* a missing one was reported with the rows */
		report_misspelt(settings, entry);
		return NULL;
	}
	library = library_load(plugin, &error);
	if (!library) {
		document_error(settings->document, node, "%s", error.text);
		return NULL;
	}
	if (library->plugin.kind == entry->plugin_kind)
		return library;
	document_error(settings->document, node, "plugin \"%.*s\" is no %s plugin",
		       SLICE_ARGS(plugin), entry->kind);
	return NULL;
}

/* Success and ids are told by what a destination answers, not by the record. */
static const struct bind_hooks answer_hooks = {.expression = outcome_expression_check};

/* Reads one of the gateway's own tables. False: no memory. */
static bool read_rows(struct settings *settings, const struct settings_entry *entry,
		      const char *what, const struct option_table *table,
		      const struct bind_hooks *hooks, void *rows)
{
	const char **others = other_keys(settings, entry->map, table);

	if (others)
		bind_options(settings->document, entry->map, what, table, others, hooks, rows);
	else
		document_error(settings->document, entry->map, "not enough memory");
	return others != NULL;
}

/* The rows that are for plugins of a kind: `tables` gets those that are this one's. False:
 * no memory. */
static bool read_more_rows(struct settings *settings, const struct settings_entry *entry,
			   const char *what, uint32_t flags, void *rows,
			   struct option_table *tables, size_t *count)
{
	if (flags & LG_CALLS_HTTP) {
		tables[(*count)++] = entry->http_table;
		if (!read_rows(settings, entry, what, &entry->http_table, &answer_hooks,
			       (char *)rows + entry->http_offset))
			return false;
	}
	if ((flags & LG_READS_FILES) && entry->file_table.count > 0) {
		tables[(*count)++] = entry->file_table;
		return read_rows(settings, entry, what, &entry->file_table, &settings_hooks, rows);
	}
	return true;
}

/* What is written for an option that both have is read by both, and may be meant for one
 * of them only. No error: a new version of the gateway may have brought the name. */
static void warn_of_shared_names(const struct settings_entry *entry, const struct library *library,
				 const char *const *mine)
{
	for (const char *const *name = mine; *name; name++)
		if (has_row(&library->options, slice_from(*name)) &&
		    document_member(entry->map, *name))
			log_warning("plugin.option-shared",
				    LOG_TEXT("plugin", library->plugin.name),
				    LOG_TEXT("option", *name),
				    LOG_TEXT("why", "the gateway has an option of that name, and "
						    "reads it as well"));
}

struct instance *settings_entry_instance(struct settings *settings,
					 const struct settings_entry *entry, void *rows,
					 const struct lg_slice *plugin)
{
	struct option_table tables[3] = {entry->table};
	size_t table_count = 1;
	const struct library *library;
	const char **mine;
	char what[96];

	if (!check_name(settings, entry->name_node, entry->kind, entry->name))
		return NULL;
	if (!document_is_map(entry->map)) {
		document_error(settings->document, entry->map,
			       "%s \"%.*s\" must be a mapping of options", entry->kind,
			       SLICE_ARGS(entry->name));
		return NULL;
	}
	snprintf(what, sizeof(what), "%s \"%.*s\"", entry->kind, SLICE_ARGS(entry->name));
	if (!read_rows(settings, entry, what, &entry->table, &settings_hooks, rows))
		return NULL;
	library = load_plugin(settings, entry, *plugin);
	if (!library)
		return NULL;
	if (!read_more_rows(settings, entry, what, library->plugin.flags, rows, tables,
			    &table_count))
		return NULL;
	mine = row_names(settings, tables, table_count);
	if (!mine) {
		document_error(settings->document, entry->map, "not enough memory");
		return NULL;
	}
	warn_of_shared_names(entry, library, mine);
	return instance_new(settings->document, entry->map, entry->name, library, mine,
			    &settings_hooks, services());
}

struct lg_slice settings_entry_real_path(struct settings *settings, struct lg_slice path)
{
	char real[PATH_MAX];

	if (!real_path(path, real))
		return path;
	return arena_copy(document_arena(settings->document), slice_from(real));
}

void settings_entry_each(struct settings *settings, struct fy_node *map,
			 struct settings_entry *entry,
			 void (*read)(struct settings *, const struct settings_entry *))
{
	void *cursor = NULL;

	while (document_each(settings->document, map, &cursor, &entry->name, &entry->name_node,
			     &entry->map))
		read(settings, entry);
}

void *settings_entry_room(struct settings *settings, struct fy_node *map, const char *name,
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
