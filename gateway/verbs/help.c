#include <stdio.h>

#include "supervise/daemon.h"
#include "verbs/verb.h"

static void print_list(void)
{
	printf("leadgate takes leads in from forms, hooks and files, stores them durably and "
	       "forwards them.\n\n"
	       "usage: leadgate COMMAND [OPTIONS]\n\n");
	for (const struct verb *verb = verb_table; verb->name; verb++)
		printf("  %-9s %s\n", verb->name, verb->summary);
	printf("\n  -c FILE   the configuration; otherwise ./leadgate.yaml, then\n"
	       "            " LG_SYSCONF_DIR "/leadgate/leadgate.yaml\n"
	       "  --json    one JSON object a line\n\n"
	       "See leadgate(1) and leadgate.yaml(5).\n");
}

int verb_describe(const struct verb *verb)
{
	printf("usage: leadgate %s%s%s\n%s\n", verb->name, *verb->arguments ? " " : "",
	       verb->arguments, verb->summary);
	return EXIT_DONE;
}

int verb_help(int argc, char **argv)
{
	const struct verb *verb = argc > 1 ? verb_find(argv[1]) : NULL;

	if (argc < 2) {
		print_list();
		return EXIT_DONE;
	}
	if (!verb)
		return verb_unknown(argv[1]);
	if (argc > 2) {
		fprintf(stderr, "usage: leadgate help [COMMAND]\n");
		return EXIT_USAGE;
	}
	return verb_describe(verb);
}
