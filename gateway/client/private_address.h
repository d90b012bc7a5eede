/* Addresses that a call from the gateway must not reach unless the operator
 * says so: what is in the gateway's own network is no destination for a URL
 * that somebody else may have influenced (cloud metadata, databases, admin
 * ports). Pure; any thread. */
#ifndef CLIENT_PRIVATE_ADDRESS_H
#define CLIENT_PRIVATE_ADDRESS_H

#include <stdbool.h>

struct sockaddr;

/* True for all of IANA's special-purpose addresses (RFC 6890 and its registry):
 * loopback, private, link-local (with 169.254.169.254), shared, multicast, test
 * networks, unspecified, reserved; for IPv6 also what carries such an IPv4
 * address within (mapped, compatible, NAT64, 6to4, Teredo). True for other
 * families, too. */
bool private_address_is(const struct sockaddr *address);

/* The same of an address as text; true when it is none. */
bool private_address_is_text(const char *text);

#endif
