/* A command: one file each, all in one table. */
#ifndef VERBS_VERB_H
#define VERBS_VERB_H

struct verb {
	const char *name;
	const char *arguments; /* "[-c FILE] [--json]" */
	const char *summary;   /* one line for the list */
	int (*run)(int argc, char **argv); /* argv[0]: the name; an exit status */
};

extern const struct verb verb_table[]; /* ends with name NULL */

/* Finds and runs argv[1]; prints usage on a mistake. */
int verb_main(int argc, char **argv);

#endif
