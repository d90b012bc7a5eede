#include "config/bind_value.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/outline.h"

#define EXPECTED_BYTES 512

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
	[LG_PATH] = "a path such as var/leads.ndjson",
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

/* `expected` NULL stands for the form of the row's type. A value that may be a
 * credential is not shown. */
bool bind_value_wrong(const struct binding *binding, struct fy_node *node, const char *expected)
{
	const struct lg_option *row = binding->row;
	struct lg_slice text = document_text(binding->document, node);
	const char *found = document_is_map(node)    ? "a mapping"
			    : document_is_list(node) ? "a list"
			    : !slice_present(text)   ? "nothing"
			    : !show(binding, node)   ? "something else"
						     : NULL;

	/* Without a node the text is the row's own fallback. */
	ALWAYS(node);
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

/* ---- values that are one scalar ----------------------------------------------- */

static bool bind_bool(const struct binding *binding, struct fy_node *node, struct lg_slice text)
{
	if (!slice_is(text, "true") && !slice_is(text, "false"))
		return bind_value_wrong(binding, node, NULL);
	*(int32_t *)binding->place = slice_is(text, "true");
	return true;
}

static bool bind_number(const struct binding *binding, struct fy_node *node, struct lg_slice text)
{
	const struct lg_option *row = binding->row;
	char expected[EXPECTED_BYTES], min[QUANTITY_TEXT_BYTES], max[QUANTITY_TEXT_BYTES];
	int64_t number;
	bool read = row->type == LG_DURATION ? parse_duration(text, &number)
		    : row->type == LG_SIZE   ? parse_size(text, &number)
					     : parse_integer(text, &number);

	if (!read)
		return bind_value_wrong(binding, node, NULL);
	if ((row->min != 0 || row->max != 0) && (number < row->min || number > row->max)) {
		quantity_print(row->type, row->min, min);
		quantity_print(row->type, row->max, max);
		snprintf(expected, sizeof(expected), "%s from %s to %s",
			 row->type == LG_DURATION ? "a duration"
			 : row->type == LG_SIZE	  ? "a size"
						  : "a whole number",
			 min, max);
		return bind_value_wrong(binding, node, expected);
	}
	*(int64_t *)binding->place = number;
	return true;
}

static bool bind_enum(const struct binding *binding, struct fy_node *node, struct lg_slice text)
{
	struct lg_slice rest = slice_from(binding->row->choices), choice;
	char expected[EXPECTED_BYTES] = "one of";
	size_t length = strlen(expected);

	for (int32_t i = 0; slice_split(&rest, '|', &choice); i++) {
		if (slice_equal(choice, text)) {
			*(int32_t *)binding->place = i;
			return true;
		}
		if (length < sizeof(expected))
			length += (size_t)snprintf(expected + length, sizeof(expected) - length,
						   "%s \"%.*s\"", i ? "," : "", SLICE_ARGS(choice));
	}
	return bind_value_wrong(binding, node, expected);
}

/* Whether what follows the host's colon, if there is one, is a port or nothing. */
static bool has_good_port(struct lg_slice authority)
{
	uint64_t port;
	size_t i = authority.length;

	/* Other colons are in an IPv6 address or in a user's name. */
	while (i > 0 && !strchr(":]@", authority.data[i - 1]))
		i--;
	if (i == 0 || i == authority.length || authority.data[i - 1] != ':')
		return true;
	return slice_to_u64(slice_cut(authority, i, authority.length), &port) && port > 0 &&
	       port <= 65535;
}

/* Scheme, a host, and no byte that RFC 3986 keeps out of a URL. */
static bool is_http_url(struct lg_slice text)
{
	struct lg_slice authority;
	size_t scheme = slice_starts(text, "https://") ? 8 : slice_starts(text, "http://") ? 7 : 0;
	size_t end = 0;

	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (c <= 0x20 || c >= 0x7f || strchr("\"<>\\^`{|}", c))
			return false;
	}
	authority = slice_cut(text, scheme, text.length);
	while (end < authority.length && !strchr("/?#", authority.data[end]))
		end++;
	authority = slice_cut(authority, 0, end);
	return scheme > 0 && end > 0 && !strchr(":@", authority.data[0]) &&
	       has_good_port(authority);
}

static bool bind_url(const struct binding *binding, struct fy_node *node, struct lg_slice text)
{
	if (!is_http_url(text))
		return bind_value_wrong(binding, node, NULL);
	*(struct lg_slice *)binding->place = text;
	return true;
}

static struct lg_slice path_beside(struct document *document, struct lg_slice path)
{
	const char *config = document_path(document);
	const char *slash = strrchr(config, '/');

	if (!slash || slice_starts(path, "/"))
		return arena_copy(document_arena(document), path);
	return arena_printf(document_arena(document), "%.*s/%.*s", (int)(slash - config), config,
			    SLICE_ARGS(path));
}

static bool bind_path(const struct binding *binding, struct fy_node *node, struct lg_slice text)
{
	if (text.length == 0 || memchr(text.data, '\0', text.length))
		return bind_value_wrong(binding, node, NULL);
	*(struct lg_slice *)binding->place = path_beside(binding->document, text);
	return true;
}

static bool bind_expression(const struct binding *binding, struct fy_node *node,
			    struct lg_slice text)
{
	struct error error = {""};

	if (binding->hooks->expression && !binding->hooks->expression(text, &error)) {
		ALWAYS(node);
		document_error(binding->document, node, "\"%s\": %s", binding->row->name,
			       error.text);
		return false;
	}
	*(struct lg_slice *)binding->place = text;
	return true;
}

/* An empty secret would sign and verify with a key that everybody knows. */
static bool bind_text(const struct binding *binding, struct fy_node *node, struct lg_slice text)
{
	const struct lg_option *row = binding->row;

	if (text.length == 0 && (row->type == LG_SECRET || (row->flags & LG_REQUIRED))) {
		ALWAYS(node);
		document_error(binding->document, node, "\"%s\" must not be empty", row->name);
		return false;
	}
	*(struct lg_slice *)binding->place = text;
	return true;
}

static bool bind_scalar(const struct binding *binding, struct fy_node *node, struct lg_slice text)
{
	if (!slice_present(text))
		return bind_value_wrong(binding, node, NULL);
	switch (binding->row->type) {
	case LG_STRING:
	case LG_SECRET: return bind_text(binding, node, text);
	case LG_BOOL: return bind_bool(binding, node, text);
	case LG_INTEGER:
	case LG_DURATION:
	case LG_SIZE: return bind_number(binding, node, text);
	case LG_ENUM: return bind_enum(binding, node, text);
	case LG_URL: return bind_url(binding, node, text);
	case LG_EXPRESSION: return bind_expression(binding, node, text);
	case LG_PATH: return bind_path(binding, node, text);
	default: return bind_value_wrong(binding, node, NULL);
	}
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
	if (slice_present(text))
		items[count++] = text;
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

/* ---- what does not stand in the document itself ------------------------------------ */

/* "one" or "[one, two]"; words only. */
static void fallback_list(const struct binding *binding, struct lg_slice text)
{
	struct arena *arena = document_arena(binding->document);
	struct lg_slice *items = arena_alloc(arena, (text.length + 1) * sizeof(*items));
	struct lg_slice item;
	size_t count = 0;

	ALWAYS(items);
	if (slice_starts(text, "[")) {
		ALWAYS(slice_ends(text, "]"));
		text = slice_trim(slice_cut(text, 1, text.length - 2));
	}
	while (text.length > 0 && slice_split(&text, ',', &item)) {
		items[count] = slice_trim(item);
		ALWAYS(items[count++].length > 0);
	}
	*(struct lg_list *)binding->place = (struct lg_list){items, count};
}

void bind_fallback(const struct binding *binding)
{
	struct lg_slice text = slice_from(binding->row->fallback);

	switch (binding->row->type) {
	case LG_LIST: fallback_list(binding, text); break;
	case LG_MAP:
	case LG_FIELD_MAP: ALWAYS(slice_is(text, "{}")); break;
	default: ALWAYS(bind_scalar(binding, NULL, text));
	}
}

static bool secret_wrong(const struct binding *binding, struct fy_node *node, struct lg_slice path,
			 const char *what)
{
	document_error(binding->document, node, "\"%s_file\": %.*s %s", binding->row->name,
		       SLICE_ARGS(path), what);
	return false;
}

bool bind_secret_file(const struct binding *binding, struct fy_node *node)
{
	struct arena *arena = document_arena(binding->document);
	struct lg_slice name = document_text(binding->document, node), path, bytes;
	struct error error = {""};
	mode_t mode;

	document_show(binding->document, node);
	if (name.length == 0)
		return !document_text_is_unset(binding->document, node) &&
		       secret_wrong(binding, node, LG_SLICE("expected"), bind_value_form(LG_PATH));
	path = path_beside(binding->document, name);
	if (!slice_present(path))
		return secret_wrong(binding, node, name, "cannot be read: no memory");
	if (!file_read(path.data, SECRET_FILE_MAX_BYTES, arena, &bytes, &mode, &error))
		return secret_wrong(binding, node, path, error.text);
	if (mode & S_IROTH)
		return secret_wrong(binding, node, path, "can be read by every user; chmod 600 it");
	bytes = slice_trim(bytes);
	if (bytes.length == 0)
		return secret_wrong(binding, node, path, "is empty");
	*(struct lg_slice *)binding->place = bytes;
	return true;
}
