#include "expr/function.h"

#include <lauxlib.h>
#include <math.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include "base/utf8.h"
#include "expr/sandbox.h"

static const char *kind_name(lua_State *lua, int index)
{
	switch (lua_type(lua, index)) {
	case LUA_TNONE: return "nothing";
	case LUA_TNIL: return "an absent value";
	case LUA_TBOOLEAN: return "true or false";
	case LUA_TNUMBER: return "a number";
	case LUA_TSTRING: return "text";
	case LUA_TTABLE: return "a list";
	default: return "an object or list";
	}
}

static bool is_list(lua_State *lua, int index)
{
	return lua_type(lua, index) == LUA_TTABLE || lua_type(lua, index) == LUA_TLIGHTUSERDATA;
}

static void want_count(lua_State *lua, const char *name, int count)
{
	if (lua_gettop(lua) != count)
		sandbox_raise(lua, "%s() takes %d value%s, not %d", name, count,
			      count == 1 ? "" : "s", lua_gettop(lua));
}

/* Text, or absent of nil. Anything else raises: no silent conversion. */
static struct lg_slice want_text(lua_State *lua, const char *name, int index)
{
	struct lg_slice text = {0};

	if (lua_type(lua, index) == LUA_TSTRING) {
		text.data = lua_tolstring(lua, index, &text.length);
		sandbox_charge(lua, SANDBOX_TEXT_STEPS(text.length));
	} else if (!lua_isnil(lua, index)) {
		sandbox_raise(lua, "%s() takes text, not %s", name, kind_name(lua, index));
	}
	return text;
}

static int push_text(lua_State *lua, struct lg_slice text)
{
	if (text.data)
		lua_pushlstring(lua, text.data, text.length);
	else
		lua_pushnil(lua);
	return 1;
}

/* The items of a list of either kind. */
struct items {
	lua_State *lua;
	int list;	/* its place on the stack */
	int key;	/* of a table: where lua_next keeps its key */
	const void *at; /* of a node */
};

/* Items may be asked for once a list is at `index`; takes one place on the stack. */
static struct items items_of(lua_State *lua, int index)
{
	luaL_checkstack(lua, 4, NULL);
	lua_pushnil(lua);
	return (struct items){.lua = lua, .list = index, .key = lua_gettop(lua)};
}

/* Pushes the next item, which the caller pops. */
static bool items_next(struct items *items)
{
	lua_State *lua = items->lua;

	if (lua_type(lua, items->list) != LUA_TTABLE)
		return sandbox_next(lua, lua_touserdata(lua, items->list), &items->at);
	sandbox_charge(lua, 1);
	lua_pushvalue(lua, items->key);
	if (!lua_next(lua, items->list))
		return false;
	lua_pushvalue(lua, -2);
	lua_replace(lua, items->key);
	lua_remove(lua, -2);
	return true;
}

/* Whether an item equals what is at `value`. */
static bool list_has(lua_State *lua, int list, int value)
{
	struct items items = items_of(lua, list);
	bool found = false;

	while (!found && items_next(&items)) {
		found = lua_rawequal(lua, -1, value);
		lua_pop(lua, 1);
	}
	lua_remove(lua, items.key);
	return found;
}

/* One character to one: "ß" and "İ" keep the length in characters. */
static int map_case(lua_State *lua, const char *name, UChar32 (*map)(UChar32 c))
{
	struct lg_slice text;
	luaL_Buffer buffer;

	want_count(lua, name, 1);
	text = want_text(lua, name, 1);
	if (!text.data)
		return push_text(lua, text);
	luaL_buffinit(lua, &buffer);
	while (text.length > 0) {
		struct lg_slice before = text;
		int32_t point = utf8_next(&text);
		char *room = luaL_prepbuffsize(&buffer, U8_MAX_LENGTH);
		int32_t used = 0;
		if (point < 0)
			room[used++] = before.data[0];
		else
			U8_APPEND_UNSAFE(room, used, map(point));
		luaL_addsize(&buffer, (size_t)used);
	}
	luaL_pushresult(&buffer);
	return 1;
}

static int call_lower(lua_State *lua)
{
	return map_case(lua, "lower", u_tolower);
}

static int call_upper(lua_State *lua)
{
	return map_case(lua, "upper", u_toupper);
}

static int call_trim(lua_State *lua)
{
	struct lg_slice text;

	want_count(lua, "trim", 1);
	text = want_text(lua, "trim", 1);
	return push_text(lua, text.data ? slice_trim(text) : text);
}

static int call_length(lua_State *lua)
{
	struct lg_slice text;
	lua_Integer length = 0;

	want_count(lua, "length", 1);
	if (is_list(lua, 1)) {
		struct items items = items_of(lua, 1);
		for (; items_next(&items); length++)
			lua_pop(lua, 1);
	} else {
		text = want_text(lua, "length", 1);
		for (; utf8_next(&text) != UTF8_END; length++)
			continue;
	}
	lua_pushinteger(lua, length);
	return 1;
}

static int call_starts_with(lua_State *lua)
{
	struct lg_slice text, part;

	want_count(lua, "starts_with", 2);
	text = want_text(lua, "starts_with", 1);
	part = want_text(lua, "starts_with", 2);
	lua_pushboolean(lua, text.data && part.data &&
				     slice_equal(slice_cut(text, 0, part.length), part));
	return 1;
}

static int call_ends_with(lua_State *lua)
{
	struct lg_slice text, part;

	want_count(lua, "ends_with", 2);
	text = want_text(lua, "ends_with", 1);
	part = want_text(lua, "ends_with", 2);
	lua_pushboolean(
		lua,
		text.data && part.data && part.length <= text.length &&
			slice_equal(slice_cut(text, text.length - part.length, SIZE_MAX), part));
	return 1;
}

static int call_contains(lua_State *lua)
{
	struct lg_slice text, part;

	want_count(lua, "contains", 2);
	if (is_list(lua, 1)) {
		lua_pushboolean(lua, list_has(lua, 1, 2));
		return 1;
	}
	text = want_text(lua, "contains", 1);
	part = want_text(lua, "contains", 2);
	lua_pushboolean(lua, text.data && part.data &&
				     memmem(text.data, text.length, part.data, part.length));
	return 1;
}

static int call_matches_any(lua_State *lua)
{
	bool found = false;

	want_count(lua, "matches_any", 2);
	if (!lua_isnil(lua, 2) && !is_list(lua, 2))
		sandbox_raise(lua, "matches_any() takes a list, not %s", kind_name(lua, 2));
	if (!lua_isnil(lua, 2) && is_list(lua, 1)) {
		struct items items = items_of(lua, 1);
		while (!found && items_next(&items)) {
			found = list_has(lua, 2, lua_gettop(lua));
			lua_pop(lua, 1);
		}
	} else if (!lua_isnil(lua, 2) && !lua_isnil(lua, 1)) {
		found = list_has(lua, 2, 1);
	}
	lua_pushboolean(lua, found);
	return 1;
}

/* Whether the item on top of the stack has the members named from place 2 on. */
static bool has_members(lua_State *lua, int names)
{
	bool has = lua_type(lua, -1) == LUA_TLIGHTUSERDATA;

	for (int i = 2; has && i < names; i += 2) {
		lua_pushvalue(lua, i);
		lua_gettable(lua, -2);
		has = lua_rawequal(lua, -1, i + 1);
		lua_pop(lua, 1);
	}
	return has;
}

static int call_any_where(lua_State *lua)
{
	int count = lua_gettop(lua);
	struct items items;
	bool found = false;

	if (count < 3 || count % 2 == 0)
		sandbox_raise(lua, "any_where() takes a list, and names with their values");
	for (int i = 2; i < count; i += 2)
		if (lua_type(lua, i) != LUA_TSTRING)
			sandbox_raise(lua, "any_where() takes names as text, not %s",
				      kind_name(lua, i));
	if (!lua_isnil(lua, 1) && !is_list(lua, 1))
		sandbox_raise(lua, "any_where() takes a list, not %s", kind_name(lua, 1));
	if (is_list(lua, 1)) {
		items = items_of(lua, 1);
		while (!found && items_next(&items)) {
			found = has_members(lua, count);
			lua_pop(lua, 1);
		}
	}
	lua_pushboolean(lua, found);
	return 1;
}

/* luaL_Buffer wants the stack as it left it between two calls: the separator
 * and the items come from below it. */
static int call_join(lua_State *lua)
{
	struct lg_slice separator;
	luaL_Buffer buffer;
	int count = 0;

	want_count(lua, "join", 2);
	separator = want_text(lua, "join", 2);
	if (lua_isnil(lua, 1))
		return push_text(lua, (struct lg_slice){0});
	if (!is_list(lua, 1))
		sandbox_raise(lua, "join() takes a list, not %s", kind_name(lua, 1));
	lua_createtable(lua, 0, 0);
	for (struct items items = items_of(lua, 1); items_next(&items);) {
		if (lua_type(lua, -1) != LUA_TSTRING && lua_type(lua, -1) != LUA_TNUMBER)
			sandbox_raise(lua, "join() takes a list of text, not of %s",
				      kind_name(lua, -1));
		lua_rawseti(lua, 3, ++count);
	}
	luaL_buffinit(lua, &buffer);
	for (int i = 1; i <= count; i++) {
		if (i > 1 && separator.data)
			luaL_addlstring(&buffer, separator.data, separator.length);
		lua_rawgeti(lua, 3, i);
		luaL_addvalue(&buffer);
	}
	luaL_pushresult(&buffer);
	return 1;
}

/* Lua reads numbers up to 200 characters and trims blanks. */
static int call_number(lua_State *lua)
{
	struct lg_slice text;

	want_count(lua, "number", 1);
	if (lua_type(lua, 1) == LUA_TNUMBER) {
		lua_pushvalue(lua, 1);
		return 1;
	}
	text = want_text(lua, "number", 1);
	if (!text.data || text.length > 200 ||
	    lua_stringtonumber(lua, text.data) != text.length + 1)
		lua_pushnil(lua);
	return 1;
}

static int pick(lua_State *lua, const char *name, bool largest)
{
	int count = lua_gettop(lua), best = 1;

	if (count == 0)
		sandbox_raise(lua, "%s() takes numbers", name);
	for (int i = 1; i <= count; i++) {
		if (lua_type(lua, i) != LUA_TNUMBER)
			sandbox_raise(lua, "%s() takes numbers, not %s", name, kind_name(lua, i));
		if (largest ? lua_compare(lua, best, i, LUA_OPLT)
			    : lua_compare(lua, i, best, LUA_OPLT))
			best = i;
	}
	lua_pushvalue(lua, best);
	return 1;
}

static int call_min(lua_State *lua)
{
	return pick(lua, "min", false);
}

static int call_max(lua_State *lua)
{
	return pick(lua, "max", true);
}

static int call_floor(lua_State *lua)
{
	lua_Number floored;
	lua_Integer whole;

	want_count(lua, "floor", 1);
	if (lua_type(lua, 1) != LUA_TNUMBER)
		sandbox_raise(lua, "floor() takes a number, not %s", kind_name(lua, 1));
	if (lua_isinteger(lua, 1)) {
		lua_pushvalue(lua, 1);
		return 1;
	}
	floored = floor(lua_tonumber(lua, 1));
	if (lua_numbertointeger(floored, &whole))
		lua_pushinteger(lua, whole);
	else
		lua_pushnumber(lua, floored);
	return 1;
}

/* It lays these lines out anew each time. */
/* clang-format off */
#define FUNCTIONS(ROW)                                                                             \
	ROW(any_where)                                                                             \
	ROW(contains)                                                                              \
	ROW(ends_with)                                                                             \
	ROW(floor) ROW(join) ROW(length) ROW(lower) ROW(matches_any) ROW(max) ROW(min) ROW(number) \
		ROW(starts_with) ROW(trim) ROW(upper)
/* clang-format on */

#define ROW_NAME(name) #name,
const char *const function_names[] = {FUNCTIONS(ROW_NAME) NULL};

#define ROW_CALL(name) {#name, call_##name},
static const luaL_Reg functions[] = {FUNCTIONS(ROW_CALL){NULL, NULL}};

void function_register(lua_State *lua)
{
	luaL_setfuncs(lua, functions, 0);
}
