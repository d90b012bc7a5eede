/* A connection's channel through TLS (RFC 8446, RFC 5246) by OpenSSL. */
#ifndef CONN_TLS_CHANNEL_H
#define CONN_TLS_CHANNEL_H

#include "base/slice.h"
#include "conn/conn.h"
#include "conn/tls_context.h"

/* Registers leadgate_tls_handshakes_total; again does no harm. Before the first
 * connection. */
void tls_channel_register(void);

/* Goes on in TLS, as conn_set_channel does. Takes a reference to the context.
 * `early`: what the layer before has read beyond its own bytes; it is copied.
 * False: no memory, and nothing has changed. */
bool tls_channel_begin(struct conn *conn, struct tls_context *context, struct lg_slice early);

#endif
