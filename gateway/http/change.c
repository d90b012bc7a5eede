#include "http/change.h"

#include "base/alloc.h"
#include "base/log.h"
#include "http/door.h"
#include "http/h1_request.h"
#include "http/h2_stream.h"
#include "http/worker.h"

/* What one loop is told. */
struct part {
	struct letter letter; /* first */
	struct http_change *change;
};

struct http_change {
	struct letter letter; /* first: it goes home */
	struct http_server *server;
	struct http_limits limits;
	struct prefix_list *rate_exempt;
	struct http_endpoint **endpoints; /* as they will be: a reference each */
	struct tls_context **renewals;	  /* what they will serve by TLS; NULL: as it is */
	size_t count;
	struct http_endpoint **old; /* as they were, when it has begun */
	size_t old_count;
	_Atomic(int64_t) surplus; /* idle connections that are to go, of all */
	struct part *parts;	  /* one a worker */
	atomic_size_t left;	  /* workers that have not taken theirs */
	struct mailbox *home;
};

/* ---- preparing -------------------------------------------------------------------- */

/* The endpoint at an address that no entry has claimed yet; NULL: none. Port 0
 * may stand there twice. */
static struct http_endpoint *claim(struct http_server *server, struct lg_slice address,
				   bool *claimed)
{
	for (size_t i = 0; i < server->endpoint_count; i++) {
		if (claimed[i] || !slice_equal(server->endpoints[i]->address, address))
			continue;
		claimed[i] = true;
		return server->endpoints[i];
	}
	return NULL;
}

/* What the endpoint that stays is to serve by TLS, when that is something else. */
static struct tls_context *renewal(const struct http_endpoint *endpoint,
				   const struct http_endpoint *old)
{
	if (!endpoint->tls || tls_context_same(endpoint->tls, old->tls))
		return NULL;
	return tls_context_ref(endpoint->tls);
}

/* The endpoint takes the place of `old`, or is not needed beside it. */
static void put_in_place(struct http_change *change, struct http_endpoint *endpoint,
			 struct http_endpoint *old)
{
	size_t at = change->count - 1;

	if (http_endpoint_same(endpoint, old)) {
		change->renewals[at] = renewal(endpoint, old);
		change->endpoints[at] = http_endpoint_ref(old);
		http_endpoint_unref(endpoint);
	} else {
		endpoint->before = old;
		crowd_unref(&endpoint->crowd);
		endpoint->crowd = crowd_ref(old->crowd);
		atomic_store(&endpoint->port, atomic_load(&old->port));
	}
}

static bool add_endpoint(struct http_change *change, const struct http_listen *listen,
			 bool *claimed, struct error *error)
{
	struct http_endpoint *endpoint = http_endpoint_new(change->server, listen, error);
	struct http_endpoint *old;

	if (!endpoint)
		return false;
	change->endpoints[change->count++] = endpoint;
	old = claim(change->server, listen->address, claimed);
	if (!old)
		return http_endpoint_bind(endpoint, error);
	put_in_place(change, endpoint, old);
	return true;
}

static bool fill(struct http_change *change, const struct http_listen *listens, size_t count,
		 bool *claimed, struct error *error)
{
	size_t workers = change->server->worker_count;

	change->endpoints = alloc_zalloc((count + 1) * sizeof(struct http_endpoint *));
	change->renewals = alloc_zalloc((count + 1) * sizeof(struct tls_context *));
	change->parts = alloc_zalloc(workers * sizeof(*change->parts));
	if (!change->endpoints || !change->renewals || !change->parts || !claimed)
		return error_set(error, "no memory");
	change->rate_exempt = prefix_list_new(&change->limits.rate_exempt, "rate_exempt", error);
	if (!change->rate_exempt)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!add_endpoint(change, &listens[i], claimed, error))
			return false;
	return true;
}

struct http_change *http_change_new(struct http_server *server, const struct http_listen *listens,
				    size_t count, const struct http_limits *limits,
				    struct error *error)
{
	struct http_change *change = alloc_zalloc(sizeof(*change));
	bool *claimed = alloc_zalloc(server->endpoint_count + 1);

	if (!change) {
		error_set(error, "no memory");
	} else {
		change->server = server;
		change->limits = *limits;
		if (!fill(change, listens, count, claimed, error))
			http_change_free(&change);
	}
	alloc_free(claimed);
	return change;
}

static void release(struct http_change *change)
{
	prefix_list_unref(&change->rate_exempt);
	alloc_free(change->renewals);
	alloc_free(change->parts);
	alloc_free(change);
}

void http_change_free(struct http_change **change)
{
	struct http_change *c = *change;

	*change = NULL;
	if (!c)
		return;
	for (size_t i = 0; i < c->count; i++) {
		http_endpoint_unref(c->endpoints[i]);
		tls_context_unref(&c->renewals[i]);
	}
	alloc_free(c->endpoints);
	release(c);
}

/* ---- on the loops ------------------------------------------------------------------ */

static void say_no_memory(const struct http_endpoint *endpoint)
{
	log_error("listener.failed", LOG_SLICE("address", endpoint->address),
		  LOG_TEXT("reason", "no memory to watch it"));
}

static void open_endpoint(struct http_server *server, struct http_endpoint *endpoint)
{
	struct http_endpoint *before = endpoint->before;
	bool good;

	if (endpoint->listener.started)
		return;
	if (before) {
		list_remove(&before->node);
		atomic_store(&before->ends, true);
		crowd_set_limit(endpoint->crowd, endpoint->connections);
		if (endpoint->tls && before->tls)
			tls_context_inherit(endpoint->tls, before->tls);
		good = listener_adopt(&endpoint->listener, &before->listener,
				      (int)endpoint->backlog, &endpoint->access, http_door_accept,
				      endpoint);
	} else {
		good = listener_start(&endpoint->listener, http_door_accept, endpoint);
	}
	if (!good)
		say_no_memory(endpoint);
	list_append(&server->listening, &endpoint->node);
}

static bool stays(const struct http_change *change, const struct http_endpoint *endpoint)
{
	for (size_t i = 0; i < change->count; i++)
		if (change->endpoints[i] == endpoint || change->endpoints[i]->before == endpoint)
			return true;
	return false;
}

static void close_endpoint(struct http_endpoint *endpoint)
{
	listener_empty(&endpoint->listener);
	atomic_store(&endpoint->ends, true);
	atomic_store(&endpoint->closed, true);
	http_endpoint_deafen(endpoint);
}

static void renew(struct http_change *change)
{
	for (size_t i = 0; i < change->count; i++) {
		if (change->renewals[i])
			http_endpoint_renew(change->endpoints[i], change->renewals[i]);
		change->renewals[i] = NULL;
	}
}

/* What goes for a listener's sake goes for that of all, too. */
static void set_quota(struct http_change *change)
{
	struct quota *quota = change->server->quota;
	bool falls = (size_t)change->limits.connections < atomic_load(&quota->limit);
	int64_t surplus = (int64_t)quota_total(quota) - change->limits.connections;

	quota_set_limits(quota, (size_t)change->limits.connections,
			 (size_t)change->limits.connections_per_address);
	for (size_t i = 0; i < change->count; i++) {
		int64_t of_listener = atomic_load(&change->endpoints[i]->crowd->surplus);
		surplus -= of_listener > 0 ? of_listener : 0;
	}
	atomic_store(&change->surplus, falls ? surplus : 0);
}

/* A server that drains accepts nowhere any more: what was bound for it is closed. */
static void open_endpoints(struct http_change *change)
{
	struct http_server *server = change->server;

	for (size_t i = 0; i < change->count; i++)
		if (server->workers[0].group.draining)
			http_endpoint_deafen(change->endpoints[i]);
		else
			open_endpoint(server, change->endpoints[i]);
}

static void change_listeners(struct http_change *change)
{
	struct http_server *server = change->server;

	renew(change);
	for (size_t i = 0; i < change->old_count; i++)
		if (!stays(change, change->old[i]))
			close_endpoint(change->old[i]);
	open_endpoints(change);
	LIST_EACH(node, &server->listening)
		http_door_set(container_of(node, struct http_endpoint, node), &change->limits);
	set_quota(change);
	atomic_store(&server->budget.limit_bytes, change->limits.buffered_bytes);
	for (size_t i = 1; i < server->worker_count; i++)
		mailbox_send(&server->workers[i].mailbox, &change->parts[i].letter);
}

static void displace_surplus(struct http_worker *worker, struct crowd *crowd,
			     _Atomic(int64_t) *surplus)
{
	while (atomic_fetch_sub(surplus, 1) > 0)
		if (!conn_group_displace(&worker->group, crowd)) {
			atomic_fetch_add(surplus, 1); /* another loop may have some */
			return;
		}
}

/* Where a bound has fallen idle connections go at once: while more are there than
 * may be for a moment, new ones would be turned away for their sake. */
static void fit_bounds(struct http_worker *worker, struct http_change *change)
{
	for (size_t i = 0; i < change->count; i++) {
		struct crowd *crowd = change->endpoints[i]->crowd;
		displace_surplus(worker, crowd, &crowd->surplus);
	}
	displace_surplus(worker, NULL, &change->surplus);
}

static bool is_of_closed(const struct conn *conn)
{
	const struct http_endpoint *endpoint = conn->origin;

	return atomic_load(&endpoint->closed);
}

void http_change_take(struct http_worker *worker, struct letter *letter)
{
	struct http_change *change = container_of(letter, struct part, letter)->change;
	struct conn_settings settings = http_worker_settings(&change->limits,
							     worker->server->worker_count);

	if (worker->index == 0)
		change_listeners(change);
	http_worker_set(worker, &change->limits, change->rate_exempt);
	h1_request_free_kept(worker);
	h2_stream_free_kept(&worker->h2);
	conn_group_set(&worker->group, &settings);
	conn_group_drain_some(&worker->group, is_of_closed);
	fit_bounds(worker, change);
	if (atomic_fetch_sub(&change->left, 1) == 1)
		mailbox_send(change->home, &change->letter);
}

/* ---- beginning and end --------------------------------------------------------------- */

void http_change_begin(struct http_change *change, struct mailbox *home)
{
	struct http_server *server = change->server;

	change->home = home;
	change->old = server->endpoints;
	change->old_count = server->endpoint_count;
	server->endpoints = change->endpoints;
	server->endpoint_count = change->count;
	server->change = change;
	atomic_store(&change->left, server->worker_count);
	for (size_t i = 0; i < server->worker_count; i++)
		change->parts[i].change = change;
	mailbox_send(&server->workers[0].mailbox, &change->parts[0].letter);
}

struct http_change *http_change_of(struct letter *letter)
{
	return container_of(letter, struct http_change, letter);
}

void http_change_end(struct http_change *change)
{
	struct http_server *server = change->server;

	for (size_t i = 0; i < change->old_count; i++) {
		struct http_endpoint *endpoint = change->old[i];

		if (atomic_load(&endpoint->closed))
			list_append(&server->removed, &endpoint->link);
		else
			http_endpoint_unref(endpoint);
	}
	for (size_t i = 0; i < change->count; i++) {
		change->endpoints[i]->before = NULL;
		tls_context_unref(&change->renewals[i]); /* the loops may have stopped before it */
	}
	server->change = NULL;
	alloc_free(change->old);
	release(change);
}
