/* What stands behind a command's name, read the same way by all of them. */
#ifndef VERBS_ARGUMENTS_H
#define VERBS_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Options that a command takes. */
#define ARGUMENT_CONFIG 1u   /* -c FILE, --config FILE */
#define ARGUMENT_JSON 2u     /* --json */
#define ARGUMENT_COUNT 4u    /* -n COUNT, --limit COUNT */
#define ARGUMENT_OLDEST 8u   /* --oldest */
#define ARGUMENT_WAIT 16u    /* --wait */
#define ARGUMENT_HISTORY 32u /* --history */
#define ARGUMENT_DEAD 64u    /* --dead */
#define ARGUMENT_SINCE 128u  /* --since TIME */
#define ARGUMENT_AGAIN 256u  /* --id ID, --dry-run, --again */
#define ARGUMENT_IMPORT 512u /* --map COLUMN=FIELD, --rejects FILE, --dry-run, --again */
#define ARGUMENT_REPLAY (ARGUMENT_DEAD | ARGUMENT_SINCE | ARGUMENT_AGAIN)

/* As often as --map may be given. */
#define ARGUMENT_MAPS_MAX 256

struct arguments {
	const char *config; /* never NULL when the command takes one */
	bool json, oldest, wait, history;
	bool dead, dry_run, again;
	const char *since, *id, *rejects; /* NULL: not given */
	const char *maps[ARGUMENT_MAPS_MAX];
	size_t map_count;
	int64_t count; /* -1: not given */
	char **operands;
	int operand_count;
};

/* Reads them; argv[0] is the command's name. False after a usage line on
 * standard error: the command ends with EXIT_USAGE. */
bool arguments_read(struct arguments *arguments, int argc, char **argv, unsigned int options,
		    int least_operands, int most_operands);

#endif
