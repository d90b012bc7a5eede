#include "http/endpoint.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "conn/tls_channel.h"
#include "http/worker.h"

#include <sys/socket.h>

#define WARN_EVERY_MS INT64_C(3600000)

/* ---- the terms ------------------------------------------------------------------ */

static bool copy_proxies(struct http_endpoint *endpoint, const struct lg_list *list,
			 struct error *error)
{
	if (list->count == 0)
		return true;
	endpoint->proxies = alloc_malloc(list->count * sizeof(*endpoint->proxies));
	if (!endpoint->proxies)
		return error_set(error, "no memory");
	for (size_t i = 0; i < list->count; i++)
		if (!address_prefix_parse(list->items[i], &endpoint->proxies[i]))
			return error_set(error,
					 "trusted_proxies: \"%.*s\" is neither an address nor a "
					 "prefix such as 10.0.0.0/8",
					 SLICE_ARGS(list->items[i]));
	endpoint->trust.proxies = endpoint->proxies;
	endpoint->trust.proxy_count = list->count;
	return true;
}

static bool copy_users(struct http_endpoint *endpoint, const struct lg_list *list,
		       struct error *error)
{
	if (list->count == 0)
		return true;
	endpoint->users = alloc_malloc(list->count * sizeof(*endpoint->users));
	if (!endpoint->users)
		return error_set(error, "no memory");
	for (size_t i = 0; i < list->count; i++) {
		if (slice_is(list->items[i], "*"))
			endpoint->any_user = true;
		else if (socket_access_user(list->items[i], &endpoint->users[endpoint->user_count]))
			endpoint->user_count++;
		else
			return error_set(error, "trusted_users: this machine has no user \"%.*s\"",
					 SLICE_ARGS(list->items[i]));
	}
	return true;
}

static bool copy_text(struct lg_slice *to, struct lg_slice text, struct error *error)
{
	if (!slice_present(text))
		return true;
	char *copy = alloc_malloc(text.length + 1);
	if (!copy)
		return error_set(error, "no memory");
	slice_to_text(text, copy, text.length + 1);
	*to = slice_of(copy, text.length);
	return true;
}

static void free_text(struct lg_slice text)
{
	alloc_free((char *)(uintptr_t)text.data);
}

/* What is said must mean something at this kind of address. */
static bool check_kind(const struct http_listen *listen, struct error *error)
{
	struct bind_address address;

	if (!bind_address_parse(listen->address, &address, error))
		return false;
	if (address.kind == BIND_IP && listen->trusted_users.count > 0)
		return error_set(error,
				 "trusted_users: only a unix socket tells the user of a peer; "
				 "use trusted_proxies at %.*s",
				 SLICE_ARGS(listen->address));
	if (address.kind != BIND_UNIX &&
	    (slice_present(listen->socket_mode) || slice_present(listen->socket_owner) ||
	     slice_present(listen->socket_group)))
		return error_set(error,
				 "socket_mode, socket_owner and socket_group are for "
				 "unix:/PATH addresses, %.*s is none",
				 SLICE_ARGS(listen->address));
	if (slice_present(listen->probe_path) && !slice_starts(listen->probe_path, "/"))
		return error_set(error, "probe_path: \"%.*s\" does not begin with a /",
				 SLICE_ARGS(listen->probe_path));
	if (listen->proxy_protocol != PROXY_OFF && listen->trusted_proxies.count == 0 &&
	    listen->trusted_users.count == 0)
		return error_set(error,
				 "proxy_protocol: name the proxies whose header is believed in "
				 "trusted_proxies, or in trusted_users for a unix socket");
	return true;
}

static bool copy_terms(struct http_endpoint *endpoint, const struct http_listen *listen,
		       struct error *error)
{
	endpoint->backlog = listen->backlog;
	endpoint->trust.header = (enum forwarded_header)listen->forwarded_header;
	endpoint->proxy_protocol = (enum proxy_versions)listen->proxy_protocol;
	endpoint->connections = (size_t)listen->connections;
	endpoint->crowd = crowd_new(endpoint->server ? endpoint->server->worker_count : 0);
	if (!endpoint->crowd)
		return error_set(error, "no memory");
	atomic_store(&endpoint->crowd->limit, endpoint->connections);
	return check_kind(listen, error) && copy_text(&endpoint->address, listen->address, error) &&
	       copy_proxies(endpoint, &listen->trusted_proxies, error) &&
	       copy_users(endpoint, &listen->trusted_users, error) &&
	       socket_access_parse(listen->socket_mode, listen->socket_owner, listen->socket_group,
				   &endpoint->access, error) &&
	       copy_text(&endpoint->probe_path, listen->probe_path, error);
}

struct http_endpoint *http_endpoint_new(struct http_server *server,
					const struct http_listen *listen, struct error *error)
{
	struct http_endpoint *endpoint = alloc_zalloc(sizeof(*endpoint));

	if (!endpoint) {
		error_set(error, "no memory");
		return NULL;
	}
	list_init(&endpoint->link);
	list_init(&endpoint->node);
	endpoint->listener.fd = -1;
	endpoint->server = server;
	pthread_mutex_init(&endpoint->tls_lock, NULL);
	if (listen->tls)
		endpoint->tls = tls_context_ref(listen->tls);
	atomic_store(&endpoint->references, 1);
	if (copy_terms(endpoint, listen, error))
		return endpoint;
	http_endpoint_unref(endpoint);
	return NULL;
}

bool http_listen_check(const struct http_listen *listen, struct error *error)
{
	struct http_endpoint *endpoint = http_endpoint_new(NULL, listen, error);

	if (!endpoint)
		return false;
	http_endpoint_unref(endpoint);
	return true;
}

bool http_endpoint_bind(struct http_endpoint *endpoint, struct error *error)
{
	struct loop *loop = endpoint->server->workers[0].group.loop;

	if (!listener_open(&endpoint->listener, loop, endpoint->address, (int)endpoint->backlog,
			   &endpoint->access, error))
		return false;
	atomic_store(&endpoint->port, listener_port(&endpoint->listener));
	return true;
}

void http_endpoint_deafen(struct http_endpoint *endpoint)
{
	list_remove(&endpoint->node);
	listener_close(&endpoint->listener);
	atomic_store(&endpoint->port, 0);
}

static bool same_prefix(const struct address_prefix *a, const struct address_prefix *b)
{
	return a->bits == b->bits &&
	       memcmp(a->address.bytes, b->address.bytes, sizeof(a->address.bytes)) == 0;
}

static bool same_trust(const struct forwarded_trust *a, const struct forwarded_trust *b)
{
	if (a->header != b->header || a->proxy_count != b->proxy_count)
		return false;
	for (size_t i = 0; i < a->proxy_count; i++)
		if (!same_prefix(&a->proxies[i], &b->proxies[i]))
			return false;
	return true;
}

static bool same_users(const struct http_endpoint *a, const struct http_endpoint *b)
{
	return a->any_user == b->any_user && a->user_count == b->user_count &&
	       (a->user_count == 0 ||
		memcmp(a->users, b->users, a->user_count * sizeof(*a->users)) == 0);
}

static bool same_access(const struct socket_access *a, const struct socket_access *b)
{
	return a->mode == b->mode && a->owner == b->owner && a->group == b->group;
}

bool http_endpoint_same(const struct http_endpoint *a, const struct http_endpoint *b)
{
	return a->backlog == b->backlog && a->connections == b->connections &&
	       slice_equal(a->probe_path, b->probe_path) &&
	       a->proxy_protocol == b->proxy_protocol && same_trust(&a->trust, &b->trust) &&
	       same_users(a, b) && same_access(&a->access, &b->access) && !a->tls == !b->tls;
}

/* ---- TLS ------------------------------------------------------------------------ */

void http_endpoint_renew(struct http_endpoint *endpoint, struct tls_context *tls)
{
	struct tls_context *old;

	tls_context_inherit(tls, endpoint->tls);
	pthread_mutex_lock(&endpoint->tls_lock);
	old = endpoint->tls;
	endpoint->tls = tls;
	pthread_mutex_unlock(&endpoint->tls_lock);
	tls_context_unref(&old);
}

bool http_endpoint_secure(struct http_endpoint *endpoint, struct conn *conn, struct lg_slice early)
{
	struct tls_context *tls;
	bool good;

	pthread_mutex_lock(&endpoint->tls_lock);
	tls = endpoint->tls ? tls_context_ref(endpoint->tls) : NULL;
	pthread_mutex_unlock(&endpoint->tls_lock);
	if (!tls)
		return true;
	good = tls_channel_begin(conn, tls, early);
	tls_context_unref(&tls);
	return good;
}

/* ---- peers ----------------------------------------------------------------------- */

static bool trusts_user(const struct http_endpoint *endpoint, int fd)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (endpoint->any_user)
		return true;
	if (endpoint->user_count == 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return false;
	for (size_t i = 0; i < endpoint->user_count; i++)
		if (endpoint->users[i] == peer.uid)
			return true;
	return false;
}

bool http_endpoint_trusts(const struct http_endpoint *endpoint, int fd, const struct address *peer)
{
	return peer ? forwarded_is_trusted(&endpoint->trust, peer) : trusts_user(endpoint, fd);
}

bool http_endpoint_would_warn(const _Atomic(int64_t) *warned_ms)
{
	int64_t before_ms = atomic_load_explicit(warned_ms, memory_order_relaxed);

	return before_ms == 0 || clock_monotonic_ms() - before_ms >= WARN_EVERY_MS;
}

bool http_endpoint_may_warn(_Atomic(int64_t) *warned_ms)
{
	int64_t before_ms = atomic_load_explicit(warned_ms, memory_order_relaxed);

	return http_endpoint_would_warn(warned_ms) &&
	       atomic_compare_exchange_strong(warned_ms, &before_ms, clock_monotonic_ms());
}

/* ---- references --------------------------------------------------------------------- */

struct http_endpoint *http_endpoint_ref(struct http_endpoint *endpoint)
{
	atomic_fetch_add_explicit(&endpoint->references, 1, memory_order_relaxed);
	return endpoint;
}

bool http_endpoint_is_last(const struct http_endpoint *endpoint)
{
	return atomic_load_explicit(&endpoint->references, memory_order_acquire) == 1;
}

void http_endpoint_unref(struct http_endpoint *endpoint)
{
	if (atomic_fetch_sub_explicit(&endpoint->references, 1, memory_order_acq_rel) > 1)
		return;
	list_remove(&endpoint->link);
	listener_close(&endpoint->listener);
	crowd_unref(&endpoint->crowd);
	free_text(endpoint->address);
	free_text(endpoint->probe_path);
	alloc_free(endpoint->proxies);
	alloc_free(endpoint->users);
	tls_context_unref(&endpoint->tls);
	pthread_mutex_destroy(&endpoint->tls_lock);
	alloc_free(endpoint);
}
