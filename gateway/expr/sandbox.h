/* A Lua state without Lua's libraries, in bounds. Functions that take a
 * lua_State are for code that runs under lua_pcall: they may raise. */
#ifndef EXPR_SANDBOX_H
#define EXPR_SANDBOX_H

#include <lua.h>

#include "expr/expr.h"

struct sandbox {
	lua_State *lua;
	int64_t memory_bytes, used_bytes;
	int64_t steps, steps_left;
	const struct expr_reader *reader; /* of the evaluation under way */
};

/* False when memory ran out. The struct must not move afterwards. */
bool sandbox_init(struct sandbox *sandbox, const struct expr_limits *limits);
void sandbox_fini(struct sandbox *sandbox);

/* Runs `body(argument)` protected. False with the reason in plain words. */
bool sandbox_call(struct sandbox *sandbox, lua_CFunction body, void *argument, struct error *error);

struct sandbox *sandbox_of(lua_State *lua);

/* Raises an error in our own words, with Lua's formats (lua_pushfstring). */
void sandbox_raise(lua_State *lua, const char *format, ...) __attribute__((noreturn));

/* Counts steps; raises when the evaluation has taken too many. */
void sandbox_charge(lua_State *lua, int64_t steps);
/* The steps that `bytes` of text count. */
#define SANDBOX_TEXT_STEPS(bytes) (1 + (int64_t)((bytes) / 16))

/* Pushes the reader's next item of a list; false, and nothing pushed, at its end. */
bool sandbox_next(lua_State *lua, const void *list, const void **at);

#endif
