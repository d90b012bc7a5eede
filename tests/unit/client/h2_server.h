/* HTTP/2 for the server of the tests. */
#ifndef TESTS_UNIT_CLIENT_H2_SERVER_H
#define TESTS_UNIT_CLIENT_H2_SERVER_H

#include "server.h"

/* For server_start: answers each stream with status 200 and the number of body
 * bytes that it was sent in the header x-got. A stream whose path is /reset is
 * reset instead, and one with /silent gets no answer. */
void h2_server_serve(struct server *server, int fd);
/* The same behind TLS, chosen by ALPN; server->context is the SSL_CTX. */
void h2_server_serve_tls(struct server *server, int fd);

#endif
