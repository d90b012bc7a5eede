/* Who has connected to the control socket: the gateway's end of each exchange. A request is
 * read, its command carried out or begun, and the answer sent when it is there. The
 * commands' end is control_call and control_stream. On the main thread's loop. */
#ifndef SUPERVISE_CONTROL_CLIENT_H
#define SUPERVISE_CONTROL_CLIENT_H

#include "base/list.h"
#include "supervise/gateway.h"

/* All of them, and what goes on for them. */
struct control_clients {
	struct gateway *gateway;
	struct errands *errands;
	struct imports *imports;
	struct list list;
	size_t count;
};

/* False: no memory or no descriptor. Either way control_clients_fini follows. */
bool control_clients_init(struct control_clients *clients, struct gateway *gateway);
/* Ends what goes on for them and closes every connection. The outbox is still open. */
void control_clients_fini(struct control_clients *clients);

/* One more, who may talk to us. `fd`, a socket that does not block, is theirs from now on:
 * it is closed at once where there is no memory, or with the exchange. */
void control_clients_add(struct control_clients *clients, int fd);

#endif
