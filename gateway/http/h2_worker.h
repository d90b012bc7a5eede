/* What a loop has for all of its HTTP/2 connections: libnghttp2's callbacks,
 * options and memory, streams kept for the next request, and the deadlines of streams,
 * which are not those of their connections. Loop thread. */
#ifndef HTTP_H2_WORKER_H
#define HTTP_H2_WORKER_H

#include "base/list.h"
#include "base/loop.h"
#include "http/h2_memory.h"

struct h2_worker {
	nghttp2_session_callbacks *callbacks;
	nghttp2_option *option;
	struct h2_memory memory;
	struct list orphans; /* sessions whose connection is gone, not their requests */
	struct list kept;    /* streams */
	size_t kept_count;
	/* Each in the order of deadlines, for its time is one number. */
	struct list bodies;    /* streams whose body is coming */
	struct list answers;   /* streams whose answer is to be read */
	struct list lingering; /* streams whose answer was sent while their body was coming */
	struct list farewells; /* sessions that have said that they will go */
	struct list pieces;    /* idle sessions to which a part of a frame has come */
	struct loop_timer timer;
	int64_t armed_ms; /* when it fires; INT64_MAX: it does not */
};

/* A place in one of those lists. */
struct h2_deadline {
	struct list node;
	int64_t since_ms, due_ms;
};

/* False: no memory. */
bool h2_worker_init(struct h2_worker *worker, struct loop *loop);
/* Frees what is kept; connections must be gone. */
void h2_worker_fini(struct h2_worker *worker);

/* Starts a time anew, which ends `after_ms` from now. */
void h2_worker_watch(struct h2_worker *worker, struct list *deadlines, struct h2_deadline *deadline,
		     int64_t after_ms);
/* The timer fires at `due_ms` or before. */
void h2_worker_arm(struct h2_worker *worker, int64_t due_ms);

#endif
