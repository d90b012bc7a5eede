#include "expr/names.h"

#include "base/suggestion.h"

#include <stdio.h>

/* Takes the next part off a path: a name, or "[]" for the items of a list. */
static bool take_part(struct lg_slice *path, struct lg_slice *part)
{
	size_t end = 0;

	if (path->length > 0 && path->data[0] == '.')
		*path = slice_cut(*path, 1, SIZE_MAX);
	if (path->length == 0)
		return false;
	if (slice_starts(*path, "[]"))
		end = 2;
	else
		while (end < path->length && path->data[end] != '.' && path->data[end] != '[')
			end++;
	*part = slice_cut(*path, 0, end);
	*path = slice_cut(*path, end, SIZE_MAX);
	return true;
}

/* Whether `known` begins with all parts of `path`; `*rest` is what follows. */
static bool begins_with(struct lg_slice known, struct lg_slice path, struct lg_slice *rest)
{
	struct lg_slice part, name;

	while (take_part(&path, &part)) {
		if (!take_part(&known, &name))
			return false;
		if (slice_is(name, "*"))
			break;
		if (!slice_equal(name, part))
			return false;
	}
	*rest = known;
	return true;
}

bool names_known(const struct expr_names *names, struct lg_slice path)
{
	struct lg_slice rest;

	for (size_t i = 0; i < names->count; i++)
		if (begins_with(slice_from(names->paths[i]), path, &rest))
			return true;
	return false;
}

/* Cuts the last part off. */
static struct lg_slice parent_of(struct lg_slice path, struct lg_slice *last)
{
	struct lg_slice rest = path;

	while (take_part(&rest, last))
		continue;
	return slice_cut(path, 0, path.length - last->length);
}

/* The known path whose last name is `name`: who writes `email` means
 * person.email. */
static const char *elsewhere(const struct expr_names *names, struct lg_slice name)
{
	for (size_t i = 0; i < names->count; i++) {
		struct lg_slice last = {0}, known = slice_from(names->paths[i]);
		parent_of(known, &last);
		if (slice_equal(last, name) && last.length < known.length)
			return names->paths[i];
	}
	return NULL;
}

/* Whether one of the first `count` paths has `name` behind `parent`. */
static bool was_listed(const struct expr_names *names, size_t count, struct lg_slice parent,
		       struct lg_slice name)
{
	struct lg_slice rest, other;

	for (size_t i = 0; i < count; i++)
		if (begins_with(slice_from(names->paths[i]), parent, &rest) &&
		    take_part(&rest, &other) && slice_equal(other, name))
			return true;
	return false;
}

/* "; known are a, b, c", each once, as many as fit. */
static void list_known(const struct expr_names *names, struct lg_slice parent,
		       char advice[NAMES_ADVICE_BYTES])
{
	struct lg_slice rest, name;
	size_t used = 0;

	for (size_t i = 0; i < names->count; i++) {
		if (!begins_with(slice_from(names->paths[i]), parent, &rest) ||
		    !take_part(&rest, &name) || was_listed(names, i, parent, name))
			continue;
		if (name.length + 16 > NAMES_ADVICE_BYTES - used) {
			snprintf(advice + used, NAMES_ADVICE_BYTES - used, " …");
			return;
		}
		used += (size_t)snprintf(advice + used, NAMES_ADVICE_BYTES - used, "%s%.*s",
					 used ? ", " : "; known are ", SLICE_ARGS(name));
	}
}

void names_advise(const struct expr_names *names, struct lg_slice path,
		  char advice[NAMES_ADVICE_BYTES])
{
	struct lg_slice word = {0}, rest, name, parent = parent_of(path, &word);
	struct suggestion suggestion;
	const char *other;

	advice[0] = 0;
	suggestion_init(&suggestion, word);
	for (size_t i = 0; i < names->count; i++)
		if (begins_with(slice_from(names->paths[i]), parent, &rest) &&
		    take_part(&rest, &name))
			suggestion_try(&suggestion, name);
	other = parent.length == 0 ? elsewhere(names, word) : NULL;
	if (other)
		snprintf(advice, NAMES_ADVICE_BYTES, "; did you mean '%s'?", other);
	else if (slice_present(suggestion.nearest))
		snprintf(advice, NAMES_ADVICE_BYTES, "; did you mean '%.*s%.*s'?",
			 SLICE_ARGS(parent), SLICE_ARGS(suggestion.nearest));
	else
		list_known(names, parent, advice);
}

void names_advise_function(struct lg_slice name, const char *const *known,
			   char advice[NAMES_ADVICE_BYTES])
{
	struct suggestion suggestion;

	advice[0] = 0;
	suggestion_init(&suggestion, name);
	for (; *known; known++)
		suggestion_try(&suggestion, slice_from(*known));
	if (slice_present(suggestion.nearest))
		snprintf(advice, NAMES_ADVICE_BYTES, "; did you mean '%.*s'?",
			 SLICE_ARGS(suggestion.nearest));
}
