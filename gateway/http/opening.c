#include "http/opening.h"

#include "http/h1_transport.h"
#include "http/h2_frame.h"
#include "http/h2_transport.h"

static struct http_worker *worker_of(const struct conn *conn)
{
	return container_of(conn->group, struct http_worker, group);
}

/* Hands it over. False: no memory, and the connection is closed. */
static bool choose(struct conn *conn, bool (*begin)(struct conn *conn, struct http_worker *worker,
						    struct http_endpoint *endpoint))
{
	struct http_endpoint *endpoint = conn->context;

	if (!begin(conn, worker_of(conn), endpoint)) {
		conn_close(conn, CONN_NO_MEMORY);
		return false;
	}
	http_endpoint_unref(endpoint);
	return true;
}

enum verdict { UNDECIDED, IS_H1, IS_H2 };

/* RFC 9113, section 3.2: with TLS nobody speaks HTTP/2 without saying so. */
static enum verdict look_at(const struct conn *conn, struct lg_slice bytes)
{
	if (conn_is_tls(conn))
		return slice_is(conn_alpn(conn), "h2") ? IS_H2 : IS_H1;
	struct lg_slice begin = slice_cut(bytes, 0, H2_PREFACE_LENGTH);
	if (memcmp(begin.data, H2_PREFACE, begin.length) != 0)
		return IS_H1;
	return begin.length == H2_PREFACE_LENGTH ? IS_H2 : UNDECIDED;
}

static size_t on_receive(struct conn *conn, struct lg_slice bytes)
{
	enum verdict verdict = look_at(conn, bytes);

	if (verdict == UNDECIDED)
		return 0;
	if (!choose(conn, verdict == IS_H2 ? h2_transport_begin : h1_transport_begin))
		return bytes.length;
	return conn->protocol->receive(conn, bytes);
}

/* What has come will not become a preface; HTTP/1.1 knows what to say to it. */
static bool settle_for_h1(struct conn *conn)
{
	struct lg_slice bytes = buffer_slice(&conn->in);

	if (!choose(conn, h1_transport_begin))
		return false;
	if (bytes.length > 0)
		buffer_take(&conn->in, conn->protocol->receive(conn, bytes));
	return conn->state != CONN_CLOSED;
}

static void on_ended(struct conn *conn)
{
	if (settle_for_h1(conn))
		conn->protocol->ended(conn);
}

static void on_expired(struct conn *conn, enum conn_reason reason)
{
	if (settle_for_h1(conn))
		conn->protocol->expired(conn, reason);
}

/* It comes here from CONN_HANDSHAKE, too. */
static void on_settle(struct conn *conn)
{
	enum conn_state state = buffer_length(&conn->in) > 0 ? CONN_HEAD : CONN_IDLE;

	if (conn->state != state)
		conn_move(conn, state);
}

static void on_drain(struct conn *conn)
{
	if (buffer_length(&conn->in) == 0 && !conn_group_has_grace(conn->group))
		conn_close(conn, CONN_DRAINED);
}

static void on_closed(struct conn *conn)
{
	http_endpoint_unref(conn->context);
}

static const struct conn_protocol opening_protocol = {
	.first = CONN_IDLE,
	.receive = on_receive,
	.ended = on_ended,
	.settle = on_settle,
	.expired = on_expired,
	.drain = on_drain,
	.closed = on_closed,
};

void http_opening_begin(struct conn *conn, struct http_endpoint *endpoint)
{
	conn->protocol = &opening_protocol;
	conn->context = http_endpoint_ref(endpoint);
}

struct conn *http_opening_new(struct http_endpoint *endpoint, int fd, const struct address *peer,
			      bool exempt)
{
	struct conn *conn = conn_new(fd, peer, exempt, &proxy_opening_protocol, NULL);

	if (!conn)
		return NULL;
	if (endpoint->proxy_protocol != PROXY_OFF) {
		conn->context = http_endpoint_ref(endpoint);
	} else if (http_endpoint_secure(endpoint, conn, (struct lg_slice){0})) {
		http_opening_begin(conn, endpoint);
	} else {
		conn_free(conn);
		return NULL;
	}
	return conn;
}
