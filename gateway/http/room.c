#include "http/room.h"

#include "http/h1_request.h"
#include "http/h1_transport.h"
#include "http/h2_request.h"

/* Whoever began later is not in anybody's way yet. */
#define AGE_MS 1000
/* So many are looked at of either protocol, so that a crowd costs no time. */
#define TRIES 64

/* What is needed, and by whom. */
struct need {
	const struct http_request *request;
	uint64_t bytes;
	int64_t begun_ms; /* by then, whoever is to give way */
};

/* Who holds less would go for nothing. */
static bool may_go(const struct need *need, const struct http_request *request, size_t held_bytes)
{
	return request != need->request && held_bytes >= need->bytes;
}

/* Both lists have the oldest first. */
static struct conn *find_h1(struct http_worker *worker, const struct need *need)
{
	int tries = 0;

	LIST_EACH(node, &worker->group.states[CONN_BODY]) {
		struct conn *conn = container_of(node, struct conn, node);
		const struct h1_request *r = h1_transport_reading(conn);
		if (conn->since_ms > need->begun_ms || ++tries > TRIES)
			break;
		if (r && may_go(need, &r->request, buffer_length(&r->body)))
			return conn;
	}
	return NULL;
}

static struct h2_stream *find_h2(struct http_worker *worker, const struct need *need)
{
	int tries = 0;

	LIST_EACH(node, &worker->h2.bodies) {
		struct h2_stream *s = container_of(node, struct h2_stream, deadline.node);
		if (s->deadline.since_ms > need->begun_ms || ++tries > TRIES)
			break;
		if (may_go(need, &s->request, s->held_bytes))
			return s;
	}
	return NULL;
}

/* False: nobody gives way. */
static bool make_room(struct http_worker *worker, const struct need *need)
{
	struct conn *h1 = find_h1(worker, need);
	struct h2_stream *h2 = find_h2(worker, need);

	if (h1 && (!h2 || h1->since_ms <= h2->deadline.since_ms)) {
		conn_expire(h1, CONN_REFUSED);
	} else if (h2) {
		list_remove(&h2->deadline.node);
		h2_request_refuse(h2, HTTP_REFUSED_BUSY);
	}
	return h1 || h2;
}

static struct need need_of(struct http_worker *worker, const struct http_request *request,
			   uint64_t bytes)
{
	return (struct need){request, bytes, loop_now_ms(worker->group.loop) - AGE_MS};
}

/* ---- the other loops ----------------------------------------------------------------- */

/* What has ended since is noted when the next one begins, or somebody asks. */
void http_room_note(struct http_worker *worker)
{
	struct list *h1 = list_first(&worker->group.states[CONN_BODY]);
	struct list *h2 = list_first(&worker->h2.bodies);
	int64_t oldest_ms = h1 ? container_of(h1, struct conn, node)->since_ms : INT64_MAX;

	if (h2 && container_of(h2, struct h2_deadline, node)->since_ms < oldest_ms)
		oldest_ms = container_of(h2, struct h2_deadline, node)->since_ms;
	atomic_store_explicit(&worker->oldest_body_ms, oldest_ms, memory_order_relaxed);
}

/* The worker of the oldest body of all; NULL: there is none. */
static struct http_worker *eldest(struct http_server *server)
{
	struct http_worker *eldest = NULL;
	int64_t least_ms = INT64_MAX;

	for (size_t i = 0; i < server->worker_count; i++) {
		struct http_worker *worker = &server->workers[i];
		int64_t oldest_ms = atomic_load_explicit(&worker->oldest_body_ms,
							 memory_order_relaxed);
		if (oldest_ms < least_ms) {
			least_ms = oldest_ms;
			eldest = worker;
		}
	}
	return least_ms != INT64_MAX ? eldest : NULL;
}

/* The most that anybody wants; a letter goes with the first of them. */
static void ask(struct http_worker *elder, uint64_t bytes)
{
	uint64_t before = atomic_load(&elder->room_wanted);

	while (before < bytes)
		if (atomic_compare_exchange_weak(&elder->room_wanted, &before, bytes))
			break;
	if (before == 0)
		mailbox_send(&elder->mailbox, &elder->room_letter);
}

/* Whether another loop has the oldest one, which is asked to give way. */
static bool ask_elder(struct http_worker *worker, const struct need *need)
{
	struct http_worker *elder = eldest(worker->server);

	if (!elder || elder == worker ||
	    atomic_load_explicit(&elder->oldest_body_ms, memory_order_relaxed) > need->begun_ms)
		return false;
	ask(elder, need->bytes);
	return true;
}

void http_room_give_way(struct http_worker *worker)
{
	const struct need need = need_of(worker, NULL, atomic_exchange(&worker->room_wanted, 0));

	while (!budget_has(&worker->server->budget, need.bytes))
		if (!make_room(worker, &need))
			break;
	http_room_note(worker);
}

/* ---- who needs some ------------------------------------------------------------------ */

bool http_room_has(struct http_worker *worker, const struct http_request *request, uint64_t bytes)
{
	const struct need need = need_of(worker, request, bytes);
	const struct budget *budget = &worker->server->budget;

	while (!budget_has(budget, bytes)) {
		if (ask_elder(worker, &need) && budget_has_beyond(budget, bytes))
			break;
		if (!make_room(worker, &need))
			return false;
	}
	return true;
}

bool http_room_take(struct http_worker *worker, const struct http_request *request, size_t bytes)
{
	const struct need need = need_of(worker, request, bytes);
	struct budget *budget = &worker->server->budget;

	http_room_note(worker);
	while (!budget_take(budget, bytes)) {
		if (ask_elder(worker, &need) && budget_take_beyond(budget, bytes))
			break;
		if (!make_room(worker, &need))
			return false;
	}
	return true;
}
