#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "maker.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S 86400

static char *text_of(BIO *bio)
{
	char *data;
	long length = BIO_get_mem_data(bio, &data);
	char *text = strndup(data, (size_t)length);

	assert_non_null(text);
	BIO_free(bio);
	return text;
}

static void add_names(X509 *x509, const char *names)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&context, x509, x509, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, NID_subject_alt_name, names);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(x509, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static X509 *sign(EVP_PKEY *key, const char *common_name, const char *names, int days)
{
	X509 *x509 = X509_new();
	X509_NAME *name = X509_get_subject_name(x509);

	assert_int_equal(X509_set_version(x509, X509_VERSION_3), 1);
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
						    (const unsigned char *)common_name, -1, -1, 0),
			 1);
	assert_int_equal(X509_set_issuer_name(x509, name), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x509), 7), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x509), -DAY_S));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x509), (long)days * DAY_S));
	assert_int_equal(X509_set_pubkey(x509, key), 1);
	if (names)
		add_names(x509, names);
	assert_true(X509_sign(x509, key, EVP_sha256()) > 0);
	return x509;
}

struct made maker_make(const char *common_name, const char *names, int days)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x509;
	BIO *certificate = BIO_new(BIO_s_mem()), *text = BIO_new(BIO_s_mem());

	assert_non_null(key);
	x509 = sign(key, common_name, names, days);
	assert_int_equal(PEM_write_bio_X509(certificate, x509), 1);
	assert_int_equal(PEM_write_bio_PrivateKey(text, key, NULL, NULL, 0, NULL, NULL), 1);
	X509_free(x509);
	EVP_PKEY_free(key);
	return (struct made){text_of(certificate), text_of(text)};
}

char *maker_encrypt(const char *key)
{
	BIO *in = BIO_new_mem_buf(key, -1), *out = BIO_new(BIO_s_mem());
	EVP_PKEY *pkey = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
	unsigned char password[] = "secret";

	assert_non_null(pkey);
	assert_int_equal(PEM_write_bio_PrivateKey(out, pkey, EVP_aes_128_cbc(), password,
						  (int)sizeof(password) - 1, NULL, NULL),
			 1);
	EVP_PKEY_free(pkey);
	BIO_free(in);
	return text_of(out);
}

void maker_free(struct made *made)
{
	free(made->certificate);
	free(made->key);
	*made = (struct made){0};
}
