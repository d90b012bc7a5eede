/* A loop thread: its loop, and where the writer's answers arrive on it. */
#ifndef SUPERVISE_WORKER_H
#define SUPERVISE_WORKER_H

#include <pthread.h>

#include "http/server.h"
#include "ingest/ingest.h"

struct worker {
	struct loop *loop;
	struct ingest_loop *ingest;
	pthread_t thread;
	bool running;
};

/* Makes the loop; false when memory or descriptors ran out. Main thread. */
bool worker_init(struct worker *worker, struct error *error);
/* Starts the thread. The server's listeners may be on the loop by then. */
bool worker_start(struct worker *worker, int index, struct error *error);
/* Ends the thread and waits for it. */
void worker_stop(struct worker *worker);
/* After worker_stop, and after the outbox and the server are closed. */
void worker_fini(struct worker *worker);

/* The route hook of the server whose loops are workers; `ingest` is its arg. */
bool worker_route(void *ingest, struct http_request *request, struct http_route *route);

#endif
