/* Which certificate serves a name: host names and wildcards of one left label
 * ("*.example.com", RFC 6125, section 6.4.3), in any case. Built by one thread,
 * then read by any. */
#ifndef CONN_TLS_NAMES_H
#define CONN_TLS_NAMES_H

#include <leadgate/types.h>

#include <stdbool.h>
#include <stddef.h>

#define TLS_NAME_NONE SIZE_MAX
#define TLS_NAME_BYTES 255 /* longest host name (RFC 1035) with its end */

struct tls_name;

struct tls_names {
	struct tls_name *items; /* ascending once they are sorted */
	size_t count, capacity;
};

/* Adds a name that the certificate of this number is made out for. What cannot
 * be a host name, or is no wildcard of a whole label with two more behind it,
 * is passed over: no client can ask for it. False: no memory. */
bool tls_names_add(struct tls_names *names, struct lg_slice name, size_t number);
/* After the last was added. */
void tls_names_sort(struct tls_names *names);
void tls_names_fini(struct tls_names *names);

/* The number of the certificate for a host as a client spelt it, the lowest of
 * several; a name goes before a wildcard. TLS_NAME_NONE: there is none. */
size_t tls_names_find(const struct tls_names *names, struct lg_slice host);

#endif
