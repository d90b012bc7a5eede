#include "http/worker.h"

#include "base/clock.h"

/* Made once a second, and the loop's own time says when that is over. */
struct lg_slice http_worker_date(struct http_worker *worker)
{
	int64_t now_ms = loop_now_ms(worker->group.loop);

	if (now_ms >= worker->date_until_ms) {
		int64_t wall_ms = clock_wall_ms();
		h1_date_format(wall_ms, worker->date);
		worker->date_until_ms = now_ms + 1000 - wall_ms % 1000;
	}
	return slice_of(worker->date, H1_DATE_BYTES - 1);
}

void http_worker_set(struct http_worker *worker, const struct http_limits *limits,
		     struct prefix_list *rate_exempt)
{
	prefix_list_unref(&worker->rate_exempt);
	worker->rate_exempt = prefix_list_ref(rate_exempt);
	worker->limits = *limits;
	worker->handshake_rate = meter_rate(limits->handshake_rate, limits->handshake_burst);
}

/* Who is exempt speaks for many, or has no address. */
bool http_worker_may_shake(struct conn_group *group, const struct conn *conn)
{
	struct http_worker *worker = container_of(group, struct http_worker, group);
	uint64_t network[2];

	if (worker->handshake_rate.interval_ns == 0 || conn->exempt ||
	    prefix_list_has(worker->rate_exempt, &conn->peer))
		return true;
	address_network(&conn->peer, network);
	return meter_table_take(worker->server->handshakes, network, &worker->handshake_rate,
				clock_monotonic_us() * 1000) == 0;
}

static void answer_probe(struct http_request *request, void *arg)
{
	const struct http_response response = {.status = 202};

	(void)arg;
	http_respond(request, &response);
}

bool http_worker_route(const struct http_worker *worker, const struct http_endpoint *endpoint,
		       struct http_request *request)
{
	const struct http_service *service = &worker->server->service;

	if (!http_endpoint_probes(endpoint, request->path))
		return service->route(service->arg, request, &request->route);
	request->route = (struct http_route){
		.handle = answer_probe,
		.body_limit_bytes = (size_t)worker->limits.body_bytes,
	};
	return true;
}
