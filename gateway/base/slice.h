/* Borrowed bytes: comparisons and cuts over struct lg_slice. Pure; any thread. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <leadgate/types.h>

#include <stdbool.h>
#include <string.h>

/* printf("%.*s", SLICE_ARGS(s)) */
#define SLICE_ARGS(s) ((int)(s).length), ((s).data ? (s).data : "")

static inline struct lg_slice slice_of(const char *data, size_t length)
{
	return (struct lg_slice){data, length};
}

/* Over a zero-terminated string; NULL gives an absent slice. */
static inline struct lg_slice slice_from(const char *text)
{
	return (struct lg_slice){text, text ? strlen(text) : 0};
}

static inline bool slice_present(struct lg_slice s)
{
	return s.data != NULL;
}

/* One that came from a plugin: absent is without a length, whatever it says. */
static inline struct lg_slice slice_known(struct lg_slice s)
{
	return slice_present(s) ? s : (struct lg_slice){NULL, 0};
}

static inline bool slice_equal(struct lg_slice a, struct lg_slice b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

static inline bool slice_is(struct lg_slice a, const char *text)
{
	return slice_equal(a, slice_from(text));
}

/* From `start` on, at most `length` bytes; both are clamped to what is there. */
static inline struct lg_slice slice_cut(struct lg_slice s, size_t start, size_t length)
{
	if (start > s.length)
		start = s.length;
	if (length > s.length - start)
		length = s.length - start;
	return (struct lg_slice){s.data ? s.data + start : NULL, length};
}

/* Equal when ASCII letters of either case are one. */
bool slice_same_letters(const char *a, const char *b, size_t length);
static inline bool slice_equal_nocase(struct lg_slice a, struct lg_slice b)
{
	return a.length == b.length && slice_same_letters(a.data, b.data, a.length);
}

bool slice_starts(struct lg_slice s, const char *prefix);
bool slice_ends(struct lg_slice s, const char *suffix);

/* Position of a byte, or -1. */
ptrdiff_t slice_find(struct lg_slice s, char c);

/* Without ASCII blanks, tabs and line ends at both ends. */
struct lg_slice slice_trim(struct lg_slice s);

/* Takes the text before the next `separator` off `*rest` into `*part`; false
 * when nothing is left. "a,,b" gives "a", "", "b"; "a," gives "a", ""; "" gives
 * "" and an absent slice nothing. */
bool slice_split(struct lg_slice *rest, char separator, struct lg_slice *part);

/* Decimal digits alone, no sign, no blank; false on anything else or overflow. */
bool slice_to_u64(struct lg_slice s, uint64_t *value);

/* Copies into `out` with a closing zero byte, cut to fit. */
void slice_to_text(struct lg_slice s, char *out, size_t capacity);

#endif
