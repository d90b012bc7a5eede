#include "http/h1_char.h"

/* What is common to the bytes of each row. A target takes every visible byte
 * but '#', which a request never carries, and bytes beyond ASCII: text-message
 * gateways send them unescaped in queries, and they cannot disturb framing. */
#define VISIBLE (H1_VALUE | H1_TARGET)
#define MARK (VISIBLE | H1_TOKEN)
#define NAME (VISIBLE | H1_TOKEN | H1_HOST)

const unsigned char h1_char[256] = {
	['\t'] = H1_VALUE,
	[' '] = H1_VALUE,
	['0' ... '9'] = NAME,
	['A' ... 'Z'] = NAME,
	['a' ... 'z'] = NAME,
	['!'] = NAME,
	['$'] = NAME,
	['%'] = NAME,
	['&'] = NAME,
	['\''] = NAME,
	['*'] = NAME,
	['+'] = NAME,
	['-'] = NAME,
	['.'] = NAME,
	['_'] = NAME,
	['~'] = NAME,
	['#'] = H1_VALUE | H1_TOKEN,
	['^'] = MARK,
	['`'] = MARK,
	['|'] = MARK,
	['('] = VISIBLE | H1_HOST,
	[')'] = VISIBLE | H1_HOST,
	[','] = VISIBLE | H1_HOST,
	[';'] = VISIBLE | H1_HOST,
	['='] = VISIBLE | H1_HOST,
	['"'] = VISIBLE,
	['/'] = VISIBLE,
	[':'] = VISIBLE,
	['<'] = VISIBLE,
	['>'] = VISIBLE,
	['?'] = VISIBLE,
	['@'] = VISIBLE,
	['['] = VISIBLE,
	['\\'] = VISIBLE,
	[']'] = VISIBLE,
	['{'] = VISIBLE,
	['}'] = VISIBLE,
	[0x80 ... 0xff] = VISIBLE,
};

#define EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

/* Non-zero when one of eight bytes is below 0x20 or is 0x7f. The well-known
 * test for a byte below n, for n up to 0x80: (x - n…n) & ~x & 0x80…80. */
static uint64_t has_control(uint64_t x)
{
	uint64_t del = x ^ EACH_BYTE(0x7f);

	return (((x - EACH_BYTE(0x20)) & ~x) | ((del - EACH_BYTE(1)) & ~del)) & EACH_BYTE(0x80);
}

bool h1_is_value(struct lg_slice value)
{
	size_t i = 0;

	for (; i + 8 <= value.length; i += 8) {
		uint64_t eight;
		memcpy(&eight, value.data + i, 8);
		if (has_control(eight) && h1_span(value.data + i, 8, H1_VALUE) < 8)
			return false; /* tabs are controls that may stand here */
	}
	return h1_span(value.data + i, value.length - i, H1_VALUE) == value.length - i;
}

bool h1_is_token(struct lg_slice name)
{
	return name.length > 0 && h1_span(name.data, name.length, H1_TOKEN) == name.length;
}

/* "[" IPv6 or a later form "]": what is in it is not looked up by anybody, so
 * its bytes are checked and not its sense. */
static size_t literal_length(struct lg_slice s)
{
	size_t i = 1;

	while (i < s.length && (h1_is(s.data[i], H1_HOST) || s.data[i] == ':'))
		i++;
	return i > 1 && i < s.length && s.data[i] == ']' ? i + 1 : 0;
}

bool h1_is_authority(struct lg_slice authority)
{
	size_t host;

	if (authority.length > 0 && authority.data[0] == '[')
		host = literal_length(authority);
	else
		host = h1_span(authority.data, authority.length, H1_HOST);
	if (host == 0)
		return false;
	if (host == authority.length)
		return true;
	if (authority.data[host] != ':')
		return false;
	for (size_t i = host + 1; i < authority.length; i++)
		if (authority.data[i] < '0' || authority.data[i] > '9')
			return false;
	return authority.length - host <= 6;
}
