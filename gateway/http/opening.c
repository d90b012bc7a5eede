#include "http/opening.h"

#include "http/h1_transport.h"

bool http_opening_begin(struct conn *conn, struct http_worker *worker,
			struct http_endpoint *endpoint)
{
	struct h1_transport *h1 = h1_transport_new(worker, endpoint);

	if (!h1)
		return false;
	h1_transport_attach(h1, conn);
	conn->protocol = &h1_protocol;
	conn->context = h1;
	return true;
}

struct conn *http_opening_new(struct http_endpoint *endpoint, struct http_worker *worker, int fd,
			      const struct address *peer, bool exempt)
{
	struct conn *conn = conn_new(fd, peer, exempt, &proxy_opening_protocol, NULL);

	if (!conn)
		return NULL;
	if (endpoint->proxy_protocol != PROXY_OFF) {
		conn->context = http_endpoint_ref(endpoint);
	} else if (!http_endpoint_secure(endpoint, conn, (struct lg_slice){0}) ||
		   !http_opening_begin(conn, worker, endpoint)) {
		conn_free(conn);
		return NULL;
	}
	return conn;
}
