#include "config/environment.h"

#include <stdlib.h>

#include "base/buffer.h"

#define EXPANDED_MAX_BYTES (1024 * 1024)
#define NAME_MAX_BYTES 255

static bool is_name(struct lg_slice name)
{
	for (size_t i = 0; i < name.length; i++) {
		char c = name.data[i];
		bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';

		if (!letter && (i == 0 || c < '0' || c > '9'))
			return false;
	}
	return name.length > 0 && name.length <= NAME_MAX_BYTES;
}

/* Takes "NAME}" off the front of `rest`. */
static bool expand_name(struct lg_slice *rest, struct buffer *out, struct error *error)
{
	ptrdiff_t close = slice_find(*rest, '}');
	char name[NAME_MAX_BYTES + 1];
	struct lg_slice word;
	const char *value;

	if (close < 0)
		return error_set(error,
				 "\"${\" without a closing brace; write \"$$\" for a dollar");
	word = slice_cut(*rest, 0, (size_t)close);
	if (!is_name(word))
		return error_set(error,
				 "\"${…}\" does not hold the name of an environment variable; "
				 "write \"$$\" for a dollar");
	slice_to_text(word, name, sizeof(name));
	value = getenv(name);
	if (!value)
		return error_set(error, "the environment variable %s is not set", name);
	buffer_add_slice(out, slice_from(value));
	*rest = slice_cut(*rest, (size_t)close + 1, rest->length);
	return true;
}

static bool expand(struct lg_slice rest, struct buffer *out, struct error *error)
{
	ptrdiff_t dollar;

	while ((dollar = slice_find(rest, '$')) >= 0) {
		struct lg_slice after = slice_cut(rest, (size_t)dollar + 1, rest.length);

		buffer_add_slice(out, slice_cut(rest, 0, (size_t)dollar));
		rest = after;
		if (slice_starts(after, "{")) {
			rest = slice_cut(after, 1, after.length);
			if (!expand_name(&rest, out, error))
				return false;
			continue;
		}
		buffer_add_byte(out, '$');
		if (slice_starts(after, "$"))
			rest = slice_cut(after, 1, after.length);
	}
	buffer_add_slice(out, rest);
	return true;
}

bool environment_expand(struct arena *arena, struct lg_slice text, struct lg_slice *expanded,
			struct error *error)
{
	struct buffer out;
	bool done;

	*expanded = text;
	if (slice_find(text, '$') < 0)
		return true;
	buffer_init(&out, EXPANDED_MAX_BYTES);
	done = expand(text, &out, error);
	if (done) {
		*expanded = out.failed ? slice_of(NULL, 0) : arena_copy(arena, buffer_slice(&out));
		done = slice_present(*expanded) ||
		       error_set(error, "with its environment variables this is too long");
	}
	buffer_fini(&out);
	return done;
}
