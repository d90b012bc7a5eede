#include "expr/expr.h"

#include <lauxlib.h>

#include "base/alloc.h"
#include "base/list.h"
#include "expr/function.h"
#include "expr/guard.h"
#include "expr/sandbox.h"
#include "expr/token.h"

const struct lg_option expr_limit_options[] = {
	{.name = "memory",
	 .type = LG_SIZE,
	 .offset = offsetof(struct expr_limits, memory_bytes),
	 .fallback = "4MiB",
	 .min = 128 << 10,
	 .max = 1 << 30,
	 .help = "Memory that the expressions of one thread may take"},
	{.name = "steps",
	 .type = LG_INTEGER,
	 .offset = offsetof(struct expr_limits, steps),
	 .fallback = "200000",
	 .min = 1000,
	 .max = 1000000000,
	 .help = "Steps that one evaluation may take before it fails"},
};
const size_t expr_limit_option_count = sizeof(expr_limit_options) / sizeof(expr_limit_options[0]);

struct expr_state {
	struct sandbox sandbox;
	struct list exprs;
};

struct expr {
	struct list link;
	struct expr_state *state;
	size_t uses;
	int reference; /* to the function, in Lua's registry */
	struct lg_slice text;
	char data[];
};

struct expr_state *expr_state_new(const struct expr_limits *limits)
{
	struct expr_state *state = alloc_zalloc(sizeof(*state));

	if (!state)
		return NULL;
	list_init(&state->exprs);
	if (sandbox_init(&state->sandbox, limits))
		return state;
	alloc_free(state);
	return NULL;
}

void expr_state_free(struct expr_state **state)
{
	struct expr_state *s = *state;

	*state = NULL;
	if (!s)
		return;
	LIST_EACH_SAFE(item, &s->exprs)
		alloc_free(container_of(item, struct expr, link));
	sandbox_fini(&s->sandbox);
	alloc_free(s);
}

/* Gives Lua "return " and the text; a chunk that begins so is an expression. */
struct source {
	struct lg_slice parts[2];
	size_t next;
};

static const char *read_source(lua_State *lua, void *context, size_t *size)
{
	struct source *source = context;

	(void)lua;
	if (source->next == 2)
		return NULL;
	*size = source->parts[source->next].length;
	return source->parts[source->next++].data;
}

static int compile(lua_State *lua)
{
	struct expr *expr = lua_touserdata(lua, 1);
	struct source source = {.parts = {LG_SLICE("return "), expr->text}};

	if (lua_load(lua, read_source, &source, "=expr", "t") != LUA_OK)
		return lua_error(lua);
	expr->reference = luaL_ref(lua, LUA_REGISTRYINDEX);
	return 0;
}

static struct expr *find(struct expr_state *state, struct lg_slice text)
{
	LIST_EACH(item, &state->exprs) {
		struct expr *expr = container_of(item, struct expr, link);
		if (slice_equal(expr->text, text))
			return expr;
	}
	return NULL;
}

struct expr *expr_new(struct expr_state *state, struct lg_slice text, struct error *error)
{
	struct expr *expr = find(state, text);

	if (expr) {
		expr->uses++;
		return expr;
	}
	if (!guard_check(text, function_names, NULL, error))
		return NULL;
	expr = alloc_zalloc(sizeof(*expr) + text.length);
	if (!expr) {
		error_set(error, "1:1: no memory");
		return NULL;
	}
	memcpy(expr->data, text.data, text.length);
	expr->text = slice_of(expr->data, text.length);
	expr->state = state;
	expr->uses = 1;
	if (!sandbox_call(&state->sandbox, compile, expr, error)) {
		error_prefix(error, "1:1: ");
		alloc_free(expr);
		return NULL;
	}
	list_append(&state->exprs, &expr->link);
	return expr;
}

void expr_free(struct expr **expr)
{
	struct expr *e = *expr;

	*expr = NULL;
	if (!e || --e->uses > 0)
		return;
	/* Setting a field that is there allocates nothing and cannot raise. */
	luaL_unref(e->state->sandbox.lua, LUA_REGISTRYINDEX, e->reference);
	list_remove(&e->link);
	alloc_free(e);
}

bool expr_check(struct lg_slice text, const struct expr_names *names, struct error *error)
{
	static const struct expr_limits limits = {.memory_bytes = 4 << 20, .steps = 200000};
	struct expr_state *state;
	struct expr *expr;

	if (!guard_check(text, function_names, names, error))
		return false;
	state = expr_state_new(&limits);
	if (!state)
		return error_set(error, "1:1: no memory");
	expr = expr_new(state, text, error);
	expr_state_free(&state);
	return expr != NULL;
}

bool expr_check_answer(struct lg_slice text, const struct expr_names *names, struct error *error)
{
	struct token_reader reader;
	struct token first, second;

	if (!expr_check(text, names, error))
		return false;
	token_reader_init(&reader, text);
	if (!token_next(&reader, &first, error) || !token_next(&reader, &second, error))
		return false;
	if (second.kind != TOKEN_END || first.kind == TOKEN_NAME || slice_is(first.text, "true") ||
	    slice_is(first.text, "false"))
		return true;
	return token_error(&first, error,
			   "a constant answers the same of every record; write true or false if "
			   "that is meant");
}

/* What one evaluation is about, for the functions that run protected. */
struct run {
	const struct expr *expr;
	struct arena *arena;
	struct expr_value *result;
};

static void take_value(lua_State *lua, int index, struct arena *arena, struct expr_value *value);

static void take_list(lua_State *lua, int table, struct arena *arena, struct expr_value *value)
{
	struct expr_value *items;
	size_t count = 0;

	luaL_checkstack(lua, 4, NULL);
	for (lua_pushnil(lua); lua_next(lua, table); lua_pop(lua, 1))
		count++;
	items = arena_zalloc(arena, (count ? count : 1) * sizeof(*items));
	if (!items)
		sandbox_raise(lua, "no memory for the result");
	value->kind = EXPR_LIST;
	value->items = items;
	for (lua_pushnil(lua); lua_next(lua, table); lua_pop(lua, 1)) {
		sandbox_charge(lua, 1);
		take_value(lua, lua_gettop(lua), arena, &items[value->count++]);
	}
}

static void take_text(lua_State *lua, int index, struct arena *arena, struct expr_value *value)
{
	struct lg_slice text;

	text.data = lua_tolstring(lua, index, &text.length);
	value->kind = EXPR_TEXT;
	value->text = arena_copy(arena, text);
	if (!value->text.data)
		sandbox_raise(lua, "no memory for the result");
}

static void take_value(lua_State *lua, int index, struct arena *arena, struct expr_value *value)
{
	*value = (struct expr_value){.kind = EXPR_NIL};
	switch (lua_type(lua, index)) {
	case LUA_TBOOLEAN:
		value->kind = EXPR_BOOL;
		value->truth = lua_toboolean(lua, index);
		break;
	case LUA_TNUMBER:
		value->kind = lua_isinteger(lua, index) ? EXPR_INTEGER : EXPR_NUMBER;
		value->number = lua_tonumber(lua, index);
		value->integer = lua_tointeger(lua, index);
		break;
	case LUA_TSTRING: take_text(lua, index, arena, value); break;
	case LUA_TLIGHTUSERDATA:
		value->kind = EXPR_NODE;
		value->node = lua_touserdata(lua, index);
		break;
	case LUA_TTABLE: take_list(lua, index, arena, value); break;
	default: break;
	}
}

static int evaluate(lua_State *lua)
{
	struct run *run = lua_touserdata(lua, 1);

	lua_rawgeti(lua, LUA_REGISTRYINDEX, run->expr->reference);
	lua_call(lua, 0, 1);
	if (run->arena) {
		take_value(lua, lua_gettop(lua), run->arena, run->result);
	} else {
		run->result->kind = EXPR_BOOL;
		run->result->truth = lua_toboolean(lua, -1);
	}
	return 0;
}

bool expr_evaluate(struct expr *expr, const struct expr_reader *reader, struct arena *arena,
		   struct expr_value *result, struct error *error)
{
	struct run run = {.expr = expr, .arena = arena, .result = result};
	struct sandbox *sandbox = &expr->state->sandbox;
	bool done;

	sandbox->reader = reader;
	done = sandbox_call(sandbox, evaluate, &run, error);
	sandbox->reader = NULL;
	return done;
}

bool expr_test(struct expr *expr, const struct expr_reader *reader, bool *yes, struct error *error)
{
	struct expr_value result = {.kind = EXPR_NIL};

	if (!expr_evaluate(expr, reader, NULL, &result, error))
		return false;
	*yes = result.truth;
	return true;
}
