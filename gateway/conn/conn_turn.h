/* A connection's turn: what comes when its descriptor is ready, or when somebody has
 * woken it. Bytes go from its channel to its protocol, its protocol settles, what
 * stands in `out` is sent, and the descriptor is watched for what comes next. All
 * here: the connection's loop thread. It may be closed when they return, and is freed
 * only when the loop's turn ends. For conn.c and conn_group.c alone. */
#ifndef CONN_CONN_TURN_H
#define CONN_CONN_TURN_H

#include "conn/conn.h"

/* The group's from here on: gives it its buffers' limits, its first state and a
 * watch. Without memory for that it is closed at once. */
void conn_turn_start(struct conn *conn, struct conn_group *group);

/* One turn: sends, settles, watches. Not from within another one: conn_wake asks for
 * a turn at any time. What fails ends the connection, with its reason. */
void conn_turn_take(struct conn *conn);

#endif
