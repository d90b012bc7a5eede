/* The keys of session tickets (RFC 5077, section 4), and what they do for OpenSSL: the
 * newest seals, the one before it still opens, older ones are gone, so that a key that
 * gets known opens little. Any thread; an operation holds a lock for as long as it takes to copy
 * a key. */
#ifndef CONN_TLS_TICKETS_H
#define CONN_TLS_TICKETS_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

#define TLS_TICKET_NAME_BYTES 16

struct tls_ticket_key {
	unsigned char name[TLS_TICKET_NAME_BYTES]; /* stands in the ticket */
	unsigned char cipher_key[32];		   /* AES-256-CBC */
	unsigned char mac_key[32];		   /* HMAC-SHA-256 */
};

struct tls_tickets;

/* NULL: no memory. A key seals for `lifetime_ms` and opens for as long again. */
struct tls_tickets *tls_tickets_new(int64_t lifetime_ms, int64_t now_ms);
struct tls_tickets *tls_tickets_ref(struct tls_tickets *tickets);
void tls_tickets_unref(struct tls_tickets **tickets);
/* From the next change of keys on. */
void tls_tickets_set_lifetime(struct tls_tickets *tickets, int64_t lifetime_ms);

/* Copies the key that seals at this monotonic time; the caller wipes it. */
void tls_tickets_newest(struct tls_tickets *tickets, int64_t now_ms, struct tls_ticket_key *key);
/* Copies the key of a ticket; false: it is unknown or too old. `*is_old`: a
 * newer one seals by now. */
bool tls_tickets_find(struct tls_tickets *tickets, int64_t now_ms,
		      const unsigned char name[TLS_TICKET_NAME_BYTES], struct tls_ticket_key *key,
		      bool *is_old);

/* Both answer what OpenSSL asks for a ticket in a handshake (SSL_CTX_set_tlsext_
 * ticket_key_evp_cb(3)), and set `cipher` and `mac` up with the key; less than 0: it
 * cannot be done, and the handshake fails. */

/* For a new ticket: fills its name and a random `iv` (16 bytes each). 1: good. */
int tls_tickets_seal(struct tls_tickets *tickets, int64_t now_ms, unsigned char *name,
		     unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac);
/* For a peer's ticket, by the name and `iv` that it bears. 0: not ours, a whole
 * handshake; 1: good; 2: good, and the peer gets a new one. */
int tls_tickets_open(struct tls_tickets *tickets, int64_t now_ms, const unsigned char *name,
		     const unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac);

#endif
