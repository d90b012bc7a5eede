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

static int64_t oldest_of(const struct http_worker *worker)
{
	return atomic_load_explicit(&worker->oldest_body_ms, memory_order_relaxed);
}

/* Whose turn to give way comes first. */
static bool is_elder(const struct http_worker *worker, const struct http_worker *than)
{
	int64_t oldest_ms = oldest_of(worker), than_ms = oldest_of(than);

	return oldest_ms != than_ms ? oldest_ms < than_ms : worker->index < than->index;
}

/* The most that anybody wants; a letter goes with the first of them. */
static void ask(struct http_worker *worker, uint64_t bytes)
{
	uint64_t before = atomic_load(&worker->room_wanted);

	while (before < bytes)
		if (atomic_compare_exchange_weak(&worker->room_wanted, &before, bytes))
			break;
	if (before == 0)
		mailbox_send(&worker->mailbox, &worker->room_letter);
}

/* Asks the eldest of those loops whose turn comes before this one's, or after it. False:
 * there is none with a body that may have to go. */
static bool ask_eldest(struct http_worker *worker, const struct need *need, bool before)
{
	struct http_server *server = worker->server;
	struct http_worker *eldest = NULL;

	for (size_t i = 0; i < server->worker_count; i++) {
		struct http_worker *other = &server->workers[i];
		if (other != worker && oldest_of(other) <= need->begun_ms &&
		    is_elder(other, worker) == before && (!eldest || is_elder(other, eldest)))
			eldest = other;
	}
	if (eldest)
		ask(eldest, need->bytes);
	return eldest != NULL;
}

/* The oldest body of a loop may hold too little, and so may all of them: then it is the
 * next one's turn. */
void http_room_give_way(struct http_worker *worker)
{
	const struct need need = need_of(worker, NULL, atomic_exchange(&worker->room_wanted, 0));

	while (!budget_has(&worker->server->budget, need.bytes))
		if (!make_room(worker, &need)) {
			ask_eldest(worker, &need, false);
			break;
		}
	http_room_note(worker);
}

/* ---- who needs some ------------------------------------------------------------------ */

bool http_room_has(struct http_worker *worker, const struct http_request *request, uint64_t bytes)
{
	const struct need need = need_of(worker, request, bytes);
	const struct budget *budget = &worker->server->budget;

	while (!budget_has(budget, bytes)) {
		http_room_note(worker);
		bool asked = ask_eldest(worker, &need, true);
		if (asked && budget_has_beyond(budget, bytes))
			break;
		if (!make_room(worker, &need))
			return !asked && ask_eldest(worker, &need, false) &&
			       budget_has_beyond(budget, bytes);
	}
	return true;
}

bool http_room_take(struct http_worker *worker, const struct http_request *request, size_t bytes)
{
	const struct need need = need_of(worker, request, bytes);
	struct budget *budget = &worker->server->budget;

	while (!budget_take(budget, bytes)) {
		http_room_note(worker);
		bool asked = ask_eldest(worker, &need, true);
		if (asked && budget_take_beyond(budget, bytes))
			break;
		if (!make_room(worker, &need))
			return !asked && ask_eldest(worker, &need, false) &&
			       budget_take_beyond(budget, bytes);
	}
	return true;
}
