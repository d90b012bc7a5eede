/* IP addresses and prefixes. Pure; any thread.
 *
 * One form for both families, so that everything above has one case: an IPv4
 * address is kept as its mapped IPv6 address (RFC 4291, section 2.5.5.2). */
#ifndef CONN_ADDRESS_H
#define CONN_ADDRESS_H

#include "base/slice.h"

struct sockaddr;

#define ADDRESS_TEXT_BYTES 46 /* INET6_ADDRSTRLEN */

struct address {
	uint8_t bytes[16];
};

struct address_prefix {
	struct address address;
	unsigned bits; /* 0…128 */
};

/* "192.0.2.1" or "2001:db8::1". False when it is neither. */
bool address_parse(struct lg_slice text, struct address *address);

/* Of an AF_INET or AF_INET6 socket; false for other families. */
bool address_from_socket(const struct sockaddr *socket, struct address *address);

/* Mapped addresses are written as IPv4. */
void address_format(const struct address *address, char out[ADDRESS_TEXT_BYTES]);

/* Of this machine, its link or a network that is not the Internet's: loopback,
 * RFC 1918, 3927, 4193, 4291 (fe80::/10) and 6598. */
bool address_is_private(const struct address *address);

bool address_is_v4(const struct address *address);

/* What one subscriber has whole, as 128 bits for a hash: an IPv4 address, the /64
 * of an IPv6 address. */
void address_network(const struct address *address, uint64_t network[2]);

/* "192.0.2.0/24", "2001:db8::/32", or an address alone. False when it is none,
 * or when bits beyond the prefix are set: the writer meant something else. */
bool address_prefix_parse(struct lg_slice text, struct address_prefix *prefix);

bool address_in_prefix(const struct address *address, const struct address_prefix *prefix);

#endif
