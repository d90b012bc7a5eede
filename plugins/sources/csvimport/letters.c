/* Letters as names of columns are compared by them: small, and without accents, so that it does
 * not matter who typed a name in capitals, or whether a program writes an accent as a part of its
 * letter or behind it. */
#include "csvimport.h"

/* U+00C0 to U+017F: one letter or two for each, "  " for a sign. */
static const char latin[] = "a a a a a a aec e e e e i i i i d n o o o o o   o u u u u y thss"
			    "a a a a a a aec e e e e i i i i d n o o o o o   o u u u u y thy "
			    "a a a a a a c c c c c c c c d d d d e e e e e e e e e e g g g g "
			    "g g g g h h h h i i i i i i i i i i ijijj j k k k l l l l l l l "
			    "l l l n n n n n n n n n o o o o o o oeoer r r r r r s s s s s s "
			    "s s t t t t t t u u u u u u u u u u u u w w y y y z z z z z z s ";

/* Small letters of Greek and Cyrillic (and capitals of Greek) that are others with an accent,
 * or as they stand at the end of a word. */
static const struct {
	int32_t letter, base;
} accented[] = {
	{0x386, 0x3b1}, {0x388, 0x3b5}, {0x389, 0x3b7}, {0x38a, 0x3b9}, {0x38c, 0x3bf},
	{0x38e, 0x3c5}, {0x38f, 0x3c9}, {0x390, 0x3b9}, {0x3ac, 0x3b1}, {0x3ad, 0x3b5},
	{0x3ae, 0x3b7}, {0x3af, 0x3b9}, {0x3b0, 0x3c5}, {0x3c2, 0x3c3}, {0x3ca, 0x3b9},
	{0x3cb, 0x3c5}, {0x3cc, 0x3bf}, {0x3cd, 0x3c5}, {0x3ce, 0x3c9}, {0x439, 0x438},
	{0x450, 0x435}, {0x451, 0x435}, {0x453, 0x433}, {0x457, 0x456}, {0x45c, 0x43a},
	{0x45d, 0x438}, {0x45e, 0x443},
};

/* The next character, which is taken off; what is no UTF-8 is taken byte by byte. */
static int32_t take_character(struct lg_slice *rest)
{
	const unsigned char *at = (const unsigned char *)rest->data;
	size_t length = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : at[0] >= 0xc0 ? 2 : 1;
	int32_t c = at[0] & (length == 1 ? 0xff : 0x7f >> length);

	if (length > rest->length)
		length = rest->length;
	for (size_t i = 1; i < length; i++)
		c = c << 6 | (at[i] & 0x3f);
	*rest = lg_slice_cut(*rest, length, rest->length);
	return c;
}

/* What nobody sees: accents that stand behind their letter, joiners, soft hyphens, marks. */
static bool is_unseen(int32_t c)
{
	return (c >= 0x300 && c <= 0x36f) || c == 0xad || (c >= 0x200b && c <= 0x200f) ||
	       c == 0x2060 || c == 0xfeff;
}

/* Blanks and signs; beyond ASCII those of Latin-1, general punctuation and a wide blank. */
static bool is_sign(int32_t c)
{
	if (c < 0x80)
		return !(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
	return (c >= 0x80 && c < 0xc0) || c == 0xd7 || c == 0xf7 || c == 0x1680 ||
	       (c >= 0x2000 && c <= 0x206f) || c == 0x3000;
}

/* The small letter of a Greek or Cyrillic one, without its accent. */
static int32_t base_of(int32_t c)
{
	if ((c >= 0x391 && c <= 0x3ab) || (c >= 0x410 && c <= 0x42f))
		c += 0x20;
	else if (c >= 0x400 && c <= 0x40f)
		c += 0x50;
	for (size_t i = 0; i < sizeof(accented) / sizeof(accented[0]); i++)
		if (accented[i].letter == c)
			return accented[i].base;
	return c;
}

size_t letters_take(struct lg_slice *rest, char out[LETTER_BYTES])
{
	const char *from = rest->data;
	int32_t c = take_character(rest);
	size_t length = (size_t)(rest->data - from);

	if (is_unseen(c))
		return 0;
	if (is_sign(c)) {
		out[0] = LETTER_SIGN;
		return 1;
	}
	memcpy(out, from, length);
	if (c < 0x80) {
		out[0] = lg_lower(out[0]);
	} else if (c >= 0xc0 && c < 0x180) {
		memcpy(out, latin + 2 * (c - 0xc0), 2);
		return out[1] == ' ' ? 1 : 2;
	} else if (length == 2) {
		c = base_of(c);
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
	}
	return length;
}
