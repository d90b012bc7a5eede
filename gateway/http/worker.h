/* What a server has for each of its loops, and for each of its listeners.
 * Inside of gateway/http alone. */
#ifndef HTTP_WORKER_H
#define HTTP_WORKER_H

#include "base/meter.h"
#include "conn/conn_group.h"
#include "conn/listener.h"
#include "conn/prefix_list.h"
#include "http/endpoint.h"
#include "http/h1_answer.h"
#include "http/h2_worker.h"
#include "http/server.h"

/* Bytes that all requests of a server may hold together. Any thread. */
struct budget {
	_Atomic(int64_t) used_bytes, limit_bytes;
};

static inline void budget_give(struct budget *budget, size_t bytes)
{
	if (bytes > 0)
		atomic_fetch_sub(&budget->used_bytes, (int64_t)bytes);
}

static inline bool budget_fits(const struct budget *budget, uint64_t bytes, int64_t limit_bytes)
{
	int64_t left = limit_bytes - atomic_load(&budget->used_bytes);

	return bytes == 0 || (left > 0 && bytes <= (uint64_t)left);
}

static inline bool budget_take_of(struct budget *budget, size_t bytes, int64_t limit_bytes)
{
	int64_t before = atomic_fetch_add(&budget->used_bytes, (int64_t)bytes);

	if (before + (int64_t)bytes <= limit_bytes)
		return true;
	budget_give(budget, bytes);
	return false;
}

/* What may be held for the moment until somebody has given way. */
static inline int64_t budget_beyond(const struct budget *budget)
{
	int64_t limit_bytes = atomic_load(&budget->limit_bytes);

	return limit_bytes + limit_bytes / 8;
}

/* Whether so much could be taken now. */
static inline bool budget_has(const struct budget *budget, uint64_t bytes)
{
	return budget_fits(budget, bytes, atomic_load(&budget->limit_bytes));
}

static inline bool budget_has_beyond(const struct budget *budget, uint64_t bytes)
{
	return budget_fits(budget, bytes, budget_beyond(budget));
}

/* Takes so much, or nothing and false. */
static inline bool budget_take(struct budget *budget, size_t bytes)
{
	return budget_take_of(budget, bytes, atomic_load(&budget->limit_bytes));
}

static inline bool budget_take_beyond(struct budget *budget, size_t bytes)
{
	return budget_take_of(budget, bytes, budget_beyond(budget));
}

/* One loop's share. Its thread. */
struct http_worker {
	struct conn_group group;
	struct http_server *server;
	struct http_limits limits; /* for what comes next on this loop */
	struct meter_rate handshake_rate;
	struct prefix_list *rate_exempt; /* a reference */
	struct mailbox mailbox;		 /* of changes, and of room_letter */
	struct loop_mailbox box;
	/* For other loops, which want room (http/room.c): */
	struct letter room_letter;
	_Atomic(uint64_t) room_wanted;	 /* so many bytes; 0: it was not sent */
	_Atomic(int64_t) oldest_body_ms; /* since when; INT64_MAX: there is none */
	size_t index;
	struct list orphans;  /* transports whose connection is gone, not their requests */
	struct list requests; /* kept for the next connection that needs one */
	size_t request_count;
	struct h2_worker h2;
	char date[H1_DATE_BYTES];
	int64_t date_until_ms; /* monotonic */
};

struct http_server {
	struct http_service service;
	struct budget budget;
	struct quota *quota;
	struct meter_table *handshakes; /* of addresses */
	struct http_worker *workers;
	size_t worker_count, next_worker;
	struct http_endpoint **endpoints; /* in the order of the configuration */
	size_t endpoint_count;
	struct list removed;	    /* endpoints whose connections drain */
	struct list listening;	    /* the first loop's: those that accept */
	atomic_bool deaf;	    /* a drain has closed all of those */
	struct http_change *change; /* under way; NULL: none */
};

/* Opens a part of a change on its loop (http/change.c). */
void http_change_take(struct http_worker *worker, struct letter *letter);

/* What the connections of one of so many loops take from the limits. */
struct conn_settings http_worker_settings(const struct http_limits *limits, size_t workers);

/* Takes other limits for what comes next. Its loop, or before that runs. */
void http_worker_set(struct http_worker *worker, const struct http_limits *limits,
		     struct prefix_list *rate_exempt);
/* Whether a peer may begin a handshake of TLS; for conn_group. */
bool http_worker_may_shake(struct conn_group *group, const struct conn *conn);

/* Whether a path is the endpoint's probe. */
static inline bool http_endpoint_probes(const struct http_endpoint *endpoint, struct lg_slice path)
{
	return slice_present(endpoint->probe_path) && slice_equal(endpoint->probe_path, path);
}

/* Asks the service who handles a request whose head is known, or takes it for
 * the endpoint's probe. False: it is answered already. */
bool http_worker_route(const struct http_worker *worker, const struct http_endpoint *endpoint,
		       struct http_request *request);

/* "Date: …\r\n" of this second. */
struct lg_slice http_worker_date(struct http_worker *worker);

#endif
