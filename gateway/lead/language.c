#include "lead/language.h"

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static char upper(char c)
{
	return (char)(c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c);
}

/* What comes before a list's comma, a weight, or a locale's charset and modifier. */
static struct lg_slice first_tag(struct lg_slice text)
{
	size_t end = 0;

	text = slice_trim(text);
	while (end < text.length && !strchr(",;.@ ", text.data[end]))
		end++;
	return slice_cut(text, 0, end);
}

static bool all_letters(struct lg_slice subtag)
{
	for (size_t i = 0; i < subtag.length; i++)
		if (!is_letter(subtag.data[i]))
			return false;
	return true;
}

static bool well_formed(struct lg_slice subtag, size_t index)
{
	if (index == 0)
		return (subtag.length == 2 || subtag.length == 3) && all_letters(subtag);
	if (subtag.length == 0 || subtag.length > 8)
		return false;
	for (size_t i = 0; i < subtag.length; i++)
		if (!is_letter(subtag.data[i]) && (subtag.data[i] < '0' || subtag.data[i] > '9'))
			return false;
	return true;
}

/* Two letters are a region and four a script, but not behind a singleton, which
 * begins an extension. */
static void write_subtag(char *out, struct lg_slice subtag, size_t index, bool extension)
{
	bool letters = all_letters(subtag) && index > 0 && !extension;

	for (size_t i = 0; i < subtag.length; i++) {
		bool up = letters && (subtag.length == 2 || (subtag.length == 4 && i == 0));

		out[i] = up ? upper(subtag.data[i]) : lower(subtag.data[i]);
	}
}

/* Codes that ISO 639 has replaced and that old systems still send. */
static void replace_old(char out[LANGUAGE_BYTES])
{
	static const char pairs[][2][3] = {{"iw", "he"}, {"in", "id"}, {"ji", "yi"}};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (memcmp(out, pairs[i][0], 2) == 0 && (out[2] == '\0' || out[2] == '-'))
			memcpy(out, pairs[i][1], 2);
}

bool language_normalize(struct lg_slice text, char out[LANGUAGE_BYTES])
{
	struct lg_slice tag = first_tag(text);
	bool extension = false;
	size_t length = 0;

	if (tag.length == 0 || tag.length >= LANGUAGE_BYTES)
		return false;
	for (size_t index = 0; length < tag.length || index == 0; index++) {
		size_t end = length;
		struct lg_slice subtag;

		while (end < tag.length && tag.data[end] != '-' && tag.data[end] != '_')
			end++;
		subtag = slice_cut(tag, length, end - length);
		if (!well_formed(subtag, index) || end + 1 == tag.length)
			return false;
		write_subtag(out + length, subtag, index, extension);
		extension |= index > 0 && subtag.length == 1;
		if (end < tag.length)
			out[end] = '-';
		length = end + (end < tag.length);
	}
	out[tag.length] = '\0';
	replace_old(out);
	return true;
}
