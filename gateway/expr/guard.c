#include "expr/guard.h"

#include "base/utf8.h"
#include "expr/names.h"
#include "expr/token.h"

#include <stdio.h>

struct guard {
	struct token_reader reader;
	struct token token; /* the next one */
	const char *const *functions;
	const struct expr_names *names;
	struct error *error;
	int depth, concats;
	unsigned taken; /* words so far */
};

/* The parts of a path that are known before the record is. */
struct path {
	char text[GUARD_PATH_BYTES];
	size_t length;
};

static bool expression(struct guard *guard);

static bool next(struct guard *guard)
{
	guard->taken++;
	return token_next(&guard->reader, &guard->token, guard->error);
}

static bool refuse(struct guard *guard, const char *wanted)
{
	if (guard->token.kind == TOKEN_END)
		return token_error(&guard->token, guard->error,
				   "the expression ends too early; %s is missing", wanted);
	return token_error(&guard->token, guard->error, "'%.*s' does not belong here; expected %s",
			   SLICE_ARGS(utf8_cut(guard->token.text, 60)), wanted);
}

static bool expect(struct guard *guard, int kind, const char *wanted)
{
	return guard->token.kind == kind ? next(guard) : refuse(guard, wanted);
}

static bool enter(struct guard *guard)
{
	if (++guard->depth <= GUARD_DEPTH_MAX)
		return true;
	return token_error(&guard->token, guard->error, "nested deeper than %d levels",
			   GUARD_DEPTH_MAX);
}

/* expression { "," expression } up to `close`, whose opening was taken. */
static bool sequence(struct guard *guard, int close, const char *wanted)
{
	if (guard->token.kind == close)
		return next(guard);
	for (;;) {
		if (!expression(guard))
			return false;
		if (guard->token.kind != ',')
			return expect(guard, close, wanted);
		if (!next(guard))
			return false;
	}
}

static bool is_function(const struct guard *guard, struct lg_slice name)
{
	for (const char *const *f = guard->functions; *f; f++)
		if (slice_is(name, *f))
			return true;
	return false;
}

static bool call(struct guard *guard, const struct token *name)
{
	char advice[NAMES_ADVICE_BYTES];

	if (!is_function(guard, name->text)) {
		names_advise_function(name->text, guard->functions, advice);
		return token_error(name, guard->error, "unknown function '%.*s'%s",
				   SLICE_ARGS(utf8_cut(name->text, 60)), advice);
	}
	if (guard->token.kind != '(')
		return token_error(name, guard->error, "'%.*s' is a function: write %.*s(…)",
				   SLICE_ARGS(name->text), SLICE_ARGS(name->text));
	return next(guard) && sequence(guard, ')', "',' or ')'");
}

/* Adds a part and looks whether it is known. A dot within a name is put as a
 * byte that no known name has, so that it is not taken for two names. */
static bool path_add(struct guard *guard, struct path *path, const struct token *token,
		     struct lg_slice part)
{
	struct lg_slice text;
	char advice[NAMES_ADVICE_BYTES];

	if (!guard->names)
		return true;
	if (part.length + 1 >= sizeof(path->text) - path->length)
		return token_error(token, guard->error, "this path is longer than %zu bytes",
				   sizeof(path->text));
	if (path->length > 0 && !slice_is(part, "[]"))
		path->text[path->length++] = '.';
	for (size_t i = 0; i < part.length; i++) {
		bool part_of_list = part.data[i] == '[' && slice_is(part, "[]");
		bool confusing = part.data[i] == '.' || (part.data[i] == '[' && !part_of_list);
		path->text[path->length++] = confusing ? '\1' : part.data[i];
	}
	text = slice_of(path->text, path->length);
	if (names_known(guard->names, text))
		return true;
	if (slice_is(part, "[]"))
		return token_error(token, guard->error, "'%.*s' is no list", (int)(text.length - 2),
				   text.data);
	names_advise(guard->names, text, advice);
	return token_error(token, guard->error, "unknown name '%.*s'%s", SLICE_ARGS(text), advice);
}

/* ['name'] is a name of the path; what else stands in brackets is found when
 * the expression runs, and means an item. */
static bool bracket(struct guard *guard, struct path *path, bool *open)
{
	struct token inside;
	unsigned before;
	bool alone;

	if (!next(guard))
		return false;
	inside = guard->token;
	before = guard->taken;
	if (!expression(guard))
		return false;
	alone = guard->taken == before + 1;
	if (!expect(guard, ']', "']'"))
		return false;
	if (*open && alone && inside.kind == TOKEN_TEXT)
		return path_add(guard, path, &inside,
				slice_cut(inside.text, 1, inside.text.length - 2));
	if (*open && alone && inside.kind == TOKEN_NUMBER)
		return path_add(guard, path, &inside, LG_SLICE("[]"));
	*open = false;
	return true;
}

/* { member }; `open`: all of the path so far is in `path`. */
static bool members(struct guard *guard, struct path *path, bool open)
{
	while (guard->token.kind == '.' || guard->token.kind == '[') {
		if (guard->token.kind == '[') {
			if (!enter(guard) || !bracket(guard, path, &open))
				return false;
			guard->depth--;
			continue;
		}
		if (!next(guard))
			return false;
		if (guard->token.kind != TOKEN_NAME)
			return refuse(guard, "a name; odd ones are written a['odd name']");
		if (open && !path_add(guard, path, &guard->token, guard->token.text))
			return false;
		if (!next(guard))
			return false;
	}
	if (guard->token.kind == '(' || guard->token.kind == '{' || guard->token.kind == TOKEN_TEXT)
		return refuse(guard, "an operator or the end");
	return true;
}

static bool name(struct guard *guard)
{
	struct token first = guard->token;
	struct path path = {.length = 0};

	if (!next(guard))
		return false;
	if (guard->token.kind == '(' || is_function(guard, first.text))
		return call(guard, &first);
	if (first.text.data[0] == '_')
		return token_error(&first, guard->error, "names do not begin with '_'");
	return path_add(guard, &path, &first, first.text) && members(guard, &path, true);
}

static bool primary(struct guard *guard)
{
	struct path none;

	switch (guard->token.kind) {
	case TOKEN_NUMBER:
	case TOKEN_TEXT:
	case TOKEN_CONSTANT: return next(guard);
	case TOKEN_NAME: return name(guard);
	case '{': return next(guard) && sequence(guard, '}', "',' or '}'");
	case '(':
		return next(guard) && expression(guard) && expect(guard, ')', "')'") &&
		       members(guard, &none, false);
	default: return refuse(guard, "a value");
	}
}

static bool operand(struct guard *guard)
{
	int depth = guard->depth;

	if (!enter(guard))
		return false;
	while (guard->token.kind == TOKEN_UNARY || guard->token.kind == TOKEN_MINUS)
		if (!enter(guard) || !next(guard))
			return false;
	if (!primary(guard))
		return false;
	guard->depth = depth;
	return true;
}

static bool is_concat(const struct token *token)
{
	return token->kind == TOKEN_BINARY && slice_is(token->text, "..");
}

static bool expression(struct guard *guard)
{
	if (!operand(guard))
		return false;
	while (guard->token.kind == TOKEN_BINARY || guard->token.kind == TOKEN_MINUS) {
		if (is_concat(&guard->token) && ++guard->concats > GUARD_CONCATS_MAX)
			return token_error(&guard->token, guard->error,
					   "more than %d texts put together", GUARD_CONCATS_MAX);
		if (!next(guard) || !operand(guard))
			return false;
	}
	return true;
}

bool guard_check(struct lg_slice text, const char *const *functions, const struct expr_names *names,
		 struct error *error)
{
	struct guard guard = {.functions = functions, .names = names, .error = error};

	if (text.length > EXPR_TEXT_BYTES)
		return error_set(error, "1:1: longer than %d bytes", EXPR_TEXT_BYTES);
	if (!utf8_valid(text))
		return error_set(error, "1:1: not in UTF-8");
	token_reader_init(&guard.reader, text);
	if (!next(&guard))
		return false;
	if (guard.token.kind == TOKEN_END)
		return error_set(error, "1:1: the expression is empty");
	return expression(&guard) &&
	       (guard.token.kind == TOKEN_END || refuse(&guard, "an operator or the end"));
}
