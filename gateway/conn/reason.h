/* The close-reason table: enum, counter, text. Any thread. */
#ifndef CONN_REASON_H
#define CONN_REASON_H

#include <stdbool.h>

enum conn_reason {
#define CONN_REASON(name, label, text) CONN_##name,
#include "conn/reasons.def"
#undef CONN_REASON
	CONN_REASON_COUNT
};

/* Registers leadgate_connections_closed_total{reason="…"}; again does no harm.
 * Before connections are opened. */
void conn_reason_register(void);

void conn_reason_count(enum conn_reason reason);
const char *conn_reason_label(enum conn_reason reason);
const char *conn_reason_text(enum conn_reason reason);

/* Whether the connection had come to its end: nothing was cut off, and nothing
 * turned away that was not answered. */
bool conn_reason_is_orderly(enum conn_reason reason);

#endif
