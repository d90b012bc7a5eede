/* Who a request is from and what its sender asked for, when trusted proxies
 * stand before us: X-Forwarded-For and its kin, or Forwarded (RFC 7239). Pure;
 * any thread.
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

/* Whether a request has any of these headers. */
bool forwarded_is_there(const struct http_request *request);

/* For a request whose peer is believed; `peer` NULL: it has no address.
 *
 * Sets client_address. Each proxy adds who connected to it, so we go from the
 * right as long as whoever wrote a part is trusted: the address is the rightmost
 * one that is not a trusted proxy. What stands left of it, or of something that
 * names nobody, anybody could have written. Where nobody is named at all it is
 * the peer's, or absent.
 *
 * Adds what was asked for to the request's origins, the likeliest first. New
 * text comes from the request's arena. */
void forwarded_apply(const struct forwarded_trust *trust, const struct address *peer,
		     struct http_request *request);

#endif
