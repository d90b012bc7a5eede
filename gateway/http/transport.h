/* What a protocol (HTTP/1.1 today, HTTP/2 beside it) does for a request above
 * it. The request embeds nothing of the protocol; the protocol embeds the
 * request. */
#ifndef HTTP_TRANSPORT_H
#define HTTP_TRANSPORT_H

#include "http/request.h"

struct http_transport {
	const struct http_transport_operations *operations;
};

struct http_transport_operations {
	/* Serialises and sends, then frees the request. */
	void (*respond)(struct http_transport *transport, struct http_request *request,
			const struct http_response *response);
};

#endif
