/* SHA-256 of short texts is most of what is asked for. Of OpenSSL 3.0's two ways the
 * new one (EVP) looks for engines and allocates with every digest, which takes
 * half as long again as a short text; the old one is called deprecated, and does
 * neither. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "codec/digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/sha.h>
#include <pthread.h>

#include "base/alloc.h"
#include "base/error.h"

/* Fetching an algorithm by its name and allocating a context cost more than
 * a short text: the first is done once, the second once a thread. */
static EVP_MAC *hmac_method;
static pthread_key_t contexts_key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

struct contexts {
	EVP_MAC_CTX *hmac[DIGEST_SHA512 + 1]; /* by enum digest_kind, made when asked for */
};

static __thread struct contexts *thread_contexts;

static void contexts_free(void *data)
{
	struct contexts *contexts = data;

	for (int kind = 0; kind <= DIGEST_SHA512; kind++)
		EVP_MAC_CTX_free(contexts->hmac[kind]);
	alloc_free(contexts);
	thread_contexts = NULL;
}

static void prepare(void)
{
	hmac_method = EVP_MAC_fetch(NULL, "HMAC", NULL);
	ALWAYS(hmac_method);
	ALWAYS(pthread_key_create(&contexts_key, contexts_free) == 0);
}

static struct contexts *contexts(void)
{
	struct contexts *made;

	if (thread_contexts)
		return thread_contexts;
	pthread_once(&once, prepare);
	made = alloc_zalloc(sizeof(*made));
	ALWAYS(made);
	ALWAYS(pthread_setspecific(contexts_key, made) == 0);
	thread_contexts = made;
	return made;
}

void sha256(const struct lg_slice *parts, size_t count, uint8_t out[SHA256_BYTES])
{
	SHA256_CTX context;

	SHA256_Init(&context);
	for (size_t i = 0; i < count; i++)
		SHA256_Update(&context, parts[i].data, parts[i].length);
	SHA256_Final(out, &context);
}

static SHA256_CTX *context_of(struct sha256_sum *sum)
{
	_Static_assert(sizeof(SHA256_CTX) <= sizeof(sum->context), "room for OpenSSL's");
	return (SHA256_CTX *)(void *)sum->context;
}

void sha256_sum_init(struct sha256_sum *sum)
{
	SHA256_Init(context_of(sum));
}

void sha256_sum_add(struct sha256_sum *sum, struct lg_slice bytes)
{
	SHA256_Update(context_of(sum), bytes.data, bytes.length);
}

void sha256_sum_end(struct sha256_sum *sum, uint8_t out[SHA256_BYTES])
{
	SHA256_Final(out, context_of(sum));
}

static EVP_MAC_CTX *hmac_context(enum digest_kind kind)
{
	static const char *const names[] = {
		[DIGEST_SHA1] = "SHA1",
		[DIGEST_SHA256] = "SHA256",
		[DIGEST_SHA512] = "SHA512",
	};
	EVP_MAC_CTX **place = &contexts()->hmac[kind];
	char name[sizeof("SHA512")];
	OSSL_PARAM digest[2];

	if (*place)
		return *place;
	strcpy(name, names[kind]);
	digest[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0);
	digest[1] = OSSL_PARAM_construct_end();
	*place = EVP_MAC_CTX_new(hmac_method);
	ALWAYS(*place && EVP_MAC_CTX_set_params(*place, digest) == 1);
	return *place;
}

size_t hmac(enum digest_kind kind, struct lg_slice key, struct lg_slice message,
	    uint8_t out[DIGEST_MAX_BYTES])
{
	/* An absent key would mean "the key of the last call". */
	const unsigned char *key_bytes = (const unsigned char *)(key.data ? key.data : "");
	EVP_MAC_CTX *context;
	size_t length = 0;

	if (kind < DIGEST_SHA1 || kind > DIGEST_SHA512)
		return 0;
	context = hmac_context(kind);
	ALWAYS(EVP_MAC_init(context, key_bytes, key.length, NULL) == 1);
	ALWAYS(EVP_MAC_update(context, (const unsigned char *)message.data, message.length) == 1);
	ALWAYS(EVP_MAC_final(context, out, &length, DIGEST_MAX_BYTES) == 1);
	return length;
}

bool digest_equal(struct lg_slice a, struct lg_slice b)
{
	if (a.length != b.length)
		return false;
	return a.length == 0 || CRYPTO_memcmp(a.data, b.data, a.length) == 0;
}
