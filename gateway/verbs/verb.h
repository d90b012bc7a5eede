/* A command: one file each, all in one table. */
#ifndef VERBS_VERB_H
#define VERBS_VERB_H

struct verb {
	const char *name;
	const char *arguments;		   /* "[-c FILE] [--json]" */
	const char *summary;		   /* one line for the list */
	int (*run)(int argc, char **argv); /* argv[0]: the name; an exit status */
};

extern const struct verb verb_table[]; /* ends with name NULL */

/* NULL: there is no such command. */
const struct verb *verb_find(const char *name);

/* Prints its usage and what it does, for who asked. Returns EXIT_DONE. */
int verb_describe(const struct verb *verb);

/* Says on standard error that there is no such command and which one is near. Returns
 * the exit status of a wrong usage. */
int verb_unknown(const char *name);

/* Finds and runs argv[1]; prints usage on a mistake. */
int verb_main(int argc, char **argv);

int verb_run(int argc, char **argv);
int verb_check(int argc, char **argv);
int verb_reload(int argc, char **argv);
int verb_status(int argc, char **argv);
int verb_plugins(int argc, char **argv);
int verb_leads(int argc, char **argv);
int verb_show(int argc, char **argv);
int verb_explain(int argc, char **argv);
int verb_sinks(int argc, char **argv);
int verb_claims(int argc, char **argv);
int verb_fetch(int argc, char **argv);
int verb_backfill(int argc, char **argv);
int verb_import(int argc, char **argv);
int verb_imports(int argc, char **argv);
int verb_balance(int argc, char **argv);
int verb_dead(int argc, char **argv);
int verb_replay(int argc, char **argv);
int verb_pause(int argc, char **argv);
int verb_resume(int argc, char **argv);
int verb_forget(int argc, char **argv);
int verb_backup(int argc, char **argv);
int verb_manual(int argc, char **argv);
int verb_version(int argc, char **argv);
int verb_help(int argc, char **argv);

#endif
