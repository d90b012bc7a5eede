/* "${NAME}" from the environment, in text. Main thread. */
#ifndef CONFIG_ENVIRONMENT_H
#define CONFIG_ENVIRONMENT_H

#include "base/arena.h"
#include "base/error.h"

/* Replaces "${NAME}" by the variable's value and "$$" by "$"; any other dollar
 * stays. What is put in is not looked at again. Text without a dollar is given
 * back as it is. False with a reason when a name is not set, is no name, or
 * has no closing brace, or memory ran out. */
bool environment_expand(struct arena *arena, struct lg_slice text, struct lg_slice *expanded,
			struct error *error);

#endif
