/* The socket beneath a listener: how it is made, bound and told to listen, and what its
 * connections inherit from it. The descriptor is the caller's throughout, which closes it
 * when a step fails. `text` is the address as the operator wrote it, for the sentence.
 * Keeps nothing; the thread that has the listener. */
#ifndef CONN_LISTEN_SOCKET_H
#define CONN_LISTEN_SOCKET_H

#include "base/error.h"
#include "conn/bind_address.h"

/* A socket of the address' family, non-blocking and closed on exec; "*" becomes every
 * IPv4 address on a machine without IPv6. -1 with a sentence. */
int listen_socket_new(struct bind_address *address, struct lg_slice text, struct error *error);

/* Binds a socket of BIND_IP there, with all its options; of a unix socket
 * conn/socket_file.h does. False with a sentence. */
bool listen_socket_bind(int fd, const struct bind_address *address, struct lg_slice text,
			struct error *error);

/* Up to `backlog` may wait in its queue. False with a sentence. */
bool listen_socket_listen(int fd, int backlog, struct lg_slice text, struct error *error);

/* Sets what accepted sockets inherit. False: it is none of TCP, or the kernel will not;
 * errno says why. */
bool listen_socket_tune(int fd);

/* The port that it is bound to; 0: it is a unix socket, or is none. */
int listen_socket_port(int fd);

#endif
