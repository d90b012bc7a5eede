#include "lead/url.h"

#include "base/utf8.h"
#include "lead/unicode.h"

#define HOST_BYTES 254

struct parts {
	struct lg_slice scheme, host, port;
	struct lg_slice rest; /* from '/', '?' or '#' on */
};

static bool has_port(struct lg_slice port)
{
	uint64_t number;

	return port.length <= 5 && slice_to_u64(port, &number) && number > 0 && number <= 65535;
}

/* Without user names: nobody publishes a page with a password in front. */
static bool split(struct lg_slice url, struct parts *parts)
{
	struct lg_slice authority;
	size_t end = 0, scheme = 0;
	ptrdiff_t colon;

	if (slice_equal_nocase(slice_cut(url, 0, 8), LG_SLICE("https://")))
		scheme = 5;
	else if (slice_equal_nocase(slice_cut(url, 0, 7), LG_SLICE("http://")))
		scheme = 4;
	else
		return false;
	parts->scheme = scheme == 5 ? LG_SLICE("https") : LG_SLICE("http");
	url = slice_cut(url, scheme + 3, SIZE_MAX);
	while (end < url.length && !strchr("/?#\\", url.data[end]))
		end++;
	authority = slice_cut(url, 0, end);
	parts->rest = slice_cut(url, end, SIZE_MAX);
	colon = slice_find(authority, ':');
	parts->host = colon < 0 ? authority : slice_cut(authority, 0, (size_t)colon);
	parts->port = colon < 0 ? slice_of(NULL, 0)
				: slice_cut(authority, (size_t)colon + 1, SIZE_MAX);
	if (parts->port.length == 0)
		parts->port = slice_of(NULL, 0);
	return parts->host.length > 0 && (!slice_present(parts->port) || has_port(parts->port));
}

static bool host_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

/* Returns the length in `out`, -1 when it is no host name. */
static ptrdiff_t host_to_ascii(struct lg_slice host, char out[HOST_BYTES])
{
	if (!utf8_ascii(host))
		return unicode_domain(host, out, HOST_BYTES);
	if (host.length >= HOST_BYTES)
		return -1;
	for (size_t i = 0; i < host.length; i++) {
		char c = host.data[i];

		out[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
		if (!host_byte(out[i]))
			return -1;
	}
	if (host.length == 0 || out[0] == '.' || out[0] == '-')
		return -1;
	return (ptrdiff_t)host.length;
}

static bool default_port(const struct parts *parts)
{
	return slice_is(parts->port, slice_is(parts->scheme, "https") ? "443" : "80");
}

/* Writes `rest` with blanks as %20; no control character may be in it. */
static bool add_rest(char **at, struct lg_slice rest)
{
	for (size_t i = 0; i < rest.length; i++) {
		unsigned char c = (unsigned char)rest.data[i];

		if (c < ' ' || c == 0x7F)
			return false;
		if (c == ' ') {
			memcpy(*at, "%20", 3);
			*at += 3;
		} else {
			*(*at)++ = (char)c;
		}
	}
	return true;
}

static void add(char **at, struct lg_slice text)
{
	memcpy(*at, text.data, text.length);
	*at += text.length;
}

struct lg_slice url_normalize(struct arena *arena, struct lg_slice text)
{
	struct lg_slice trimmed = slice_trim(text), url;
	struct parts parts;
	char host[HOST_BYTES], *out, *at;
	ptrdiff_t host_length;

	if (!split(trimmed, &parts) || !utf8_valid(parts.rest))
		return slice_of(NULL, 0);
	host_length = host_to_ascii(parts.host, host);
	if (host_length <= 0)
		return slice_of(NULL, 0);
	out = at = arena_alloc(arena, sizeof("https://:65535") + (size_t)host_length +
					      3 * parts.rest.length);
	if (!out)
		return slice_of(NULL, 0);
	add(&at, parts.scheme);
	add(&at, LG_SLICE("://"));
	add(&at, slice_of(host, (size_t)host_length));
	if (slice_present(parts.port) && !default_port(&parts)) {
		*at++ = ':';
		add(&at, parts.port);
	}
	if (!add_rest(&at, parts.rest))
		return slice_of(NULL, 0);
	url = slice_of(out, (size_t)(at - out));
	return slice_equal(url, text) ? text : url;
}

/* A dot in what would be the host, and no other scheme before it. */
static bool looks_like_host(struct lg_slice text)
{
	struct lg_slice host;
	size_t end = 0;

	while (end < text.length && !strchr("/?#", text.data[end]))
		end++;
	host = slice_cut(text, 0, end);
	return slice_find(host, '.') > 0 && slice_find(host, '@') < 0 &&
	       slice_find(host, ' ') < 0 && host.data[host.length - 1] != '.';
}

struct lg_slice url_normalize_website(struct arena *arena, struct lg_slice text)
{
	struct lg_slice trimmed = slice_trim(text), whole;

	if (slice_equal_nocase(slice_cut(trimmed, 0, 4), LG_SLICE("http")) &&
	    slice_find(trimmed, '/') > 0 && slice_find(trimmed, ':') > 0)
		return url_normalize(arena, text);
	if (slice_starts(trimmed, "//"))
		trimmed = slice_cut(trimmed, 2, SIZE_MAX);
	if (trimmed.length == 0 || !looks_like_host(trimmed))
		return slice_of(NULL, 0);
	whole = arena_printf(arena, "https://%.*s", SLICE_ARGS(trimmed));
	return slice_present(whole) ? url_normalize(arena, whole) : whole;
}

struct lg_slice url_query(struct lg_slice url)
{
	ptrdiff_t mark = slice_find(url, '?'), hash = slice_find(url, '#');

	if (mark < 0 || (hash >= 0 && hash < mark))
		return slice_of(NULL, 0);
	if (hash < 0)
		hash = (ptrdiff_t)url.length;
	return slice_cut(url, (size_t)mark + 1, (size_t)(hash - mark - 1));
}
