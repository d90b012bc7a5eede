/* The options part of leadgate.yaml(5): every section, then every plugin. */
#include "config/manual.h"

#include <stdio.h>

#include "host/library.h"
#include "supervise/daemon.h"
#include "supervise/settings.h"
#include "verbs/arguments.h"
#include "verbs/print.h"
#include "verbs/verb.h"

static void add_plugin(void *arg, const struct library *library)
{
	struct buffer *out = arg;

	buffer_printf(out, ".SS \"%s %s\"\n%s.\n",
		      library->plugin.kind == LG_SOURCE ? "source plugin" : "sink plugin",
		      library->plugin.name, library->plugin.summary ? library->plugin.summary : "");
	manual_roff(out, &library->options);
}

static void show_problem(void *arg, const char *text)
{
	(void)arg;
	fprintf(stderr, "leadgate: %s\n", text);
}

/* What stands in a section beside its own rows. */
static void add_more(struct buffer *out, const struct settings_section *section)
{
	if (section->http_table.count > 0) {
		buffer_printf(out,
			      ".SS \"%s that make calls\"\nFurther options of the "
			      "gateway, where the plugin makes calls by HTTP.\n",
			      section->name);
		manual_roff(out, &section->http_table);
	}
	if (section->file_table.count > 0) {
		buffer_printf(out,
			      ".SS \"%s that read files\"\nFurther options of the "
			      "gateway, where the plugin reads files that are imported.\n",
			      section->name);
		manual_roff(out, &section->file_table);
	}
	if (section->tls_table.count > 0) {
		buffer_printf(out,
			      ".SS \"%s: tls\"\nA mapping below an entry lets it speak TLS. "
			      "\\fBcertificates\\fR may be a list of more mappings, each with "
			      "\\fBcertificate\\fR and \\fBkey\\fR: a client gets the one that "
			      "is made out for the name it asks for.\n",
			      section->name);
		manual_roff(out, &section->tls_table);
	}
}

int verb_manual(int argc, char **argv)
{
	struct arguments arguments;
	struct settings_section section;
	struct buffer out;
	bool good;

	if (!arguments_read(&arguments, argc, argv, 0, 0, 0))
		return EXIT_USAGE;
	buffer_init(&out, SIZE_MAX);
	for (size_t i = 0; settings_section_at(i, &section); i++) {
		buffer_printf(&out, ".SS %s\n%c%s.\n", section.name, section.help[0] - 'a' + 'A',
			      section.help + 1);
		manual_roff(&out, &section.table);
		add_more(&out, &section);
	}
	settings_plugin_path(NULL);
	buffer_add_literal(&out, ".SH \"OPTIONS OF PLUGINS\"\n");
	library_each(add_plugin, show_problem, &out);
	good = print_buffer(&out);
	buffer_fini(&out);
	return good ? EXIT_DONE : EXIT_FAILED;
}
