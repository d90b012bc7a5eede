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

static inline void word_store(char *to, uint64_t word)
{
	word = htole64(word);
	memcpy(to, &word, sizeof(word));
}

/* What is left of a text from `at` on, fewer than eight bytes, and `pad` behind it.
 * A few loads that overlap, whatever its length is. */
static inline uint64_t word_rest(struct lg_slice text, size_t at, char pad)
{
	size_t left = text.length - at;
	uint64_t word;
	uint32_t first, last;

	if (left == 0)
		return WORD_EACH(pad);
	const char *rest = text.data + at;
	if (left >= sizeof(first)) {
		memcpy(&first, rest, sizeof(first));
		memcpy(&last, rest + left - sizeof(last), sizeof(last));
		word = le32toh(first) | (uint64_t)le32toh(last) << (8 * (left - sizeof(last)));
	} else {
		word = (uint64_t)(unsigned char)rest[0] |
		       (uint64_t)(unsigned char)rest[left / 2] << (8 * (left / 2)) |
		       (uint64_t)(unsigned char)rest[left - 1] << (8 * (left - 1));
	}
	return word | WORD_EACH(pad) << (8 * left);
}

/* Writes the first `length` bytes of a word, fewer than eight, as word_rest reads them. */
static inline void word_store_rest(char *to, uint64_t word, size_t length)
{
	uint32_t first = htole32((uint32_t)word), last;

	if (length >= sizeof(first)) {
		last = htole32((uint32_t)(word >> (8 * (length - sizeof(last)))));
		memcpy(to, &first, sizeof(first));
		memcpy(to + length - sizeof(last), &last, sizeof(last));
	} else if (length > 0) {
		to[0] = (char)word;
		to[length / 2] = (char)(word >> (8 * (length / 2)));
		to[length - 1] = (char)(word >> (8 * (length - 1)));
	}
}

/* Marks bytes that equal `c`. */
static inline uint64_t word_equal(uint64_t word, char c)
{
	return (word ^ WORD_EACH(c)) - WORD_EACH(1);
}

/* Marks bytes that equal `c` and no others, where all are ASCII. */
static inline uint64_t word_equal_exactly(uint64_t word, char c)
{
	return ~((word ^ WORD_EACH(c)) + WORD_EACH(0x7f)) & WORD_HIGH_BITS;
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

/* The same of a text that is copied to `to` on the way. */
static inline bool word_any_copied(char *to, struct lg_slice text, uint64_t (*marks)(uint64_t word),
				   char pad)
{
	uint64_t seen = 0, word;

	if (text.length < WORD_BYTES) {
		word = word_rest(text, 0, pad);
		word_store_rest(to, word, text.length);
		return (marks(word) & WORD_HIGH_BITS) != 0;
	}
	for (size_t at = 0; at < text.length - WORD_BYTES; at += WORD_BYTES) {
		word = word_load(text.data + at);
		word_store(to + at, word);
		seen |= marks(word);
	}
	word = word_load(text.data + text.length - WORD_BYTES);
	word_store(to + text.length - WORD_BYTES, word);
	return ((seen | marks(word)) & WORD_HIGH_BITS) != 0;
}

#endif
