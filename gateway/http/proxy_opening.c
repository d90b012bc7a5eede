#include "http/opening.h"

#include "base/list.h"
#include "base/log.h"
#include "conn/proxy_header.h"

static struct http_worker *worker_of(const struct conn *conn)
{
	return container_of(conn->group, struct http_worker, group);
}

/* A proxy that was set up otherwise than we were fails with each connection. */
static void refuse(struct conn *conn, struct http_endpoint *endpoint, const char *problem)
{
	if (http_endpoint_may_warn(&endpoint->proxy_warned_ms))
		log_warning("proxy.refused", LOG_SLICE("listener", endpoint->address),
			    LOG_TEXT("reason", problem));
	conn_close(conn, CONN_PROXY_HEADER);
}

/* The address that the header names is the peer's from here on. Where it names
 * none, we do not know whose words follow: they are believed as little as a
 * stranger's. False: the connection is closed. */
static bool introduce(struct conn *conn, const struct http_endpoint *endpoint,
		      const struct proxy_header *header)
{
	bool trusted = header->has_source &&
		       forwarded_is_trusted(&endpoint->trust, &header->source);

	conn->trusted = trusted;
	if (!header->has_source || conn_set_peer(conn, &header->source, trusted))
		return true;
	conn_close(conn, CONN_FULL_ADDRESS);
	return false;
}

static size_t on_receive(struct conn *conn, struct lg_slice bytes)
{
	struct http_endpoint *endpoint = conn->context;
	size_t limit = (size_t)worker_of(conn)->limits.proxy_header_bytes;
	struct proxy_header header;

	switch (proxy_header_parse(endpoint->proxy_protocol, limit, bytes, &header)) {
	case PROXY_MORE: return 0;
	case PROXY_WHOLE: break;
	default: refuse(conn, endpoint, header.problem); return bytes.length;
	}
	if (!introduce(conn, endpoint, &header))
		return bytes.length;
	http_opening_begin(conn, endpoint);
	struct lg_slice rest = slice_cut(bytes, header.length, bytes.length);
	bool good = http_endpoint_secure(endpoint, conn, rest);
	http_endpoint_unref(endpoint);
	if (!good)
		conn_close(conn, CONN_NO_MEMORY);
	if (!good || conn_is_tls(conn))
		return bytes.length;
	return header.length + (rest.length > 0 ? conn->protocol->receive(conn, rest) : 0);
}

static void on_ended(struct conn *conn)
{
	conn_close(conn, buffer_length(&conn->in) > 0 ? CONN_PEER_LEFT : CONN_PEER_CLOSED);
}

static void on_settle(struct conn *conn)
{
	(void)conn; /* it stands where it stood */
}

static void on_expired(struct conn *conn, enum conn_reason reason)
{
	(void)reason;
	conn_close(conn, CONN_PROXY_TIMEOUT);
}

/* A proxy that has just connected has a request to hand on, and so has one of whose
 * header a part is here. */
static void on_drain(struct conn *conn)
{
	if (buffer_length(&conn->in) == 0 && !conn_group_has_grace(conn->group))
		conn_close(conn, CONN_DRAINED);
}

static void on_closed(struct conn *conn)
{
	http_endpoint_unref(conn->context);
}

const struct conn_protocol proxy_opening_protocol = {
	.first = CONN_HANDSHAKE,
	.receive = on_receive,
	.ended = on_ended,
	.settle = on_settle,
	.expired = on_expired,
	.drain = on_drain,
	.closed = on_closed,
};
