/* A connection's socket as OpenSSL reads and writes it, a BIO(7).
 *
 * One recv brings as much as there is room for, into memory that all connections
 * of a loop share, and OpenSSL takes its records from there: it would ask for
 * each header and each record by itself. What it has not taken when an operation
 * ends is kept in `early`.
 *
 * All functions: the connection's loop thread, or any while it belongs to no loop. */
#ifndef CONN_TLS_SOCKET_H
#define CONN_TLS_SOCKET_H

#include "base/buffer.h"
#include "conn/conn.h"

#include <openssl/bio.h>

struct tls_socket {
	struct conn *conn;
	struct buffer early;
	struct lg_slice fetched; /* in the group's `sealed`, during one operation */
	size_t may_fetch;	 /* so many bytes by one recv */
	int code;		 /* errno of a call that failed for good */
	bool began;		 /* something has come */
	bool plain;		 /* and it was no TLS */
	bool refused;		 /* and it may not begin a handshake now */
	bool ended;		 /* the socket's end has come */
	/* Whoever speaks TLS over it says: */
	bool opened; /* the handshake is done, and what comes is counted by the connection */
	bool deaf;   /* nothing more is to be read */
};

/* `early`: what the layer before has read beyond its own bytes; it is copied. False: no
 * memory, and there is nothing to be given up. */
bool tls_socket_init(struct tls_socket *socket, struct conn *conn, struct lg_slice early);
/* After its BIO has been freed. The descriptor is the connection's. */
void tls_socket_fini(struct tls_socket *socket);
/* The caller's, or its session's; it speaks of the socket. NULL: no memory. */
BIO *tls_socket_bio(struct tls_socket *socket);

/* An operation of OpenSSL begins, which may bring so many bytes by one recv; none
 * when some wait yet. */
void tls_socket_begin(struct tls_socket *socket, size_t most_bytes);
/* It ends, before another connection uses the loop's memory: keeps what was not taken.
 * False: no memory. */
bool tls_socket_keep(struct tls_socket *socket);
/* The same for one after which nothing will be taken any more. */
void tls_socket_drop(struct tls_socket *socket);

static inline bool tls_socket_has_waiting(const struct tls_socket *socket)
{
	return socket->fetched.length > 0 || buffer_length(&socket->early) > 0;
}

#endif
