/* Small helpers over slices for plugins: pure, no memory of their own. What
 * they return points into what they were given. */
#ifndef LEADGATE_TEXT_H
#define LEADGATE_TEXT_H

#include <leadgate/types.h>

#include <stdbool.h>
#include <string.h>

/* Over a zero-terminated string. */
static inline struct lg_slice lg_slice_from(const char *text)
{
	struct lg_slice s = {text, strlen(text)};
	return s;
}

/* From `start` on, at most `length` bytes; both are clamped to what is there. */
static inline struct lg_slice lg_slice_cut(struct lg_slice s, size_t start, size_t length)
{
	if (start > s.length)
		start = s.length;
	if (length > s.length - start)
		length = s.length - start;
	s.data = s.data ? s.data + start : s.data;
	s.length = length;
	return s;
}

static inline bool lg_slice_equal(struct lg_slice a, struct lg_slice b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

static inline char lg_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Whether a slice is a word in ASCII letters of either case; `word` is given in
 * lower case. */
static inline bool lg_slice_is(struct lg_slice s, const char *word)
{
	size_t i = 0;

	while (i < s.length && word[i] && lg_lower(s.data[i]) == word[i])
		i++;
	return i == s.length && !word[i];
}

static inline bool lg_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Without blanks, tabs and line ends at both ends. */
static inline struct lg_slice lg_slice_trim(struct lg_slice s)
{
	while (s.length && lg_is_space(s.data[0]))
		s = lg_slice_cut(s, 1, s.length);
	while (s.length && lg_is_space(s.data[s.length - 1]))
		s.length--;
	return s;
}

/* Takes what stands before `separator` off `rest`, and the separator with it;
 * all of it when there is none. */
static inline struct lg_slice lg_slice_part(struct lg_slice *rest, char separator)
{
	const char *at = rest->length ? (const char *)memchr(rest->data, separator, rest->length)
				      : NULL;
	size_t length = at ? (size_t)(at - rest->data) : rest->length;
	struct lg_slice part = lg_slice_cut(*rest, 0, length);

	*rest = lg_slice_cut(*rest, at ? length + 1 : length, rest->length);
	return part;
}

#endif
