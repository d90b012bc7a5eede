#include <stdio.h>

#include "supervise/daemon.h"
#include "verbs/arguments.h"
#include "verbs/store.h"
#include "verbs/verb.h"

int verb_check(int argc, char **argv)
{
	struct arguments arguments;
	struct store store;
	int status;

	if (!arguments_read(&arguments, argc, argv, ARGUMENT_CONFIG, 0, 0))
		return EXIT_USAGE;
	status = store_configure(&store, arguments.config);
	if (status == EXIT_DONE)
		printf("%s: good: %zu listeners, %zu sources, %zu sinks\n", arguments.config,
		       store.settings->listen_count, store.settings->source_count,
		       store.settings->sink_count);
	store_close(&store);
	return status;
}
