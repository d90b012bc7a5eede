/* Option values against each other, as they were resolved: what was read from
 * the environment or from a secret's file is compared, not how it was spelt.
 * Pure; any thread. */
#ifndef CONFIG_COMPARE_H
#define CONFIG_COMPARE_H

#include "config/bind.h"

/* Whether the option has the same value in both structs that the rows fill. */
bool compare_option(const struct lg_option *row, const void *a, const void *b);

/* Whether all options of a table have. */
bool compare_options(const struct option_table *table, const void *a, const void *b);

/* Sets the option in `to` to its value in `from`; lists and texts stay where
 * they are, so the memory of `from` must live as long as `to`. */
void compare_copy(const struct lg_option *row, void *to, const void *from);

#endif
