/* A listening socket, of TCP or unix, that hands out accepted ones. Loop thread. */
#ifndef CONN_LISTENER_H
#define CONN_LISTENER_H

#include "base/error.h"
#include "base/loop.h"
#include "conn/address.h"
#include "conn/inherited.h"
#include "conn/socket_file.h"

struct listener {
	struct loop_watch watch;
	struct loop_timer retry;  /* accepts again when descriptors ran out */
	int fd;			  /* -1: none */
	struct socket_file *file; /* of a unix socket of our own; else NULL */
	struct loop_timer look;	  /* whether that file is still there */
	bool lost;		  /* it was not, and could not be made again */
	int backlog;
	struct inherited *inherited; /* what the process was started with; else NULL */
	int64_t paused_ms; /* monotonic: since when descriptors are short; 0: they are not */
	int ceiling;	   /* lowest number of a descriptor that is not for connections */
	bool started;
	/* Takes the descriptor, which is non-blocking and closed on exec. `peer` is
	 * NULL on a unix socket. */
	void (*accepted)(struct listener *listener, int fd, const struct address *peer);
	void *context;
	/* Descriptors are short, now and each time that it looks again: somebody may
	 * close some. NULL: nobody does. */
	void (*starving)(struct listener *listener);
};

/* Binds and listens at what bind_address_parse understands, or takes the
 * socket that the process was started with when one is bound there already.
 * Port 0 takes a free one. `access` is for a unix socket's file. Answers nothing
 * until listener_start. The thread that opens listeners. False with a sentence. */
bool listener_open(struct listener *listener, struct loop *loop, struct lg_slice address,
		   int backlog, const struct socket_access *access, struct error *error);

/* A unix socket whose file somebody removes is made again within moments: what waits
 * for the old one is accepted. False: memory ran out. */
bool listener_start(struct listener *listener,
		    void (*accepted)(struct listener *listener, int fd, const struct address *peer),
		    void *context);

/* Gives the socket of `from`, which was started, to `listener`, which is
 * started with it; what waits in its queue waits on, up to `backlog`. A file
 * whose access cannot be changed keeps the old one, which is logged. False:
 * memory ran out and it accepts nothing until listener_start. */
bool listener_adopt(struct listener *listener, struct listener *from, int backlog,
		    const struct socket_access *access,
		    void (*accepted)(struct listener *listener, int fd, const struct address *peer),
		    void *context);

/* Leaves `count` descriptors of the process, or half of all if those are fewer, to
 * others: accepts none while fewer are free. The kernel gives the lowest free
 * number, so that number says how many are taken. 0: no reserve. */
void listener_reserve(struct listener *listener, int64_t count);

/* Accepts what waits in the queue now, so that little is lost by the close. */
void listener_empty(struct listener *listener);

/* Closes the socket and removes its file; what waits in its queue is reset by
 * the kernel. An inherited socket stays open, and what waits there waits on.
 * Again does no harm. */
void listener_close(struct listener *listener);

/* The port that it got; 0 when it is closed, or a unix socket. */
int listener_port(const struct listener *listener);

#endif
