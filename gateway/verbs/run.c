#include "supervise/daemon.h"
#include "verbs/arguments.h"
#include "verbs/verb.h"

int verb_run(int argc, char **argv)
{
	struct arguments arguments;

	if (!arguments_read(&arguments, argc, argv, ARGUMENT_CONFIG, 0, 0))
		return EXIT_USAGE;
	return daemon_run(arguments.config);
}
