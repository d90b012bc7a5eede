#include "config/manual.h"

#include "base/outline.h"
#include "config/bind_value.h"

const char *manual_type(int32_t type)
{
	static const char *const names[] = {
		[LG_STRING] = "string",
		[LG_SECRET] = "secret",
		[LG_BOOL] = "true or false",
		[LG_INTEGER] = "number",
		[LG_DURATION] = "duration",
		[LG_SIZE] = "size",
		[LG_ENUM] = "word",
		[LG_LIST] = "list of strings",
		[LG_MAP] = "mapping of strings",
		[LG_URL] = "URL",
		[LG_EXPRESSION] = "expression",
		[LG_FIELD_MAP] = "field map",
		[LG_PATH] = "path",
	};

	if (type == OUTLINE_OPTION)
		return "mapping of expressions";
	return type < LG_STRING || type > LG_PATH ? "unknown type" : names[type];
}

/* As a configuration says it: a list without brackets would be one entry there. */
static void print_fallback(struct buffer *out, const struct lg_option *row)
{
	struct lg_slice text = slice_from(row->fallback);

	if (row->type == LG_LIST)
		buffer_printf(out, ", default [%.*s]", SLICE_ARGS(option_words(text)));
	else
		buffer_printf(out, ", default %s", row->fallback);
}

/* "duration, 1s to 10m, default 5s" */
static void print_facts(struct buffer *out, const struct lg_option *row)
{
	char min[QUANTITY_TEXT_BYTES], max[QUANTITY_TEXT_BYTES];
	struct lg_slice rest = slice_from(row->choices), choice;

	if (row->type == LG_ENUM) {
		for (const char *before = ""; slice_split(&rest, '|', &choice); before = " | ")
			buffer_printf(out, "%s%.*s", before, SLICE_ARGS(choice));
	} else {
		buffer_printf(out, "%s", manual_type(row->type));
	}
	if (row->min != 0 || row->max != 0) {
		quantity_print(row->type, row->min, min);
		quantity_print(row->type, row->max, max);
		buffer_printf(out, ", %s to %s", min, max);
	}
	if (row->flags & LG_REQUIRED)
		buffer_add_literal(out, ", required");
	else if (row->fallback)
		print_fallback(out, row);
}

void manual_text(struct buffer *out, const struct option_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		struct lg_option row = option_at(table, i);

		buffer_printf(out, "  %s (", row.name);
		print_facts(out, &row);
		buffer_printf(out, ")\n      %s\n", row.help ? row.help : "");
	}
}

/* A line that begins with a dot or an apostrophe would be a request, and a
 * backslash or a hyphen means something else to roff. */
static void add_roff(struct buffer *out, struct lg_slice text)
{
	if (slice_starts(text, ".") || slice_starts(text, "'"))
		buffer_add_literal(out, "\\&");
	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] == '\\')
			buffer_add_literal(out, "\\e");
		else if (text.data[i] == '-')
			buffer_add_literal(out, "\\-");
		else
			buffer_add_byte(out, text.data[i]);
	}
}

void manual_roff(struct buffer *out, const struct option_table *table)
{
	struct buffer facts;

	buffer_init(&facts, SIZE_MAX);
	for (size_t i = 0; i < table->count; i++) {
		struct lg_option row = option_at(table, i);

		buffer_clear(&facts);
		print_facts(&facts, &row);
		buffer_add_literal(out, ".TP\n\\fB");
		add_roff(out, slice_from(row.name));
		buffer_add_literal(out, "\\fR (");
		add_roff(out, buffer_slice(&facts));
		buffer_add_literal(out, ")\n");
		add_roff(out, slice_from(row.help));
		buffer_add_byte(out, '\n');
	}
	out->failed |= facts.failed;
	buffer_fini(&facts);
}
