#include "base/utf8.h"

#include "base/word.h"

/* Length of the character at `at`, of which `length` > 0 bytes are there, or
 * 0. The second byte's range shuts out overlong forms (E0, F0), surrogates
 * (ED) and what is above U+10FFFF (F4): RFC 3629, section 4. */
static size_t character(const unsigned char *at, size_t length)
{
	unsigned char first = at[0], low = 0x80, high = 0xBF;
	size_t size;

	if (first < 0x80)
		return 1;
	if (first < 0xC2 || first > 0xF4)
		return 0;
	size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
	if (length < size)
		return 0;
	if (first == 0xE0)
		low = 0xA0;
	else if (first == 0xED)
		high = 0x9F;
	else if (first == 0xF0)
		low = 0x90;
	else if (first == 0xF4)
		high = 0x8F;
	if (at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < size; i++)
		if ((at[i] & 0xC0) != 0x80)
			return 0;
	return size;
}

/* Marks what is not ASCII. */
static uint64_t wide_bytes(uint64_t word)
{
	return word;
}

bool utf8_ascii(struct lg_slice s)
{
	return !word_any(s, wide_bytes, ' ');
}

bool utf8_copy_ascii(char *to, struct lg_slice s)
{
	return !word_any_copied(to, s, wide_bytes, ' ');
}

bool utf8_valid(struct lg_slice s)
{
	const unsigned char *at = (const unsigned char *)s.data;
	size_t left = s.length;

	if (utf8_ascii(s))
		return true;
	while (left > 0) {
		if (left >= WORD_BYTES && (word_load((const char *)at) & WORD_HIGH_BITS) == 0) {
			at += WORD_BYTES;
			left -= WORD_BYTES;
			continue;
		}
		size_t size = character(at, left);
		if (size == 0)
			return false;
		at += size;
		left -= size;
	}
	return true;
}

struct lg_slice utf8_cut(struct lg_slice s, size_t max_bytes)
{
	if (s.length <= max_bytes)
		return s;
	size_t end = max_bytes;
	/* A character has at most three bytes after its first. */
	for (int i = 0; i < 3 && end > 0 && ((unsigned char)s.data[end] & 0xC0) == 0x80; i++)
		end--;
	return slice_of(s.data, end);
}

int32_t utf8_next(struct lg_slice *rest)
{
	static const unsigned char first_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
	const unsigned char *at = (const unsigned char *)rest->data;

	if (rest->length == 0)
		return UTF8_END;
	size_t size = character(at, rest->length);
	*rest = slice_of(rest->data + (size ? size : 1), rest->length - (size ? size : 1));
	if (size == 0)
		return UTF8_INVALID;
	int32_t point = at[0] & first_bits[size];
	for (size_t i = 1; i < size; i++)
		point = point << 6 | (at[i] & 0x3F);
	return point;
}
