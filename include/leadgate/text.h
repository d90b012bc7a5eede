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
	size_t length = strlen(word), i = 0;

	if (s.length != length)
		return false;
	if (length == 0 || memcmp(s.data, word, length) == 0)
		return true; /* as most are spelt */
	while (i < length && lg_lower(s.data[i]) == word[i])
		i++;
	return i == length;
}

/* Whether two slices are equal but for the case of ASCII letters. */
static inline bool lg_slice_same(struct lg_slice a, struct lg_slice b)
{
	size_t i = 0;

	while (i < a.length && i < b.length && lg_lower(a.data[i]) == lg_lower(b.data[i]))
		i++;
	return i == a.length && i == b.length;
}

/* Where `word` stands in a slice first; NULL: nowhere. */
static inline const char *lg_slice_find(struct lg_slice s, const char *word)
{
	size_t length = strlen(word);

	for (size_t i = 0; i + length <= s.length; i++)
		if (memcmp(s.data + i, word, length) == 0)
			return s.data + i;
	return NULL;
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

/* Bytes of the words of a list with a character between each two. */
static inline size_t lg_joined_bytes(const struct lg_list *list)
{
	size_t bytes = list->count ? list->count - 1 : 0;

	for (size_t i = 0; i < list->count; i++)
		bytes += list->items[i].length;
	return bytes;
}

/* The word of this position, from 0, in "one|two|three": what an option of type LG_ENUM, whose
 * `choices` these are, was set to. It lies in `choices`. Empty: there is none,
 * as below 0. */
static inline struct lg_slice lg_choice(const char *choices, int32_t position)
{
	struct lg_slice rest = lg_slice_from(choices), word = {NULL, 0};

	for (; position >= 0; position--)
		word = lg_slice_part(&rest, '|');
	return word;
}

/* Takes the next word off `rest`; words stand with blanks between. Empty: there is
 * none. */
static inline struct lg_slice lg_slice_word(struct lg_slice *rest)
{
	struct lg_slice word = {NULL, 0};

	*rest = lg_slice_trim(*rest);
	word.data = rest->data;
	while (word.length < rest->length && !lg_is_space(rest->data[word.length]))
		word.length++;
	*rest = lg_slice_cut(*rest, word.length, rest->length);
	return word;
}

/* Percent-encodes all but letters, digits and "-._~" (RFC 3986, section 2.3) into
 * `out`, which has room for three bytes each. Returns how many were written. */
static inline size_t lg_percent_encode(struct lg_slice s, char *out)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t used = 0;

	for (size_t i = 0; i < s.length; i++) {
		unsigned char c = (unsigned char)s.data[i];
		char lower = lg_lower((char)c);
		if ((lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
		    c == '.' || c == '_' || c == '~') {
			out[used++] = (char)c;
			continue;
		}
		out[used++] = '%';
		out[used++] = digits[c >> 4];
		out[used++] = digits[c & 15];
	}
	return used;
}

#endif
