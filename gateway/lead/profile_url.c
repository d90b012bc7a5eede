#include "lead/profile_url.h"

#include "codec/hex.h"
#include "lead/url.h"

/* A network whose addresses we know. */
struct site {
	const char *domain;
	const char *name;   /* the domain that stands for all of them */
	const char *nobody; /* paths that lead to nobody, blanks between */
	bool countries;	    /* has subdomains such as "de." and "de-de." */
};

/* By the host's end: the first that fits. */
static const struct site sites[] = {
	{"linkedin.com", "linkedin.com", "/in /pub /profile/view /feed /login", true},
	{"facebook.com", "facebook.com", "/profile.php /people /login", true},
	{"fb.com", "facebook.com", "/profile.php", false},
	{"instagram.com", "instagram.com", "", false},
	{"twitter.com", "x.com", "/home", false},
	{"x.com", "x.com", "/home", false},
	{"tiktok.com", "tiktok.com", "", false},
	{"xing.com", "xing.com", "/profile", false},
	{"github.com", "github.com", "/login", false},
};

/* Others are other sites: vm.tiktok.com, gist.github.com. */
static bool same_site(const struct site *site, struct lg_slice subdomain)
{
	if (subdomain.length == 0 || slice_is(subdomain, "www.") || slice_is(subdomain, "m.") ||
	    slice_is(subdomain, "mobile."))
		return true;
	return site->countries && slice_find(subdomain, '.') == (ptrdiff_t)subdomain.length - 1 &&
	       (subdomain.length == 3 || (subdomain.length == 6 && subdomain.data[2] == '-'));
}

static const struct site *site_of(struct lg_slice host)
{
	for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++)
		if (slice_ends(host, sites[i].domain) &&
		    same_site(&sites[i], slice_cut(host, 0, host.length - strlen(sites[i].domain))))
			return &sites[i];
	return NULL;
}

/* Takes what stands before the first of `ends` off `*rest`. */
static struct lg_slice take_until(struct lg_slice *rest, const char *ends)
{
	struct lg_slice part = *rest;
	size_t end = 0;

	while (end < part.length && !strchr(ends, part.data[end]))
		end++;
	*rest = slice_cut(part, end, SIZE_MAX);
	return slice_cut(part, 0, end);
}

/* RFC 3986, section 2.3; and what is not ASCII, which browsers show both ways. */
static bool needs_no_encoding(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~' || c >= 0x80;
}

/* Takes one character, encoded or not, off `*rest`. */
static char take_character(struct lg_slice *rest)
{
	char c = rest->data[0];
	size_t length = 1;

	if (c == '%' && rest->length >= 3) {
		int high = hex_digit(rest->data[1]), low = hex_digit(rest->data[2]);

		if (high >= 0 && low >= 0 && needs_no_encoding(high << 4 | low)) {
			c = (char)(high << 4 | low);
			length = 3;
		}
	}
	*rest = slice_cut(*rest, length, SIZE_MAX);
	return c;
}

struct writer {
	char *out;
	size_t length;
};

/* Writes no more than it reads. */
static void write_text(struct writer *writer, struct lg_slice text, bool lower)
{
	while (text.length > 0) {
		char c = take_character(&text);

		if (lower && c >= 'A' && c <= 'Z')
			c = (char)(c + ('a' - 'A'));
		writer->out[writer->length++] = c;
	}
}

static struct lg_slice without_slashes(struct lg_slice path)
{
	while (path.length > 0 && path.data[path.length - 1] == '/')
		path.length--;
	return path;
}

static bool leads_to_nobody(const struct site *site, struct lg_slice path)
{
	struct lg_slice rest = slice_from(site->nobody), word;

	while (slice_split(&rest, ' ', &word))
		if (slice_equal_nocase(path, word))
			return true;
	return path.length == 0;
}

/* "facebook.com/profile.php?id=1": absent without one. */
static struct lg_slice query_id(struct lg_slice url)
{
	struct lg_slice query = url_query(url), pair;

	while (slice_split(&query, '&', &pair))
		if (slice_starts(pair, "id=") && pair.length > 3)
			return pair;
	return slice_of(NULL, 0);
}

static struct lg_slice on_site(const struct site *site, struct lg_slice path, struct lg_slice id,
			       struct writer *writer)
{
	if (!slice_present(id) && leads_to_nobody(site, path))
		return slice_of(NULL, 0);
	write_text(writer, slice_from(site->name), true);
	write_text(writer, path, true);
	if (slice_present(id)) {
		write_text(writer, LG_SLICE("?"), true);
		write_text(writer, id, true);
	}
	return slice_of(writer->out, writer->length);
}

static struct lg_slice elsewhere(struct lg_slice host, struct lg_slice path, struct lg_slice rest,
				 struct writer *writer)
{
	write_text(writer, slice_starts(host, "www.") ? slice_cut(host, 4, SIZE_MAX) : host, true);
	write_text(writer, path, false);
	write_text(writer, rest, false);
	return slice_of(writer->out, writer->length);
}

/* The scheme that goes makes room for a longer name of the site. */
struct lg_slice profile_url_identity(struct lg_slice url, char out[LEAD_PROFILE_URL_BYTES])
{
	struct writer writer = {.out = out};
	size_t scheme = slice_starts(url, "https://") ? 8 : slice_starts(url, "http://") ? 7 : 0;
	struct lg_slice rest = slice_cut(url, scheme, SIZE_MAX), host, path;
	const struct site *site;

	if (scheme == 0 || url.length > LEAD_PROFILE_URL_BYTES)
		return slice_of(NULL, 0);
	host = take_until(&rest, "/?#");
	path = without_slashes(take_until(&rest, "?#"));
	site = site_of(host);
	return site ? on_site(site, path, query_id(url), &writer)
		    : elsewhere(host, path, rest, &writer);
}
