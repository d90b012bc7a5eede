/* The parts of forwarding headers, read from the right: what stands there was
 * written by the proxy nearest to us, and whatever a stranger sent stands left
 * of it. So nothing that he sends, an open quote for instance, changes how the
 * right part is read. Pure; any thread. */
#ifndef HTTP_FORWARDED_ELEMENT_H
#define HTTP_FORWARDED_ELEMENT_H

#include "conn/address.h"

/* One element of Forwarded (RFC 7239, section 4). */
struct forwarded_element {
	bool empty;			    /* there is nothing between two commas */
	bool broken;			    /* it follows no grammar; the rest is absent then */
	struct lg_slice node, scheme, host; /* for=, proto=, host=; absent: not said */
};

/* Takes the last element of a header's line off `*rest`; false when nothing is
 * left. */
bool forwarded_element_last(struct lg_slice *rest, struct forwarded_element *element);

/* Takes what stands after the last comma off `*rest`, for the headers that know
 * no quotes (X-Forwarded-For and its kin). */
bool forwarded_item_last(struct lg_slice *rest, struct lg_slice *item);

/* The address of "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80",
 * with a port or an obfuscated one (RFC 7239, section 6). False: "unknown",
 * "_hidden", or garbage. */
bool forwarded_node_parse(struct lg_slice node, struct address *address);

#endif
