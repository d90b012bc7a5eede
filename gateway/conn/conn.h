/* One accepted connection: bytes in, bytes out, a state, a deadline, an end.
 *
 * A connection belongs to one conn_group and so to one loop thread. It is in
 * exactly one state, which is the list it stands in; conn_move is the only way
 * from one to another, conn_close the only end, and that needs a reason.
 *
 * What the bytes mean is a protocol's business. It gets them through receive,
 * adds its answers to conn_out, and is asked by settle where the connection
 * stands; sending, waiting and timing are done here. All bytes of a protocol's
 * answers that are added in one turn leave in one send. They go through a
 * channel: the socket itself, or TLS. */
#ifndef CONN_CONN_H
#define CONN_CONN_H

#include "base/buffer.h"
#include "base/list.h"
#include "base/loop.h"
#include "conn/address.h"
#include "conn/conn_channel.h"
#include "conn/crowd.h"
#include "conn/reason.h"

struct conn;
struct conn_group;

/* Where a connection stands; all but WAIT and CLOSED have a deadline. */
enum conn_state {
	CONN_IDLE,	/* between requests */
	CONN_HANDSHAKE, /* what comes before all requests: PROXY header, TLS */
	CONN_HEAD,	/* a request has begun */
	CONN_BODY,	/* its head is whole; bound by the minimum rate too */
	CONN_WAIT,	/* its answer is being made */
	CONN_WRITE,	/* the peer is to read what it was sent */
	CONN_LINGER,	/* ended by us: reads on, so that no reset overtakes the answer */
	CONN_EXPEL,	/* the same for one that does harm: not as long */
	CONN_CLOSED,	/* freed when the loop's turn ends */
	CONN_STATE_COUNT
};

/* Who speaks on a connection. Sniffing a protocol on a shared port means a
 * first protocol whose receive sets another one. */
struct conn_protocol {
	/* Where its connections stand at first: CONN_IDLE or CONN_HANDSHAKE. */
	enum conn_state first;
	/* Bytes from the peer, at least one more than it left before. Returns how
	 * many it took; the rest is offered again with what comes after. Leaving
	 * bytes while it is not paused means that more are needed. */
	size_t (*receive)(struct conn *conn, struct lg_slice bytes);
	/* The peer will send nothing more; answers may still reach it. */
	void (*ended)(struct conn *conn);
	/* A turn is over and `out` was offered to the kernel: moves the connection
	 * to where it stands now, or ends it. */
	void (*settle)(struct conn *conn);
	/* The deadline of IDLE, HEAD or BODY has passed, or the rate is too low:
	 * says so to the peer if it likes and ends the connection. */
	void (*expired)(struct conn *conn, enum conn_reason reason);
	/* The server drains: nothing more is wanted from this peer. */
	void (*drain)(struct conn *conn);
	/* It is gone; the conn must not be touched after this. */
	void (*closed)(struct conn *conn);
};

struct conn {
	struct letter letter; /* on its way to its group */
	struct list node;     /* in its state's list */
	struct list turn;     /* in the group's list of those to be settled */
	struct list idle;     /* in its crowd's */
	struct crowd *crowd;  /* that it is counted to; NULL: none */
	struct conn_group *group;
	struct loop_watch watch;
	const struct conn_protocol *protocol;
	void *context; /* the protocol's own */
	const struct conn_channel *channel;
	void *channel_data; /* the channel's own */
	const void *origin; /* who accepted it; for its owner alone */
	struct buffer in, out;
	enum conn_state state;
	enum conn_reason linger_reason;
	enum conn_reason failure;      /* of the channel */
	int64_t since_ms, deadline_ms; /* of the state */
	size_t received_bytes;	       /* since then */
	int fd;
	bool paused; /* not to be read */
	bool ended;  /* the peer sends no more */
	bool offer;  /* `in` holds what a pause kept from the protocol */
	bool in_turn;
	bool opening;	     /* the channel: it is not open yet */
	bool blocked;	     /* the channel: reads on when it can send */
	bool last;	     /* the channel: nothing comes after what it gave */
	bool abrupt;	     /* the channel: the peer's end was not announced */
	bool drain_later;    /* the protocol is told when the channel is open */
	bool exempt;	     /* from the bound per address */
	bool trusted;	     /* a proxy whose word about others is believed; its owner says so */
	bool displaces;	     /* it is taken only when an idle one goes for it */
	bool displaces_peer; /* one of its own crowd */
	uint16_t handed_on;  /* from group to group, for a place */
	struct address peer;
	char peer_text[ADDRESS_TEXT_BYTES]; /* "": it has none, on a unix socket */
};

/* Takes `fd` over when it succeeds. `peer` NULL: it has no address, and must be
 * exempt. NULL: no memory. Any thread; it belongs to no loop until conn_group_add
 * or conn_group_send. */
struct conn *conn_new(int fd, const struct address *peer, bool exempt,
		      const struct conn_protocol *protocol, void *context);

/* Goes on through another channel, from bytes that nobody has read yet; those
 * that were read are the new channel's matter, in `data`. When it has something
 * to say before the protocol begins, the connection stands in CONN_HANDSHAKE
 * until that is done and in CONN_IDLE then; the protocol is not called
 * meanwhile. Before the connection belongs to a group, or from its protocol's
 * receive. */
void conn_set_channel(struct conn *conn, const struct conn_channel *channel, void *data);

/* What the channel knows. */
static inline bool conn_is_tls(const struct conn *conn)
{
	return conn->channel->is_tls;
}
/* "h2", "http/1.1"; absent before the handshake is done, and for none. */
struct lg_slice conn_alpn(const struct conn *conn);

/* Another address than that of the socket is the peer's, because somebody who is
 * believed said so, and counts from here on. False: it has as many connections
 * as it may, and nothing changes. The connection's loop thread. */
bool conn_set_peer(struct conn *conn, const struct address *peer, bool exempt);

/* Whether the peer has sent something that was not read yet. */
bool conn_has_unread(const struct conn *conn);
/* Whether it has sent nothing at all in this state. */
bool conn_is_silent(const struct conn *conn);

/* Where answers are added. */
struct buffer *conn_out(struct conn *conn);

/* Moves to a state (not CLOSED) and starts its time anew. */
void conn_move(struct conn *conn, enum conn_state state);

/* Stops reading until conn_resume; what was read by then is kept. */
void conn_pause(struct conn *conn);
void conn_resume(struct conn *conn);

/* Has the connection settled before the loop sleeps again: after answers were
 * added outside of the protocol's callbacks. */
void conn_wake(struct conn *conn);

/* Ends it after what is in `out` was sent: says so to the peer, reads on for a
 * bounded time, then closes. For answers that do not wait for all that the
 * peer sends (RFC 9112, section 9.6). Only when `out` is empty. */
void conn_linger(struct conn *conn, enum conn_reason reason);
/* The same for a peer that is in the wrong: it has a moment to hear it. */
void conn_expel(struct conn *conn, enum conn_reason reason);

/* Whether it is past its last answer: CONN_LINGER or CONN_EXPEL. */
static inline bool conn_lingers(const struct conn *conn)
{
	return conn->state == CONN_LINGER || conn->state == CONN_EXPEL;
}

/* Ends it because its deadline has passed, or because it is in the way of others;
 * its protocol tells the peer where it can. */
void conn_expire(struct conn *conn, enum conn_reason reason);

/* Closes and counts the reason. Again does no harm. */
void conn_close(struct conn *conn, enum conn_reason reason);

#endif
