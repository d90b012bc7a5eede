#include <stdio.h>

#include "supervise/daemon.h"
#include "verbs/arguments.h"
#include "verbs/print.h"
#include "verbs/verb.h"
#include "verbs/view.h"

static void say_good(const char *config, const struct settings *settings)
{
	size_t listeners = settings->listen_count, sources = settings->source_count;
	size_t sinks = settings->sink_count;

	printf("%s: good: %zu listener%s, %zu source%s, %zu sink%s\n", config, listeners,
	       print_plural((int64_t)listeners), sources, print_plural((int64_t)sources), sinks,
	       print_plural((int64_t)sinks));
}

int verb_check(int argc, char **argv)
{
	struct arguments arguments;
	struct view view;
	int status;

	if (!arguments_read(&arguments, argc, argv, ARGUMENT_CONFIG, 0, 0))
		return EXIT_USAGE;
	status = view_check(&view, arguments.config);
	if (status == EXIT_DONE)
		say_good(arguments.config, view.settings);
	view_close(&view);
	return status;
}
