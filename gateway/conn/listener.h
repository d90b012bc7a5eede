/* A listening TCP socket that hands out accepted ones. Loop thread. */
#ifndef CONN_LISTENER_H
#define CONN_LISTENER_H

#include "base/error.h"
#include "base/loop.h"
#include "conn/address.h"

struct listener {
	struct loop_watch watch;
	struct loop_timer retry; /* accepts again when descriptors ran out */
	int fd;			 /* -1: none */
	bool starved;		 /* of descriptors, since the last that it took */
	bool started;
	/* Takes the descriptor, which is non-blocking and closed on exec. */
	void (*accepted)(struct listener *listener, int fd, const struct address *peer);
	void *context;
};

/* Binds and listens: "127.0.0.1:8080", "[::1]:8080" (IPv6 alone, also "[::]"),
 * "*:8080" (every address of both families). Port 0 takes a free one. Answers
 * nothing until listener_start. False with a sentence. */
bool listener_open(struct listener *listener, struct loop *loop, struct lg_slice address,
		   int backlog, struct error *error);

/* False: memory ran out. */
bool listener_start(struct listener *listener,
		    void (*accepted)(struct listener *listener, int fd, const struct address *peer),
		    void *context);

/* Gives the socket of `from`, which was started, to `listener`, which is
 * started with it; what waits in its queue waits on, up to `backlog`. False:
 * memory ran out and it accepts nothing until listener_start. */
bool listener_adopt(struct listener *listener, struct listener *from, int backlog,
		    void (*accepted)(struct listener *listener, int fd, const struct address *peer),
		    void *context);

/* Accepts what waits in the queue now, so that little is lost by the close. */
void listener_empty(struct listener *listener);

/* Closes the socket; what waits in its queue is reset by the kernel. Again does
 * no harm. */
void listener_close(struct listener *listener);

/* The port that it got; 0 when it is closed. */
int listener_port(const struct listener *listener);

#endif
