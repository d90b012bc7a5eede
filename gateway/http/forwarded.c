#include "http/forwarded.h"

#include "http/h1_char.h"

bool forwarded_is_trusted(const struct forwarded_trust *trust, const struct address *address)
{
	for (size_t i = 0; i < trust->proxy_count; i++)
		if (address_in_prefix(address, &trust->proxies[i]))
			return true;
	return false;
}

/* Takes the text after the last `separator` off `*rest` into `*part`; false
 * when nothing is left. */
static bool split_last(struct lg_slice *rest, char separator, struct lg_slice *part)
{
	size_t at = rest->length;

	if (!slice_present(*rest))
		return false;
	while (at > 0 && rest->data[at - 1] != separator)
		at--;
	*part = slice_trim(slice_cut(*rest, at, rest->length));
	*rest = at > 0 ? slice_cut(*rest, 0, at - 1) : (struct lg_slice){0};
	return true;
}

/* "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80". */
static bool parse_node(struct lg_slice node, struct address *address)
{
	ptrdiff_t bracket = slice_find(node, ']');
	ptrdiff_t colon = slice_find(node, ':');

	if (slice_starts(node, "[")) {
		if (bracket < 0)
			return false;
		return address_parse(slice_cut(node, 1, (size_t)bracket - 1), address);
	}
	if (address_parse(node, address))
		return true;
	return colon > 0 && address_parse(slice_cut(node, 0, (size_t)colon), address);
}

static struct lg_slice unquote(struct lg_slice s)
{
	if (s.length >= 2 && s.data[0] == '"' && s.data[s.length - 1] == '"')
		return slice_cut(s, 1, s.length - 2);
	return s;
}

/* A parameter of one element of Forwarded; absent without it. */
static struct lg_slice parameter(struct lg_slice element, const char *name)
{
	struct lg_slice pair;

	while (slice_split(&element, ';', &pair)) {
		ptrdiff_t equals = slice_find(pair, '=');
		if (equals > 0 && slice_equal_nocase(slice_trim(slice_cut(pair, 0, (size_t)equals)),
						     slice_from(name)))
			return unquote(
				slice_trim(slice_cut(pair, (size_t)equals + 1, pair.length)));
	}
	return (struct lg_slice){0};
}

/* The elements of all lines of a header, last first. */
struct elements {
	const struct http_request *request;
	const char *name;
	size_t lines; /* not begun yet */
	struct lg_slice rest;
};

static struct elements elements_of(const struct http_request *request, const char *name)
{
	struct elements elements = {.request = request, .name = name};
	struct lg_slice value;

	while (http_request_header(request, name, elements.lines, &value))
		elements.lines++;
	return elements;
}

static bool previous(struct elements *elements, struct lg_slice *element)
{
	while (!split_last(&elements->rest, ',', element)) {
		if (elements->lines == 0)
			return false;
		http_request_header(elements->request, elements->name, --elements->lines,
				    &elements->rest);
	}
	return true;
}

static void set_scheme(struct http_request *request, struct lg_slice scheme)
{
	if (slice_equal_nocase(scheme, LG_SLICE("https")))
		request->scheme = LG_SLICE("https");
	else if (slice_equal_nocase(scheme, LG_SLICE("http")))
		request->scheme = LG_SLICE("http");
}

static void set_host(struct http_request *request, struct lg_slice host)
{
	if (slice_present(host) && h1_is_authority(host))
		request->host = host;
}

static void apply_origin(enum forwarded_header header, struct http_request *request)
{
	struct elements elements;
	struct lg_slice element;

	if (header == FORWARDED_FORWARDED) {
		elements = elements_of(request, "forwarded");
		if (previous(&elements, &element)) {
			set_scheme(request, parameter(element, "proto"));
			set_host(request, parameter(element, "host"));
		}
		return;
	}
	elements = elements_of(request, "x-forwarded-proto");
	if (previous(&elements, &element))
		set_scheme(request, element);
	elements = elements_of(request, "x-forwarded-host");
	if (previous(&elements, &element))
		set_host(request, element);
}

void forwarded_apply(const struct forwarded_trust *trust, const struct address *peer,
		     struct http_request *request)
{
	bool standard = trust->header == FORWARDED_FORWARDED;
	struct elements elements = elements_of(request, standard ? "forwarded" : "x-forwarded-for");
	struct address client = *peer, next;
	struct lg_slice element;
	char text[ADDRESS_TEXT_BYTES];

	if (!forwarded_is_trusted(trust, peer))
		return;
	apply_origin(trust->header, request);
	while (forwarded_is_trusted(trust, &client) && previous(&elements, &element)) {
		if (!parse_node(standard ? parameter(element, "for") : element, &next))
			break;
		client = next;
	}
	address_format(&client, text);
	struct lg_slice copy = arena_copy(&request->arena, slice_from(text));
	if (slice_present(copy))
		request->client_address = copy;
}
