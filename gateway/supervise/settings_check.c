#include "supervise/settings_part.h"

#include <netinet/in.h>

#include "conn/address.h"
#include "conn/bind_address.h"
#include "supervise/turnstile.h"

/* Two things at one path would leave it to chance which one answers. */
static void check_probe_paths(struct settings *settings, struct fy_node *root)
{
	for (size_t i = 0; i < settings->listen_count; i++)
		for (size_t k = 0; k < settings->source_count; k++) {
			struct lg_slice probe = settings->listens[i].probe_path;

			if (!slice_present(probe) ||
			    !slice_equal(probe, settings->sources[k].settings.path))
				continue;
			document_error(settings->document, document_member(root, "listen"),
				       "probe_path %.*s is the path of source \"%.*s\"",
				       SLICE_ARGS(probe),
				       SLICE_ARGS(settings->sources[k].instance->name));
		}
}

/* What is no text has been reported. */
static bool check_prefix(struct settings *settings, struct fy_node *item, const char *option)
{
	struct lg_slice text = document_text(settings->document, item);
	struct address_prefix prefix;

	if (!slice_present(text) || address_prefix_parse(text, &prefix))
		return true;
	document_error(settings->document, item,
		       "%s: \"%.*s\" is neither an address nor a prefix such as 10.0.0.0/8", option,
		       SLICE_ARGS(text));
	return false;
}

bool settings_check_prefixes(struct settings *settings, struct fy_node *map, const char *option)
{
	struct fy_node *list = document_member(map, option), *key_node, *item;
	struct lg_slice key;
	void *cursor = NULL;
	bool good = true;

	if (!document_is_list(list)) /* one entry may stand there as it is */
		return check_prefix(settings, list, option);
	while (document_each(settings->document, list, &cursor, &key, &key_node, &item))
		good = check_prefix(settings, item, option) && good;
	return good;
}

/* Prefixes are kept by whoever compares with them; here they are only tried. */
static void check_turnstile(struct settings *settings, struct fy_node *root)
{
	struct fy_node *http = document_member(root, "http");
	struct turnstile turnstile;
	struct error error;

	if (!settings_check_prefixes(settings, http, "rate_exempt"))
		return;
	if (turnstile_init(&turnstile, &settings->http, NULL, NULL, &error))
		turnstile_fini(&turnstile);
	else
		document_error(settings->document, http, "%s", error.text);
}

/* Else a stop would end with what it waits for: all that is under way would be cut. */
static void check_stop(struct settings *settings, struct fy_node *root)
{
	const struct core_settings *core = &settings->core;

	if (core->stop_delay_ms > 0 && core->stop_delay_ms >= core->shutdown_ms)
		document_error(settings->document,
			       document_member(document_member(root, "core"), "stop_delay"),
			       "\"stop_delay\" is a part of \"shutdown\" and leaves nothing of it "
			       "for requests under way");
}

/* Where sockets are bound; false for those that nobody can name twice. */
static bool place_of(struct lg_slice text, struct bind_address *address)
{
	struct error error;

	return slice_present(text) && bind_address_parse(text, address, &error) &&
	       address->kind != BIND_SYSTEMD;
}

/* A port 0 is a free one, each time another. */
static bool is_same_place(const struct bind_address *a, const struct bind_address *b)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (a->length != b->length || memcmp(&a->socket, &b->socket, a->length) != 0)
		return false;
	memcpy(&v4, &a->socket, sizeof(v4));
	memcpy(&v6, &a->socket, sizeof(v6));
	switch (a->socket.ss_family) {
	case AF_INET: return v4.sin_port != 0;
	case AF_INET6: return v6.sin6_port != 0 && a->both == b->both;
	default: return true;
	}
}

static void check_place(struct settings *settings, struct fy_node *node, size_t before,
			struct lg_slice text)
{
	struct bind_address address, other;

	if (!place_of(text, &address))
		return;
	for (size_t i = 0; i < before; i++)
		if (place_of(settings->listens[i].address, &other) &&
		    is_same_place(&address, &other)) {
			document_error(settings->document, node,
				       "another entry of \"listen\" has the address %.*s, too",
				       SLICE_ARGS(text));
			return;
		}
}

/* The start would say that the port is taken, and the second entry would seem to
 * be somebody else's. */
static void check_places(struct settings *settings, struct fy_node *root)
{
	for (size_t i = 0; i < settings->listen_count; i++)
		check_place(settings, document_member(root, "listen"), i,
			    settings->listens[i].address);
	check_place(settings, document_member(root, "admin"), settings->listen_count,
		    settings->admin.address);
}

/* Nothing may open the journal's files beside SQLite, which would lose its locks, and a
 * file that a sink writes, too, would get lines of both. */
static void check_access_log(struct settings *settings, struct fy_node *root)
{
	struct fy_node *node = document_member(document_member(root, "access_log"), "path");
	struct lg_slice path = settings->access_log.path;
	const struct sink_section *writer;

	if (!slice_present(path))
		return;
	if (settings_journal_has(settings, path))
		document_error(settings->document, node,
			       "\"path\": this is a file of the journal, \"store.path\"");
	writer = settings_sink_of_file(settings, path);
	if (writer)
		document_error(settings->document, node,
			       "\"path\": this file is written by sink \"%.*s\"",
			       SLICE_ARGS(writer->instance->name));
}

/* What option rows cannot say. A start would fail for it, and a reload would leave it for the
 * next start. */
static void check_store(struct settings *settings, struct fy_node *root)
{
	int64_t page_bytes = settings->store.page_bytes;
	struct error error;
	unsigned int kinds;

	if (page_bytes && page_bytes != 4096 && page_bytes != 8192)
		document_error(settings->document,
			       document_member(document_member(root, "store"), "page_size"),
			       "\"page_size\" must be 4KiB or 8KiB");
	if (!outbox_dedup_kinds(&settings->dedup.keys, &kinds, &error))
		document_error(settings->document,
			       document_member(document_member(root, "dedup"), "keys"),
			       "\"keys\": %s", error.text);
}

void settings_check(struct settings *settings, struct fy_node *root)
{
	check_store(settings, root);
	check_probe_paths(settings, root);
	check_turnstile(settings, root);
	check_stop(settings, root);
	check_places(settings, root);
	check_access_log(settings, root);
}
