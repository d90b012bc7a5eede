#include "verbs/arguments.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verbs/verb.h"

#define LOCAL_CONFIG "leadgate.yaml"
#define SYSTEM_CONFIG LG_SYSCONF_DIR "/leadgate/leadgate.yaml"

static bool usage(const char *name)
{
	const struct verb *verb = verb_find(name);

	fprintf(stderr, "usage: leadgate %s%s%s\n", name, *verb->arguments ? " " : "",
		verb->arguments);
	return false;
}

static bool complain(const char *name, const char *problem, const char *word)
{
	fprintf(stderr, "leadgate %s: %s: %s\n", name, problem, word);
	return usage(name);
}

/* Beside us first, as when somebody tries it out; then the installed one. */
static const char *default_config(void)
{
	return access(LOCAL_CONFIG, F_OK) == 0 ? LOCAL_CONFIG : SYSTEM_CONFIG;
}

static bool read_count(const char *text, int64_t *count)
{
	char *end;

	errno = 0;
	*count = strtoll(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && *count >= 0;
}

/* One of those that say what is to be done once more; false: it is none. */
static bool take_replay_option(struct arguments *arguments, int option, unsigned int options)
{
	if (option == 'd' && (options & ARGUMENT_DEAD))
		arguments->dead = true;
	else if (option == 's' && (options & ARGUMENT_SINCE))
		arguments->since = optarg;
	else if (option == 'y' && (options & (ARGUMENT_AGAIN | ARGUMENT_IMPORT)))
		arguments->dry_run = true;
	else if (option == 'a' && (options & (ARGUMENT_AGAIN | ARGUMENT_IMPORT)))
		arguments->again = true;
	else if (option == 'i' && (options & ARGUMENT_AGAIN))
		arguments->id = optarg;
	else
		return false;
	return true;
}

/* NULL: taken. */
static const char *take_map(struct arguments *arguments)
{
	if (arguments->map_count == ARGUMENT_MAPS_MAX)
		return "this is given too often";
	arguments->maps[arguments->map_count++] = optarg;
	return NULL;
}

/* One option; NULL: taken, otherwise what is wrong with it. */
static const char *take_option(struct arguments *arguments, int option, unsigned int options)
{
	if (option == 'c' && (options & ARGUMENT_CONFIG))
		arguments->config = optarg;
	else if (option == 'j' && (options & ARGUMENT_JSON))
		arguments->json = true;
	else if (option == 'o' && (options & ARGUMENT_OLDEST))
		arguments->oldest = true;
	else if (option == 'w' && (options & ARGUMENT_WAIT))
		arguments->wait = true;
	else if (option == 'h' && (options & ARGUMENT_HISTORY))
		arguments->history = true;
	else if (take_replay_option(arguments, option, options))
		return NULL;
	else if (option == 'r' && (options & ARGUMENT_IMPORT))
		arguments->rejects = optarg;
	else if (option == 'm' && (options & ARGUMENT_IMPORT))
		return take_map(arguments);
	else if (option != 'n' || !(options & ARGUMENT_COUNT))
		return option == ':' ? "this option needs a value" : "unknown option";
	else if (!read_count(optarg, &arguments->count))
		return "a count is a number from 0";
	return NULL;
}

/* The option as it was typed: of letters that share a word the one, of a word and its value
 * the word. `before`: optind when it was not read yet. */
static const char *typed(char **argv, int option, int before, char letter[3])
{
	const char *last = argv[optind - 1];
	bool is_long = optind > before && strncmp(last, "--", 2) == 0;

	if (option == '?' && optopt && !is_long) {
		letter[0] = '-';
		letter[1] = (char)optopt;
		letter[2] = '\0';
		return letter;
	}
	return optarg == last ? argv[optind - 2] : last;
}

static bool read_options(struct arguments *arguments, int argc, char **argv, unsigned int options)
{
	static const struct option names[] = {
		{.name = "config", .has_arg = required_argument, .val = 'c'},
		{.name = "json", .has_arg = no_argument, .val = 'j'},
		{.name = "oldest", .has_arg = no_argument, .val = 'o'},
		{.name = "history", .has_arg = no_argument, .val = 'h'},
		{.name = "wait", .has_arg = no_argument, .val = 'w'},
		{.name = "limit", .has_arg = required_argument, .val = 'n'},
		{.name = "dead", .has_arg = no_argument, .val = 'd'},
		{.name = "dry-run", .has_arg = no_argument, .val = 'y'},
		{.name = "again", .has_arg = no_argument, .val = 'a'},
		{.name = "since", .has_arg = required_argument, .val = 's'},
		{.name = "id", .has_arg = required_argument, .val = 'i'},
		{.name = "map", .has_arg = required_argument, .val = 'm'},
		{.name = "rejects", .has_arg = required_argument, .val = 'r'},
		{.name = NULL},
	};
	int option, before = 0;
	char letter[3];

	optind = 0; /* glibc: begin anew, whatever was read before */
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":c:n:", names, NULL)) != -1) {
		const char *problem = take_option(arguments, option, options);

		if (problem)
			return complain(argv[0], problem, typed(argv, option, before, letter));
		before = optind;
	}
	return true;
}

bool arguments_read(struct arguments *arguments, int argc, char **argv, unsigned int options,
		    int least_operands, int most_operands)
{
	*arguments = (struct arguments){.count = -1};
	if (!read_options(arguments, argc, argv, options))
		return false;
	arguments->operands = argv + optind;
	arguments->operand_count = argc - optind;
	if (arguments->operand_count < least_operands)
		return usage(argv[0]);
	if (arguments->operand_count > most_operands)
		return complain(argv[0], "too many arguments", arguments->operands[most_operands]);
	for (int i = 0; i < arguments->operand_count; i++)
		if (!arguments->operands[i][0])
			return complain(argv[0], "an argument is empty", "''");
	if (!arguments->config && (options & ARGUMENT_CONFIG))
		arguments->config = default_config();
	return true;
}
