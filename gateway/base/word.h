/* A text eight bytes at a time, the first of them lowest: what most texts are can
 * be asked of eight bytes with the same few operations as of one. Answers are in
 * the high bits of the bytes; those of bytes beyond ASCII mean nothing, and behind
 * the first byte that is marked others may be marked as well: whoever asks "is
 * there any" gets the right answer when words beyond ASCII are sorted out. Pure;
 * any thread. */
#ifndef BASE_WORD_H
#define BASE_WORD_H

#include <leadgate/types.h>

#include <endian.h>
#include <stdbool.h>
#include <string.h>

#define WORD_BYTES sizeof(uint64_t)
#define WORD_EACH(byte) (UINT64_C(0x0101010101010101) * (unsigned char)(byte))
#define WORD_HIGH_BITS WORD_EACH(0x80)

static inline uint64_t word_load(const char *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return le64toh(word);
}

/* What is left of a text from `at` on, fewer than eight bytes, and `pad` behind it. */
static inline uint64_t word_rest(struct lg_slice text, size_t at, char pad)
{
	uint64_t word = WORD_EACH(pad);

	for (size_t end = text.length; end > at; end--)
		word = word << 8 | (unsigned char)text.data[end - 1];
	return word;
}

/* Marks bytes that equal `c`. */
static inline uint64_t word_equal(uint64_t word, char c)
{
	return (word ^ WORD_EACH(c)) - WORD_EACH(1);
}

/* Marks bytes below `c`. */
static inline uint64_t word_below(uint64_t word, char c)
{
	return word - WORD_EACH(c);
}

/* Whether `marks` finds anything in a text; `pad` is something it does not mark. The
 * last eight bytes are looked at whichever of them were seen before. */
static inline bool word_any(struct lg_slice text, uint64_t (*marks)(uint64_t word), char pad)
{
	uint64_t seen = 0;

	if (text.length < WORD_BYTES)
		return (marks(word_rest(text, 0, pad)) & WORD_HIGH_BITS) != 0;
	for (size_t at = 0; at < text.length - WORD_BYTES; at += WORD_BYTES)
		seen |= marks(word_load(text.data + at));
	seen |= marks(word_load(text.data + text.length - WORD_BYTES));
	return (seen & WORD_HIGH_BITS) != 0;
}

#endif
