#include "conn/tls_certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <time.h>

/* OpenSSL would ask on the terminal. */
static int on_password(char *buffer, int size, int writing, void *asked)
{
	(void)buffer;
	(void)size;
	(void)writing;
	*(bool *)asked = true;
	return -1;
}

static BIO *open_text(struct lg_slice pem)
{
	return pem.length > INT32_MAX ? NULL : BIO_new_mem_buf(pem.data, (int)pem.length);
}

static bool seconds_of(const ASN1_TIME *time, int64_t *seconds)
{
	struct tm tm;

	if (!ASN1_TIME_to_tm(time, &tm))
		return false;
	*seconds = timegm(&tm);
	return true;
}

/* Whatever follows the leaf goes to the peer as it stands there. */
static bool read_chain(struct tls_certificate *certificate, BIO *bio)
{
	X509 *next;

	certificate->chain = sk_X509_new_null();
	if (!certificate->chain)
		return false;
	while ((next = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
		if (!sk_X509_push(certificate->chain, next)) {
			X509_free(next);
			return false;
		}
	return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

bool tls_certificate_read(struct tls_certificate *certificate, struct lg_slice pem,
			  struct error *error)
{
	BIO *bio = open_text(pem);
	bool good;

	*certificate = (struct tls_certificate){0};
	if (!bio)
		return error_set(error, "not enough memory");
	ERR_clear_error();
	certificate->leaf = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
	good = certificate->leaf && read_chain(certificate, bio);
	BIO_free(bio);
	ERR_clear_error();
	if (!certificate->leaf)
		return error_set(error, "there is no certificate in PEM form in it");
	if (!good)
		return error_set(error, "a certificate of its chain cannot be read");
	if (!seconds_of(X509_get0_notBefore(certificate->leaf), &certificate->begins_s) ||
	    !seconds_of(X509_get0_notAfter(certificate->leaf), &certificate->ends_s))
		return error_set(error, "the certificate's dates cannot be read");
	return true;
}

bool tls_certificate_read_key(struct tls_certificate *certificate, struct lg_slice pem,
			      struct error *error)
{
	BIO *bio = open_text(pem);
	bool asked = false;

	if (!bio)
		return error_set(error, "not enough memory");
	certificate->key = PEM_read_bio_PrivateKey(bio, NULL, on_password, &asked);
	BIO_free(bio);
	ERR_clear_error();
	if (asked)
		return error_set(error, "the key is encrypted, and nobody is there to be asked "
					"for its password");
	if (!certificate->key)
		return error_set(error, "there is no private key in PEM form in it");
	bool fits = X509_check_private_key(certificate->leaf, certificate->key) == 1;
	ERR_clear_error();
	return fits || error_set(error, "the key does not belong to the certificate");
}

void tls_certificate_fini(struct tls_certificate *certificate)
{
	X509_free(certificate->leaf);
	sk_X509_pop_free(certificate->chain, X509_free);
	EVP_PKEY_free(certificate->key);
	*certificate = (struct tls_certificate){0};
}

static struct lg_slice text_of(const ASN1_STRING *string)
{
	return slice_of((const char *)ASN1_STRING_get0_data(string),
			(size_t)ASN1_STRING_length(string));
}

static bool take_common_name(const struct tls_certificate *certificate,
			     bool (*take)(void *arg, struct lg_slice name), void *arg)
{
	const X509_NAME *subject = X509_get_subject_name(certificate->leaf);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

	return at < 0 ||
	       take(arg, text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
}

bool tls_certificate_each_name(const struct tls_certificate *certificate,
			       bool (*take)(void *arg, struct lg_slice name), void *arg)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate->leaf, NID_subject_alt_name, NULL,
						NULL);
	int count = names ? sk_GENERAL_NAME_num(names) : 0;
	bool good = true, any = false;

	for (int i = 0; i < count && good; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		if (name->type != GEN_DNS)
			continue;
		any = true;
		good = take(arg, text_of(name->d.dNSName));
	}
	GENERAL_NAMES_free(names);
	ERR_clear_error();
	return good && (any || take_common_name(certificate, take, arg));
}
