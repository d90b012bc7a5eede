/* Certificates of the tests: an authority of our own, and servers' ones that it
 * signs. */
#ifndef TESTS_UNIT_CLIENT_CERTIFICATE_H
#define TESTS_UNIT_CLIENT_CERTIFICATE_H

#include <openssl/ssl.h>

struct authority {
	EVP_PKEY *key;
	X509 *certificate;
	char file[64]; /* a temporary file with the certificate */
};

void authority_init(struct authority *authority, const char *name);
void authority_fini(struct authority *authority);

/* A server's context with a certificate for `name` ("DNS:a.test"), valid from
 * now for `days` (expired when below 0). */
SSL_CTX *authority_server(struct authority *authority, const char *name, int days);

#endif
