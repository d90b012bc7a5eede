/* The grammar of an expression: what passes is one Lua expression out of the
 * subset of expr.h and nothing else, so that Lua never sees a statement, a
 * definition or a call of anything but our functions. Precedence is left to
 * Lua: it does not matter for what is allowed.
 *
 *   expression := operand { binary operand }
 *   operand    := { unary } ( literal | path | call | "(" expression ")" { member } | list )
 *   path       := name { member }
 *   member     := "." name | "[" expression "]"
 *   call       := function "(" [ expression { "," expression } ] ")"
 *   list       := "{" [ expression { "," expression } ] "}" */
#ifndef EXPR_GUARD_H
#define EXPR_GUARD_H

#include "expr/expr.h"

#define GUARD_DEPTH_MAX 32   /* brackets, calls and signs within one another */
#define GUARD_CONCATS_MAX 64 /* each may copy all of its text */
#define GUARD_PATH_BYTES 256

/* `functions`: the names that may be called, NULL at the end. `names` NULL: any
 * path is taken. Pure; any thread. */
bool guard_check(struct lg_slice text, const char *const *functions, const struct expr_names *names,
		 struct error *error);

#endif
