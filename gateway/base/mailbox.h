/* A mailbox moves pointers to one thread: many send, one takes. The receiver
 * is woken through an eventfd, and only when the mailbox was empty. */
#ifndef BASE_MAILBOX_H
#define BASE_MAILBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct letter {
	struct letter *next;
};

struct mailbox {
	_Atomic(struct letter *) newest;
	atomic_int senders; /* amid sending */
	int fd;		    /* eventfd, readable when there may be letters */
};

/* False when no descriptor is left. */
bool mailbox_init(struct mailbox *mailbox);
/* Whose letters have come may still be about to wake the receiver: waits for them. Nobody
 * begins to send any more. */
void mailbox_fini(struct mailbox *mailbox);

/* Any thread. The letter belongs to the receiver from here on. */
void mailbox_send(struct mailbox *mailbox, struct letter *letter);
/* Sends a chain, oldest first, linked by `next`, with one wake-up. */
void mailbox_send_chain(struct mailbox *mailbox, struct letter *oldest);

/* Receiver: all that is there, oldest first, linked by `next`; NULL: none. */
struct letter *mailbox_take(struct mailbox *mailbox);

/* Receiver: waits until letters may be there or `timeout_ms` has passed
 * (-1: no limit). False on time-out. */
bool mailbox_wait(struct mailbox *mailbox, int64_t timeout_ms);
/* Makes a wait return without a letter. Any thread. A take that comes before
 * the wait uses the poke up: whoever pokes sets a flag first, and the receiver
 * looks at it after each take. */
void mailbox_poke(struct mailbox *mailbox);

#endif
