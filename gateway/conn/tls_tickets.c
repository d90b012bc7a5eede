#include "conn/tls_tickets.h"

#include "base/alloc.h"
#include "base/random.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

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
