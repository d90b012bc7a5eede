/* When connections of a group have had their time: deadlines of states, the minimum
 * rate of bodies, and silence while the server drains. One timer serves them all, for a
 * state's list is in the order of deadlines and only its head is looked at. What it
 * knows stands in the group. For conn.c, conn_group.c and their test; loop thread. */
#ifndef CONN_CONN_DEADLINE_H
#define CONN_CONN_DEADLINE_H

#include "conn/conn_group.h"

/* The group has its loop already. Nothing is due. */
void conn_deadline_init(struct conn_group *group);
/* The loop must have stopped. */
void conn_deadline_fini(struct conn_group *group);

/* The timer fires at `due_ms` or before. */
void conn_deadline_arm(struct conn_group *group, int64_t due_ms);

/* The time of the state that the connection has come into, from its since_ms on. */
void conn_deadline_begin(struct conn *conn);
/* The group's settings are others: what has begun lasts as long as the new time
 * allows; when that is shorter, it counts from now at most. */
void conn_deadline_renew(struct conn_group *group);
/* Who says nothing in CONN_HANDSHAKE is let go when the grace of the drain ends. */
void conn_deadline_end_silence(struct conn_group *group);

#endif
