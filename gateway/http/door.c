#include "http/door.h"

#include "base/log.h"
#include "http/opening.h"

#include <unistd.h>

/* ---- a place among the connections -------------------------------------------------- */

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

/* The loop but `but` whose longest-idle connection is idle for longest, since before
 * `before_ms`; NULL: none is. */
static struct http_worker *idlest_worker(struct http_server *server, struct crowd *crowd,
					 const struct http_worker *but, int64_t before_ms)
{
	struct http_worker *idlest = NULL;
	int64_t least_ms = before_ms;

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
 * loop that has the longest-idle one: it ends that one when it gets the new one, or
 * hands the new one on to a loop that has it by then, so nobody waits for another
 * thread, and for a moment both are there. Only who finds no idle one is turned
 * away; so is an address at its own bound, which else could displace others for
 * ever. */
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
		place.worker = idlest_worker(server, place.displaces_peer ? crowd : NULL, NULL,
					     INT64_MAX);
	if (!place.worker) {
		quota_give(server->quota, peer, exempt);
		place.reason = place.displaces_peer ? CONN_FULL_LISTENER : CONN_FULL;
	}
	return place;
}

/* Whoever found a place knew the loops as they were. Many that come at once find the same
 * loop, where they would soon end each other while elsewhere some are idle for longer.
 * Who comes to another loop finds that one gone only where a third one came first, and no
 * more than CROWD_BEYOND are under way at once: this bounds how often it is handed on. */
struct conn_group *http_door_on_full(struct conn_group *group, const struct conn *conn,
				     int64_t since_ms)
{
	const struct http_worker *worker = container_of(group, struct http_worker, group);
	struct http_server *server = worker->server;
	struct crowd *crowd = conn->displaces_peer ? conn->crowd : NULL;
	struct http_worker *other = conn->handed_on < server->worker_count + CROWD_BEYOND
					    ? idlest_worker(server, crowd, worker, since_ms)
					    : NULL;

	return other ? &other->group : NULL;
}

/* ---- coming in ---------------------------------------------------------------------- */

static void tell_closed(const struct http_server *server, enum conn_reason reason)
{
	if (server->service.closed)
		server->service.closed(server->service.arg, reason);
}

void http_door_on_close(struct conn_group *group, enum conn_reason reason)
{
	tell_closed(container_of(group, struct http_worker, group)->server, reason);
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
void http_door_accept(struct listener *listener, int fd, const struct address *peer)
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
	if (worker == &server->workers[0])
		conn_group_add(&worker->group, conn);
	else
		conn_group_send(&worker->group, conn);
}

/* Descriptors ran out: idle connections have some. */
static void on_starved(struct listener *listener)
{
	struct http_endpoint *endpoint = listener->context;
	struct http_worker *worker = idlest_worker(endpoint->server, NULL, NULL, INT64_MAX);

	if (worker)
		conn_group_ask_room(&worker->group);
}

void http_door_set(struct http_endpoint *endpoint, const struct http_limits *limits)
{
	endpoint->listener.starving = on_starved;
	listener_reserve(&endpoint->listener, limits->reserved_descriptors);
}
