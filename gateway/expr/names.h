/* Paths of an expression against the names that are known. Pure; any thread. */
#ifndef EXPR_NAMES_H
#define EXPR_NAMES_H

#include "expr/expr.h"

/* Whether `path` is a known one, or the beginning of one. */
bool names_known(const struct expr_names *names, struct lg_slice path);

#define NAMES_ADVICE_BYTES 400

/* What to say about an unknown path whose last name alone is wrong:
 * "; did you mean 'status'?", or the names that may stand there, or "". */
void names_advise(const struct expr_names *names, struct lg_slice path,
		  char advice[NAMES_ADVICE_BYTES]);

/* The same for a function's name among `known` (NULL at the end). */
void names_advise_function(struct lg_slice name, const char *const *known,
			   char advice[NAMES_ADVICE_BYTES]);

#endif
