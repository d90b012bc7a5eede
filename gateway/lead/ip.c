#include "lead/ip.h"

#include <arpa/inet.h>

/* Without what may stand around an address: "[2001:db8::1]:443", "192.0.2.1:80". */
static struct lg_slice unwrap(struct lg_slice text)
{
	ptrdiff_t end = slice_find(text, ']'), colon = slice_find(text, ':');

	if (text.length > 0 && text.data[0] == '[' && end > 0)
		return slice_cut(text, 1, (size_t)end - 1);
	if (colon > 0 && slice_find(text, '.') > 0 &&
	    slice_find(slice_cut(text, (size_t)colon + 1, SIZE_MAX), ':') < 0)
		return slice_cut(text, 0, (size_t)colon);
	return text;
}

/* Most addresses: four numbers up to 255 without leading zeros, which is their one
 * form already. The library's functions print to get there. */
static bool dotted(struct lg_slice text)
{
	unsigned int value = 0, digits = 0, dots = 0;

	for (size_t i = 0; i < text.length; i++) {
		char c = text.data[i];

		if (c == '.' && digits > 0) {
			value = digits = 0;
			dots++;
		} else if (c >= '0' && c <= '9' && !(digits > 0 && value == 0)) {
			value = value * 10 + (unsigned int)(c - '0');
			digits++;
			if (value > 255)
				return false;
		} else {
			return false;
		}
	}
	return dots == 3 && digits > 0;
}

bool ip_normalize(struct lg_slice text, char out[IP_BYTES])
{
	struct lg_slice address = unwrap(slice_trim(text));
	struct in6_addr six;
	char zero_ended[IP_BYTES];

	if (address.length == 0 || address.length >= sizeof(zero_ended) ||
	    memchr(address.data, '\0', address.length))
		return false;
	if (dotted(address)) {
		slice_to_text(address, out, IP_BYTES);
		return true;
	}
	slice_to_text(address, zero_ended, sizeof(zero_ended));
	if (inet_pton(AF_INET6, zero_ended, &six) != 1)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&six))
		return inet_ntop(AF_INET, &six.s6_addr[12], out, IP_BYTES) != NULL;
	return inet_ntop(AF_INET6, &six, out, IP_BYTES) != NULL;
}
