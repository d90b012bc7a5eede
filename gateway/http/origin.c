#include "http/origin.h"

#include "base/log.h"

/* An untold proxy makes every lead look as if it came from there. */
static void warn(struct http_endpoint *endpoint, const struct conn *conn)
{
	if (!http_endpoint_may_warn(&endpoint->forwarded_warned_ms))
		return;
	log_warning("forwarded.ignored", LOG_SLICE("listener", endpoint->address),
		    LOG_TEXT("peer", conn->peer_text[0] ? conn->peer_text : "unix"),
		    LOG_TEXT("hint", conn->peer_text[0]
					     ? "if this is your proxy, add its address to the "
					       "listener's trusted_proxies; clients seem to be "
					       "there until then"
					     : "if this is your proxy, add its user to the "
					       "listener's trusted_users"));
}

/* A trusted address that is not believed here: its PROXY header named nobody. */
static bool may_be_proxy(const struct http_endpoint *endpoint, const struct conn *conn)
{
	if (!conn->peer_text[0])
		return endpoint->proxy_protocol == PROXY_OFF;
	return address_is_private(&conn->peer) &&
	       !forwarded_is_trusted(&endpoint->trust, &conn->peer);
}

void origin_fill(struct http_request *request, struct http_endpoint *endpoint,
		 const struct conn *conn)
{
	bool has_address = conn->peer_text[0] != '\0';

	if (has_address)
		request->peer_address = arena_copy(&request->arena, slice_from(conn->peer_text));
	request->client_address = request->peer_address;
	if (conn->trusted)
		forwarded_apply(&endpoint->trust, has_address ? &conn->peer : NULL, request);
	else if (http_endpoint_would_warn(&endpoint->forwarded_warned_ms) &&
		 forwarded_is_there(request) && may_be_proxy(endpoint, conn))
		warn(endpoint, conn);
	http_request_add_origin(request, request->scheme, request->host);
	if (request->origin_count > 0) {
		request->scheme = request->origins[0].scheme;
		request->host = request->origins[0].host;
	}
}
