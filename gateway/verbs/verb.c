#include "verbs/verb.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/suggestion.h"
#include "lead/field.h"
#include "supervise/daemon.h"

const struct verb verb_table[] = {
	{"run", "[-c FILE]", "take leads in and forward them until SIGTERM", verb_run},
	{"check", "[-c FILE]", "read the configuration and name every mistake", verb_check},
	{"reload", "[-c FILE] [--json] [--wait]", "have the gateway take its configuration anew",
	 verb_reload},
	{"status", "[-c FILE] [--json]", "show how the gateway stands", verb_status},
	{"plugins", "[-c FILE] [--json] [NAME]", "list plugins, or show one with its options",
	 verb_plugins},
	{"leads", "[-c FILE] [--json] [-n COUNT] [--oldest]", "list leads, newest first",
	 verb_leads},
	{"show", "[-c FILE] [--json] [--history] ID", "show a lead by its id or by a receipt",
	 verb_show},
	{"explain", "[-c FILE] [--json] ID",
	 "tell all of a lead: by id, receipt, claim, email or phone number", verb_explain},
	{"sinks", "[-c FILE] [--json]", "show how far each sink is", verb_sinks},
	{"claims", "[-c FILE] [--json] [-n COUNT] [SOURCE]",
	 "list what is still to be fetched, or cannot be", verb_claims},
	{"fetch", "[-c FILE] [--dead] SOURCE", "try a source's claims now", verb_fetch},
	{"backfill", "[-c FILE] --since TIME SOURCE",
	 "fetch a source's leads since then; what is known is not stored twice", verb_backfill},
	{"import",
	 "[-c FILE] [--json] [--dry-run] [--again] [--map COLUMN=FIELD]... [--rejects FILE] "
	 "SOURCE FILE",
	 "take the leads of a file in, or go on with it", verb_import},
	{"imports", "[-c FILE] [--json] [-n COUNT] [SOURCE]", "list imported files, newest first",
	 verb_imports},
	{"balance", "[-c FILE] [--json]", "count whether every event has its state for every sink",
	 verb_balance},
	{"dead", "[-c FILE] [--json] [-n COUNT] SINK", "list the dead letters of a sink",
	 verb_dead},
	{"replay", "[-c FILE] [--json] [--dry-run] [--again] [--dead|--since TIME|--id ID] SINK",
	 "deliver events once more, dead letters by default", verb_replay},
	{"pause", "[-c FILE] SINK [REASON]", "let nothing go to a sink", verb_pause},
	{"resume", "[-c FILE] SINK", "end a pause", verb_resume},
	{"forget", "[-c FILE] SINK", "drop what the journal keeps of a sink that was removed",
	 verb_forget},
	{"backup", "[-c FILE] COPY", "copy the journal, beside a running gateway too", verb_backup},
	{"manual", "", "print the options of the configuration for man(7)", verb_manual},
	{"version", "[--json]", "print the version", verb_version},
	{"help", "[COMMAND]", "print this list, or a command's usage", verb_help},
	{NULL, NULL, NULL, NULL},
};

const struct verb *verb_find(const char *name)
{
	for (const struct verb *verb = verb_table; verb->name; verb++)
		if (strcmp(verb->name, name) == 0)
			return verb;
	return NULL;
}

int verb_unknown(const char *name)
{
	struct suggestion suggestion;

	suggestion_init(&suggestion, slice_from(name));
	for (const struct verb *verb = verb_table; verb->name; verb++)
		suggestion_try(&suggestion, slice_from(verb->name));
	fprintf(stderr, "leadgate: unknown command: %s", name);
	if (slice_present(suggestion.nearest))
		fprintf(stderr, "; did you mean \"%s\"?", suggestion.nearest.data);
	fprintf(stderr, "\nleadgate help lists the commands\n");
	return EXIT_USAGE;
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* Wherever it stands among the words of a command: nobody means it as a value. */
static bool wants_help(char **words)
{
	for (; *words && strcmp(*words, "--") != 0; words++)
		if (is_help(*words))
			return true;
	return false;
}

int verb_main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	const struct verb *verb;

	if (!*name) {
		fprintf(stderr, "leadgate: no command\nleadgate help lists the commands\n");
		return EXIT_USAGE;
	}
	if (is_help(name))
		name = "help";
	if (strcmp(name, "--version") == 0)
		name = "version";
	verb = verb_find(name);
	if (!verb)
		return verb_unknown(name);
	if (wants_help(argv + 2))
		return verb_describe(verb);
	field_setup();
	return verb->run(argc - 1, argv + 1);
}
