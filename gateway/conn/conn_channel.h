/* How bytes get through a connection's descriptor: as they are, or sealed by
 * TLS (conn/tls_channel.h). A protocol never learns which, unless it asks.
 *
 * A channel keeps nothing back: when receive returns, whatever the kernel had
 * given is either with the caller or a part of something that is not whole, so
 * that waiting for the descriptor is enough. All operations: the connection's
 * loop thread; none of them closes the connection. */
#ifndef CONN_CONN_CHANNEL_H
#define CONN_CONN_CHANNEL_H

#include <leadgate/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct conn;

/* Beside numbers of bytes. */
#define CONN_AGAIN (-1)	 /* not now: the descriptor is to be waited for */
#define CONN_FAILED (-2) /* for good: conn->failure says why */

struct conn_channel {
	/* Whatever both sides must say before a protocol begins: goes on with it.
	 * 0: done; CONN_AGAIN; CONN_FAILED, and what stands in `out` is then sent as
	 * it is before the end. It counts what has come in conn->received_bytes. NULL:
	 * there is nothing to say. */
	int (*open)(struct conn *conn);
	/* Up to `size` bytes, at least `room_bytes` of room. 0: the peer sends no
	 * more; conn->last says the same of bytes that are the last ones. With
	 * conn->blocked it goes on when the descriptor can be written to. */
	ssize_t (*receive)(struct conn *conn, char *room, size_t size);
	/* How many of `size` bytes it took; the caller comes again with the rest,
	 * which begins with the same bytes. Never 0. */
	ssize_t (*send)(struct conn *conn, const char *data, size_t size);
	/* We shall send no more; the peer is told. */
	void (*shutdown)(struct conn *conn);
	/* The connection closes: tells the peer what can be told without waiting,
	 * and frees conn->channel_data. NULL: nothing to do. */
	void (*free)(struct conn *conn);
	/* The protocol that both sides agreed on, absent for none; NULL: never. It
	 * lives as long as the channel. */
	struct lg_slice (*alpn)(const struct conn *conn);
	size_t room_bytes; /* least room for receive */
	bool is_tls;
};

/* The socket itself. */
extern const struct conn_channel conn_channel_plain;

#endif
