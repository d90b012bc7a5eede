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
