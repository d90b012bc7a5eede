#include "lead/text.h"

#include "base/utf8.h"
#include "base/word.h"
#include "lead/unicode.h"

/* What a character does to a text. */
enum kind { KEEP, DROP, SPACE, LINE, JOINER };

/* Beyond ASCII. Sources: Unicode 15 general categories Zs, Zl, Zp, Cc and Cf;
 * of Cf, what has no meaning in a form field but can hide or turn text around
 * (UTR #36, section 2.10). */
static enum kind wide_kind(int32_t c)
{
	if (c < 0xA0)
		return c == 0x85 ? LINE : DROP;
	if (c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F ||
	    c == 0x205F || c == 0x3000)
		return SPACE;
	if (c == 0x2028 || c == 0x2029)
		return LINE;
	if (c == 0x200C || c == 0x200D)
		return JOINER;
	if (c == 0xAD || c == 0x61C || c == 0x180E || (c >= 0x200B && c <= 0x200F) ||
	    (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||
	    (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE007F) ||
	    (c & 0xFFFE) == 0xFFFE)
		return DROP;
	return KEEP;
}

static enum kind kind_of(int32_t c)
{
	if (c >= 0x80)
		return wide_kind(c);
	if (c > 0x20)
		return c == 0x7F ? DROP : KEEP;
	if (c == ' ' || c == '\t')
		return SPACE;
	return c >= '\n' && c <= '\r' ? LINE : DROP;
}

struct cleaner {
	char *out;
	size_t length;
	size_t breaks; /* line ends seen since the last character that was kept */
	bool space;    /* a blank was seen since */
	bool block;
	bool joinable;	  /* the last character can be joined to the next */
	bool joiner;	  /* a joiner waits for the next character */
	char joiner_last; /* the last of its three bytes */
};

static void put(struct cleaner *cleaner, const char *bytes, size_t count)
{
	memcpy(cleaner->out + cleaner->length, bytes, count);
	cleaner->length += count;
}

/* What separates two kept characters; nothing at the beginning. */
static void put_gap(struct cleaner *cleaner)
{
	if (cleaner->length > 0 && cleaner->block && cleaner->breaks > 0)
		put(cleaner, "\n\n", cleaner->breaks > 1 ? 2 : 1);
	else if (cleaner->length > 0 && (cleaner->space || cleaner->breaks > 0))
		put(cleaner, " ", 1);
	cleaner->space = false;
	cleaner->breaks = 0;
}

static void put_character(struct cleaner *cleaner, int32_t c, const char *bytes, size_t count)
{
	put_gap(cleaner);
	if (cleaner->joiner && c >= 0x300) {
		put(cleaner, "\xe2\x80", 2);
		put(cleaner, &cleaner->joiner_last, 1);
	}
	cleaner->joiner = false;
	cleaner->joinable = c >= 0x300;
	put(cleaner, bytes, count);
}

static void clean_character(struct cleaner *cleaner, int32_t c, const char *bytes, size_t count)
{
	enum kind kind = kind_of(c);

	if (kind == KEEP) {
		put_character(cleaner, c, bytes, count);
	} else if (kind == JOINER && cleaner->joinable) {
		cleaner->joiner = true;
		cleaner->joiner_last = bytes[2];
	} else if (kind == SPACE || kind == LINE) {
		cleaner->space |= kind == SPACE;
		cleaner->breaks += kind == LINE;
		cleaner->joinable = cleaner->joiner = false;
	}
}

/* Every character gives at most its own bytes, an invalid byte three. */
static struct lg_slice clean(struct arena *arena, struct lg_slice text, bool block)
{
	struct cleaner cleaner = {.block = block, .out = arena_alloc(arena, text.length * 3 + 1)};
	const char *begin = text.data, *at = begin;

	if (!cleaner.out)
		return slice_of(NULL, 0);
	while (text.length > 0) {
		int32_t c = utf8_next(&text);

		if (c == UTF8_INVALID)
			clean_character(&cleaner, 0xFFFD, "\xef\xbf\xbd", 3);
		else if (!(c == '\n' && at > begin && at[-1] == '\r'))
			clean_character(&cleaner, c, at, (size_t)(text.data - at));
		at = text.data;
	}
	return slice_of(cleaner.out, cleaner.length);
}

/* Marks what is not printable ASCII, and a blank behind a blank; `*before` says
 * whether the last byte was one. */
static uint64_t unclean_bytes(uint64_t word, uint64_t *before)
{
	/* Exactly: a blank more would be one too many. */
	uint64_t blank = word_equal_exactly(word, ' ');
	uint64_t twice = blank & (blank << 8 | *before);

	*before = blank >> 56;
	return word | word_below(word, ' ') | (word + WORD_EACH(1)) | twice;
}

/* Printable ASCII with single blanks inside: nothing to do. */
static bool surely_clean(struct lg_slice text)
{
	uint64_t unclean = 0, before = 0x80;
	size_t at = 0;

	for (; text.length - at >= WORD_BYTES; at += WORD_BYTES)
		unclean |= unclean_bytes(word_load(text.data + at), &before);
	unclean |= unclean_bytes(word_rest(text, at, 'x'), &before);
	return (unclean & WORD_HIGH_BITS) == 0 &&
	       (text.length == 0 || text.data[text.length - 1] != ' ');
}

static struct lg_slice cut(struct lg_slice text, size_t limit_bytes)
{
	return text.length > limit_bytes ? slice_trim(utf8_cut(text, limit_bytes)) : text;
}

static struct lg_slice normalize(struct arena *arena, struct lg_slice text, size_t limit_bytes,
				 bool block)
{
	struct lg_slice out;

	if (surely_clean(text))
		return cut(text, limit_bytes);
	out = clean(arena, text, block);
	/* After cleaning: a character that went may have kept two apart. */
	if (slice_present(out))
		out = unicode_nfc(arena, out);
	if (!slice_present(out))
		return out;
	out = cut(out, limit_bytes);
	return slice_equal(out, text) ? text : out;
}

struct lg_slice text_line(struct arena *arena, struct lg_slice text, size_t limit_bytes)
{
	return normalize(arena, text, limit_bytes, false);
}

struct lg_slice text_block(struct arena *arena, struct lg_slice text, size_t limit_bytes)
{
	return normalize(arena, text, limit_bytes, true);
}

/* With U+FFFD for each byte that belongs to no character. */
static struct lg_slice repair(struct arena *arena, struct lg_slice text)
{
	char *out = arena_alloc(arena, text.length * 3);
	struct lg_slice rest = text;
	size_t length = 0;

	while (out && rest.length > 0) {
		const char *at = rest.data;
		bool valid = utf8_next(&rest) != UTF8_INVALID;
		size_t count = valid ? (size_t)(rest.data - at) : 3;

		memcpy(out + length, valid ? at : "\xef\xbf\xbd", count);
		length += count;
	}
	return slice_of(out, length);
}

/* Most texts are ASCII, which shows while they are copied. */
struct lg_slice text_valid(struct arena *arena, struct lg_slice text)
{
	char *out = slice_present(text) ? arena_alloc(arena, text.length + 1) : NULL;

	if (!out)
		return slice_of(NULL, 0);
	if (!utf8_copy_ascii(out, text) && !utf8_valid(text))
		return repair(arena, text);
	out[text.length] = '\0';
	return slice_of(out, text.length);
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

bool text_equal_but_space(struct lg_slice a, struct lg_slice b)
{
	size_t i = 0, j = 0;

	for (;;) {
		while (i < a.length && is_space(a.data[i]))
			i++;
		while (j < b.length && is_space(b.data[j]))
			j++;
		if (i == a.length || j == b.length)
			return i == a.length && j == b.length;
		if (a.data[i++] != b.data[j++])
			return false;
	}
}

/* Of what is folded. Beyond ASCII all but dashes and quotes: Côte d’Ivoire. */
static bool plain_character(int32_t c)
{
	if (c < 0x80)
		return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
	return c < 0x2010 || c > 0x2027;
}

struct lg_slice text_plain(struct lg_slice text, char *out, size_t capacity)
{
	ptrdiff_t length = unicode_fold(text, out, capacity);
	struct lg_slice rest = slice_of(out, length > 0 ? (size_t)length : 0);
	size_t kept = 0;

	while (rest.length > 0) {
		const char *at = rest.data;

		if (!plain_character(utf8_next(&rest)))
			continue;
		memmove(out + kept, at, (size_t)(rest.data - at));
		kept += (size_t)(rest.data - at);
	}
	return slice_of(out, kept);
}
