#include "certificate.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void must(int condition)
{
	if (!condition)
		abort();
}

static void add_extension(X509 *certificate, X509 *issuer, int id, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, id, value);
	must(extension && X509_add_ext(certificate, extension, -1));
	X509_EXTENSION_free(extension);
}

/* Unsigned, with the key that belongs to it. */
static X509 *new_certificate(EVP_PKEY *key, const char *name, long serial, int days)
{
	const long day = 24L * 3600;
	X509 *certificate = X509_new();

	must(certificate && X509_set_version(certificate, 2));
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -30 * day);
	X509_gmtime_adj(X509_getm_notAfter(certificate), days * day);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
				   (const unsigned char *)name, -1, -1, 0);
	must(X509_set_pubkey(certificate, key));
	return certificate;
}

void authority_init(struct authority *authority, const char *name)
{
	FILE *file;

	authority->key = EVP_EC_gen("P-256");
	must(authority->key != NULL);
	authority->certificate = new_certificate(authority->key, name, 1, 1);
	X509_set_issuer_name(authority->certificate, X509_get_subject_name(authority->certificate));
	add_extension(authority->certificate, authority->certificate, NID_basic_constraints,
		      "critical,CA:TRUE");
	must(X509_sign(authority->certificate, authority->key, EVP_sha256()));
	strcpy(authority->file, "/tmp/leadgate-ca-XXXXXX");
	file = fdopen(mkstemp(authority->file), "w");
	must(file && PEM_write_X509(file, authority->certificate) && fclose(file) == 0);
}

void authority_fini(struct authority *authority)
{
	unlink(authority->file);
	X509_free(authority->certificate);
	EVP_PKEY_free(authority->key);
}

SSL_CTX *authority_server(struct authority *authority, const char *name, int days)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = new_certificate(key, "server", 2, days);
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	must(context &&
	     X509_set_issuer_name(certificate, X509_get_subject_name(authority->certificate)));
	add_extension(certificate, authority->certificate, NID_subject_alt_name, name);
	must(X509_sign(certificate, authority->key, EVP_sha256()));
	must(SSL_CTX_use_certificate(context, certificate) == 1);
	must(SSL_CTX_use_PrivateKey(context, key) == 1);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return context;
}
