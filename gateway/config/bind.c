#include "config/bind.h"

#include "config/bind_scalar.h"
#include "config/bind_value.h"

/* One section while it is read. */
struct section {
	struct document *document;
	const struct option_table *table;
	const char *const *others;
	const struct bind_hooks *hooks;
	const char *what;
	char *settings;
	struct fy_node *map; /* NULL: empty */
	bool *seen;	     /* by row */
	bool good;
};

struct lg_option option_at(const struct option_table *table, size_t index)
{
	struct lg_option row = {.name = NULL};
	size_t known = table->stride < sizeof(row) ? table->stride : sizeof(row);

	memcpy(&row, (const char *)table->rows + index * table->stride, known);
	return row;
}

struct lg_slice option_words(struct lg_slice fallback)
{
	if (slice_starts(fallback, "[") && slice_ends(fallback, "]"))
		fallback = slice_cut(fallback, 1, fallback.length - 2);
	return slice_trim(fallback);
}

static struct binding binding_of(const struct section *section, const struct lg_option *row)
{
	return (struct binding){section->document, section->hooks, row,
				section->settings + row->offset, section->map};
}

/* Whether `key` is the row's name, or that of the file with its secret. */
static bool key_names(const struct lg_option *row, struct lg_slice key, bool *in_file)
{
	size_t length = strlen(row->name);

	*in_file = row->type == LG_SECRET && key.length > length &&
		   slice_is(slice_cut(key, length, key.length), "_file");
	return slice_equal(slice_cut(key, 0, *in_file ? length : key.length),
			   slice_from(row->name));
}

static bool bind_key(struct section *section, struct lg_slice key, struct fy_node *key_node,
		     struct fy_node *value)
{
	for (size_t i = 0; i < section->table->count; i++) {
		struct lg_option row = option_at(section->table, i);
		struct binding binding = binding_of(section, &row);
		bool in_file;

		if (!key_names(&row, key, &in_file))
			continue;
		if (section->seen[i] && row.type == LG_SECRET)
			document_error(section->document, key_node,
				       "\"%s\" and \"%s_file\" cannot both be given", row.name,
				       row.name);
		section->seen[i] = true;
		document_show(section->document, key_node);
		section->good &= in_file ? bind_secret_file(&binding, value)
					 : bind_value(&binding, value);
		return true;
	}
	return false;
}

static bool belongs_to_others(const struct section *section, struct lg_slice key)
{
	for (const char *const *other = section->others; other && *other; other++) {
		if (slice_is(key, *other))
			return true;
	}
	return false;
}

static const char *secret_file_name(struct document *document, const struct lg_option *row)
{
	struct lg_slice name = arena_printf(document_arena(document), "%s_file", row->name);

	return slice_present(name) ? name.data : row->name;
}

/* All names that the section takes, for suggestions. NULL: no memory. */
static const char *const *known_names(const struct section *section)
{
	size_t count = 0, others = 0;
	const char **names;

	while (section->others && section->others[others])
		others++;
	names = arena_zalloc(document_arena(section->document),
			     (section->table->count * 2 + others + 1) * sizeof(*names));
	for (size_t i = 0; names && i < section->table->count; i++) {
		struct lg_option row = option_at(section->table, i);

		names[count++] = row.name;
		if (row.type == LG_SECRET)
			names[count++] = secret_file_name(section->document, &row);
	}
	for (size_t i = 0; names && i < others; i++)
		names[count++] = section->others[i];
	return names;
}

/* The letters that an option's name may have. Without the blank after its colon
 * an option is all key in { bearer:X }, and the rest is not to be shown. */
static struct lg_slice name_part(struct lg_slice key)
{
	size_t length = 0;

	while (length < key.length && !strchr(" \t\"'=:,", key.data[length]))
		length++;
	return slice_cut(key, 0, length);
}

static void report_unknown(const struct section *section, struct lg_slice key,
			   struct fy_node *key_node)
{
	const char *const *names = known_names(section);
	const char *near;

	key = name_part(key);
	near = names ? bind_suggestion(key, names) : NULL;

	if (near)
		document_error(section->document, key_node,
			       "unknown option \"%.*s\" in %s; did you mean \"%s\"?",
			       SLICE_ARGS(key), section->what, near);
	else
		document_error(section->document, key_node, "unknown option \"%.*s\" in %s",
			       SLICE_ARGS(key), section->what);
}

static void bind_keys(struct section *section)
{
	struct fy_node *key_node, *value;
	struct lg_slice key;
	void *cursor = NULL;

	while (document_each(section->document, section->map, &cursor, &key, &key_node, &value)) {
		if (!bind_key(section, key, key_node, value) && !belongs_to_others(section, key))
			report_unknown(section, key, key_node);
	}
}

static void bind_absent(struct section *section)
{
	for (size_t i = 0; i < section->table->count; i++) {
		struct lg_option row = option_at(section->table, i);
		struct binding binding = binding_of(section, &row);

		if (section->seen[i])
			continue;
		if (row.fallback)
			section->good &= bind_fallback(&binding);
		else if (row.flags & LG_REQUIRED)
			document_error(section->document, section->map,
				       "%s lacks the option \"%s\": expected %s", section->what,
				       row.name, bind_value_form(row.type));
	}
}

/* Nothing after the key is an empty section. */
static bool is_empty(struct document *document, struct fy_node *map)
{
	return !map || (!document_is_map(map) && !document_is_list(map) &&
			!slice_present(document_text(document, map)));
}

bool bind_options(struct document *document, struct fy_node *map, const char *what,
		  const struct option_table *table, const char *const *others,
		  const struct bind_hooks *hooks, void *settings)
{
	static const struct bind_hooks no_hooks = {.field = NULL};
	struct section section = {
		.document = document,
		.table = table,
		.others = others,
		.what = what,
		.hooks = hooks ? hooks : &no_hooks,
		.settings = settings,
		.map = map,
		.seen = arena_zalloc(document_arena(document), table->count + 1),
		.good = true,
	};
	int before = document_error_count(document);

	if (!section.seen)
		document_error(document, map, "no memory to read %s", what);
	else if (!is_empty(document, map) && !document_is_map(map))
		document_error(document, map,
			       "%s: expected a mapping of options such as "
			       "{ name: value }, found a %s",
			       what, document_is_list(map) ? "list" : "single value");
	if (document_error_count(document) != before)
		return false;
	bind_keys(&section);
	bind_absent(&section);
	if (document_arena(document)->failed)
		document_error(document, map, "no memory to read %s", what);
	return section.good && document_error_count(document) == before;
}
