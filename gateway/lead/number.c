#include "lead/number.h"

#define DIGITS_MAX 9

/* Copies the digits; every group behind the first separator has three. */
static bool collect_digits(struct lg_slice text, char digits[DIGITS_MAX + 1], size_t *count)
{
	size_t group = 0;
	char separator = '\0';

	*count = 0;
	for (size_t i = 0; i < text.length; i++) {
		char c = text.data[i];

		if (c >= '0' && c <= '9') {
			if (*count == DIGITS_MAX)
				return false;
			digits[(*count)++] = c;
			group++;
			continue;
		}
		if (c == '\0' || !strchr(",. '", c) || (separator && c != separator) ||
		    group == 0 || group > 3 || (separator && group != 3))
			return false;
		separator = c;
		group = 0;
	}
	return *count > 0 && (!separator || group == 3);
}

bool number_normalize(struct lg_slice text, char out[NUMBER_BYTES])
{
	char digits[DIGITS_MAX + 1];
	size_t count, zeros = 0;

	if (!collect_digits(slice_trim(text), digits, &count))
		return false;
	while (zeros + 1 < count && digits[zeros] == '0')
		zeros++;
	memcpy(out, digits + zeros, count - zeros);
	out[count - zeros] = '\0';
	return true;
}

bool number_normalize_boolean(struct lg_slice text, char out[NUMBER_BYTES])
{
	static const char *const words[2][6] = {
		{"false", "no", "off", "n", "f", "0"},
		{"true", "yes", "on", "y", "t", "1"},
	};

	text = slice_trim(text);
	for (size_t value = 0; value < 2; value++)
		for (size_t i = 0; i < 6; i++)
			if (slice_equal_nocase(text, slice_from(words[value][i]))) {
				strcpy(out, words[value][0]);
				return true;
			}
	return false;
}
