#include "supervise/settings.h"

#include "base/alloc.h"
#include "client/ca_file.h"
#include "client/resolver.h"
#include "config/compare.h"
#include "lead/binding.h"
#include "lead/event_binding.h"
#include "lead/field.h"
#include "lead/phone.h"
#include "outbox/store_files.h"
#include "supervise/settings_part.h"

#include <stdlib.h>
#include <string.h>

#define SECTIONS_MAX 16

/* A form's field may be named by a field's path or by one of its form names. */
static int find_field(struct lg_slice name)
{
	int field = field_by_path(name);

	if (field < 0)
		field = field_by_name(name);
	return field >= 0 && field_table[field].host_only ? -1 : field;
}

/* What may be meant: the paths of all fields but those that the gateway sets. */
static const char *const field_names[] = {
#define NAMED_0(path) path,
#define NAMED_P(path) path,
#define NAMED_H(path)
#define LG_FIELD(id, path, type, limit, flags, names) NAMED_##flags(path)
#include <leadgate/fields.def>
#undef LG_FIELD
	NULL,
};

const struct bind_hooks settings_hooks = {
	.expression = binding_check,
	.mapped = event_binding_check,
	.field = find_field,
	.field_names = field_names,
};

size_t settings_count(struct document *document, struct fy_node *node)
{
	struct lg_slice key;
	struct fy_node *key_node, *value;
	void *cursor = NULL;
	size_t count = 0;

	while (document_each(document, node, &cursor, &key, &key_node, &value))
		count++;
	return count;
}

bool settings_region(struct settings *settings, struct fy_node *node, struct lg_slice region,
		     char out[3])
{
	slice_to_text(region, out, 3);
	if (region.length == 2 && phone_region_known(out))
		return true;
	document_error(settings->document, node,
		       "\"%.*s\" is no region; give two capital letters of ISO 3166-1, such as US",
		       SLICE_ARGS(region));
	return false;
}

/* Where the rows of a section are filled into. */
static const struct {
	const char *name;
	size_t offset;
} targets[] = {
	{"core", offsetof(struct settings, core)},
	{"admin", offsetof(struct settings, admin)},
	{"access_log", offsetof(struct settings, access_log)},
	{"store", offsetof(struct settings, store)},
	{"dedup", offsetof(struct settings, dedup)},
	{"lead", offsetof(struct settings, lead)},
	{"defaults", offsetof(struct settings, defaults)},
	{"http", offsetof(struct settings, http)},
	{"http_client", offsetof(struct settings, http_client)},
	{"expressions", offsetof(struct settings, expressions)},
};

const void *settings_section_in(const struct settings *settings, const char *name)
{
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		if (strcmp(targets[i].name, name) == 0)
			return (const char *)settings + targets[i].offset;
	return NULL;
}

static void *section_target(struct settings *settings, const char *name)
{
	return (void *)(uintptr_t)settings_section_in(settings, name);
}

static void check_section_names(struct settings *settings, struct fy_node *root)
{
	const char *names[SECTIONS_MAX + 1] = {NULL};
	struct settings_section section;
	struct lg_slice key;
	struct fy_node *key_node, *value;
	void *cursor = NULL;
	size_t count = 0;

	for (; settings_section_at(count, &section); count++) {
		ALWAYS(count < SECTIONS_MAX);
		names[count] = section.name;
	}
	while (document_each(settings->document, root, &cursor, &key, &key_node, &value)) {
		const char *near;
		size_t i = 0;

		while (i < count && !slice_is(key, names[i]))
			i++;
		if (i < count)
			continue;
		near = bind_suggestion(key, names);
		document_error(settings->document, key_node, "unknown section \"%.*s\"%s%s%s",
			       SLICE_ARGS(key), near ? "; did you mean \"" : "", near ? near : "",
			       near ? "\"?" : "");
	}
}

static void read_plain_sections(struct settings *settings, struct fy_node *root)
{
	struct settings_section section;
	char what[64];

	for (size_t i = 0; settings_section_at(i, &section); i++) {
		void *target = section_target(settings, section.name);

		if (!target)
			continue;
		snprintf(what, sizeof(what), "section \"%s\"", section.name);
		bind_options(settings->document, document_member(root, section.name), what,
			     &section.table, NULL, &settings_hooks, target);
	}
}

void settings_ca_file(struct settings *settings, struct fy_node *map, struct lg_slice path)
{
	struct error error;

	if (slice_present(path) &&
	    (!document_may_open(settings->document, path, &error) || !ca_file_check(path, &error)))
		document_error(settings->document, document_member(map, "ca_file"),
			       "\"ca_file\": %s", error.text);
}

/* What the HTTP client of every sink and source would fail for when it starts. */
static void check_http_client(struct settings *settings, struct fy_node *map)
{
	const struct http_client_settings *client = &settings->http_client;
	struct error error;

	settings_ca_file(settings, map, client->ca_file);
	if (!resolver_check_nameserver(client->nameserver, &error))
		document_error(settings->document, document_member(map, "nameserver"),
			       "\"nameserver\": %s", error.text);
	if (!document_may_open(settings->document, client->hosts_file, &error) ||
	    !resolver_check_hosts(client->hosts_file, &error))
		document_error(settings->document, document_member(map, "hosts_file"),
			       "\"hosts_file\": %s", error.text);
}

/* A process has one, whatever the configuration says that it reads meanwhile. */
static struct lg_slice store_in_use;

void settings_use_store(struct lg_slice path)
{
	store_in_use = path;
}

bool settings_journal_has(const struct settings *settings, struct lg_slice path)
{
	return store_files_have(settings->store.path, path) || store_files_have(store_in_use, path);
}

/* To open and close a file of the journal takes SQLite's locks away, and a reload reads while
 * the journal is in use. */
static bool is_apart(const void *arg, struct lg_slice path, struct error *error)
{
	return !settings_journal_has(arg, path) ||
	       error_set(error, "cannot be opened: it is a file of the journal, \"store.path\"");
}

static bool add_folder(struct buffer *path, struct lg_slice folder)
{
	if (folder.length == 0)
		return true;
	if (buffer_length(path))
		buffer_add_byte(path, ':');
	return buffer_add_slice(path, folder);
}

/* A list's row knows nothing of folders. An empty entry is none. */
static void place_plugin_path(struct settings *settings)
{
	struct document *document = settings->document;
	struct lg_list *list = &settings->core.plugin_path;
	struct arena *arena = document_arena(document);
	struct lg_slice *placed = arena_zalloc(arena, (list->count + 1) * sizeof(*placed));

	for (size_t i = 0; placed && i < list->count; i++)
		if (list->items[i].length > 0)
			placed[i] = document_beside(document, list->items[i]);
	if (placed)
		list->items = placed;
	else
		document_error(document, NULL, "not enough memory");
}

/* The environment first, so that a build is tried with its own plugins. */
void settings_plugin_path(const struct core_settings *core)
{
	struct buffer path;

	buffer_init(&path, SIZE_MAX);
	add_folder(&path, slice_from(getenv("LEADGATE_PLUGIN_PATH")));
	for (size_t i = 0; core && i < core->plugin_path.count; i++)
		add_folder(&path, core->plugin_path.items[i]);
	add_folder(&path, slice_from(LG_PLUGIN_DIR));
	buffer_add_byte(&path, '\0');
	if (!path.failed)
		library_set_path(buffer_slice(&path).data);
	buffer_fini(&path);
}

static void read_all(struct settings *settings)
{
	struct fy_node *root = document_root(settings->document);
	char region[3];

	if (!document_is_map(root)) {
		document_error(settings->document, root,
			       "a configuration is a mapping of sections: core, listen, store, …");
		return;
	}
	check_section_names(settings, root);
	document_guard_files(settings->document, is_apart, settings);
	read_plain_sections(settings, root);
	check_http_client(settings, document_member(root, "http_client"));
	settings_read_listen(settings, document_member(root, "listen"));
	place_plugin_path(settings);
	settings_plugin_path(&settings->core);
	if (slice_present(settings->defaults.region))
		settings_region(settings,
				document_member(document_member(root, "defaults"), "region"),
				settings->defaults.region, region);
	settings_read_sources(settings, document_member(root, "sources"));
	settings_read_sinks(settings, document_member(root, "sinks"));
	settings_check(settings, root);
}

/* The store alone, whatever else is wrong. */
static bool read_store(struct settings *settings)
{
	struct settings_section section;

	for (size_t i = 0; settings_section_at(i, &section); i++)
		if (strcmp(section.name, "store") == 0)
			return bind_options(
				settings->document,
				document_member(document_root(settings->document), section.name),
				"section \"store\"", &section.table, NULL, &settings_hooks,
				&settings->store);
	return false;
}

struct settings *settings_load_store(const char *path, struct buffer *errors)
{
	struct settings *settings = alloc_zalloc(sizeof(*settings));

	if (!settings) {
		buffer_add_literal(errors, "not enough memory\n");
		return NULL;
	}
	settings->document = document_open(path, errors);
	if (!settings->document || !read_store(settings))
		settings_free(&settings);
	return settings;
}

static struct settings *load(const char *path, struct buffer *errors, bool strict)
{
	struct settings *settings = alloc_zalloc(sizeof(*settings));

	if (!settings) {
		buffer_add_literal(errors, "not enough memory\n");
		return NULL;
	}
	settings->strict = strict;
	settings->document = document_open(path, errors);
	if (settings->document)
		read_all(settings);
	if (!settings->document || document_error_count(settings->document) > 0)
		settings_free(&settings);
	return settings;
}

struct settings *settings_load(const char *path, struct buffer *errors)
{
	return load(path, errors, false);
}

struct settings *settings_load_strictly(const char *path, struct buffer *errors)
{
	return load(path, errors, true);
}

/* The threads, the store and what the writer was given are made once a process.
 * A section that nobody has thought of here is one of these. */
bool settings_is_fixed(const char *section, const char *option)
{
	static const struct {
		const char *section, *option; /* NULL: all of it */
	} live[] = {
		{"core", "shutdown"},  {"core", "stop_delay"}, {"core", "max_generations"},
		{"core", "slow_call"}, {"core", "log_level"},  {"core", "plugin_path"},
		{"admin", NULL},       {"defaults", NULL},     {"expressions", NULL},
		{"http", NULL},	       {"http_client", NULL},  {"access_log", NULL},
	};

	for (size_t i = 0; i < sizeof(live) / sizeof(live[0]); i++)
		if (strcmp(live[i].section, section) == 0 &&
		    (!live[i].option || strcmp(live[i].option, option) == 0))
			return false;
	return true;
}

void settings_keep_fixed(struct settings *next, const struct settings *running)
{
	struct settings_section section;

	for (size_t i = 0; settings_section_at(i, &section); i++) {
		void *to = section_target(next, section.name);
		const void *from = settings_section_in(running, section.name);

		for (size_t k = 0; to && k < section.table.count; k++) {
			struct lg_option row = option_at(&section.table, k);

			if (settings_is_fixed(section.name, row.name))
				compare_copy(&row, to, from);
		}
	}
}

void settings_error(struct settings *settings, const char *section, const char *text)
{
	struct fy_node *root = document_root(settings->document);

	document_error(settings->document, document_member(root, section), "%s", text);
}

void settings_free(struct settings **settings)
{
	struct settings *s = *settings;

	*settings = NULL;
	if (!s)
		return;
	settings_free_listen(s);
	if (s->document)
		document_free(&s->document);
	alloc_free(s);
}
