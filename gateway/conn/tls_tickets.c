#include "conn/tls_tickets.h"

#include "base/alloc.h"
#include "base/random.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define IV_BYTES 16

struct tls_tickets {
	atomic_size_t references;
	pthread_mutex_t lock;
	int64_t lifetime_ms, since_ms; /* of the newest */
	struct tls_ticket_key newest, older;
	bool has_older;
};

struct tls_tickets *tls_tickets_new(int64_t lifetime_ms, int64_t now_ms)
{
	struct tls_tickets *tickets = alloc_zalloc(sizeof(*tickets));

	if (!tickets)
		return NULL;
	atomic_init(&tickets->references, 1);
	pthread_mutex_init(&tickets->lock, NULL);
	tickets->lifetime_ms = lifetime_ms;
	tickets->since_ms = now_ms;
	random_bytes(&tickets->newest, sizeof(tickets->newest));
	return tickets;
}

struct tls_tickets *tls_tickets_ref(struct tls_tickets *tickets)
{
	atomic_fetch_add_explicit(&tickets->references, 1, memory_order_relaxed);
	return tickets;
}

void tls_tickets_unref(struct tls_tickets **tickets)
{
	struct tls_tickets *t = *tickets;

	*tickets = NULL;
	if (!t || atomic_fetch_sub_explicit(&t->references, 1, memory_order_acq_rel) > 1)
		return;
	pthread_mutex_destroy(&t->lock);
	explicit_bzero(t, sizeof(*t));
	alloc_free(t);
}

void tls_tickets_set_lifetime(struct tls_tickets *tickets, int64_t lifetime_ms)
{
	pthread_mutex_lock(&tickets->lock);
	tickets->lifetime_ms = lifetime_ms;
	pthread_mutex_unlock(&tickets->lock);
}

/* Whoever comes when it is due changes them, so nobody keeps a timer. After a
 * quiet time of two lives the older one would be too old as well. */
static void rotate(struct tls_tickets *tickets, int64_t now_ms)
{
	int64_t age_ms = now_ms - tickets->since_ms;

	if (age_ms < tickets->lifetime_ms)
		return;
	tickets->has_older = age_ms < 2 * tickets->lifetime_ms;
	if (tickets->has_older)
		tickets->older = tickets->newest;
	else
		explicit_bzero(&tickets->older, sizeof(tickets->older));
	random_bytes(&tickets->newest, sizeof(tickets->newest));
	tickets->since_ms = now_ms;
}

void tls_tickets_newest(struct tls_tickets *tickets, int64_t now_ms, struct tls_ticket_key *key)
{
	pthread_mutex_lock(&tickets->lock);
	rotate(tickets, now_ms);
	*key = tickets->newest;
	pthread_mutex_unlock(&tickets->lock);
}

static bool is_named(const struct tls_ticket_key *key, const unsigned char *name)
{
	return memcmp(key->name, name, sizeof(key->name)) == 0;
}

bool tls_tickets_find(struct tls_tickets *tickets, int64_t now_ms,
		      const unsigned char name[TLS_TICKET_NAME_BYTES], struct tls_ticket_key *key,
		      bool *is_old)
{
	bool found;

	pthread_mutex_lock(&tickets->lock);
	rotate(tickets, now_ms);
	*is_old = !is_named(&tickets->newest, name);
	found = !*is_old || (tickets->has_older && is_named(&tickets->older, name));
	if (found)
		*key = *is_old ? tickets->older : tickets->newest;
	pthread_mutex_unlock(&tickets->lock);
	return found;
}

/* ---- in a handshake ------------------------------------------------------------------- */

/* RFC 5077, section 4: the recommended construction. */
static bool use_key(const struct tls_ticket_key *key, const unsigned char *iv,
		    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int sealing)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(
			OSSL_MAC_PARAM_KEY, (void *)(uintptr_t)key->mac_key, sizeof(key->mac_key)),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};

	return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher_key, iv, sealing) &&
	       EVP_MAC_CTX_set_params(mac, params);
}

int tls_tickets_seal(struct tls_tickets *tickets, int64_t now_ms, unsigned char *name,
		     unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
	struct tls_ticket_key key;
	int result = -1;

	tls_tickets_newest(tickets, now_ms, &key);
	memcpy(name, key.name, sizeof(key.name));
	if (RAND_bytes(iv, IV_BYTES) == 1 && use_key(&key, iv, cipher, mac, 1))
		result = 1;
	explicit_bzero(&key, sizeof(key));
	return result;
}

int tls_tickets_open(struct tls_tickets *tickets, int64_t now_ms, const unsigned char *name,
		     const unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
	struct tls_ticket_key key;
	bool is_old;
	int result = -1;

	if (!tls_tickets_find(tickets, now_ms, name, &key, &is_old))
		return 0;
	if (use_key(&key, iv, cipher, mac, 0))
		result = is_old ? 2 : 1;
	explicit_bzero(&key, sizeof(key));
	return result;
}
