#include "config/scalar.h"

#include <libfyaml.h>

static size_t count_written(struct fy_token_iter *iter, bool *failed)
{
	const struct fy_iter_chunk *chunk = NULL;
	size_t count = 0;
	int error = 0;

	while ((chunk = fy_token_iter_chunk_next(iter, chunk, &error)))
		count += chunk->len;
	*failed = error != 0;
	return count;
}

/* As it stands in the file; absent: nobody knows where. */
static struct lg_slice raw_of(struct lg_slice file, struct fy_token *token)
{
	const struct fy_mark *start = fy_token_start_mark(token);
	const struct fy_mark *end = fy_token_end_mark(token);

	if (!start || !end)
		return slice_of(NULL, 0);
	return slice_cut(file, start->input_pos, end->input_pos - start->input_pos);
}

/* In double quotes a line that ends with a carriage return may come out as another text,
 * whose bytes are counted alike. */
static bool has_odd_breaks(struct lg_slice file, struct fy_token *token)
{
	return fy_token_scalar_style(token) == FYSS_DOUBLE_QUOTED &&
	       slice_find(raw_of(file, token), '\r') >= 0;
}

bool scalar_is_sound(struct lg_slice file, struct fy_node *scalar)
{
	struct fy_token *token = fy_node_get_scalar_token(scalar);
	struct fy_token_iter *iter;
	bool failed;
	size_t written;

	if (token && has_odd_breaks(file, token))
		return false;
	iter = token ? fy_token_iter_create(token) : NULL;
	if (!iter)
		return !token;
	written = count_written(iter, &failed);
	fy_token_iter_destroy(iter);
	return !failed && written == fy_token_get_text_length(token);
}

/* ---- single quotes (YAML 1.2.2, 7.3.2) -------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_break(char c)
{
	return c == '\n' || c == '\r';
}

/* Behind the line's end at `at` and all blank lines after it; their number is in *count. */
static size_t skip_lines(struct lg_slice raw, size_t at, size_t *count)
{
	*count = 0;
	for (; at < raw.length && (is_blank(raw.data[at]) || is_break(raw.data[at])); at++) {
		bool is_first_half = raw.data[at] == '\r' && at + 1 < raw.length &&
				     raw.data[at + 1] == '\n';

		if (is_break(raw.data[at]) && !is_first_half)
			++*count;
	}
	return at;
}

/* A line's end is a space, and each blank line after it a line's end (6.5). */
static size_t fold(char *text, size_t length, size_t lines)
{
	while (length > 0 && is_blank(text[length - 1]))
		length--;
	if (lines == 1)
		text[length++] = ' ';
	for (size_t i = 1; i < lines; i++)
		text[length++] = '\n';
	return length;
}

static size_t unquote(struct lg_slice raw, char *text)
{
	size_t length = 0, lines, at = 0;

	while (at < raw.length) {
		char c = raw.data[at];

		if (is_break(c)) {
			at = skip_lines(raw, at, &lines);
			length = fold(text, length, lines);
			continue;
		}
		text[length++] = c;
		at += c == '\'' ? 2 : 1; /* a quote stands there twice */
	}
	return length;
}

static struct lg_slice single_quoted(struct arena *arena, struct lg_slice raw)
{
	char *text;

	if (slice_find(raw, '\'') < 0 && slice_find(raw, '\n') < 0 && slice_find(raw, '\r') < 0)
		return raw;
	text = arena_alloc(arena, raw.length);
	return slice_of(text, text ? unquote(raw, text) : 0);
}

struct lg_slice scalar_text(struct arena *arena, struct lg_slice file, struct fy_node *node)
{
	struct fy_token *token = node ? fy_node_get_scalar_token(node) : NULL;
	size_t length = 0;
	const char *text;

	if (!token || !fy_node_is_scalar(node))
		return slice_of(NULL, 0);
	if (fy_token_scalar_style(token) == FYSS_SINGLE_QUOTED) {
		struct lg_slice raw = raw_of(file, token);
		if (slice_present(raw))
			return single_quoted(arena, raw);
	}
	text = fy_node_get_scalar(node, &length);
	return slice_of(text, length);
}
