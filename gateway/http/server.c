#include "http/server.h"

#include "base/alloc.h"
#include "base/counter.h"
#include "base/list.h"
#include "base/log.h"
#include "http/h1_request.h"
#include "http/h1_transport.h"
#include "http/refusal.h"

#include <unistd.h>

/* A body may come slowly at first: the sender's window opens step by step. */
#define RATE_GRACE_MS 5000
/* Answers that wait to be read; they are ours, and small. */
#define OUT_BYTES (64u << 20)

/* ---- endpoints -------------------------------------------------------------------- */

static struct http_worker *next_worker(struct http_server *server)
{
	struct http_worker *worker = &server->workers[server->next_worker];

	server->next_worker = (server->next_worker + 1) % server->worker_count;
	return worker;
}

/* NULL: no memory; the descriptor stays the caller's. A shared port would begin
 * here with a protocol that looks at the first bytes. */
static struct conn *new_connection(struct http_endpoint *endpoint, struct http_worker *worker,
				   int fd, const struct address *peer, bool exempt)
{
	struct h1_transport *h1 = h1_transport_new(worker, endpoint);
	struct conn *conn = h1 ? conn_new(fd, peer, exempt, &h1_protocol, h1) : NULL;

	if (conn)
		h1_transport_attach(h1, conn);
	else if (h1)
		h1_transport_free(h1);
	return conn;
}

static void turn_away(int fd, enum conn_reason reason)
{
	conn_reason_count(reason);
	log_debug("conn.closed", LOG_TEXT("reason", conn_reason_label(reason)));
	close(fd);
}

static void on_accepted(struct listener *listener, int fd, const struct address *peer)
{
	struct http_endpoint *endpoint = listener->context;
	struct http_server *server = endpoint->server;
	bool exempt = forwarded_is_trusted(&endpoint->trust, peer);
	enum conn_reason reason;

	if (!quota_take(server->quota, peer, exempt, &reason)) {
		turn_away(fd, reason);
		return;
	}
	struct http_worker *worker = next_worker(server);
	struct conn *conn = new_connection(endpoint, worker, fd, peer, exempt);
	if (!conn) {
		quota_give(server->quota, peer, exempt);
		turn_away(fd, CONN_NO_MEMORY);
	} else if (worker == &server->workers[0]) {
		conn_group_add(&worker->group, conn);
	} else {
		conn_group_send(&worker->group, conn);
	}
}

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

static bool copy_probe_path(struct http_endpoint *endpoint, struct lg_slice path,
			    struct error *error)
{
	if (!slice_present(path))
		return true;
	char *copy = alloc_malloc(path.length + 1);
	if (!copy)
		return error_set(error, "no memory");
	slice_to_text(path, copy, path.length + 1);
	endpoint->probe_path = slice_of(copy, path.length);
	return true;
}

static bool open_endpoint(struct http_server *server, struct http_endpoint *endpoint,
			  const struct http_listen *listen, struct error *error)
{
	*endpoint = (struct http_endpoint){
		.listener.fd = -1,
		.server = server,
		.trust.header = (enum forwarded_header)listen->forwarded_header,
	};
	server->endpoint_count++;
	return copy_proxies(endpoint, &listen->trusted_proxies, error) &&
	       copy_probe_path(endpoint, listen->probe_path, error) &&
	       listener_open(&endpoint->listener, server->workers[0].group.loop, listen->address,
			     (int)listen->backlog, error);
}

static void close_endpoint(struct http_endpoint *endpoint)
{
	listener_close(&endpoint->listener);
	alloc_free(endpoint->proxies);
	alloc_free((char *)(uintptr_t)endpoint->probe_path.data);
}

static bool open_endpoints(struct http_server *server, const struct http_listen *listens,
			   size_t count, struct error *error)
{
	server->endpoints = alloc_zalloc((count ? count : 1) * sizeof(*server->endpoints));
	if (!server->endpoints)
		return error_set(error, "no memory");
	for (size_t i = 0; i < count; i++)
		if (!open_endpoint(server, &server->endpoints[i], &listens[i], error))
			return false;
	for (size_t i = 0; i < count; i++) {
		struct http_endpoint *endpoint = &server->endpoints[i];
		if (!listener_start(&endpoint->listener, on_accepted, endpoint))
			return error_set(error, "no memory");
	}
	return true;
}

/* ---- workers ------------------------------------------------------------------------ */

/* On the first loop. */
static void on_drain(struct conn_group *group)
{
	struct http_server *server = container_of(group, struct http_worker, group)->server;

	for (size_t i = 0; i < server->endpoint_count; i++)
		listener_close(&server->endpoints[i].listener);
}

static struct conn_settings conn_settings_of(const struct http_limits *limits)
{
	return (struct conn_settings){
		.timeout_ms[CONN_IDLE] = limits->idle_timeout_ms,
		.timeout_ms[CONN_HEAD] = limits->head_timeout_ms,
		.timeout_ms[CONN_BODY] = limits->body_timeout_ms,
		.timeout_ms[CONN_WRITE] = limits->write_timeout_ms,
		.timeout_ms[CONN_LINGER] = limits->linger_ms,
		.minimum_rate_bytes = limits->minimum_rate_bytes,
		.rate_grace_ms = RATE_GRACE_MS,
		/* The beginning of a head, or what one recv brought before a pause. */
		.in_bytes = (size_t)limits->head_bytes + 2 * CONN_GROUP_SCRATCH_BYTES,
		.out_bytes = OUT_BYTES,
		.linger_bytes = (size_t)limits->linger_bytes,
	};
}

static bool open_workers(struct http_server *server, struct loop *const *loops, size_t count,
			 struct error *error)
{
	struct conn_settings settings = conn_settings_of(&server->limits);

	server->workers = alloc_zalloc(count * sizeof(*server->workers));
	if (!server->workers)
		return error_set(error, "no memory");
	for (size_t i = 0; i < count; i++) {
		struct http_worker *worker = &server->workers[i];
		worker->server = server;
		worker->index = i;
		list_init(&worker->orphans);
		list_init(&worker->requests);
		if (!conn_group_init(&worker->group, loops[i], &settings, server->quota))
			return error_set(error, "no memory or descriptors for a loop");
		server->worker_count++;
	}
	server->workers[0].group.on_drain = on_drain;
	return true;
}

/* Connections first: requests that wait for a handler outlive them. */
static void close_worker(struct http_worker *worker)
{
	conn_group_fini(&worker->group);
	h1_transport_free_orphans(worker);
	h1_request_free_kept(worker);
}

/* ---- the server ------------------------------------------------------------------------ */

struct http_server *http_server_open(struct loop *const *loops, size_t loop_count,
				     const struct http_listen *listens, size_t listen_count,
				     const struct http_limits *limits,
				     const struct http_service *service, struct error *error)
{
	struct http_server *server = alloc_zalloc(sizeof(*server));

	if (!server) {
		error_set(error, "no memory");
		return NULL;
	}
	conn_reason_register();
	http_refusal_register();
	server->limits = *limits;
	server->service = *service;
	server->budget.limit_bytes = limits->buffered_bytes;
	server->quota = quota_new((size_t)limits->connections,
				  (size_t)limits->connections_per_address);
	if (!server->quota)
		error_set(error, "no memory");
	else if (open_workers(server, loops, loop_count, error) &&
		 open_endpoints(server, listens, listen_count, error))
		return server;
	http_server_close(&server);
	return NULL;
}

void http_server_drain(struct http_server *server)
{
	for (size_t i = 0; i < server->worker_count; i++)
		conn_group_drain(&server->workers[i].group);
}

size_t http_server_connections(const struct http_server *server)
{
	return quota_total(server->quota);
}

void http_server_close(struct http_server **server)
{
	struct http_server *s = *server;

	*server = NULL;
	if (!s)
		return;
	for (size_t i = 0; i < s->endpoint_count; i++)
		close_endpoint(&s->endpoints[i]);
	for (size_t i = 0; i < s->worker_count; i++)
		close_worker(&s->workers[i]);
	quota_free(&s->quota);
	alloc_free(s->endpoints);
	alloc_free(s->workers);
	alloc_free(s);
}

int http_server_port(const struct http_server *server, size_t index)
{
	return index < server->endpoint_count ? listener_port(&server->endpoints[index].listener)
					      : 0;
}
