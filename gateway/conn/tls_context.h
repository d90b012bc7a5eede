/* What one listener serves by TLS: its certificates by name, versions, ciphers,
 * ticket keys. It does not change; renewing is making another one. Counted:
 * whoever speaks of it has a reference, each connection too. */
#ifndef CONN_TLS_CONTEXT_H
#define CONN_TLS_CONTEXT_H

#include <leadgate/option.h>

#include "base/error.h"
#include "conn/tls_certificate.h"
#include "conn/tls_names.h"

enum tls_version { TLS_VERSION_1_2, TLS_VERSION_1_3 };

/* The options of a listener's `tls:`. */
struct tls_settings {
	struct lg_slice certificate, key; /* paths: whoever reads the files needs them */
	int32_t min_version;		  /* enum tls_version */
	struct lg_slice ciphers;	  /* of TLS 1.2, as ciphers(1) */
	struct lg_slice groups;		  /* for the key exchange, best first */
	int64_t ticket_lifetime_ms;	  /* 0: no tickets */
	int32_t strict_names;
};
extern const struct lg_option tls_options[];
extern const size_t tls_option_count;

/* What the protocol above says about itself; constant. */
struct tls_terms {
	const char *alpn; /* protocols as ALPN writes them, best first, each behind its length */
	const char *plain_answer; /* for a peer that speaks without TLS */
};

struct tls_context;

/* Takes over what it needs of the certificates, at least one, of which the first
 * serves peers that ask for no name, or for one that nobody has. `terms` lives
 * for ever. NULL with a sentence, and `*option` names what to blame (an option
 * of tls_options or "certificate"). Main thread. */
struct tls_context *tls_context_new(const struct tls_settings *settings,
				    const struct tls_certificate *certificates, size_t count,
				    const struct tls_terms *terms, const char **option,
				    struct error *error);
struct tls_context *tls_context_ref(struct tls_context *context);
/* NULL does no harm. Any thread. */
void tls_context_unref(struct tls_context **context);

/* Whether both serve alike: the same certificates, keys and settings. */
bool tls_context_same(const struct tls_context *a, const struct tls_context *b);
/* Lets tickets that `older` gave out be taken; before `context` is used. */
void tls_context_inherit(struct tls_context *context, const struct tls_context *older);
/* When the first of its certificates expires, in seconds since 1970. */
int64_t tls_context_expires(const struct tls_context *context);

/* ---- for tls_channel.c ------------------------------------------------------- */

const struct tls_terms *tls_context_terms(const struct tls_context *context);
/* A new session of the peer's; its application data is `data`. NULL: no memory. */
SSL *tls_context_open(struct tls_context *context, void *data);
/* Called when a peer has asked for a name that it is not to be served under;
 * `data` as it was given. */
void tls_channel_refuse_name(void *data);

#endif
