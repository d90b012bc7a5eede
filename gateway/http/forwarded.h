/* Who a request is from when trusted proxies stand before us: X-Forwarded-For
 * and its kin, or Forwarded (RFC 7239). Pure; any thread.
 *
 * Only one of the two is read, as configured: a proxy that sets one of them
 * hands the other through from whoever wrote it. */
#ifndef HTTP_FORWARDED_H
#define HTTP_FORWARDED_H

#include "conn/address.h"
#include "http/request.h"

enum forwarded_header { FORWARDED_X_FORWARDED_FOR, FORWARDED_FORWARDED };

struct forwarded_trust {
	const struct address_prefix *proxies;
	size_t proxy_count;
	enum forwarded_header header;
};

bool forwarded_is_trusted(const struct forwarded_trust *trust, const struct address *address);

/* Sets client_address, and scheme and host where the proxy nearest to us says
 * what it was asked for. The address is the rightmost one that is not a trusted
 * proxy; what stands left of it, or of something unreadable, anybody could have
 * written. New text comes from the request's arena. */
void forwarded_apply(const struct forwarded_trust *trust, const struct address *peer,
		     struct http_request *request);

#endif
