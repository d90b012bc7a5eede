#include "codec/hex.h"

int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

void hex_encode(struct lg_slice bytes, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < bytes.length; i++) {
		uint8_t byte = (uint8_t)bytes.data[i];

		*out++ = digits[byte >> 4];
		*out++ = digits[byte & 15];
	}
	*out = '\0';
}

ptrdiff_t hex_decode(struct lg_slice text, uint8_t *out, size_t capacity)
{
	if (text.length % 2 || text.length / 2 > capacity)
		return -1;
	for (size_t i = 0; i < text.length; i += 2) {
		int high = hex_digit(text.data[i]), low = hex_digit(text.data[i + 1]);

		if (high < 0 || low < 0)
			return -1;
		out[i / 2] = (uint8_t)(high << 4 | low);
	}
	return (ptrdiff_t)(text.length / 2);
}
