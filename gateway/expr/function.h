/* The functions that an expression may call. Each has bounded work: it counts
 * steps for the items and the text that it walks over. */
#ifndef EXPR_FUNCTION_H
#define EXPR_FUNCTION_H

#include <lua.h>

/* The names, NULL at the end. */
extern const char *const function_names[];

/* Sets all functions in the table on top of the stack. May raise. */
void function_register(lua_State *lua);

#endif
