/* A plugin's descriptor against what this gateway knows: the fixed head first,
 * then what the same major promises, then the plugin's own mistakes. A mistake
 * that is found here cannot corrupt a settings struct later. */
#include "host/library.h"

#include <leadgate/sink.h>
#include <leadgate/source.h>

#include <string.h>

#include "base/slice.h"
#include "config/bind_scalar.h"

/* What a plugin of 0.1 has at least. Later members come after these. */
#define PLUGIN_BYTES (offsetof(struct lg_plugin, sink) + sizeof(void *))
#define OPTION_BYTES (offsetof(struct lg_option, help) + sizeof(const char *))
#define SOURCE_BYTES (offsetof(struct lg_source_operations, reply) + sizeof(void (*)(void)))
#define SINK_BYTES (offsetof(struct lg_sink_operations, batch_bytes) + sizeof(int64_t))

#define OPTIONS_MAX 256
#define SETTINGS_MAX_BYTES 65536

/* What stands in the settings struct for an option of a type. */
static const struct option_shape {
	size_t size, align;
} option_shapes[] = {
	[LG_STRING] = {sizeof(struct lg_slice), _Alignof(struct lg_slice)},
	[LG_SECRET] = {sizeof(struct lg_slice), _Alignof(struct lg_slice)},
	[LG_BOOL] = {sizeof(int32_t), _Alignof(int32_t)},
	[LG_INTEGER] = {sizeof(int64_t), _Alignof(int64_t)},
	[LG_DURATION] = {sizeof(int64_t), _Alignof(int64_t)},
	[LG_SIZE] = {sizeof(int64_t), _Alignof(int64_t)},
	[LG_ENUM] = {sizeof(int32_t), _Alignof(int32_t)},
	[LG_LIST] = {sizeof(struct lg_list), _Alignof(struct lg_list)},
	[LG_MAP] = {sizeof(struct lg_map), _Alignof(struct lg_map)},
	[LG_URL] = {sizeof(struct lg_slice), _Alignof(struct lg_slice)},
	[LG_EXPRESSION] = {sizeof(struct lg_slice), _Alignof(struct lg_slice)},
	[LG_FIELD_MAP] = {sizeof(struct lg_field_map), _Alignof(struct lg_field_map)},
	[LG_PATH] = {sizeof(struct lg_slice), _Alignof(struct lg_slice)},
};
#define OPTION_TYPES ((int32_t)(sizeof(option_shapes) / sizeof(option_shapes[0])))

/* A lower-case word that may stand in a file name, a metric and a message. */
static bool is_word(const char *text, const char *marks, size_t most)
{
	size_t length = 0;

	if (!text || !(*text >= 'a' && *text <= 'z'))
		return false;
	for (; text[length]; length++) {
		char c = text[length];
		if (length == most ||
		    !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr(marks, c)))
			return false;
	}
	return true;
}

/* Only the head may be read until this has passed. */
static bool head_fits(const struct lg_plugin *theirs, const char *path, struct error *error)
{
	if (theirs->magic != LG_MAGIC)
		return error_set(error,
				 "%s: is no leadgate plugin: its descriptor begins with 0x%08x, a "
				 "plugin's with 0x%08x; name a file that was built with "
				 "LG_SOURCE_PLUGIN or LG_SINK_PLUGIN",
				 path, theirs->magic, LG_MAGIC);
	if (!is_word(theirs->name, "-_", 63))
		return error_set(
			error,
			"%s: the plugin's name must be lower-case letters, digits, '-' and "
			"'_', at most 63 of them",
			path);
	if (theirs->abi_major != LG_ABI_MAJOR)
		return error_set(error,
				 "%s: plugin %s was written for plugin ABI %u.%u, this gateway has "
				 "%d.%d: install the plugin's build for ABI %d",
				 path, theirs->name, theirs->abi_major, theirs->abi_minor,
				 LG_ABI_MAJOR, LG_ABI_MINOR, LG_ABI_MAJOR);
	if (theirs->abi_minor > LG_ABI_MINOR)
		return error_set(error,
				 "%s: plugin %s needs plugin ABI %u.%u, this gateway has %d.%d: "
				 "install a newer gateway or an older plugin",
				 path, theirs->name, theirs->abi_major, theirs->abi_minor,
				 LG_ABI_MAJOR, LG_ABI_MINOR);
	if (theirs->size < PLUGIN_BYTES)
		return error_set(
			error,
			"%s: plugin %s has a descriptor of %u bytes, ABI %u.%u has at least "
			"%zu: build it again with the gateway's headers",
			path, theirs->name, theirs->size, theirs->abi_major, theirs->abi_minor,
			PLUGIN_BYTES);
	return true;
}

/* The operations are structs with their own size. */
static bool operations_fit(const struct lg_plugin *plugin, const char *path, struct error *error)
{
	bool is_source = plugin->kind == LG_SOURCE;
	size_t size, least = is_source ? SOURCE_BYTES : SINK_BYTES;

	if (is_source ? !plugin->source : !plugin->sink)
		return error_set(error, "%s: plugin %s is a %s without operations: set .%s", path,
				 plugin->name, is_source ? "source" : "sink",
				 is_source ? "source" : "sink");
	size = is_source ? plugin->source->size : plugin->sink->size;
	if (size < least)
		return error_set(
			error,
			"%s: plugin %s has operations of %zu bytes, ABI %d.%d has at least "
			"%zu: set .size to sizeof of the struct",
			path, plugin->name, size, LG_ABI_MAJOR, LG_ABI_MINOR, least);
	if (is_source ? !plugin->source->receive && !(plugin->flags & LG_READS_FILES)
		      : !plugin->sink->deliver)
		return error_set(error, "%s: plugin %s has no operation %s, which every %s needs",
				 path, plugin->name, is_source ? "receive" : "deliver",
				 is_source ? "source that reads no files" : "sink");
	return true;
}

/* An operation that an older plugin's struct does not reach is not there. */
static struct lg_source_operations known_operations(const struct lg_source_operations *theirs)
{
	struct lg_source_operations known = {.size = 0};

	memcpy(&known, theirs, theirs->size < sizeof(known) ? theirs->size : sizeof(known));
	return known;
}

static bool has_errands(const struct lg_source_operations *theirs)
{
	const struct lg_source_operations known = known_operations(theirs);

	return known.claim || known.poll || known.backfill;
}

/* One cannot do without the other; read_close may be missing. */
static bool files_fit(const struct lg_plugin *plugin, const char *path, struct error *error)
{
	bool says_so = plugin->flags & LG_READS_FILES;
	struct lg_source_operations known;

	if (plugin->kind != LG_SOURCE)
		return true;
	known = known_operations(plugin->source);
	if (says_so ? known.read_open && known.read : !known.read_open && !known.read)
		return true;
	return error_set(error,
			 "%s: plugin %s %s: a source has LG_READS_FILES and both of the operations "
			 "read_open and read, or nothing of it",
			 path, plugin->name,
			 says_so ? "has LG_READS_FILES and cannot read"
				 : "has read or read_open and no LG_READS_FILES");
}

static bool errands_fit(const struct lg_plugin *plugin, const char *path, struct error *error)
{
	bool says_so = plugin->flags & LG_CALLS_HTTP;

	if (plugin->kind != LG_SOURCE || says_so == has_errands(plugin->source))
		return true;
	return error_set(error,
			 "%s: plugin %s %s: a source has LG_CALLS_HTTP and one of the operations "
			 "claim, poll and backfill, or neither",
			 path, plugin->name,
			 says_so ? "has LG_CALLS_HTTP and no errands"
				 : "has errands and no LG_CALLS_HTTP");
}

static bool is_choice(const char *choices, struct lg_slice word)
{
	struct lg_slice rest = slice_from(choices), choice;

	while (slice_split(&rest, '|', &choice))
		if (slice_equal(choice, word))
			return true;
	return false;
}

/* "one" or "[one, two]": words, and no empty one. */
static bool is_list(struct lg_slice text)
{
	struct lg_slice word;

	if (slice_starts(text, "[") != slice_ends(text, "]"))
		return false;
	if (slice_starts(text, "["))
		text = slice_trim(slice_cut(text, 1, text.length - 2));
	while (text.length > 0 && slice_split(&text, ',', &word))
		if (slice_trim(word).length == 0)
			return false;
	return true;
}

/* A default that is none would be found when somebody leaves the option out. Only an
 * expression is, by whoever binds it: what it may say is not known here. */
static bool fallback_fits(const struct lg_option *row)
{
	struct lg_slice text = slice_from(row->fallback);
	int64_t number = 0;

	if (!row->fallback)
		return true;
	switch (row->type) {
	case LG_BOOL: return slice_is(text, "true") || slice_is(text, "false");
	case LG_ENUM: return is_choice(row->choices, text);
	case LG_MAP:
	case LG_FIELD_MAP: return slice_is(text, "{}");
	case LG_LIST: return is_list(text);
	case LG_URL: return bind_is_url(text);
	case LG_SECRET:
	case LG_PATH: return text.length > 0;
	case LG_INTEGER:
		if (!parse_integer(text, &number))
			return false;
		break;
	case LG_DURATION:
		if (!parse_duration(text, &number))
			return false;
		break;
	case LG_SIZE:
		if (!parse_size(text, &number))
			return false;
		break;
	default: return true;
	}
	return (row->min == 0 && row->max == 0) || (number >= row->min && number <= row->max);
}

static bool row_fits(const struct lg_plugin *plugin, const struct lg_option *row, size_t index,
		     const char *path, struct error *error)
{
	const struct option_shape *shape;

	if (!is_word(row->name, "_", 40))
		return error_set(error,
				 "%s: plugin %s: option %zu has no name of lower-case letters, "
				 "digits and '_'",
				 path, plugin->name, index);
	if (row->type <= 0 || row->type >= OPTION_TYPES)
		return error_set(error,
				 "%s: plugin %s: option %s has type %d, ABI %d.%d has 1 to %d",
				 path, plugin->name, row->name, row->type, LG_ABI_MAJOR,
				 LG_ABI_MINOR, OPTION_TYPES - 1);
	shape = &option_shapes[row->type];
	if (row->offset > plugin->settings_size ||
	    plugin->settings_size - row->offset < shape->size || row->offset % shape->align)
		return error_set(
			error,
			"%s: plugin %s: option %s stands at offset %zu, its %zu bytes do not "
			"fit into settings of %zu bytes",
			path, plugin->name, row->name, row->offset, shape->size,
			plugin->settings_size);
	if (row->type == LG_ENUM && (!row->choices || !*row->choices))
		return error_set(error, "%s: plugin %s: option %s is an enum without choices", path,
				 plugin->name, row->name);
	if (row->flags & LG_REQUIRED ? row->fallback != NULL : !fallback_fits(row))
		return error_set(error, "%s: plugin %s: option %s cannot have the default \"%s\"",
				 path, plugin->name, row->name, row->fallback);
	if (row->min > row->max)
		return error_set(error,
				 "%s: plugin %s: option %s has a range that ends before it "
				 "begins",
				 path, plugin->name, row->name);
	return true;
}

static bool overlap(const struct lg_option *a, const struct lg_option *b)
{
	return a->offset < b->offset + option_shapes[b->type].size &&
	       b->offset < a->offset + option_shapes[a->type].size;
}

/* The row among those before it, which fit. Where two share bytes, the default of one
 * would be read as a pointer of the other. */
static bool row_stands_alone(const struct library *library, const struct lg_option *row,
			     size_t index, const char *path, struct error *error)
{
	const char *plugin = library->plugin.name;

	for (size_t i = 0; i < index; i++) {
		struct lg_option other = option_at(&library->options, i);

		if (strcmp(other.name, row->name) == 0)
			return error_set(error, "%s: plugin %s has two options %s", path, plugin,
					 row->name);
		if (overlap(&other, row))
			return error_set(error,
					 "%s: plugin %s: options %s and %s overlap in the "
					 "settings: give each a member of its own",
					 path, plugin, other.name, row->name);
	}
	return true;
}

static bool options_fit(const struct library *library, const char *path, struct error *error)
{
	const struct lg_plugin *plugin = &library->plugin;

	if (plugin->option_count > OPTIONS_MAX || (plugin->option_count && !plugin->options))
		return error_set(
			error,
			"%s: plugin %s says that it has %u options: it must bring its rows, "
			"at most %d",
			path, plugin->name, plugin->option_count, OPTIONS_MAX);
	if (plugin->option_count && plugin->option_size < OPTION_BYTES)
		return error_set(
			error,
			"%s: plugin %s has option rows of %u bytes, ABI %d.%d has at least "
			"%zu: set .option_size to sizeof(struct lg_option)",
			path, plugin->name, plugin->option_size, LG_ABI_MAJOR, LG_ABI_MINOR,
			OPTION_BYTES);
	if (plugin->settings_size > SETTINGS_MAX_BYTES)
		return error_set(error,
				 "%s: plugin %s asks for settings of %zu bytes, at most %d "
				 "are allowed",
				 path, plugin->name, plugin->settings_size, SETTINGS_MAX_BYTES);
	for (size_t i = 0; i < plugin->option_count; i++) {
		struct lg_option row = option_at(&library->options, i);
		if (!row_fits(plugin, &row, i, path, error) ||
		    !row_stands_alone(library, &row, i, path, error))
			return false;
	}
	return true;
}

/* "GET POST": upper-case words with single blanks between them. */
static bool methods_fit(const struct lg_plugin *plugin, const char *path, struct error *error)
{
	struct lg_slice rest = slice_from(plugin->methods), word;

	while (slice_split(&rest, ' ', &word)) {
		bool good = word.length > 0;
		for (size_t i = 0; i < word.length; i++)
			good = good && word.data[i] >= 'A' && word.data[i] <= 'Z';
		if (!good)
			return error_set(error,
					 "%s: plugin %s names its methods \"%s\": write them "
					 "like \"GET POST\"",
					 path, plugin->name, plugin->methods);
	}
	return true;
}

/* What a plugin may leave out. */
static void add_defaults(struct lg_plugin *plugin)
{
	if (!plugin->version)
		plugin->version = "";
	if (!plugin->summary)
		plugin->summary = "";
	if (!plugin->methods || !*plugin->methods)
		plugin->methods = "POST";
	if (!plugin->channel || !*plugin->channel)
		plugin->channel = "other";
}

bool descriptor_read(const struct lg_plugin *theirs, const char *path, struct library *out,
		     struct error *error)
{
	struct lg_plugin *plugin = &out->plugin;

	memset(out, 0, sizeof(*out));
	if (!head_fits(theirs, path, error))
		return false;
	memcpy(plugin, theirs, theirs->size < sizeof(*plugin) ? theirs->size : sizeof(*plugin));
	add_defaults(plugin);
	out->path = path;
	out->options = (struct option_table){plugin->options, plugin->option_count,
					     plugin->option_size};
	if (plugin->kind != LG_SOURCE && plugin->kind != LG_SINK)
		return error_set(error,
				 "%s: plugin %s is of kind %d, this gateway has sources (%d) and "
				 "sinks (%d)",
				 path, plugin->name, plugin->kind, LG_SOURCE, LG_SINK);
	return operations_fit(plugin, path, error) && errands_fit(plugin, path, error) &&
	       files_fit(plugin, path, error) && options_fit(out, path, error) &&
	       methods_fit(plugin, path, error);
}
