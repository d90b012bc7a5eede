#include <leadgate/plugin.h>

#include <stdio.h>

#include "supervise/daemon.h"
#include "verbs/arguments.h"
#include "verbs/verb.h"

int verb_version(int argc, char **argv)
{
	struct arguments arguments;

	/* `leadgate --version` comes here under its own name. */
	argv[0] = (char[]){"version"};
	if (!arguments_read(&arguments, argc, argv, ARGUMENT_JSON, 0, 0))
		return EXIT_USAGE;
	printf(arguments.json ? "{\"version\":\"%s\",\"abi\":\"%d.%d\"}\n"
			      : "leadgate %s, plugin ABI %d.%d\n",
	       PACKAGE_VERSION, LG_ABI_MAJOR, LG_ABI_MINOR);
	return EXIT_DONE;
}
