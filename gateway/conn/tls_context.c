#include "conn/tls_context.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "conn/tls_hello.h"
#include "conn/tls_tickets.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdatomic.h>

struct tls_context {
	atomic_size_t references;
	SSL_CTX **items; /* one a certificate */
	size_t count;
	struct tls_names names;
	const struct tls_terms *terms;
	struct tls_tickets *tickets; /* NULL: none are given */
	int64_t ticket_lifetime_ms;
	int64_t ends_s;
	bool strict_names;
	unsigned char digest[EVP_MAX_MD_SIZE]; /* of all that makes it what it is */
};

const struct lg_option tls_options[] = {
	{.name = "certificate",
	 .type = LG_PATH,
	 .flags = LG_REQUIRED,
	 .offset = offsetof(struct tls_settings, certificate),
	 .help = "file with the certificate and behind it its chain, in PEM form; it is read again "
		 "by a reload"},
	{.name = "key",
	 .type = LG_PATH,
	 .flags = LG_REQUIRED,
	 .offset = offsetof(struct tls_settings, key),
	 .help = "file with its private key, in PEM form and without a password"},
	{.name = "min_version",
	 .type = LG_ENUM,
	 .offset = offsetof(struct tls_settings, min_version),
	 .fallback = "1.2",
	 .choices = "1.2|1.3",
	 .help = "oldest version of TLS that is spoken; the newest is 1.3"},
	{.name = "ciphers",
	 .type = LG_STRING,
	 .offset = offsetof(struct tls_settings, ciphers),
	 .fallback = "ECDHE+AESGCM:ECDHE+CHACHA20",
	 .help = "ciphers of TLS 1.2 in the words of openssl-ciphers(1); those of TLS 1.3 are all "
		 "good"},
	{.name = "groups",
	 .type = LG_STRING,
	 .offset = offsetof(struct tls_settings, groups),
	 .fallback = "X25519:P-256:P-384",
	 .help = "groups for the exchange of keys, the best one first"},
	{.name = "ticket_lifetime",
	 .type = LG_DURATION,
	 .offset = offsetof(struct tls_settings, ticket_lifetime_ms),
	 .fallback = "1h",
	 .min = 0,
	 .max = INT64_C(86400000),
	 .help = "how long a key seals tickets by which a client comes back without a whole "
		 "handshake; it opens them for as long again; 0: no tickets"},
	{.name = "strict_names",
	 .type = LG_BOOL,
	 .offset = offsetof(struct tls_settings, strict_names),
	 .fallback = "false",
	 .help = "refuse clients that ask for a name of none of the certificates; otherwise the "
		 "first certificate serves them"},
};
const size_t tls_option_count = sizeof(tls_options) / sizeof(tls_options[0]);

/* ---- what OpenSSL asks during a handshake ------------------------------------------ */

/* RFC 6066, section 3: what the hello says counts. Who comes back by a ticket of TLS 1.2 is
 * otherwise known by the name that it asked for when it got that. */
static int on_hello(SSL *ssl, int *alert, void *arg)
{
	const struct tls_context *context = arg;
	struct lg_slice name = tls_hello_name(ssl);

	if (!context->strict_names || !slice_present(name) ||
	    tls_names_find(&context->names, name) != TLS_NAME_NONE)
		return SSL_CLIENT_HELLO_SUCCESS;
	tls_channel_refuse_name(SSL_get_app_data(ssl));
	*alert = SSL_AD_UNRECOGNIZED_NAME;
	return SSL_CLIENT_HELLO_ERROR;
}

/* Chooses the certificate. */
static int on_name(SSL *ssl, int *alert, void *arg)
{
	const struct tls_context *context = arg;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)alert;
	size_t found = name ? tls_names_find(&context->names, slice_from(name)) : TLS_NAME_NONE;
	if (found == TLS_NAME_NONE)
		return SSL_TLSEXT_ERR_NOACK;
	if (found > 0 && !SSL_set_SSL_CTX(ssl, context->items[found]))
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	return SSL_TLSEXT_ERR_OK;
}

/* RFC 7301, section 3.2: a peer that names protocols, none of them ours, is told
 * so. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_length,
		   const unsigned char *theirs, unsigned theirs_length, void *arg)
{
	const struct tls_context *context = arg;
	const char *ours = context->terms->alpn;
	unsigned char *chosen;

	(void)ssl;
	if (SSL_select_next_proto(&chosen, out_length, (const unsigned char *)ours,
				  (unsigned)strlen(ours), theirs,
				  theirs_length) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
		     EVP_MAC_CTX *mac, int sealing)
{
	const struct tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	int64_t now_ms = clock_monotonic_ms();

	return sealing ? tls_tickets_seal(context->tickets, now_ms, name, iv, cipher, mac)
		       : tls_tickets_open(context->tickets, now_ms, name, iv, cipher, mac);
}

/* ---- making one ---------------------------------------------------------------------- */

static char *text_of(struct lg_slice slice)
{
	char *text = alloc_malloc(slice.length + 1);

	if (text) {
		memcpy(text, slice.data ? slice.data : "", slice.length);
		text[slice.length] = '\0';
	}
	return text;
}

/* A setting that OpenSSL takes as a text. */
static bool set_text(SSL_CTX *ctx, const char *option, struct lg_slice value, const char **guilty,
		     struct error *error)
{
	char *text = text_of(value);
	bool is_ciphers = strcmp(option, "ciphers") == 0;
	bool good;

	*guilty = option;
	if (!text)
		return error_set(error, "not enough memory");
	good = is_ciphers ? SSL_CTX_set_cipher_list(ctx, text)
			  : SSL_CTX_set1_groups_list(ctx, text);
	alloc_free(text);
	ERR_clear_error();
	return good || error_set(error, is_ciphers ? "names no cipher that there is"
						   : "names a group that is unknown");
}

static void set_tickets(struct tls_context *context, SSL_CTX *ctx)
{
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"leadgate", 8);
	if (!context->tickets) {
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
		SSL_CTX_set_num_tickets(ctx, 0);
		return;
	}
	/* A client that keeps its connections needs no second one. */
	SSL_CTX_set_num_tickets(ctx, 1);
	SSL_CTX_set_timeout(ctx, (long)(context->ticket_lifetime_ms / 1000));
	SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket);
}

static void set_callbacks(struct tls_context *context, SSL_CTX *ctx)
{
	SSL_CTX_set_app_data(ctx, context);
	SSL_CTX_set_client_hello_cb(ctx, on_hello, context);
	SSL_CTX_set_tlsext_servername_callback(ctx, on_name);
	SSL_CTX_set_tlsext_servername_arg(ctx, context);
	SSL_CTX_set_alpn_select_cb(ctx, on_alpn, context);
}

/* An end without close_notify is told from a good one by our own channel, and
 * HTTP says itself where its messages end. */
static void set_manners(SSL_CTX *ctx)
{
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					 SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_max_early_data(ctx, 0);
}

static bool set_certificate(SSL_CTX *ctx, const struct tls_certificate *certificate,
			    const char **guilty, struct error *error)
{
	*guilty = "certificate";
	if (SSL_CTX_use_cert_and_key(ctx, certificate->leaf, certificate->key, certificate->chain,
				     1) == 1)
		return true;
	const char *why = ERR_reason_error_string(ERR_peek_last_error());
	error_set(error, "the certificate cannot be served: %s", why ? why : "unknown reason");
	ERR_clear_error();
	return false;
}

static bool set_up(struct tls_context *context, SSL_CTX *ctx, const struct tls_settings *settings,
		   const char **guilty, struct error *error)
{
	int version = settings->min_version == TLS_VERSION_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;

	set_manners(ctx);
	set_callbacks(context, ctx);
	set_tickets(context, ctx);
	*guilty = "min_version";
	if (!SSL_CTX_set_min_proto_version(ctx, version))
		return error_set(error, "this version is not to be had");
	return set_text(ctx, "ciphers", settings->ciphers, guilty, error) &&
	       set_text(ctx, "groups", settings->groups, guilty, error);
}

struct name_taker {
	struct tls_context *context;
	size_t number;
};

static bool take_name(void *arg, struct lg_slice name)
{
	struct name_taker *taker = arg;

	return tls_names_add(&taker->context->names, name, taker->number);
}

static bool add_certificate(struct tls_context *context, const struct tls_settings *settings,
			    const struct tls_certificate *certificate, const char **guilty,
			    struct error *error)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	struct name_taker taker = {context, context->count};

	if (!ctx)
		return error_set(error, "not enough memory");
	context->items[context->count++] = ctx;
	if (certificate->ends_s < context->ends_s)
		context->ends_s = certificate->ends_s;
	return set_up(context, ctx, settings, guilty, error) &&
	       set_certificate(ctx, certificate, guilty, error) &&
	       (tls_certificate_each_name(certificate, take_name, &taker) ||
		error_set(error, "not enough memory"));
}

static bool digest_text(EVP_MD_CTX *md, struct lg_slice text)
{
	return EVP_DigestUpdate(md, &text.length, sizeof(text.length)) &&
	       EVP_DigestUpdate(md, text.data, text.length);
}

static bool digest_certificate(EVP_MD_CTX *md, const X509 *x509)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned length;

	return X509_digest(x509, EVP_sha256(), hash, &length) && EVP_DigestUpdate(md, hash, length);
}

/* A key goes in by its certificate: it fits no other. */
static bool digest_all(EVP_MD_CTX *md, const struct tls_settings *settings,
		       const struct tls_certificate *certificates, size_t count)
{
	const int64_t numbers[] = {settings->min_version, settings->ticket_lifetime_ms,
				   settings->strict_names, (int64_t)count};

	if (!EVP_DigestInit_ex(md, EVP_sha256(), NULL) ||
	    !EVP_DigestUpdate(md, numbers, sizeof(numbers)) ||
	    !digest_text(md, settings->ciphers) || !digest_text(md, settings->groups))
		return false;
	for (size_t i = 0; i < count; i++) {
		int length = sk_X509_num(certificates[i].chain);
		if (!digest_certificate(md, certificates[i].leaf) ||
		    !EVP_DigestUpdate(md, &length, sizeof(length)))
			return false;
		for (int k = 0; k < length; k++)
			if (!digest_certificate(md, sk_X509_value(certificates[i].chain, k)))
				return false;
	}
	return true;
}

static bool set_digest(struct tls_context *context, const struct tls_settings *settings,
		       const struct tls_certificate *certificates, size_t count)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool good = md && digest_all(md, settings, certificates, count) &&
		    EVP_DigestFinal_ex(md, context->digest, NULL);

	EVP_MD_CTX_free(md);
	return good;
}

static bool fill(struct tls_context *context, const struct tls_settings *settings,
		 const struct tls_certificate *certificates, size_t count, const char **guilty,
		 struct error *error)
{
	context->items = alloc_zalloc(count * sizeof(SSL_CTX *));
	if (settings->ticket_lifetime_ms > 0)
		context->tickets = tls_tickets_new(settings->ticket_lifetime_ms,
						   clock_monotonic_ms());
	if (!context->items || (settings->ticket_lifetime_ms > 0 && !context->tickets) ||
	    !set_digest(context, settings, certificates, count))
		return error_set(error, "not enough memory");
	for (size_t i = 0; i < count; i++)
		if (!add_certificate(context, settings, &certificates[i], guilty, error))
			return false;
	tls_names_sort(&context->names);
	return true;
}

struct tls_context *tls_context_new(const struct tls_settings *settings,
				    const struct tls_certificate *certificates, size_t count,
				    const struct tls_terms *terms, const char **option,
				    struct error *error)
{
	struct tls_context *context = alloc_zalloc(sizeof(*context));

	*option = "certificate";
	if (!context) {
		error_set(error, "not enough memory");
		return NULL;
	}
	atomic_init(&context->references, 1);
	context->terms = terms;
	context->strict_names = settings->strict_names;
	context->ticket_lifetime_ms = settings->ticket_lifetime_ms;
	context->ends_s = INT64_MAX;
	if (!fill(context, settings, certificates, count, option, error))
		tls_context_unref(&context);
	return context;
}

struct tls_context *tls_context_ref(struct tls_context *context)
{
	atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
	return context;
}

void tls_context_unref(struct tls_context **context)
{
	struct tls_context *c = *context;

	*context = NULL;
	if (!c || atomic_fetch_sub_explicit(&c->references, 1, memory_order_acq_rel) > 1)
		return;
	for (size_t i = 0; i < c->count; i++)
		SSL_CTX_free(c->items[i]);
	tls_names_fini(&c->names);
	tls_tickets_unref(&c->tickets);
	alloc_free(c->items);
	alloc_free(c);
}

bool tls_context_same(const struct tls_context *a, const struct tls_context *b)
{
	return memcmp(a->digest, b->digest, sizeof(a->digest)) == 0;
}

void tls_context_inherit(struct tls_context *context, const struct tls_context *older)
{
	if (!context->tickets || !older->tickets)
		return;
	tls_tickets_unref(&context->tickets);
	context->tickets = tls_tickets_ref(older->tickets);
	tls_tickets_set_lifetime(context->tickets, context->ticket_lifetime_ms);
}

int64_t tls_context_expires(const struct tls_context *context)
{
	return context->ends_s;
}

const struct tls_terms *tls_context_terms(const struct tls_context *context)
{
	return context->terms;
}

SSL *tls_context_open(struct tls_context *context, void *data)
{
	SSL *ssl = SSL_new(context->items[0]);

	if (!ssl)
		return NULL;
	SSL_set_app_data(ssl, data);
	SSL_set_accept_state(ssl);
	return ssl;
}
