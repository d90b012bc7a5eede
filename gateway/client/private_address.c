#include "client/private_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct prefix {
	uint8_t bytes[16];
	unsigned bits;
};

/* https://www.iana.org/assignments/iana-ipv4-special-registry */
static const struct prefix v4_prefixes[] = {
	{{0}, 8},	      /* this network */
	{{10}, 8},	      /* private */
	{{100, 64}, 10},      /* shared with a provider's NAT */
	{{127}, 8},	      /* loopback */
	{{169, 254}, 16},     /* link-local, cloud metadata */
	{{172, 16}, 12},      /* private */
	{{192, 0, 0}, 24},    /* protocol assignments */
	{{192, 0, 2}, 24},    /* documentation */
	{{192, 88, 99}, 24},  /* 6to4 relays, deprecated */
	{{192, 168}, 16},     /* private */
	{{198, 18}, 15},      /* benchmarks */
	{{198, 51, 100}, 24}, /* documentation */
	{{203, 0, 113}, 24},  /* documentation */
	{{224}, 4},	      /* multicast */
	{{240}, 4},	      /* reserved, broadcast */
};

/* https://www.iana.org/assignments/iana-ipv6-special-registry */
static const struct prefix v6_prefixes[] = {
	{{0}, 96},			      /* unspecified, loopback, compatible */
	{{0x00, 0x64, 0xff, 0x9b, 0, 1}, 48}, /* NAT64 of one's own */
	{{0x01, 0x00}, 64},		      /* discard */
	{{0x20, 0x01, 0x00}, 23},	      /* protocol assignments, Teredo, ORCHID */
	{{0x20, 0x01, 0x0d, 0xb8}, 32},	      /* documentation */
	{{0x3f, 0xff}, 20},		      /* documentation */
	{{0x5f, 0x00}, 16},		      /* segment routing */
	{{0xfc}, 7},			      /* unique local */
	{{0xfe, 0x80}, 10},		      /* link-local */
	{{0xfe, 0xc0}, 10},		      /* site-local, deprecated */
	{{0xff}, 8},			      /* multicast */
};

/* IPv6 prefixes behind which an IPv4 address stands. */
static const struct {
	struct prefix prefix;
	size_t at;
} carriers[] = {
	{{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96}, 12}, /* mapped */
	{{{0x00, 0x64, 0xff, 0x9b}, 96}, 12},			/* NAT64 */
	{{{0x20, 0x02}, 16}, 2},				/* 6to4 */
};

static bool in_prefix(const uint8_t *bytes, const struct prefix *prefix)
{
	unsigned whole = prefix->bits / 8, rest = prefix->bits % 8;
	uint8_t mask = (uint8_t)(0xff00 >> rest);

	return memcmp(bytes, prefix->bytes, whole) == 0 &&
	       (rest == 0 || ((bytes[whole] ^ prefix->bytes[whole]) & mask) == 0);
}

static bool v4_is_private(const uint8_t bytes[4])
{
	for (size_t i = 0; i < sizeof(v4_prefixes) / sizeof(v4_prefixes[0]); i++)
		if (in_prefix(bytes, &v4_prefixes[i]))
			return true;
	return false;
}

static bool v6_is_private(const uint8_t bytes[16])
{
	for (size_t i = 0; i < sizeof(v6_prefixes) / sizeof(v6_prefixes[0]); i++)
		if (in_prefix(bytes, &v6_prefixes[i]))
			return true;
	for (size_t i = 0; i < sizeof(carriers) / sizeof(carriers[0]); i++)
		if (in_prefix(bytes, &carriers[i].prefix))
			return v4_is_private(bytes + carriers[i].at);
	return false;
}

bool private_address_is(const struct sockaddr *address)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;

	switch (address->sa_family) {
	case AF_INET: return v4_is_private((const uint8_t *)&v4->sin_addr);
	case AF_INET6: return v6_is_private(v6->sin6_addr.s6_addr);
	default: return true;
	}
}

bool private_address_is_text(const char *text)
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1)
		return v4_is_private(bytes);
	if (inet_pton(AF_INET6, text, bytes) == 1)
		return v6_is_private(bytes);
	return true;
}
