/* The header with which a proxy says for whom a connection was opened: the
 * PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt). Pure; any
 * thread. */
#ifndef CONN_PROXY_HEADER_H
#define CONN_PROXY_HEADER_H

#include "conn/address.h"

/* Which versions a listener takes; in the order of its option's words. */
enum proxy_versions { PROXY_OFF, PROXY_V1, PROXY_V2, PROXY_ANY };

enum proxy_result {
	PROXY_MORE,  /* so far good, not whole */
	PROXY_WHOLE, /* `header` is filled */
	PROXY_BROKEN /* not such a header; `header->problem` says what is wrong */
};

struct proxy_header {
	size_t length;	       /* bytes that it took; what follows is the client's */
	bool has_source;       /* false: the proxy's own connection (LOCAL, health checks), */
	struct address source; /* … UNKNOWN, or a family that is no IP */
	const char *problem;   /* a constant sentence */
};

/* Looks at all bytes that have come since the connection began. `versions` is
 * not PROXY_OFF. A header of version 2 that says it is longer than `limit` is
 * broken; one of version 1 has at most 107 bytes. TLVs are skipped. The answer
 * for bytes is PROXY_MORE or that for any bytes that begin with them. */
enum proxy_result proxy_header_parse(enum proxy_versions versions, size_t limit,
				     struct lg_slice bytes, struct proxy_header *header);

#endif
