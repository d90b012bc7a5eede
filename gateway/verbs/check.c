#include <stdio.h>

#include "supervise/daemon.h"
#include "verbs/arguments.h"
#include "verbs/verb.h"
#include "verbs/view.h"

int verb_check(int argc, char **argv)
{
	struct arguments arguments;
	struct view view;
	int status;

	if (!arguments_read(&arguments, argc, argv, ARGUMENT_CONFIG, 0, 0))
		return EXIT_USAGE;
	status = view_configure(&view, arguments.config);
	if (status == EXIT_DONE)
		printf("%s: good: %zu listeners, %zu sources, %zu sinks\n", arguments.config,
		       view.settings->listen_count, view.settings->source_count,
		       view.settings->sink_count);
	view_close(&view);
	return status;
}
