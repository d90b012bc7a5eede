#include "codec/utf16.h"

#define REPLACEMENT 0xfffd

static uint32_t load(const char *at, bool big_endian)
{
	unsigned char first = (unsigned char)at[0], second = (unsigned char)at[1];

	return big_endian ? (uint32_t)first << 8 | second : (uint32_t)second << 8 | first;
}

static bool is_high(uint32_t unit)
{
	return unit >= 0xd800 && unit < 0xdc00;
}

static bool is_low(uint32_t unit)
{
	return unit >= 0xdc00 && unit < 0xe000;
}

static char *put(char *to, uint32_t c)
{
	if (c < 0x80) {
		*to++ = (char)c;
		return to;
	}
	if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			*to++ = (char)(0xe0 | c >> 12);
		} else {
			*to++ = (char)(0xf0 | c >> 18);
			*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		}
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*to++ = (char)(0x80 | (c & 0x3f));
	return to;
}

size_t utf16_decode(struct lg_slice bytes, bool big_endian, char *out, size_t *taken)
{
	size_t at = 0;
	char *to = out;

	while (bytes.length - at >= 2) {
		uint32_t unit = load(bytes.data + at, big_endian);

		if (is_high(unit)) {
			uint32_t low;

			if (bytes.length - at < 4)
				break;
			low = load(bytes.data + at + 2, big_endian);
			if (is_low(low)) {
				unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
				at += 2;
			} else {
				unit = REPLACEMENT;
			}
		} else if (is_low(unit)) {
			unit = REPLACEMENT;
		}
		to = put(to, unit);
		at += 2;
	}
	*taken = at;
	return (size_t)(to - out);
}

size_t utf16_length(struct lg_slice text)
{
	size_t units = 0;

	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];

		units += (c & 0xc0) != 0x80; /* each character … */
		units += c >= 0xf0;	     /* … beyond the basic plane is a pair */
	}
	return units * 2;
}
