/* What a server has for each of its loops, and for each of its listeners.
 * Inside of gateway/http alone. */
#ifndef HTTP_WORKER_H
#define HTTP_WORKER_H

#include "conn/conn_group.h"
#include "conn/listener.h"
#include "http/forwarded.h"
#include "http/h1_answer.h"
#include "http/server.h"

/* Bytes that all requests of a server may hold together. Any thread. */
struct budget {
	_Atomic(int64_t) used_bytes;
	int64_t limit_bytes;
};

static inline void budget_give(struct budget *budget, size_t bytes)
{
	if (bytes > 0)
		atomic_fetch_sub(&budget->used_bytes, (int64_t)bytes);
}

static inline bool budget_take(struct budget *budget, size_t bytes)
{
	int64_t before = atomic_fetch_add(&budget->used_bytes, (int64_t)bytes);

	if (before + (int64_t)bytes <= budget->limit_bytes)
		return true;
	budget_give(budget, bytes);
	return false;
}

/* One entry of `listen:`, on the first loop. */
struct http_endpoint {
	struct listener listener;
	struct http_server *server;
	struct forwarded_trust trust;
	struct address_prefix *proxies;
	struct lg_slice probe_path;
};

/* One loop's share. Its thread. */
struct http_worker {
	struct conn_group group;
	struct http_server *server;
	size_t index;
	struct list orphans;  /* transports whose connection is gone, not their requests */
	struct list requests; /* kept for the next connection that needs one */
	size_t request_count;
	char date[H1_DATE_BYTES];
	int64_t date_until_ms; /* monotonic */
};

struct http_server {
	struct http_limits limits;
	struct http_service service;
	struct budget budget;
	struct quota *quota;
	struct http_worker *workers;
	size_t worker_count, next_worker;
	struct http_endpoint *endpoints;
	size_t endpoint_count;
};

/* "Date: …\r\n" of this second. */
struct lg_slice http_worker_date(struct http_worker *worker);

#endif
