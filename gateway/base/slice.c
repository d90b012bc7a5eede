#include "base/slice.h"

/* Not tolower: that asks the locale. */
static unsigned char lower(char c)
{
	unsigned char u = (unsigned char)c;
	return u >= 'A' && u <= 'Z' ? u | 0x20 : u;
}

bool slice_same_letters(const char *a, const char *b, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (a[i] != b[i] && lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

bool slice_starts(struct lg_slice s, const char *prefix)
{
	size_t length = strlen(prefix);
	return s.length >= length &&
	       slice_equal(slice_of(s.data, length), slice_of(prefix, length));
}

bool slice_ends(struct lg_slice s, const char *suffix)
{
	size_t length = strlen(suffix);
	return s.length >= length &&
	       slice_equal(slice_cut(s, s.length - length, length), slice_of(suffix, length));
}

ptrdiff_t slice_find(struct lg_slice s, char c)
{
	const char *at = s.length > 0 ? memchr(s.data, c, s.length) : NULL;
	return at ? at - s.data : -1;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct lg_slice slice_trim(struct lg_slice s)
{
	while (s.length > 0 && is_blank(s.data[0])) {
		s.data++;
		s.length--;
	}
	while (s.length > 0 && is_blank(s.data[s.length - 1]))
		s.length--;
	return s;
}

bool slice_split(struct lg_slice *rest, char separator, struct lg_slice *part)
{
	if (!slice_present(*rest))
		return false;
	ptrdiff_t at = slice_find(*rest, separator);
	if (at < 0) {
		*part = *rest;
		*rest = slice_of(NULL, 0);
		return true;
	}
	*part = slice_of(rest->data, (size_t)at);
	*rest = slice_of(rest->data + at + 1, rest->length - (size_t)at - 1);
	return true;
}

bool slice_to_u64(struct lg_slice s, uint64_t *value)
{
	uint64_t sum = 0;
	if (s.length == 0)
		return false;
	for (size_t i = 0; i < s.length; i++) {
		if (s.data[i] < '0' || s.data[i] > '9')
			return false;
		if (__builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, (uint64_t)(s.data[i] - '0'), &sum))
			return false;
	}
	*value = sum;
	return true;
}

void slice_to_text(struct lg_slice s, char *out, size_t capacity)
{
	if (capacity == 0)
		return;
	size_t length = s.length < capacity ? s.length : capacity - 1;
	if (length > 0)
		memcpy(out, s.data, length);
	out[length] = '\0';
}
