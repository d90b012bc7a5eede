#include "http/server.h"

#include "base/alloc.h"
#include "base/counter.h"
#include "base/list.h"
#include "base/log.h"
#include "conn/tls_channel.h"
#include "http/change.h"
#include "http/h1_request.h"
#include "http/h1_transport.h"
#include "http/opening.h"
#include "http/refusal.h"
#include "http/room.h"

#include <unistd.h>

/* A body may come slowly at first: the sender's window opens step by step. */
#define RATE_GRACE_MS 5000
/* For a peer in the wrong to hear why it goes. */
#define EXPEL_MS 500
/* Answers that wait to be read; they are ours, and small. */
#define OUT_BYTES (64u << 20)

/* ---- endpoints -------------------------------------------------------------------- */

static struct http_worker *next_worker(struct http_server *server)
{
	struct http_worker *worker = &server->workers[server->next_worker];

	server->next_worker = (server->next_worker + 1) % server->worker_count;
	return worker;
}

/* Since when the longest-idle connection of a loop is idle, of `crowd` or of all. */
static int64_t idle_since(struct http_worker *worker, struct crowd *crowd)
{
	_Atomic(int64_t) *since_ms = crowd ? &crowd->parts[worker->index].since_ms
					   : &worker->group.idle_since_ms;

	return atomic_load_explicit(since_ms, memory_order_relaxed);
}

/* The loop but `but` whose longest-idle connection is idle for longest; NULL: none is. */
static struct http_worker *idlest_worker(struct http_server *server, struct crowd *crowd,
					 const struct http_worker *but)
{
	struct http_worker *idlest = NULL;
	int64_t least_ms = INT64_MAX;

	for (size_t i = 0; i < server->worker_count; i++) {
		struct http_worker *worker = &server->workers[i];
		int64_t since_ms = idle_since(worker, crowd);
		if (worker != but && since_ms < least_ms) {
			least_ms = since_ms;
			idlest = worker;
		}
	}
	return idlest;
}

/* Where a new connection goes, which is counted in then. At a bound that is the
 * loop that has the longest-idle one: it ends that one when it gets the new one,
 * so nobody waits for another thread, and for a moment both are there. Only who
 * finds no idle one is turned away; so is an address at its own bound, which
 * else could displace others for ever. */
struct place {
	struct http_worker *worker; /* NULL: there is none, for the reason */
	bool displaces, displaces_peer;
	enum conn_reason reason;
};

static struct place find_place(struct http_endpoint *endpoint, const struct address *peer,
			       bool exempt)
{
	struct http_server *server = endpoint->server;
	struct crowd *crowd = endpoint->crowd;
	struct place place = {.displaces_peer = crowd_is_full(crowd, 0)};

	if (crowd_is_full(crowd, CROWD_BEYOND)) {
		place.reason = CONN_FULL_LISTENER;
		return place;
	}
	place.displaces = place.displaces_peer;
	if (!quota_take(server->quota, peer, exempt, &place.reason)) {
		if (place.reason != CONN_FULL ||
		    !quota_take_beyond(server->quota, CROWD_BEYOND, peer, exempt, &place.reason))
			return place;
		place.displaces = true;
	}
	if (!place.displaces)
		place.worker = next_worker(server);
	else
		place.worker = idlest_worker(server, place.displaces_peer ? crowd : NULL, NULL);
	if (!place.worker) {
		quota_give(server->quota, peer, exempt);
		place.reason = place.displaces_peer ? CONN_FULL_LISTENER : CONN_FULL;
	}
	return place;
}

static void tell_closed(const struct http_server *server, enum conn_reason reason)
{
	if (server->service.closed)
		server->service.closed(server->service.arg, reason);
}

static void on_close(struct conn_group *group, enum conn_reason reason)
{
	tell_closed(container_of(group, struct http_worker, group)->server, reason);
}

/* Whoever found a place knew the loops as they were: of two that came at once, the second
 * may find its idle one taken. Once for each loop at most, for they change on the way. */
static struct conn_group *on_full(struct conn_group *group, const struct conn *conn)
{
	const struct http_worker *worker = container_of(group, struct http_worker, group);
	struct http_server *server = worker->server;
	struct crowd *crowd = conn->displaces_peer ? conn->crowd : NULL;
	struct http_worker *other = conn->handed_on < server->worker_count
					    ? idlest_worker(server, crowd, worker)
					    : NULL;

	return other ? &other->group : NULL;
}

static void turn_away(const struct http_server *server, int fd, enum conn_reason reason)
{
	conn_reason_count(reason);
	log_debug("conn.closed", LOG_TEXT("reason", conn_reason_label(reason)));
	close(fd);
	tell_closed(server, reason);
}

/* A stranger on a listener that takes PROXY headers could claim any address. */
static bool is_stranger(struct http_endpoint *endpoint, const struct address *peer, bool trusted)
{
	char text[ADDRESS_TEXT_BYTES] = "";

	if (endpoint->proxy_protocol == PROXY_OFF || trusted)
		return false;
	if (peer && address_is_private(peer))
		address_format(peer, text);
	if (http_endpoint_may_warn(&endpoint->proxy_warned_ms))
		log_warning("proxy.refused", LOG_SLICE("listener", endpoint->address),
			    LOG_TEXT("reason", conn_reason_text(CONN_PROXY_UNTRUSTED)),
			    LOG_TEXT("peer", text[0] ? text : NULL));
	return true;
}

/* On a unix socket peers have no address to be counted by. */
void http_worker_accept(struct listener *listener, int fd, const struct address *peer)
{
	struct http_endpoint *endpoint = listener->context;
	struct http_server *server = endpoint->server;
	bool trusted = http_endpoint_trusts(endpoint, fd, peer), exempt = trusted || !peer;

	if (is_stranger(endpoint, peer, trusted)) {
		turn_away(server, fd, CONN_PROXY_UNTRUSTED);
		return;
	}
	struct place place = find_place(endpoint, peer, exempt);
	struct http_worker *worker = place.worker;
	if (!worker) {
		turn_away(server, fd, place.reason);
		return;
	}
	struct conn *conn = http_opening_new(endpoint, fd, peer, exempt);
	if (!conn) {
		quota_give(server->quota, peer, exempt);
		turn_away(server, fd, CONN_NO_MEMORY);
		return;
	}
	conn->trusted = trusted;
	conn->crowd = endpoint->crowd;
	atomic_fetch_add(&endpoint->crowd->count, 1);
	conn->displaces = place.displaces;
	conn->displaces_peer = place.displaces_peer;
	conn->origin = endpoint;
	if (worker == &server->workers[0]) {
		conn_group_add(&worker->group, conn);
	} else {
		conn_group_send(&worker->group, conn);
	}
}

/* Descriptors ran out: idle connections have some. */
static void on_starved(struct listener *listener)
{
	struct http_endpoint *endpoint = listener->context;
	struct http_worker *worker = idlest_worker(endpoint->server, NULL, NULL);

	if (worker)
		conn_group_ask_room(&worker->group);
}

void http_worker_set_door(struct http_endpoint *endpoint, const struct http_limits *limits)
{
	endpoint->listener.starving = on_starved;
	listener_reserve(&endpoint->listener, limits->reserved_descriptors);
}

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
		http_worker_set_door(endpoint, limits);
		if (!listener_start(&endpoint->listener, http_worker_accept, endpoint))
			return error_set(error, "no memory");
	}
	return true;
}

/* ---- workers ------------------------------------------------------------------------ */

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
			worker->group.on_close = on_close;
			worker->group.on_full = on_full;
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
