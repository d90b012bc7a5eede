#include "http/forwarded.h"

#include "http/forwarded_element.h"
#include "http/h1_char.h"

/* RFC 9110, section 5.6.1.2: so many empty elements of a list mean nothing; one more
 * names nobody. */
#define EMPTY_MAX 8

bool forwarded_is_trusted(const struct forwarded_trust *trust, const struct address *address)
{
	for (size_t i = 0; i < trust->proxy_count; i++)
		if (address_in_prefix(address, &trust->proxies[i]))
			return true;
	return false;
}

bool forwarded_is_there(const struct http_request *request)
{
	for (size_t i = 0; i < request->header_count; i++) {
		struct lg_slice name = request->headers[i].name;

		/* Most names end here. */
		if (name.length < 9 || (name.data[0] | 0x20) != (name.length == 9 ? 'f' : 'x'))
			continue;
		if (slice_equal_nocase(name, LG_SLICE("forwarded")) ||
		    slice_equal_nocase(name, LG_SLICE("x-forwarded-for")) ||
		    slice_equal_nocase(name, LG_SLICE("x-forwarded-proto")) ||
		    slice_equal_nocase(name, LG_SLICE("x-forwarded-host")))
			return true;
	}
	return false;
}

/* ---- the lines of a header, last first --------------------------------------------- */

struct lines {
	const struct http_request *request;
	const char *name;
	size_t left;  /* not begun yet */
	size_t empty; /* elements passed over */
	struct lg_slice line, rest;
};

static struct lines lines_of(const struct http_request *request, const char *name)
{
	struct lines lines = {.request = request, .name = name};
	struct lg_slice value;

	while (http_request_header(request, name, lines.left, &value))
		lines.left++;
	return lines;
}

/* Goes to the line before; false when there is none. */
static bool previous_line(struct lines *lines)
{
	if (lines->left == 0 ||
	    !http_request_header(lines->request, lines->name, --lines->left, &lines->line))
		return false;
	lines->rest = lines->line;
	return true;
}

/* A line of its own that is empty is no slip of the pen: its writer knows nobody. */
static bool is_slip(struct lines *lines, bool empty)
{
	return empty && lines->line.length > 0 && lines->empty++ < EMPTY_MAX;
}

static bool previous_element(struct lines *lines, struct forwarded_element *element)
{
	do {
		while (!forwarded_element_last(&lines->rest, element))
			if (!previous_line(lines))
				return false;
	} while (is_slip(lines, element->empty));
	return true;
}

static bool previous_item(struct lines *lines, struct lg_slice *item)
{
	do {
		while (!forwarded_item_last(&lines->rest, item))
			if (!previous_line(lines))
				return false;
	} while (is_slip(lines, item->length == 0));
	return true;
}

/* ---- what was asked for ---------------------------------------------------------------- */

static struct lg_slice scheme_of(struct lg_slice word)
{
	if (slice_equal_nocase(word, LG_SLICE("https")))
		return LG_SLICE("https");
	if (slice_equal_nocase(word, LG_SLICE("http")))
		return LG_SLICE("http");
	return (struct lg_slice){0};
}

/* What is not said, or makes no sense, is taken from what we see ourselves. */
static void add_origin(struct http_request *request, struct lg_slice scheme, struct lg_slice host)
{
	scheme = scheme_of(scheme);
	if (!slice_present(host) || !h1_is_authority(host))
		host = request->host;
	http_request_add_origin(request, slice_present(scheme) ? scheme : request->scheme, host);
	/* A proxy that ends TLS and does not say so. */
	if (!slice_present(scheme)) {
		http_request_add_origin(request, LG_SLICE("https"), host);
		http_request_add_origin(request, LG_SLICE("http"), host);
	}
}

/* ---- going from proxy to proxy ------------------------------------------------------------ */

struct walk {
	const struct forwarded_trust *trust;
	struct address client;
	bool knows;   /* whose address `client` is */
	size_t steps; /* parts that trusted proxies wrote */
};

/* Whether the part before the one that was last taken is to be believed. */
static bool may_step(const struct walk *walk)
{
	return walk->steps == 0 || forwarded_is_trusted(walk->trust, &walk->client);
}

/* False: it names nobody. */
static bool step(struct walk *walk, struct lg_slice node)
{
	struct address next;

	walk->steps++;
	if (!forwarded_node_parse(node, &next))
		return false;
	walk->client = next;
	walk->knows = true;
	return true;
}

/* The proxy that is furthest from us wrote the leftmost part that is believed:
 * it saw what the sender asked for. */
static void walk_standard(struct walk *walk, struct http_request *request)
{
	struct lines lines = lines_of(request, "forwarded");
	struct lg_slice schemes[HTTP_ORIGINS], hosts[HTTP_ORIGINS];
	struct forwarded_element element;
	size_t seen = 0;

	while (may_step(walk) && previous_element(&lines, &element)) {
		if (slice_present(element.scheme) || slice_present(element.host)) {
			schemes[seen % HTTP_ORIGINS] = element.scheme;
			hosts[seen % HTTP_ORIGINS] = element.host;
			seen++;
		}
		if (!step(walk, element.node))
			break;
	}
	for (size_t i = 0; i < seen && i < HTTP_ORIGINS; i++) {
		size_t at = (seen - 1 - i) % HTTP_ORIGINS;
		add_origin(request, schemes[at], hosts[at]);
	}
}

/* These headers tell each one thing, and a proxy may set one of them and pass
 * on another: only the last value is surely by a proxy that is believed, so it
 * goes first. */
static void walk_common(struct walk *walk, struct http_request *request)
{
	struct lines nodes = lines_of(request, "x-forwarded-for");
	struct lines schemes = lines_of(request, "x-forwarded-proto");
	struct lines hosts = lines_of(request, "x-forwarded-host");
	struct lg_slice node, scheme = {0}, host = {0};

	while (may_step(walk) && previous_item(&nodes, &node) && step(walk, node))
		;
	for (size_t i = 0; i == 0 || i < walk->steps; i++) {
		bool has_scheme = previous_item(&schemes, &scheme);
		bool has_host = previous_item(&hosts, &host);
		if (!has_scheme && !has_host)
			break;
		add_origin(request, scheme, host);
	}
}

void forwarded_apply(const struct forwarded_trust *trust, const struct address *peer,
		     struct http_request *request)
{
	struct walk walk = {.trust = trust};
	char text[ADDRESS_TEXT_BYTES];

	if (peer) {
		walk.client = *peer;
		walk.knows = true;
	}
	if (trust->header == FORWARDED_FORWARDED)
		walk_standard(&walk, request);
	else
		walk_common(&walk, request);
	add_origin(request, (struct lg_slice){0}, request->host);
	if (!walk.knows)
		return;
	address_format(&walk.client, text);
	struct lg_slice copy = arena_copy(&request->arena, slice_from(text));
	if (slice_present(copy))
		request->client_address = copy;
}
