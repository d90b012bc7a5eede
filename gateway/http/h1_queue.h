/* The requests under way on one HTTP/1.1 connection, and their answers in the
 * order of the requests (RFC 9112, section 9.3.2), whenever handlers make them.
 * Loop thread. */
#ifndef HTTP_H1_QUEUE_H
#define HTTP_H1_QUEUE_H

#include "http/h1_request.h"
#include "http/refusal.h"
#include "http/transport.h"

struct h1_queue {
	struct http_transport transport; /* of its requests */
	struct http_worker *worker;
	const atomic_bool *ends;    /* set: the next answer is the last */
	struct conn *conn;	    /* NULL: gone */
	struct list requests;	    /* in the order in which their answers leave */
	struct h1_request *reading; /* the newest, while its head or body comes */
	size_t under_way;	    /* requests in the list */
	enum conn_reason end;	    /* why the connection will be closed, when `last` */
	bool last;		    /* no further request is read */
	bool lingers;		    /* the peer may be sending still when it ends */
	bool final;		    /* the last answer was added to the connection's out */
	bool restart;		    /* the time of the connection's state begins anew */
	/* The connection is gone and the last request, too; frees the queue. */
	void (*over)(struct h1_queue *queue);
};

void h1_queue_init(struct h1_queue *queue, struct http_worker *worker, const atomic_bool *ends,
		   void (*over)(struct h1_queue *queue));

/* Begins to read a request; false, and the connection is paused or ends, when
 * enough are under way, answers wait to be sent, or memory ran out. */
bool h1_queue_begin(struct h1_queue *queue);

/* Forgets a request that no handler has. */
void h1_queue_release(struct h1_queue *queue, struct h1_request *r);

/* Moves answers that are ready to where they are sent from, and forgets their
 * requests. */
void h1_queue_pump(struct h1_queue *queue);

/* Answers a request before it is whole; what is left of it is not read.
 * `reason` is what the connection is then closed for. */
void h1_queue_refuse(struct h1_queue *queue, struct h1_request *r, enum http_refusal refusal,
		     enum conn_reason reason);

/* 100 Continue, when its request is waiting for that and it is its turn. */
void h1_queue_say_continue(struct h1_queue *queue);

/* No further request is read; the first reason counts. */
void h1_queue_end(struct h1_queue *queue, enum conn_reason reason, bool lingers);

/* Nothing more will be sent than what is in the connection's out. */
static inline bool h1_queue_is_over(const struct h1_queue *queue)
{
	return queue->final || (queue->last && list_empty(&queue->requests));
}

/* The connection is gone: forgets all requests but those that handlers have,
 * and calls `over` at once or when they have answered. */
void h1_queue_detach(struct h1_queue *queue);

/* Forgets all requests, whoever has them. */
void h1_queue_fini(struct h1_queue *queue);

#endif
