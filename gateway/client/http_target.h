/* Where a call goes: its URL in parts, as curl reads it, so that what is checked
 * and what is connected to are read by the same parser. */
#ifndef CLIENT_HTTP_TARGET_H
#define CLIENT_HTTP_TARGET_H

#include <curl/curl.h>

#include "client/resolver.h"

struct http_target {
	CURLU *url;
	char *host; /* in ASCII; an IPv6 address without brackets */
	char *port;
	bool tls;
	bool numeric;			 /* the host is an address … */
	struct sockaddr_storage address; /* … this one */
};

/* False with a reason; the reason does not quote the URL, which may hold a
 * secret. http_target_fini in either case. */
bool http_target_init(struct http_target *target, struct lg_slice url, struct error *error);
void http_target_fini(struct http_target *target);

/* "host:port:address,address" as CURLOPT_RESOLVE wants it, without the private
 * ones unless they are allowed. False when none is left or it does not fit. */
#define HTTP_TARGET_RESOLVE_BYTES 1024
bool http_target_resolve(const struct http_target *target,
			 const struct resolver_addresses *addresses, bool allow_private,
			 char out[HTTP_TARGET_RESOLVE_BYTES]);

#endif
