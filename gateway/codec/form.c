#include "codec/form.h"

#include "base/utf8.h"
#include "base/word.h"
#include "codec/charset.h"
#include "codec/hex.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define FIRST_PAIRS 16

/* The byte that the two digits after a percent sign stand for, or -1. */
static int escaped_byte(const char *digits, const char *end)
{
	int high, low;

	if (end - digits < 2)
		return -1;
	high = hex_digit(digits[0]);
	low = hex_digit(digits[1]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* How many of eight bytes come before what is no ASCII or begins an escape. */
static size_t plain_bytes(uint64_t word)
{
	uint64_t marks = (word | word_equal(word, '%')) & WORD_HIGH_BITS;

	return marks ? (size_t)__builtin_ctzll(marks) / 8 : WORD_BYTES;
}

static uint64_t plus_to_blank(uint64_t word)
{
	return word - (word_equal_exactly(word, '+') >> 7) * ('+' - ' ');
}

/* Never longer than the source: so eight bytes may be written where eight are read.
 * Returns the bytes written. */
static size_t decode_bytes(struct lg_slice s, bool plus, char *out)
{
	const char *at = s.data, *end = s.data + s.length;
	char *to = out;

	while (at < end) {
		if (end - at >= (ptrdiff_t)WORD_BYTES) {
			uint64_t word = word_load(at);
			size_t plain = plain_bytes(word);

			word_store(to, plus ? plus_to_blank(word) : word);
			at += plain;
			to += plain;
			if (plain)
				continue;
		}
		char c = *at++;

		if (c == '+' && plus) {
			c = ' ';
		} else if (c == '%') {
			int byte = escaped_byte(at, end);

			if (byte >= 0) {
				c = (char)byte;
				at += 2;
			}
		}
		*to++ = c;
	}
	return (size_t)(to - out);
}

/* The text with U+FFFD for each byte that belongs to no character. */
static struct lg_slice repair_utf8(struct arena *arena, struct lg_slice text)
{
	char *repaired = arena_alloc(arena, text.length * 3 + 1);
	char *to = repaired;

	if (!repaired)
		return (struct lg_slice){NULL, 0};
	while (text.length > 0) {
		struct lg_slice piece = text;

		if (utf8_next(&text) == UTF8_INVALID)
			piece = LG_SLICE(REPLACEMENT);
		else
			piece.length -= text.length;
		memcpy(to, piece.data, piece.length);
		to += piece.length;
	}
	*to = '\0';
	return slice_of(repaired, (size_t)(to - repaired));
}

struct lg_slice percent_decode(struct arena *arena, struct lg_slice s, bool plus)
{
	char *decoded = arena_alloc(arena, s.length + 1);
	size_t length;

	if (!decoded)
		return (struct lg_slice){NULL, 0};
	length = decode_bytes(s, plus, decoded);
	decoded[length] = '\0';
	return slice_of(decoded, length);
}

/* Marks what stands for another byte, or is to be looked at as UTF-8. */
static uint64_t encoded_bytes(uint64_t word)
{
	return word | word_equal(word, '%') | word_equal(word, '+');
}

/* A name or a value; `charset` NULL: of UTF-8. */
static bool decode(struct arena *arena, const struct lg_slice *charset, struct lg_slice raw,
		   struct lg_slice *text)
{
	*text = raw;
	if (!charset && !word_any(raw, encoded_bytes, 'x'))
		return true;
	*text = percent_decode(arena, raw, true);
	if (slice_present(*text) && charset)
		*text = charset_decode(arena, *charset, *text);
	else if (slice_present(*text) && !utf8_valid(*text))
		*text = repair_utf8(arena, *text);
	return slice_present(*text);
}

static bool form_grow(struct arena *arena, struct form *form, size_t *room, size_t max_pairs)
{
	size_t wanted = *room ? *room * 2 : FIRST_PAIRS;
	struct lg_pair *pairs;

	if (form->count == max_pairs)
		return false;
	if (wanted > max_pairs)
		wanted = max_pairs;
	pairs = arena_alloc(arena, wanted * sizeof(*pairs));
	if (!pairs)
		return false;
	if (form->count)
		memcpy(pairs, form->pairs, form->count * sizeof(*pairs));
	form->pairs = pairs;
	*room = wanted;
	return true;
}

static bool parse(struct arena *arena, struct lg_slice bytes, const struct lg_slice *charset,
		  size_t max_pairs, struct form *form)
{
	struct lg_slice rest = bytes, part;
	size_t room = 0;

	*form = (struct form){NULL, 0};
	while (slice_split(&rest, '&', &part)) {
		ptrdiff_t equals = slice_find(part, '=');
		size_t end = equals < 0 ? part.length : (size_t)equals;
		struct lg_pair *pair;

		if (part.length == 0)
			continue;
		if (form->count == room && !form_grow(arena, form, &room, max_pairs))
			return false;
		pair = &form->pairs[form->count++];
		if (!decode(arena, charset, slice_cut(part, 0, end), &pair->name) ||
		    !decode(arena, charset, slice_cut(part, end + 1, SIZE_MAX), &pair->value))
			return false;
	}
	return true;
}

bool form_parse(struct arena *arena, struct lg_slice bytes, size_t max_pairs, struct form *form)
{
	return parse(arena, bytes, NULL, max_pairs, form);
}

bool form_parse_in(struct arena *arena, struct lg_slice bytes, struct lg_slice charset,
		   size_t max_pairs, struct form *form)
{
	return parse(arena, bytes, &charset, max_pairs, form);
}

struct lg_slice form_value(const struct form *form, const char *name)
{
	for (size_t i = 0; i < form->count; i++) {
		if (slice_is(form->pairs[i].name, name))
			return form->pairs[i].value;
	}
	return (struct lg_slice){NULL, 0};
}

static bool is_kept(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '*' || c == '-' || c == '.' || c == '_';
}

void form_encode(struct buffer *out, struct lg_slice text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];
		char encoded[3] = {'%', digits[c >> 4], digits[c & 15]};
		if (is_kept((char)c))
			buffer_add_byte(out, (char)c);
		else if (c == ' ')
			buffer_add_byte(out, '+');
		else
			buffer_add(out, encoded, sizeof(encoded));
	}
}
