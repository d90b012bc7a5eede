/* A loop thread: its loop, where the writer's answers arrive on it, and its
 * share of the generation that it serves.
 *
 * Every request is counted to the share under which its head was read, and
 * keeps that generation's settings to its end. The loop changes shares when it
 * opens the letter with the next one, so nothing is locked and nothing is
 * counted across threads; the old share goes home when its last request is
 * over. */
#ifndef SUPERVISE_WORKER_H
#define SUPERVISE_WORKER_H

#include <pthread.h>

#include "base/list.h"
#include "http/server.h"
#include "ingest/ingest.h"

struct turnstile;
struct worker;

/* A loop's part in a generation. It belongs to the main thread until it is
 * handed out, and again when it has come home as SHARE_LEFT. */
struct worker_share {
	struct letter letter;			/* first */
	enum { SHARE_TAKEN, SHARE_LEFT } state; /* when it comes home */
	struct worker *worker;
	struct ingest *ingest;
	const struct turnstile *turnstile;
	void *generation; /* whose it is */
	size_t requests;  /* under way */
};

struct worker {
	struct loop *loop;
	struct ingest_loop *ingest;
	struct worker_share *share; /* that new requests are counted to */
	struct mailbox mailbox;	    /* shares come here */
	struct loop_mailbox box;
	struct mailbox *home; /* and go there */
	struct loop_timer beat;
	int64_t beat_every_ms;
	_Atomic(int64_t) beat_ms; /* monotonic: when the loop was last seen turning */
	pthread_t thread;
	bool running;
};

/* Makes the loop; false when memory or descriptors ran out. Shares go to
 * `home`, which outlives the worker. Main thread. */
bool worker_init(struct worker *worker, struct mailbox *home, struct error *error);
/* Starts the thread; a share must have been handed out. The server's listeners
 * may be on the loop by then. */
bool worker_start(struct worker *worker, int index, struct error *error);
/* Has the loop note from time to time that it turns; before it is started. False:
 * not enough memory. */
bool worker_beat(struct worker *worker, int64_t every_ms);
/* How long ago it did so last; 0 when it does not. Any thread. */
int64_t worker_silent_ms(const struct worker *worker);
/* Ends the thread and waits for it. */
void worker_stop(struct worker *worker);
/* After worker_stop, and after the outbox and the server are closed. */
void worker_fini(struct worker *worker);

/* Has the loop serve a share's generation from its next round on. The share
 * comes home twice: SHARE_TAKEN when the loop has changed to it, SHARE_LEFT
 * when it has changed to another and the last request is over. The next share
 * may be handed out when this one was taken. Main thread. */
void worker_hand_out(struct worker *worker, struct worker_share *share);

/* The route hook of the server whose loops are workers; makes no use of arg. */
bool worker_route(void *arg, struct http_request *request, struct http_route *route);
/* Its hooks for answers and closes; `arg` is the access log. */
void worker_answered(void *arg, const struct http_request *request,
		     const struct http_response *response);
void worker_closed(void *arg, enum conn_reason reason);

#endif
