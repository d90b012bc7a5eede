/* All connections of one loop: lists by state, one timer for all deadlines,
 * and the memory that connections share. Loop thread, but for
 * conn_group_send and conn_group_drain. */
#ifndef CONN_CONN_GROUP_H
#define CONN_CONN_GROUP_H

#include "conn/conn.h"
#include "conn/quota.h"

#define CONN_GROUP_SCRATCH_BYTES 65536
#define CONN_GROUP_SPARES 32
#define CONN_GROUP_SPARE_BYTES 16384

struct conn_settings {
	int64_t timeout_ms[CONN_STATE_COUNT]; /* 0: none */
	int64_t minimum_rate_bytes;	      /* a second, in CONN_BODY; 0: none */
	int64_t rate_grace_ms;		      /* without that rate at first */
	size_t handshakes;		      /* most in CONN_HANDSHAKE; 0: any number */
	int64_t key_updates;		      /* of TLS, in flood_interval_ms; 0: any number */
	int64_t flood_interval_ms;
	int64_t drain_grace_ms; /* for idle connections; 0: none */
	size_t in_bytes;	/* what a protocol may leave unread */
	size_t out_bytes;	/* answers that wait to be read */
	size_t linger_bytes;	/* read on after an answer that ends it */
};

struct conn_group {
	struct loop *loop;
	struct conn_settings settings;
	struct quota *quota; /* of the server */
	struct list states[CONN_STATE_COUNT];
	size_t handshakes;	  /* connections in CONN_HANDSHAKE */
	struct list turns;	  /* to be settled before the loop sleeps */
	struct event turns_event; /* made active by hand, never added */
	struct list deferred;	  /* to be settled in the next round */
	struct loop_timer deferred_timer;
	struct loop_timer timer;
	int64_t armed_ms; /* when the timer fires; INT64_MAX: it does not */
	/* When silent connections in CONN_HANDSHAKE end; INT64_MAX: by their timeout. */
	int64_t silence_ends_ms;
	struct mailbox mailbox;
	struct loop_mailbox letters;
	struct letter drain_letter, room_letter;
	size_t index; /* of its part in crowds */
	/* Since when its longest-idle connection is idle; INT64_MAX: none is. Read
	 * by any thread. */
	_Atomic(int64_t) idle_since_ms;
	atomic_bool room_asked;
	bool draining;
	void (*on_drain)(struct conn_group *group); /* NULL: nothing else stops */
	/* Somebody has to go for `conn`, and the longest-idle one here is idle since `since_ms`
	 * (INT64_MAX: none is): who may have one that is idle for longer. NULL, also of the
	 * hook: nobody. */
	struct conn_group *(*on_full)(struct conn_group *group, const struct conn *conn,
				      int64_t since_ms);
	/* A peer begins the handshake of TLS: whether it may; NULL: everybody may. */
	bool (*on_handshake)(struct conn_group *group, const struct conn *conn);
	/* Each of its connections ends; NULL: nobody wants to know. */
	void (*on_close)(struct conn_group *group, enum conn_reason reason);
	atomic_bool drain_asked;
	char *scratch; /* what one recv brings, while it is being looked at */
	char *sealed;  /* the same before a channel has opened it; as large */
	/* A connection holds memory only while bytes wait in it; what it gives
	 * back goes to the next one. */
	struct buffer spares[CONN_GROUP_SPARES];
	size_t spare_count;
};

/* False: no memory or descriptors. */
bool conn_group_init(struct conn_group *group, struct loop *loop,
		     const struct conn_settings *settings, struct quota *quota);
/* Closes what is left. The loop must have stopped. */
void conn_group_fini(struct conn_group *group);

/* The connection is the group's from here on, also when there is no memory to
 * watch it; or another one's, when its place is to be found there. */
void conn_group_add(struct conn_group *group, struct conn *conn);
/* The same from any thread. */
void conn_group_send(struct conn_group *group, struct conn *conn);

/* Ends the longest-idle connection, of `crowd` or of all (NULL), because others
 * need its place. False: none is idle. */
bool conn_group_displace(struct conn_group *group, struct crowd *crowd);
/* Has a few of the longest-idle connections end, if any are idle. Any thread. */
void conn_group_ask_room(struct conn_group *group);

/* Tells every connection, now and to come, that the server drains. One that is
 * idle, or has not begun its handshake, may have a request on its way: from here on it
 * stays at most for the grace, and is expired with CONN_DRAINED. Any thread. */
void conn_group_drain(struct conn_group *group);

/* Whether idle connections are left to their grace. */
static inline bool conn_group_has_grace(const struct conn_group *group)
{
	return group->draining && group->settings.drain_grace_ms > 0;
}

/* Connections that are not idle: a request or an answer is under way. */
size_t conn_group_busy(const struct conn_group *group);

/* Tells those connections that `wanted` names. One whose next request has come
 * already is left alone: its protocol ends it after the answer. */
void conn_group_drain_some(struct conn_group *group, bool (*wanted)(const struct conn *conn));

/* Takes other settings for what comes next. A state that has begun lasts as
 * long as the new time allows; when that is shorter, it counts from now at
 * most. */
void conn_group_set(struct conn_group *group, const struct conn_settings *settings);

/* For conn.c and conn_turn.c. */

/* Tells other threads since when the longest-idle connection is idle. */
void conn_group_note_idle(struct conn_group *group);

/* Makes room for one more in CONN_HANDSHAKE, at the cost of the oldest there. */
void conn_group_admit(struct conn_group *group);
/* As conn_group_drain_some does for each. */
void conn_group_drain_one(struct conn *conn);
/* Turns are taken, and closed connections freed, before the loop sleeps. */
void conn_group_rouse(struct conn_group *group);
/* Has a connection take a turn in the loop's next round, when all that is ready
 * by then was served. */
void conn_group_defer(struct conn_group *group, struct conn *conn);
/* Memory for an empty buffer that has none. */
void conn_group_lend(struct conn_group *group, struct buffer *buffer);
/* Takes the memory of an empty buffer back. */
void conn_group_return(struct conn_group *group, struct buffer *buffer);
void conn_free(struct conn *conn);

#endif
