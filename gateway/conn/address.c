#include "conn/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
#define MAPPED_BITS 96

static void from_v4(const void *bytes, struct address *address)
{
	memcpy(address->bytes, mapped, sizeof(mapped));
	memcpy(address->bytes + sizeof(mapped), bytes, 4);
}

bool address_parse(struct lg_slice text, struct address *address)
{
	char copy[ADDRESS_TEXT_BYTES];
	uint8_t v4[4];

	if (text.length == 0 || text.length >= sizeof(copy) || memchr(text.data, 0, text.length))
		return false;
	slice_to_text(text, copy, sizeof(copy));
	if (inet_pton(AF_INET, copy, v4) == 1) {
		from_v4(v4, address);
		return true;
	}
	return inet_pton(AF_INET6, copy, address->bytes) == 1;
}

bool address_from_socket(const struct sockaddr *socket, struct address *address)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	switch (socket->sa_family) {
	case AF_INET:
		memcpy(&v4, socket, sizeof(v4));
		from_v4(&v4.sin_addr, address);
		return true;
	case AF_INET6:
		memcpy(&v6, socket, sizeof(v6));
		memcpy(address->bytes, &v6.sin6_addr, sizeof(address->bytes));
		return true;
	default: return false;
	}
}

bool address_is_v4(const struct address *address)
{
	return memcmp(address->bytes, mapped, sizeof(mapped)) == 0;
}

void address_network(const struct address *address, uint64_t network[2])
{
	memcpy(network, address->bytes, sizeof(address->bytes));
	if (!address_is_v4(address))
		network[1] = 0;
}

void address_format(const struct address *address, char out[ADDRESS_TEXT_BYTES])
{
	if (address_is_v4(address))
		inet_ntop(AF_INET, address->bytes + sizeof(mapped), out, ADDRESS_TEXT_BYTES);
	else
		inet_ntop(AF_INET6, address->bytes, out, ADDRESS_TEXT_BYTES);
}

/* Whether `a` and `b` agree in their first `bits` bits. */
static bool equal_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8;
	uint8_t mask = (uint8_t)(0xff00u >> (bits % 8));

	if (memcmp(a, b, whole) != 0)
		return false;
	return bits % 8 == 0 || (a[whole] & mask) == (b[whole] & mask);
}

static bool rest_is_zero(const struct address_prefix *prefix)
{
	struct address cut = {0};

	memcpy(cut.bytes, prefix->address.bytes, prefix->bits / 8);
	if (prefix->bits % 8 != 0)
		cut.bytes[prefix->bits / 8] = prefix->address.bytes[prefix->bits / 8] &
					      (uint8_t)(0xff00u >> (prefix->bits % 8));
	return memcmp(&cut, &prefix->address, sizeof(cut)) == 0;
}

bool address_prefix_parse(struct lg_slice text, struct address_prefix *prefix)
{
	ptrdiff_t slash = slice_find(text, '/');
	struct lg_slice address = slash < 0 ? text : slice_cut(text, 0, (size_t)slash);
	bool is_v4 = slice_find(address, ':') < 0;
	uint64_t bits = is_v4 ? 32 : 128;

	if (!address_parse(address, &prefix->address))
		return false;
	if (slash >= 0) {
		uint64_t most = bits;
		if (!slice_to_u64(slice_cut(text, (size_t)slash + 1, text.length), &bits) ||
		    bits > most)
			return false;
	}
	prefix->bits = (unsigned)bits + (is_v4 ? MAPPED_BITS : 0);
	return rest_is_zero(prefix);
}

bool address_in_prefix(const struct address *address, const struct address_prefix *prefix)
{
	return equal_bits(address->bytes, prefix->address.bytes, prefix->bits);
}

bool address_is_private(const struct address *address)
{
	static const char *const prefixes[] = {
		"127.0.0.0/8",	 "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
		"100.64.0.0/10", "::1/128",    "fc00::/7",	"fe80::/10",
	};
	struct address_prefix prefix;

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (address_prefix_parse(slice_from(prefixes[i]), &prefix) &&
		    address_in_prefix(address, &prefix))
			return true;
	return false;
}
