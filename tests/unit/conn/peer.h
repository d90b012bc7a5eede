/* A connection whose protocol speaks in lines, and the test's end of it.
 *
 * It answers each "x\n" with "<x>\n". "!…" ends with a lingering close, "#…" expels it, "?…"
 * waits, ".…" is followed by a slow body. Longer lines than 100 stay in `in`. */
#ifndef TESTS_CONN_PEER_H
#define TESTS_CONN_PEER_H

#include "conn/conn_group.h"

struct peer {
	struct loop *loop;
	struct quota *quota;
	struct conn_group group;
	struct conn_settings settings;
	struct conn *conn;
	enum conn_state state;
	enum conn_reason expired, closed_with;
	size_t lines;
	size_t pause_after; /* lines of one receive */
	bool lingers, expelled, ended, drained;
	const struct conn_channel *channel; /* NULL: plain */
	bool blocks;			    /* at the end of its handshake, once */
	int freed;			    /* channels */
	int fd;				    /* the test's end */
	int64_t counts[CONN_REASON_COUNT];
};

/* These times for CONN_IDLE and CONN_BODY, and generous bounds. */
struct peer peer_with(int64_t idle_ms, int64_t body_ms);
/* Makes its loop, its group and its connection, which is on its way there. */
void peer_init(struct peer *peer);
/* A connection for it, of no group yet; it has a quota. */
void peer_connect(struct peer *peer);
/* Ends all, with the connection if it is still there. */
void peer_fini(struct peer *peer);

/* The connection was closed once, and for this. */
void peer_expect_reason(const struct peer *peer, enum conn_reason reason);
void peer_say(const struct peer *peer, const char *text);
/* One recv brings just this. */
void peer_expect(const struct peer *peer, const char *text);
/* Serves all that is there: the letter, the bytes, the turn. */
void peer_turn(struct peer *peer);

#endif
