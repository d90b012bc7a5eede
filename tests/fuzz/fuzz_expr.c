/* Expressions: what is accepted is one Lua expression, also in brackets of its
 * own, and runs against any record within its bounds; what is refused says where. */
#include "fuzz.h"

#include <lauxlib.h>
#include <stdlib.h>

#include "expr/expr.h"

/* The one list of the record: its bytes are the places of its items. */
static const char list[4];

/* A record that has every name: what a name holds depends on its letters. */
static void member(const void *context, const void *node, struct lg_slice name,
		   struct expr_value *value)
{
	uint8_t sum = 0;

	(void)node;
	for (size_t i = 0; i < name.length; i++)
		sum = (uint8_t)(sum * 31 + (uint8_t)name.data[i]);
	value->kind = sum % 6;
	value->truth = sum & 64;
	value->integer = sum - 128;
	value->number = sum / 7.0;
	value->text = name;
	value->node = context;
}

static bool next(const void *context, const void *node, const void **at, struct expr_value *value)
{
	const char *place = *at ? *at : list;

	member(context, node, slice_of("abcd", 1 + (size_t)(place - list)), value);
	*at = place + 1;
	return place < list + 3;
}

static void evaluate(struct lg_slice text)
{
	static const struct expr_limits limits = {.memory_bytes = 256 << 10, .steps = 20000};
	const struct expr_reader reader = {.context = list, .member = member, .next = next};
	struct expr_state *state = expr_state_new(&limits);
	struct expr_value value;
	struct error error = {""};
	struct arena arena;
	struct expr *expr;

	ALWAYS(state);
	arena_init(&arena, 1024, 1 << 20);
	expr = expr_new(state, text, &error);
	ALWAYS(expr || error.text[0]);
	if (expr && !expr_evaluate(expr, &reader, &arena, &value, &error))
		ALWAYS(error.text[0]);
	expr_free(&expr);
	expr_state_free(&state);
	arena_fini(&arena);
}

/* Were there a way out of the expression, brackets around it would not close. */
static void compile_in_brackets(struct lg_slice text)
{
	lua_State *lua = luaL_newstate();
	luaL_Buffer buffer;

	ALWAYS(lua);
	luaL_buffinit(lua, &buffer);
	luaL_addstring(&buffer, "return (");
	luaL_addlstring(&buffer, text.data, text.length);
	luaL_addstring(&buffer, "), (true)");
	luaL_pushresult(&buffer);
	ALWAYS(luaL_loadstring(lua, lua_tostring(lua, -1)) == LUA_OK);
	lua_close(lua);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lg_slice text = slice_of((const char *)data, size);
	struct error error = {""};

	if (expr_check(text, NULL, &error)) {
		compile_in_brackets(text);
		evaluate(text);
	} else {
		char *end;
		ALWAYS(strtoul(error.text, &end, 10) >= 1 && *end == ':');
		ALWAYS(strtoul(end + 1, &end, 10) >= 1 && *end == ':');
	}
	return 0;
}
