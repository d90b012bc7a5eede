/* The section `listen:`, with the files that `tls:` names. */
#include "base/file.h"
#include "base/log.h"
#include "conn/address.h"
#include "http/tls.h"
#include "supervise/settings_part.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* A chain of a few certificates has some 10 KiB. */
#define PEM_BYTES (1u << 20)
/* More names than one listener serves; each certificate costs some 20 KiB. */
#define CERTIFICATES_MOST 1000

/* ---- files --------------------------------------------------------------------- */

static const struct lg_option pair_options[] = {
	{.name = "certificate",
	 .type = LG_PATH,
	 .flags = LG_REQUIRED,
	 .offset = offsetof(struct tls_settings, certificate)},
	{.name = "key",
	 .type = LG_PATH,
	 .flags = LG_REQUIRED,
	 .offset = offsetof(struct tls_settings, key)},
};

struct pem {
	struct arena arena;
	struct lg_slice text;
	mode_t mode;
};

/* Of a file that an option names; its text may be a private key, so it does not
 * stay in memory longer than it is needed. */
static bool pem_open(const struct settings *settings, struct pem *pem, struct lg_slice path,
		     struct error *error)
{
	struct lg_slice name;

	*pem = (struct pem){.mode = 0};
	arena_init(&pem->arena, 4096, 2 * PEM_BYTES);
	name = arena_copy(&pem->arena, path);
	if (!slice_present(name))
		return error_set(error, "cannot be read: no memory");
	return document_may_open(settings->document, path, error) &&
	       file_read(name.data, PEM_BYTES, &pem->arena, &pem->text, &pem->mode, error);
}

static void pem_close(struct pem *pem)
{
	if (slice_present(pem->text))
		explicit_bzero((char *)(uintptr_t)pem->text.data, pem->text.length);
	arena_fini(&pem->arena);
}

/* A mistake is shown at the option that names the file. */
static bool blame(struct settings *settings, struct fy_node *map, const char *option,
		  struct lg_slice path, const struct error *error)
{
	document_error(settings->document, document_member(map, option), "%.*s: %s",
		       SLICE_ARGS(path), error->text);
	return false;
}

static bool read_certificate(struct settings *settings, struct fy_node *map, struct lg_slice path,
			     struct tls_certificate *certificate)
{
	struct error error = {0};
	struct pem pem;
	bool good = pem_open(settings, &pem, path, &error) &&
		    tls_certificate_read(certificate, pem.text, &error);

	pem_close(&pem);
	return good || blame(settings, map, "certificate", path, &error);
}

static bool read_key(struct settings *settings, struct fy_node *map, struct lg_slice path,
		     struct tls_certificate *certificate)
{
	struct error error = {0};
	struct pem pem;
	bool good = pem_open(settings, &pem, path, &error) &&
		    tls_certificate_read_key(certificate, pem.text, &error);

	if (good && pem.mode & S_IROTH)
		log_warning("tls.key-exposed", LOG_SLICE("file", path),
			    LOG_TEXT("why", "every user of this machine may read it"));
	pem_close(&pem);
	return good || blame(settings, map, "key", path, &error);
}

/* It may be renewed any moment, so it is served all the same. */
static void warn_of_dates(struct lg_slice path, const struct tls_certificate *certificate)
{
	int64_t now_s = time(NULL);

	if (certificate->ends_s <= now_s)
		log_warning("tls.certificate-expired", LOG_SLICE("file", path));
	else if (certificate->begins_s > now_s)
		log_warning("tls.certificate-early", LOG_SLICE("file", path),
			    LOG_TEXT("why", "it is not valid yet"));
}

static bool read_pair(struct settings *settings, struct fy_node *map,
		      const struct tls_settings *paths, struct tls_certificate *certificate)
{
	if (!read_certificate(settings, map, paths->certificate, certificate) ||
	    !read_key(settings, map, paths->key, certificate))
		return false;
	warn_of_dates(paths->certificate, certificate);
	return true;
}

/* ---- `tls:` ---------------------------------------------------------------------- */

static const char *const more_keys[] = {"certificates", NULL};

static bool read_entry_of_more(struct settings *settings, struct fy_node *entry,
			       struct tls_certificate *certificate)
{
	const struct option_table table = OPTION_TABLE(pair_options);
	struct tls_settings paths = {0};

	return bind_options(settings->document, entry, "an entry of \"certificates\"", &table, NULL,
			    &settings_hooks, &paths) &&
	       read_pair(settings, entry, &paths, certificate);
}

/* A list of one may be written as its one entry. */
static size_t count_more(struct document *document, struct fy_node *node)
{
	return document_is_map(node) ? 1 : settings_count(document, node);
}

static bool read_more(struct settings *settings, struct fy_node *node,
		      struct tls_certificate *certificates, size_t *count)
{
	struct lg_slice key;
	struct fy_node *key_node, *value;
	void *cursor = NULL;
	bool good = true;

	if (document_is_map(node))
		return read_entry_of_more(settings, node, &certificates[(*count)++]);
	while (document_each(settings->document, node, &cursor, &key, &key_node, &value))
		good &= read_entry_of_more(settings, value, &certificates[(*count)++]);
	return good;
}

static void make_context(struct settings *settings, struct fy_node *map,
			 const struct tls_settings *tls, const struct tls_certificate *certificates,
			 size_t count, struct http_listen *listen)
{
	struct error error = {0};
	const char *option;

	listen->tls = tls_context_new(tls, certificates, count, &http_tls_terms, &option, &error);
	if (!listen->tls)
		document_error(settings->document, document_member(map, option), "%s: %s", option,
			       error.text);
}

static void read_tls(struct settings *settings, struct fy_node *map, struct http_listen *listen)
{
	const struct option_table table = {tls_options, tls_option_count, sizeof(struct lg_option)};
	struct document *document = settings->document;
	struct fy_node *more = document_member(map, "certificates");
	size_t more_count = count_more(document, more), count = 1;
	struct tls_settings tls = {0};
	struct tls_certificate *certificates;
	bool good;

	if (!bind_options(document, map, "\"tls\"", &table, more_keys, &settings_hooks, &tls))
		return;
	if (more && ((!document_is_list(more) && !document_is_map(more)) ||
		     more_count > CERTIFICATES_MOST)) {
		document_error(document, more,
			       "\"certificates\" is a list of up to %d entries, each with "
			       "certificate and key",
			       CERTIFICATES_MOST);
		return;
	}
	certificates = arena_zalloc(document_arena(document),
				    (1 + more_count) * sizeof(*certificates));
	if (!certificates) {
		document_error(document, map, "not enough memory");
		return;
	}
	good = read_pair(settings, map, &tls, &certificates[0]);
	good &= !more || read_more(settings, more, certificates, &count);
	if (good)
		make_context(settings, map, &tls, certificates, count, listen);
	for (size_t i = 0; i < count; i++)
		tls_certificate_fini(&certificates[i]);
}

/* ---- `listen:` --------------------------------------------------------------------- */

static const char *const nested_keys[] = {"tls", NULL};

/* All of IPv4, which has its place in IPv6, or all of both. */
static bool is_everybody(const struct address_prefix *prefix)
{
	return prefix->bits == 0 || (prefix->bits <= 96 && address_is_v4(&prefix->address));
}

/* Allowed, for networks of which a firewall lets nothing else through; and a mistake
 * where it does not. */
static void warn_of_trust(const struct http_listen *listen)
{
	struct address_prefix prefix;

	for (size_t i = 0; i < listen->trusted_proxies.count; i++)
		if (address_prefix_parse(listen->trusted_proxies.items[i], &prefix) &&
		    is_everybody(&prefix))
			log_warning("listen.trusts-everybody",
				    LOG_SLICE("trusted_proxies", listen->trusted_proxies.items[i]),
				    LOG_TEXT("why", "whoever connects can claim any address; name "
						    "the proxies alone"));
}

static void read_entry(struct settings *settings, struct fy_node *map, const char *what)
{
	const struct option_table table = {http_listen_options, http_listen_option_count,
					   sizeof(struct lg_option)};
	struct http_listen *listen = &settings->listens[settings->listen_count++];
	struct fy_node *tls = document_member(map, "tls");
	struct error error;
	bool good = bind_options(settings->document, map, what, &table, nested_keys,
				 &settings_hooks, listen);

	/* Whatever else is wrong: each mistake is named at once. */
	good = settings_check_prefixes(settings, map, "trusted_proxies") && good;
	if (good) {
		if (http_listen_check(listen, &error))
			warn_of_trust(listen);
		else
			document_error(settings->document, map, "%s", error.text);
	}
	if (tls)
		read_tls(settings, tls, listen);
}

void settings_read_listen(struct settings *settings, struct fy_node *node)
{
	struct document *document = settings->document;
	bool list = node && document_is_list(node);
	size_t count = list ? settings_count(document, node) : 1;
	struct lg_slice key;
	struct fy_node *key_node, *value;
	void *cursor = NULL;

	if (!node || count == 0) {
		document_error(document, node,
			       "no listener: give at least one under \"listen\", such as "
			       "\"listen: [{ address: 127.0.0.1:8080 }]\"");
		return;
	}
	settings->listens = arena_zalloc(document_arena(document),
					 count * sizeof(*settings->listens));
	if (!settings->listens) {
		document_error(document, node, "not enough memory");
		return;
	}
	if (!list) {
		read_entry(settings, node, "section \"listen\"");
		return;
	}
	while (document_each(document, node, &cursor, &key, &key_node, &value))
		read_entry(settings, value, "an entry of \"listen\"");
}

void settings_free_listen(struct settings *settings)
{
	for (size_t i = 0; i < settings->listen_count; i++)
		tls_context_unref(&settings->listens[i].tls);
}
