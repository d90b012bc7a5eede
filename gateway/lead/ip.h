/* Addresses of the Internet Protocol. Pure; any thread. */
#ifndef LEAD_IP_H
#define LEAD_IP_H

#include "base/slice.h"

#define IP_BYTES 46 /* INET6_ADDRSTRLEN */

/* IPv4 in dotted decimals, IPv6 as RFC 5952 writes it; an IPv4 address mapped
 * into IPv6 is an IPv4 address. Takes [brackets] and a port. False: none. */
bool ip_normalize(struct lg_slice text, char out[IP_BYTES]);

#endif
