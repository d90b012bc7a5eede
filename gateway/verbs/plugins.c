#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "codec/json_writer.h"
#include "config/manual.h"
#include "host/library.h"
#include "supervise/daemon.h"
#include "verbs/arguments.h"
#include "verbs/print.h"
#include "verbs/verb.h"
#include "verbs/view.h"

struct listing {
	struct buffer out;
	bool json;
};

static const char *kind_name(const struct library *library)
{
	return library->plugin.kind == LG_SOURCE ? "source" : "sink";
}

static const char *text_or(const char *text, const char *otherwise)
{
	return text ? text : otherwise;
}

static void write_choices(struct json_writer *writer, struct lg_slice rest)
{
	struct lg_slice choice;

	json_write_name(writer, slice_from("choices"));
	json_write_open(writer, '[');
	while (slice_split(&rest, '|', &choice))
		json_write_text(writer, choice);
	json_write_close(writer, ']');
}

static void write_range(struct json_writer *writer, const struct lg_option *row)
{
	char min[QUANTITY_TEXT_BYTES], max[QUANTITY_TEXT_BYTES];

	quantity_print(row->type, row->min, min);
	quantity_print(row->type, row->max, max);
	json_write_member_text(writer, "min", slice_from(min));
	json_write_member_text(writer, "max", slice_from(max));
}

static void write_default(struct json_writer *writer, const struct lg_option *row)
{
	struct lg_slice text = slice_from(row->fallback), rest, word;

	if (row->type != LG_LIST || !row->fallback) {
		json_write_member_text(writer, "default", text);
		return;
	}
	rest = option_words(text);
	json_write_name(writer, slice_from("default"));
	json_write_open(writer, '[');
	while (rest.length > 0 && slice_split(&rest, ',', &word))
		json_write_text(writer, slice_trim(word));
	json_write_close(writer, ']');
}

/* Texts throughout, and lists of them, so that each is what a configuration may say. */
static void write_option(struct json_writer *writer, const struct lg_option *row)
{
	json_write_open(writer, '{');
	json_write_member_text(writer, "name", slice_from(row->name));
	json_write_member_text(writer, "type", slice_from(manual_type(row->type)));
	json_write_member_bool(writer, "required", (row->flags & LG_REQUIRED) != 0);
	write_default(writer, row);
	if (row->min != 0 || row->max != 0)
		write_range(writer, row);
	if (row->type == LG_ENUM)
		write_choices(writer, slice_from(row->choices));
	json_write_member_text(writer, "help", slice_from(row->help));
	json_write_close(writer, '}');
}

static void write_options(struct json_writer *writer, const struct option_table *table)
{
	json_write_name(writer, slice_from("options"));
	json_write_open(writer, '[');
	for (size_t i = 0; i < table->count; i++) {
		struct lg_option row = option_at(table, i);

		write_option(writer, &row);
	}
	json_write_close(writer, ']');
}

static void write_json(struct buffer *out, const struct library *library)
{
	const struct lg_plugin *plugin = &library->plugin;
	struct json_writer writer;

	json_writer_init(&writer, out);
	json_write_open(&writer, '{');
	json_write_member_text(&writer, "name", slice_from(plugin->name));
	json_write_member_text(&writer, "kind", slice_from(kind_name(library)));
	json_write_member_text(&writer, "version", slice_from(text_or(plugin->version, "")));
	json_write_member_int(&writer, "abi_major", plugin->abi_major);
	json_write_member_int(&writer, "abi_minor", plugin->abi_minor);
	json_write_member_text(&writer, "path", slice_from(library->path));
	json_write_member_text(&writer, "summary", slice_from(text_or(plugin->summary, "")));
	if (plugin->kind == LG_SOURCE && plugin->source->receive)
		json_write_member_text(&writer, "methods", slice_from(plugin->methods));
	write_options(&writer, &library->options);
	json_write_close(&writer, '}');
	buffer_add_byte(out, '\n');
}

static void list_one(void *arg, const struct library *library)
{
	struct listing *listing = arg;

	if (listing->json)
		write_json(&listing->out, library);
	else
		buffer_printf(&listing->out, "%-16s %-7s %-8s %s\n", library->plugin.name,
			      kind_name(library), text_or(library->plugin.version, "-"),
			      text_or(library->plugin.summary, ""));
}

static void show_problem(void *arg, const char *text)
{
	(void)arg;
	fprintf(stderr, "leadgate: %s\n", text);
}

static void describe(struct buffer *out, const struct library *library)
{
	const struct lg_plugin *plugin = &library->plugin;

	buffer_printf(out, "%s, %s plugin %s for ABI %u.%u\n%s\n%s\n", plugin->name,
		      kind_name(library), text_or(plugin->version, "-"), plugin->abi_major,
		      plugin->abi_minor, library->path, text_or(plugin->summary, ""));
	if (plugin->kind == LG_SOURCE && plugin->source->receive)
		buffer_printf(out, "methods: %s\n", plugin->methods);
	buffer_add_literal(out, "\n");
	manual_text(out, &library->options);
}

static bool show_one(struct listing *listing, const char *name)
{
	struct error error = {0};
	const struct library *library = library_load(slice_from(name), &error);

	if (!library) {
		fprintf(stderr, "leadgate: %s\n", error.text);
		return false;
	}
	if (listing->json)
		write_json(&listing->out, library);
	else
		describe(&listing->out, library);
	return true;
}

/* The folders stand in the configuration; without one, the environment's and
 * the installed folder are searched. */
static int find_folders(struct view *view, const char *config)
{
	if (access(config, F_OK) == 0)
		return view_configure(view, config);
	settings_plugin_path(NULL);
	return EXIT_DONE;
}

int verb_plugins(int argc, char **argv)
{
	struct arguments arguments;
	struct listing listing = {0};
	struct view view = {0};
	int status;

	if (!arguments_read(&arguments, argc, argv, ARGUMENT_CONFIG | ARGUMENT_JSON, 0, 1))
		return EXIT_USAGE;
	listing.json = arguments.json;
	buffer_init(&listing.out, SIZE_MAX);
	status = find_folders(&view, arguments.config);
	if (status == EXIT_DONE && arguments.operand_count == 1)
		status = show_one(&listing, arguments.operands[0]) ? EXIT_DONE : EXIT_FAILED;
	else if (status == EXIT_DONE)
		library_each(list_one, show_problem, &listing);
	if (status == EXIT_DONE && !print_buffer(&listing.out))
		status = EXIT_FAILED;
	buffer_fini(&listing.out);
	view_close(&view);
	return status;
}
