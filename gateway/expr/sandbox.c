#include "expr/sandbox.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "expr/function.h"

#define HOOK_STEPS 100 /* instructions between two looks at the budget */

_Static_assert(LUA_EXTRASPACE >= sizeof(struct sandbox *), "Lua's extra space holds a pointer");

/* Lua takes for granted that making a block smaller cannot fail. */
static void *allocate(void *context, void *memory, size_t old_size, size_t new_size)
{
	struct sandbox *sandbox = context;
	int64_t more;
	void *grown;

	if (!memory)
		old_size = 0; /* it is a kind of object then */
	more = (int64_t)new_size - (int64_t)old_size;
	if (new_size == 0) {
		alloc_free(memory);
		sandbox->used_bytes += more;
		return NULL;
	}
	if (more > 0 && sandbox->used_bytes + more > sandbox->memory_bytes)
		return NULL;
	grown = alloc_realloc(memory, new_size);
	if (!grown)
		return more > 0 ? NULL : memory;
	sandbox->used_bytes += more;
	return grown;
}

/* Only what runs outside of lua_pcall gets here, and nothing does. */
static int on_panic(lua_State *lua)
{
	const char *text = lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : "?";
	error_abort("an error of Lua was not caught: %s", text);
}

struct sandbox *sandbox_of(lua_State *lua)
{
	return *(struct sandbox **)lua_getextraspace(lua);
}

void sandbox_raise(lua_State *lua, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	lua_pushvfstring(lua, format, args);
	va_end(args);
	lua_error(lua);
	__builtin_unreachable();
}

void sandbox_charge(lua_State *lua, int64_t steps)
{
	struct sandbox *sandbox = sandbox_of(lua);

	sandbox->steps_left -= steps;
	if (sandbox->steps_left < 0)
		sandbox_raise(lua, "the expression takes more than %I steps",
			      (LUAI_UACINT)sandbox->steps);
}

static void on_count(lua_State *lua, lua_Debug *where)
{
	(void)where;
	sandbox_charge(lua, HOOK_STEPS);
}

static void push_value(lua_State *lua, const struct expr_value *value)
{
	switch (value->kind) {
	case EXPR_BOOL: lua_pushboolean(lua, value->truth); break;
	case EXPR_INTEGER: lua_pushinteger(lua, value->integer); break;
	case EXPR_NUMBER: lua_pushnumber(lua, value->number); break;
	case EXPR_TEXT:
		sandbox_charge(lua, SANDBOX_TEXT_STEPS(value->text.length));
		lua_pushlstring(lua, value->text.length ? value->text.data : "",
				value->text.length);
		break;
	case EXPR_NODE:
		if (value->node)
			lua_pushlightuserdata(lua, (void *)(uintptr_t)value->node);
		else
			lua_pushnil(lua);
		break;
	default: lua_pushnil(lua);
	}
}

bool sandbox_next(lua_State *lua, const void *list, const void **at)
{
	const struct expr_reader *reader = sandbox_of(lua)->reader;
	struct expr_value value = {.kind = EXPR_NIL};

	sandbox_charge(lua, 1);
	if (!reader->next(reader->context, list, at, &value))
		return false;
	push_value(lua, &value);
	return true;
}

static void push_member(lua_State *lua, const void *node, int key)
{
	const struct expr_reader *reader = sandbox_of(lua)->reader;
	struct expr_value value = {.kind = EXPR_NIL};
	struct lg_slice name;

	name.data = lua_tolstring(lua, key, &name.length);
	sandbox_charge(lua, SANDBOX_TEXT_STEPS(name.length));
	reader->member(reader->context, node, name, &value);
	push_value(lua, &value);
}

static void push_item(lua_State *lua, const void *list, lua_Integer index)
{
	const void *at = NULL;

	while (index >= 1 && sandbox_next(lua, list, &at)) {
		if (index-- == 1)
			return;
		lua_pop(lua, 1);
	}
	lua_pushnil(lua);
}

/* __index of nodes: a member by its name, an item by its number. */
static int index_node(lua_State *lua)
{
	const void *node = lua_touserdata(lua, 1);
	int whole;
	lua_Integer index = lua_tointegerx(lua, 2, &whole);

	if (lua_type(lua, 2) == LUA_TSTRING)
		push_member(lua, node, 2);
	else if (whole)
		push_item(lua, node, index);
	else
		lua_pushnil(lua);
	return 1;
}

static int count_node(lua_State *lua)
{
	const void *node = lua_touserdata(lua, 1), *at = NULL;
	lua_Integer count = 0;

	for (; sandbox_next(lua, node, &at); count++)
		lua_pop(lua, 1);
	lua_pushinteger(lua, count);
	return 1;
}

/* __index of the table of globals: a name that is no function is the root's. */
static int index_root(lua_State *lua)
{
	if (lua_type(lua, 2) == LUA_TSTRING)
		push_member(lua, NULL, 2);
	else
		lua_pushnil(lua);
	return 1;
}

static int count_nothing(lua_State *lua)
{
	lua_pushinteger(lua, 0);
	return 1;
}

static void set_function(lua_State *lua, const char *name, lua_CFunction function)
{
	lua_pushcfunction(lua, function);
	lua_setfield(lua, -2, name);
}

/* Nodes are light userdata, which share one metatable: reading a record makes
 * no garbage. nil has one, too: what is absent reads as empty. */
static int furnish(lua_State *lua)
{
	lua_pushlightuserdata(lua, lua);
	lua_createtable(lua, 0, 2);
	set_function(lua, "__index", index_node);
	set_function(lua, "__len", count_node);
	lua_setmetatable(lua, -2);

	lua_pushnil(lua);
	lua_createtable(lua, 0, 2);
	lua_createtable(lua, 0, 0);
	lua_setfield(lua, -2, "__index");
	set_function(lua, "__len", count_nothing);
	lua_setmetatable(lua, -2);

	lua_pushglobaltable(lua);
	function_register(lua);
	lua_createtable(lua, 0, 1);
	set_function(lua, "__index", index_root);
	lua_setmetatable(lua, -2);
	return 0;
}

bool sandbox_init(struct sandbox *sandbox, const struct expr_limits *limits)
{
	*sandbox = (struct sandbox){
		.memory_bytes = limits->memory_bytes,
		.steps = limits->steps,
	};
	sandbox->lua = lua_newstate(allocate, sandbox);
	if (!sandbox->lua)
		return false;
	*(struct sandbox **)lua_getextraspace(sandbox->lua) = sandbox;
	lua_atpanic(sandbox->lua, on_panic);
	lua_sethook(sandbox->lua, on_count, LUA_MASKCOUNT, HOOK_STEPS);
	if (sandbox_call(sandbox, furnish, NULL, NULL))
		return true;
	sandbox_fini(sandbox);
	return false;
}

void sandbox_fini(struct sandbox *sandbox)
{
	if (sandbox->lua)
		lua_close(sandbox->lua);
	sandbox->lua = NULL;
}

/* Lua's words for kinds of values, and ours. */
static const char *const words[][2] = {
	{"a nil value", "an absent value"},
	{"two nil values", "two absent values"},
	{"nil", "an absent value"},
	{"a string value", "text"},
	{"string", "text"},
	{"a userdata value", "an object or list"},
	{"userdata", "an object or list"},
	{"a table value", "a list"},
	{"table", "a list"},
	{"a boolean value", "true or false"},
	{"boolean", "true or false"},
	{"a number value", "a number"},
	{"number", "a number"},
};

/* Writes `text` in our words; what stands behind its first quote is a name and
 * stays. True when it speaks of an absent value. */
static bool translate(struct lg_slice text, char *out, size_t capacity)
{
	ptrdiff_t quote = slice_find(text, '\'');
	size_t used = 0, plain = quote < 0 ? text.length : (size_t)quote;
	bool absent = false;

	while (text.length > 0 && used + 32 < capacity) {
		size_t i, count = sizeof(words) / sizeof(words[0]);
		for (i = 0; i < count && !(plain > 0 && slice_starts(text, words[i][0])); i++)
			continue;
		if (i == count) {
			out[used++] = text.data[0];
			text = slice_cut(text, 1, SIZE_MAX);
			plain -= plain > 0;
			continue;
		}
		absent |= i < 3;
		used += (size_t)snprintf(out + used, capacity - used, "%s", words[i][1]);
		text = slice_cut(text, strlen(words[i][0]), SIZE_MAX);
		plain = plain > strlen(words[i][0]) ? plain - strlen(words[i][0]) : 0;
	}
	out[used] = 0;
	return absent;
}

/* Lua's own errors begin with "expr:LINE: "; ours are in plain words. */
static void explain(const char *text, struct error *error)
{
	char plain[ERROR_TEXT_BYTES];
	char *end;
	unsigned long line;
	bool absent;

	if (strncmp(text, "expr:", 5) != 0) {
		error_set(error, "%s", text);
		return;
	}
	line = strtoul(text + 5, &end, 10);
	absent = translate(slice_from(end + strspn(end, ": ")), plain, sizeof(plain));
	error_set(error, "%s%s", plain,
		  absent ? "; say what to take instead, as in (organization.employees or 0)" : "");
	if (line > 1)
		error_prefix(error, "line %lu: ", line);
}

bool sandbox_call(struct sandbox *sandbox, lua_CFunction body, void *argument, struct error *error)
{
	lua_State *lua = sandbox->lua;
	bool done;

	sandbox->steps_left = sandbox->steps;
	lua_settop(lua, 0);
	lua_pushcfunction(lua, body);
	lua_pushlightuserdata(lua, argument);
	done = lua_pcall(lua, 1, 0, 0) == LUA_OK;
	if (!done)
		explain(lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : "failed", error);
	lua_settop(lua, 0);
	return done;
}
