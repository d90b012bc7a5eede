/* What a peer's hello asks for, before OpenSSL makes something of it. */
#ifndef CONN_TLS_HELLO_H
#define CONN_TLS_HELLO_H

#include <leadgate/types.h>

#include <openssl/types.h>

/* The name of a host (RFC 6066, section 3); absent: it asks for none, or OpenSSL will
 * refuse it for how it is written. Borrowed, during the callback of
 * SSL_CTX_set_client_hello_cb(3) alone. */
struct lg_slice tls_hello_name(SSL *ssl);

#endif
