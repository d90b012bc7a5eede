#include "config/bind_value.h"

#include "base/log.h"
#include "base/outline.h"
#include "config/bind_scalar.h"

static const char *const forms[] = {
	[LG_STRING] = "a string such as \"text\"",
	[LG_SECRET] = "a secret, a string such as \"${NAME}\"",
	[LG_BOOL] = "true or false",
	[LG_INTEGER] = "a whole number such as 10",
	[LG_DURATION] = "a duration such as 500ms, 5s, 2m or 90d",
	[LG_SIZE] = "a size such as 4096, 64KiB or 20GiB",
	[LG_ENUM] = "a word",
	[LG_LIST] = "a list of strings such as [one, two]",
	[LG_MAP] = "a mapping of strings such as { name: value }",
	[LG_URL] = "an absolute URL such as https://crm.example/leads",
	[LG_EXPRESSION] = "an expression such as \"status.intent == 'hard'\"",
	[LG_FIELD_MAP] = "a mapping from form names to fields such as { your_mail: person.email }",
	[LG_PATH] = "a path such as folder/name",
};

const char *bind_value_form(int32_t type)
{
	if (type == OUTLINE_OPTION)
		return "a mapping of expressions such as { email: person.email }";
	if (type < LG_STRING || type > LG_PATH)
		return "a value of a type that this gateway does not know";
	return forms[type];
}

/* ---- saying what is wrong ---------------------------------------------------- */

/* Shows a value where errors quote the file. A URL may hold a password, or a key
 * in its path or query; those of a mapping may be headers. */
static bool show(const struct binding *binding, struct fy_node *node)
{
	int32_t type = binding->row->type;

	return type != LG_SECRET && type != LG_URL && type != LG_MAP &&
	       document_show(binding->document, node);
}

static bool fallback_wrong(const struct binding *binding, const char *expected)
{
	document_error(binding->document, binding->section, "\"%s\": %sexpected %s",
		       binding->row->name, bind_value_origin(NULL),
		       expected ? expected : bind_value_form(binding->row->type));
	return false;
}

/* `expected` NULL stands for the form of the row's type. A value that may be a
 * credential is not shown. */
bool bind_value_wrong(const struct binding *binding, struct fy_node *node, const char *expected)
{
	const struct lg_option *row = binding->row;
	struct lg_slice text;
	const char *found;

	if (!node)
		return fallback_wrong(binding, expected);
	text = document_text(binding->document, node);
	found = document_is_map(node)	 ? "a mapping"
		: document_is_list(node) ? "a list"
		: !slice_present(text)	 ? "nothing"
		: !show(binding, node)	 ? "something else"
					 : NULL;
	if (document_text_is_unset(binding->document, node))
		return false;
	if (!expected)
		expected = bind_value_form(row->type);
	if (found)
		document_error(binding->document, node, "\"%s\": expected %s, found %s", row->name,
			       expected, found);
	else
		document_error(binding->document, node, "\"%s\": expected %s, found \"%.*s\"",
			       row->name, expected, SLICE_ARGS(text));
	return false;
}

/* ---- lists and mappings --------------------------------------------------------- */

static size_t count_entries(struct document *document, struct fy_node *node)
{
	void *cursor = NULL;
	struct lg_slice key;
	struct fy_node *key_node, *value;
	size_t count = 0;

	while (document_each(document, node, &cursor, &key, &key_node, &value))
		count++;
	return count;
}

static void *new_entries(struct document *document, struct fy_node *node, size_t size)
{
	size_t count = count_entries(document, node);
	void *entries = arena_zalloc(document_arena(document), (count ? count : 1) * size);

	if (!entries)
		document_error(document, node, "no memory for these values");
	return entries;
}

/* As written in prose, it would be an entry that nothing ever equals. No error: an entry
 * may have a comma in earnest, such as a word of a form. */
static void warn_of_comma(const struct binding *binding, struct fy_node *node, struct lg_slice text)
{
	if (slice_find(text, ',') >= 0)
		log_warning("config.list-of-one",
			    LOG_TEXT("file", document_path(binding->document)),
			    LOG_INT("line", document_line(node)),
			    LOG_TEXT("option", binding->row->name),
			    LOG_TEXT("why", "a text is one entry, with its commas: write [a, b] "
					    "for two, and [\"a, b\"] if it is meant"));
}

static bool bind_list(const struct binding *binding, struct fy_node *node)
{
	struct document *document = binding->document;
	struct lg_slice *items = new_entries(document, node, sizeof(*items));
	struct lg_slice key, text = document_text(document, node);
	struct fy_node *key_node, *value;
	void *cursor = NULL;
	size_t count = 0;
	bool good = true;

	if (!items)
		return false;
	if (document_is_map(node) || (!document_is_list(node) && !slice_present(text)))
		return bind_value_wrong(binding, node, NULL);
	if (slice_present(text)) {
		items[count++] = text;
		warn_of_comma(binding, node, text);
	}
	while (document_each(document, node, &cursor, &key, &key_node, &value)) {
		show(binding, value);
		text = document_text(document, value);
		if (slice_present(text))
			items[count++] = text;
		else
			good = bind_value_wrong(binding, value, "a string in this list");
	}
	*(struct lg_list *)binding->place = (struct lg_list){items, count};
	return good;
}

static bool bind_map(const struct binding *binding, struct fy_node *node)
{
	struct document *document = binding->document;
	struct lg_pair *pairs = new_entries(document, node, sizeof(*pairs));
	struct fy_node *key_node, *value;
	struct lg_slice key, text;
	void *cursor = NULL;
	size_t count = 0;
	bool good = true;

	if (!pairs)
		return false;
	if (!document_is_map(node))
		return bind_value_wrong(binding, node, NULL);
	while (document_each(document, node, &cursor, &key, &key_node, &value)) {
		text = document_text(document, value);
		if (slice_present(text))
			pairs[count++] = (struct lg_pair){key, text};
		else
			good = bind_value_wrong(binding, value, "a string in this mapping");
	}
	*(struct lg_map *)binding->place = (struct lg_map){pairs, count};
	return good;
}

static bool bind_field(const struct binding *binding, struct fy_node *node, struct lg_slice name,
		       struct lg_field_name *entry)
{
	const struct bind_hooks *hooks = binding->hooks;
	struct lg_slice text = document_text(binding->document, node);
	int field = slice_present(text) && hooks->field ? hooks->field(text) : -1;
	const char *near = slice_present(text) && hooks->field_names
				   ? bind_suggestion(text, hooks->field_names)
				   : NULL;

	show(binding, node);
	*entry = (struct lg_field_name){.name = name, .field = field};
	if (field >= 0)
		return true;
	if (!slice_present(text))
		return bind_value_wrong(binding, node, "a field's path such as person.email");
	document_error(binding->document, node, "\"%s\": unknown field \"%.*s\"%s%s%s",
		       binding->row->name, SLICE_ARGS(text), near ? "; did you mean \"" : "",
		       near ? near : "", near ? "\"?" : "");
	return false;
}

static bool bind_field_map(const struct binding *binding, struct fy_node *node)
{
	struct document *document = binding->document;
	struct lg_field_name *entries = new_entries(document, node, sizeof(*entries));
	struct fy_node *key_node, *value;
	struct lg_slice key;
	void *cursor = NULL;
	size_t count = 0;
	bool good = true;

	if (!entries)
		return false;
	if (!document_is_map(node))
		return bind_value_wrong(binding, node, NULL);
	while (document_each(document, node, &cursor, &key, &key_node, &value)) {
		if (bind_field(binding, value, key, &entries[count]))
			count++;
		else
			good = false;
	}
	*(struct lg_field_map *)binding->place = (struct lg_field_map){entries, count};
	return good;
}

bool bind_value(const struct binding *binding, struct fy_node *node)
{
	show(binding, node);
	switch (binding->row->type) {
	case LG_LIST: return bind_list(binding, node);
	case LG_MAP: return bind_map(binding, node);
	case LG_FIELD_MAP: return bind_field_map(binding, node);
	case OUTLINE_OPTION: return bind_outline(binding, node);
	default: return bind_scalar(binding, node, document_text(binding->document, node));
	}
}

/* ---- what the row says where the document says nothing ------------------------------ */

/* "one" or "[one, two]"; words only. */
static bool fallback_list(const struct binding *binding, struct lg_slice text)
{
	struct document *document = binding->document;
	struct lg_slice *items = arena_alloc(document_arena(document),
					     (text.length + 1) * sizeof(*items));
	struct lg_slice item;
	size_t count = 0;

	if (!items) {
		document_error(document, binding->section, "no memory for these values");
		return false;
	}
	if (slice_starts(text, "[") != slice_ends(text, "]"))
		return bind_value_wrong(binding, NULL, NULL);
	text = option_words(text);
	while (text.length > 0 && slice_split(&text, ',', &item)) {
		items[count] = slice_trim(item);
		if (items[count++].length == 0)
			return bind_value_wrong(binding, NULL, NULL);
	}
	*(struct lg_list *)binding->place = (struct lg_list){items, count};
	return true;
}

bool bind_fallback(const struct binding *binding)
{
	struct lg_slice text = slice_from(binding->row->fallback);

	switch (binding->row->type) {
	case LG_LIST: return fallback_list(binding, text);
	case LG_MAP:
	case LG_FIELD_MAP: return slice_is(text, "{}") || bind_value_wrong(binding, NULL, NULL);
	default: return bind_scalar(binding, NULL, text);
	}
}
