/* What OpenSSL's error codes say about a connection that ended. Pure. */
#ifndef CONN_TLS_REASON_H
#define CONN_TLS_REASON_H

#include "conn/reason.h"

/* `code` as ERR_peek_error gives it. */
enum conn_reason tls_reason_of(unsigned long code);

#endif
