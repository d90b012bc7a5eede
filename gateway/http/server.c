#include "http/server.h"

#include "base/alloc.h"
#include "base/list.h"
#include "conn/tls_channel.h"
#include "http/change.h"
#include "http/door.h"
#include "http/h1_request.h"
#include "http/h1_transport.h"
#include "http/refusal.h"
#include "http/room.h"

/* A body may come slowly at first: the sender's window opens step by step. */
#define RATE_GRACE_MS 5000
/* For a peer in the wrong to hear why it goes. */
#define EXPEL_MS 500
/* Answers that wait to be read; they are ours, and small. */
#define OUT_BYTES (64u << 20)

/* ---- endpoints -------------------------------------------------------------------- */

static bool open_endpoint(struct http_server *server, const struct http_listen *listen,
			  struct error *error)
{
	struct http_endpoint *endpoint = http_endpoint_new(server, listen, error);

	if (!endpoint)
		return false;
	server->endpoints[server->endpoint_count++] = endpoint;
	return http_endpoint_bind(endpoint, error);
}

static bool open_endpoints(struct http_server *server, const struct http_listen *listens,
			   size_t count, const struct http_limits *limits, struct error *error)
{
	server->endpoints = alloc_zalloc((count ? count : 1) * sizeof(struct http_endpoint *));
	if (!server->endpoints)
		return error_set(error, "no memory");
	for (size_t i = 0; i < count; i++)
		if (!open_endpoint(server, &listens[i], error))
			return false;
	for (size_t i = 0; i < count; i++) {
		struct http_endpoint *endpoint = server->endpoints[i];
		list_append(&server->listening, &endpoint->node);
		http_door_set(endpoint, limits);
		if (!listener_start(&endpoint->listener, http_door_accept, endpoint))
			return error_set(error, "no memory");
	}
	return true;
}

/* Those that accept. The first loop, or whoever has stopped it. */
static void close_listeners(struct http_server *server)
{
	LIST_EACH_SAFE(node, &server->listening)
		http_endpoint_deafen(container_of(node, struct http_endpoint, node));
}

/* A change that no loop has taken yet has bound others. */
void http_server_deafen(struct http_server *server)
{
	close_listeners(server);
	for (size_t i = 0; i < server->endpoint_count; i++)
		http_endpoint_deafen(server->endpoints[i]);
}

/* On the first loop. What waits in the queues is answered yet. */
static void on_drain(struct conn_group *group)
{
	struct http_server *server = container_of(group, struct http_worker, group)->server;

	LIST_EACH(node, &server->listening)
		listener_empty(&container_of(node, struct http_endpoint, node)->listener);
	close_listeners(server);
	atomic_store(&server->deaf, true);
}

/* ---- workers ------------------------------------------------------------------------ */

static size_t share(int64_t limit, size_t workers)
{
	return ((size_t)limit + workers - 1) / workers;
}

struct conn_settings http_worker_settings(const struct http_limits *limits, size_t workers)
{
	return (struct conn_settings){
		.timeout_ms[CONN_IDLE] = limits->idle_timeout_ms,
		.timeout_ms[CONN_HANDSHAKE] = limits->handshake_timeout_ms,
		.handshakes = share(limits->handshakes, workers),
		.key_updates = limits->key_updates,
		.flood_interval_ms = limits->flood_interval_ms,
		.timeout_ms[CONN_HEAD] = limits->head_timeout_ms,
		.timeout_ms[CONN_BODY] = limits->body_timeout_ms,
		.timeout_ms[CONN_WRITE] = limits->write_timeout_ms,
		.timeout_ms[CONN_LINGER] = limits->linger_ms,
		.timeout_ms[CONN_EXPEL] = limits->linger_ms < EXPEL_MS ? limits->linger_ms
								       : EXPEL_MS,
		.minimum_rate_bytes = limits->minimum_rate_bytes,
		.rate_grace_ms = RATE_GRACE_MS,
		/* The beginning of a head, or what one recv brought before a pause. */
		.in_bytes = (size_t)limits->head_bytes + 2 * CONN_GROUP_SCRATCH_BYTES,
		.out_bytes = OUT_BYTES,
		.linger_bytes = (size_t)limits->linger_bytes,
		.drain_grace_ms = limits->drain_grace_ms,
	};
}

static void on_letter(struct loop_mailbox *box, struct letter *letter)
{
	struct http_worker *worker = container_of(box, struct http_worker, box);

	if (letter == &worker->room_letter)
		http_room_give_way(worker);
	else
		http_change_take(worker, letter);
}

static bool open_worker(struct http_worker *worker, struct loop *loop,
			const struct conn_settings *settings)
{
	struct http_server *server = worker->server;

	list_init(&worker->orphans);
	list_init(&worker->requests);
	atomic_store(&worker->oldest_body_ms, INT64_MAX);
	if (!mailbox_init(&worker->mailbox))
		return false;
	if (loop_mailbox_init(&worker->box, loop, &worker->mailbox, on_letter)) {
		if (conn_group_init(&worker->group, loop, settings, server->quota)) {
			worker->group.index = worker->index;
			worker->group.on_close = http_door_on_close;
			worker->group.on_full = http_door_on_full;
			worker->group.on_handshake = http_worker_may_shake;
			if (h2_worker_init(&worker->h2, loop))
				return true;
			conn_group_fini(&worker->group);
		}
		loop_mailbox_fini(&worker->box);
	}
	mailbox_fini(&worker->mailbox);
	return false;
}

static bool open_each(struct http_server *server, struct loop *const *loops, size_t count,
		      const struct http_limits *limits, struct prefix_list *rate_exempt)
{
	struct conn_settings settings = http_worker_settings(limits, count);

	for (size_t i = 0; i < count; i++) {
		struct http_worker *worker = &server->workers[i];
		worker->server = server;
		worker->index = i;
		if (!open_worker(worker, loops[i], &settings))
			return false;
		http_worker_set(worker, limits, rate_exempt);
		server->worker_count++;
	}
	server->workers[0].group.on_drain = on_drain;
	return true;
}

static bool open_workers(struct http_server *server, struct loop *const *loops, size_t count,
			 const struct http_limits *limits, struct error *error)
{
	struct prefix_list *rate_exempt = prefix_list_new(&limits->rate_exempt, "rate_exempt",
							  error);
	bool good;

	if (!rate_exempt)
		return false;
	server->workers = alloc_zalloc(count * sizeof(*server->workers));
	good = server->workers && open_each(server, loops, count, limits, rate_exempt);
	prefix_list_unref(&rate_exempt);
	return good || error_set(error, "no memory or descriptors for a loop");
}

/* Connections first: requests that wait for a handler outlive them. */
static void close_worker(struct http_worker *worker)
{
	conn_group_fini(&worker->group);
	loop_mailbox_fini(&worker->box);
	mailbox_fini(&worker->mailbox);
	h2_worker_fini(&worker->h2);
	h1_transport_free_orphans(worker);
	h1_request_free_kept(worker);
	prefix_list_unref(&worker->rate_exempt);
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
	tls_channel_register();
	list_init(&server->removed);
	list_init(&server->listening);
	server->service = *service;
	atomic_store(&server->budget.limit_bytes, limits->buffered_bytes);
	server->quota = quota_new((size_t)limits->connections,
				  (size_t)limits->connections_per_address);
	server->handshakes = meter_table_new();
	if (!server->quota || !server->handshakes)
		error_set(error, "no memory");
	else if (open_workers(server, loops, loop_count, limits, error) &&
		 open_endpoints(server, listens, listen_count, limits, error))
		return server;
	http_server_close(&server);
	return NULL;
}

void http_server_drain(struct http_server *server)
{
	for (size_t i = 0; i < server->worker_count; i++)
		conn_group_drain(&server->workers[i].group);
}

/* In this order: what was accepted before is counted. */
bool http_server_is_drained(const struct http_server *server)
{
	return atomic_load(&server->deaf) && http_server_connections(server) == 0;
}

size_t http_server_connections(const struct http_server *server)
{
	return quota_total(server->quota);
}

size_t http_server_busy(const struct http_server *server)
{
	size_t count = 0;

	for (size_t i = 0; i < server->worker_count; i++)
		count += conn_group_busy(&server->workers[i].group);
	return count;
}

size_t http_server_draining(struct http_server *server)
{
	size_t count = 0;

	LIST_EACH_SAFE(link, &server->removed) {
		struct http_endpoint *endpoint = container_of(link, struct http_endpoint, link);
		if (http_endpoint_is_last(endpoint))
			http_endpoint_unref(endpoint);
		else
			count++;
	}
	return count;
}

void http_server_close(struct http_server **server)
{
	struct http_server *s = *server;

	*server = NULL;
	if (!s)
		return;
	for (size_t i = 0; i < s->worker_count; i++)
		close_worker(&s->workers[i]);
	if (s->change)
		http_change_end(s->change);
	for (size_t i = 0; i < s->endpoint_count; i++)
		http_endpoint_unref(s->endpoints[i]);
	http_server_draining(s);
	quota_free(&s->quota);
	meter_table_free(&s->handshakes);
	alloc_free(s->endpoints);
	alloc_free(s->workers);
	alloc_free(s);
}

int http_server_port(const struct http_server *server, size_t index)
{
	return index < server->endpoint_count ? atomic_load(&server->endpoints[index]->port) : 0;
}
