/* Between two transactions the checkpointer may hold the writer. */
#ifndef OUTBOX_GATE_H
#define OUTBOX_GATE_H

#include <pthread.h>
#include <stdbool.h>

struct gate {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool held;   /* the checkpointer has it, or waits for it */
	bool inside; /* the writer is in a transaction */
};

void gate_init(struct gate *gate);
void gate_fini(struct gate *gate);

/* Writer: around each transaction. Enter waits while the gate is held. */
void gate_enter(struct gate *gate);
void gate_leave(struct gate *gate);

/* Checkpointer: hold goes before a waiting writer, so that a busy one cannot
 * starve it, and waits for the transaction under way. */
void gate_hold(struct gate *gate);
void gate_release(struct gate *gate);

#endif
