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

bool http_room_has(struct http_worker *worker, const struct http_request *request, uint64_t bytes)
{
	const struct need need = need_of(worker, request, bytes);

	while (!budget_has(&worker->server->budget, bytes))
		if (!make_room(worker, &need))
			return false;
	return true;
}

bool http_room_take(struct http_worker *worker, const struct http_request *request, size_t bytes)
{
	const struct need need = need_of(worker, request, bytes);

	while (!budget_take(&worker->server->budget, bytes))
		if (!make_room(worker, &need))
			return false;
	return true;
}
