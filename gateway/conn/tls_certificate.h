/* A certificate with its chain and its private key, from PEM text. Immutable
 * once it is whole; then any thread. */
#ifndef CONN_TLS_CERTIFICATE_H
#define CONN_TLS_CERTIFICATE_H

#include "base/error.h"
#include "base/slice.h"

#include <openssl/ssl.h>

struct tls_certificate {
	X509 *leaf;
	STACK_OF(X509) * chain; /* what stands behind it in the file */
	EVP_PKEY *key;
	int64_t begins_s, ends_s; /* since 1970 */
};

/* Reads the leaf and its chain: the leaf comes first. False with a sentence.
 * Main thread, as all here. */
bool tls_certificate_read(struct tls_certificate *certificate, struct lg_slice pem,
			  struct error *error);
/* Reads its key; it must belong to the leaf. An encrypted one is refused: nobody
 * is there to be asked. */
bool tls_certificate_read_key(struct tls_certificate *certificate, struct lg_slice pem,
			      struct error *error);
void tls_certificate_fini(struct tls_certificate *certificate);

/* Calls `take` with each host name that it is made out for; the names of
 * subjectAltName, or without any the subject's common name, as old private
 * authorities write it. False when `take` was. */
bool tls_certificate_each_name(const struct tls_certificate *certificate,
			       bool (*take)(void *arg, struct lg_slice name), void *arg);

#endif
