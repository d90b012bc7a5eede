/* One entry of `listen:`: its listener, which is the first loop's, and the terms
 * on which its connections are accepted. Terms never change: an entry that does
 * is another endpoint, which takes the socket over. Only what TLS serves is
 * renewed in its place, for connections to come; those that are open go on.
 *
 * Whoever speaks of an endpoint has a reference: the server, and each of its
 * connections. Inside of gateway/http alone. */
#ifndef HTTP_ENDPOINT_H
#define HTTP_ENDPOINT_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/list.h"
#include "conn/conn.h"
#include "conn/listener.h"
#include "conn/proxy_header.h"
#include "conn/tls_context.h"
#include "http/forwarded.h"
#include "http/server.h"

struct conn;

struct http_endpoint {
	struct list link; /* in server->removed: the server's thread */
	struct list node; /* in server->listening: the first loop's thread */
	struct listener listener;
	struct http_server *server;
	struct lg_slice address;
	int64_t backlog;
	struct forwarded_trust trust;
	size_t connections;  /* most of them; 0: no bound of its own */
	struct crowd *crowd; /* those of its address; a reference */
	struct address_prefix *proxies;
	uid_t *users; /* whose processes are believed, on a unix socket */
	size_t user_count;
	bool any_user;
	struct socket_access access;
	enum proxy_versions proxy_protocol;
	struct lg_slice probe_path;
	pthread_mutex_t tls_lock;
	struct tls_context *tls;      /* a reference, under the lock; NULL: it speaks plainly */
	struct http_endpoint *before; /* whose socket it takes over; NULL: has its own */
	_Atomic(int64_t) proxy_warned_ms, forwarded_warned_ms; /* monotonic; 0: never */
	atomic_int port;				       /* 0: it does not listen */
	atomic_size_t references;
	/* Each answer from here on is the last of its connection: the terms, or the
	 * address, are no more those of the configuration. */
	atomic_bool ends;
	atomic_bool closed; /* nobody has the socket any more */
};

/* Copies the terms; has no socket. NULL with a sentence. The thread that opened
 * the server. */
struct http_endpoint *http_endpoint_new(struct http_server *server,
					const struct http_listen *listen, struct error *error);
/* Gives it a socket of its own, on the first loop. False with a sentence. */
bool http_endpoint_bind(struct http_endpoint *endpoint, struct error *error);
/* Closes its socket, whether it accepts yet or not. The first loop, or when the
 * loops have stopped. */
void http_endpoint_deafen(struct http_endpoint *endpoint);
/* Whether a peer who was just accepted is a proxy that is believed: by its
 * address, or, on a unix socket (`peer` NULL), by its process' user. */
bool http_endpoint_trusts(const struct http_endpoint *endpoint, int fd, const struct address *peer);
/* Whether a warning of its kind is due again, for a mistake in somebody's
 * configuration shows with each connection; the second notes that it is given.
 * Any thread. */
bool http_endpoint_would_warn(const _Atomic(int64_t) *warned_ms);
bool http_endpoint_may_warn(_Atomic(int64_t) *warned_ms);
/* Whether both accept on the same terms; the address is not looked at, and of
 * TLS only whether both speak it. */
bool http_endpoint_same(const struct http_endpoint *a, const struct http_endpoint *b);

/* Serves this from here on, and takes the tickets that were given out; the
 * reference is taken over. Both speak TLS. The first loop. */
void http_endpoint_renew(struct http_endpoint *endpoint, struct tls_context *tls);
/* Lets a connection of the endpoint begin TLS when that is spoken there (conn/
 * tls_channel.h says what `early` is). False: no memory. Any thread. */
bool http_endpoint_secure(struct http_endpoint *endpoint, struct conn *conn, struct lg_slice early);

struct http_endpoint *http_endpoint_ref(struct http_endpoint *endpoint);
/* Whether the caller's is the only reference. */
bool http_endpoint_is_last(const struct http_endpoint *endpoint);
/* The last reference frees it, when nobody listens there any more. Any thread. */
void http_endpoint_unref(struct http_endpoint *endpoint);

#endif
