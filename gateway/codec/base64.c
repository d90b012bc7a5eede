#include "codec/base64.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/* Up to three bytes to as many digits as carry their bits. Returns how many. */
static size_t encode_group(const uint8_t *in, size_t count, const char *digits, char *out)
{
	uint32_t bits = (uint32_t)in[0] << 16;

	if (count > 1)
		bits |= (uint32_t)in[1] << 8;
	if (count > 2)
		bits |= in[2];
	for (size_t i = 0; i <= count; i++)
		out[i] = digits[bits >> (18 - 6 * i) & 63];
	return count + 1;
}

ptrdiff_t base64_encode(struct lg_slice bytes, bool url, char *out, size_t capacity)
{
	const uint8_t *in = (const uint8_t *)bytes.data;
	const char *digits = url ? LETTERS "-_" : LETTERS "+/";
	size_t rest = bytes.length % 3;
	size_t at = 0, length;

	if (bytes.length > PTRDIFF_MAX / 2)
		return -1;
	length = bytes.length / 3 * 4 + (rest == 0 ? 0 : url ? rest + 1 : 4);
	if (length > capacity)
		return -1;
	for (size_t i = 0; i + 3 <= bytes.length; i += 3)
		at += encode_group(in + i, 3, digits, out + at);
	if (rest)
		at += encode_group(in + bytes.length - rest, rest, digits, out + at);
	while (at < length)
		out[at++] = '=';
	return (ptrdiff_t)length;
}

/* -1: no digit of the alphabet. */
static int digit_value(char c, bool url)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == (url ? '-' : '+'))
		return 62;
	if (c == (url ? '_' : '/'))
		return 63;
	return -1;
}

/* Padding, where there is any, fills the last group of four. */
static bool strip_padding(struct lg_slice *text)
{
	size_t length = text->length;

	while (length > 0 && text->length - length < 2 && text->data[length - 1] == '=')
		length--;
	if (length != text->length && text->length % 4 != 0)
		return false;
	text->length = length;
	return true;
}

ptrdiff_t base64_decode(struct lg_slice text, uint8_t *out, size_t capacity)
{
	bool url = slice_find(text, '-') >= 0 || slice_find(text, '_') >= 0;
	uint32_t bits = 0;
	int held = 0; /* how many low bits of `bits` wait */
	size_t at = 0;

	if (!strip_padding(&text) || text.length % 4 == 1)
		return -1;
	for (size_t i = 0; i < text.length; i++) {
		int value = digit_value(text.data[i], url);

		if (value < 0)
			return -1;
		bits = bits << 6 | (uint32_t)value;
		held += 6;
		if (held < 8)
			continue;
		held -= 8;
		if (at == capacity)
			return -1;
		out[at++] = (uint8_t)(bits >> held);
	}
	return bits & ((1u << held) - 1) ? -1 : (ptrdiff_t)at;
}
