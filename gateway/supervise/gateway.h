/* The running gateway's parts, for those who start, show and stop them. All of
 * it belongs to the main thread; what other threads use of it is constant while
 * they run. */
#ifndef SUPERVISE_GATEWAY_H
#define SUPERVISE_GATEWAY_H

#include "supervise/settings.h"
#include "supervise/worker.h"

struct control;

struct gateway {
	struct settings *settings;
	struct outbox *outbox;
	struct ingest ingest;
	struct worker *workers;
	size_t worker_count;
	struct lane **lanes; /* as many as settings->sink_count; NULL: gone */
	struct http_server *server;
	struct loop *loop; /* the main thread's own */
	struct http_server *admin;
	struct control *control;
	int64_t started_ms; /* wall clock */
	int64_t generation; /* 1 from the start, one more by each reload */
	bool draining;
};

#endif
