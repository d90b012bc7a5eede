#include "lead/profile_url.h"

#include "codec/hex.h"
#include "lead/url.h"

/* A network whose addresses we know. */
struct site {
	const char *domain;
	const char *name;    /* the domain that stands for all of them */
	const char *persons; /* what stands before a person's name, blanks between */
	const char *nobody;  /* what stands in a name's place and is none */
	const char *by_id;   /* the page whose query has the person's id */
	bool countries;	     /* has subdomains such as "de." and "de-de." */
};

/* Where names stand first, the network's own pages stand among them. */
#define PAGES                                                                                  \
	"about accounts app authwall checkpoint direct explore feed groups hashtag help home " \
	"i intent login me messages mynetwork notifications privacy search settings share "    \
	"sharer signup uas watch"

#define LINKEDIN_PERSONS "/in/ /pub/ /company/ /school/ /sales/lead/ /sales/people/"
#define FACEBOOK_PERSONS "/people/ /"
#define FACEBOOK_PAGES                                                                        \
	PAGES " friends gaming marketplace people permalink photo photos profile reel reels " \
	      "stories"
#define INSTAGRAM_PAGES PAGES " p reel reels stories tv"
#define X_PAGES PAGES " compose"
#define TIKTOK_PERSONS "/@ /%40" /* the '@' as it is, or encoded */

/* By the host's end: the first that fits. */
static const struct site sites[] = {
	{"linkedin.com", "linkedin.com", LINKEDIN_PERSONS, "me dir unavailable", "/profile/view",
	 true},
	{"facebook.com", "facebook.com", FACEBOOK_PERSONS, FACEBOOK_PAGES, "/profile.php", true},
	{"fb.com", "facebook.com", FACEBOOK_PERSONS, FACEBOOK_PAGES, "/profile.php", false},
	{"instagram.com", "instagram.com", "/", INSTAGRAM_PAGES, NULL, false},
	{"twitter.com", "x.com", "/", X_PAGES, NULL, false},
	{"x.com", "x.com", "/", X_PAGES, NULL, false},
	{"tiktok.com", "tiktok.com", TIKTOK_PERSONS, "", NULL, false},
	{"xing.com", "xing.com", "/profile/", "me", NULL, false},
	{"github.com", "github.com", "/", PAGES, NULL, false},
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

static bool has_word(const char *words, struct lg_slice wanted)
{
	struct lg_slice rest = slice_from(words), word;

	while (slice_split(&rest, ' ', &word))
		if (slice_equal(word, wanted))
			return true;
	return false;
}

/* What stands in a name's place: absent where the site has none. */
static struct lg_slice name_in(const struct site *site, struct lg_slice path)
{
	struct lg_slice prefixes = slice_from(site->persons), prefix;

	while (slice_split(&prefixes, ' ', &prefix)) {
		struct lg_slice rest = slice_cut(path, prefix.length, SIZE_MAX);

		if (!slice_equal(slice_cut(path, 0, prefix.length), prefix))
			continue;
		while (slice_starts(rest, "/"))
			rest = slice_cut(rest, 1, SIZE_MAX);
		return take_until(&rest, "/");
	}
	return slice_of(NULL, 0);
}

/* No name is a script: "home.php", "story.php". */
static bool names_person(const struct site *site, struct lg_slice path)
{
	struct lg_slice name = name_in(site, path);

	return name.length > 0 && !slice_ends(name, ".php") && !has_word(site->nobody, name);
}

static bool is_page_by_id(const struct site *site, struct lg_slice path)
{
	return site->by_id && slice_equal_nocase(path, slice_from(site->by_id));
}

/* The network's front page, or where a name or an id would have to follow. */
static bool is_bare(const struct site *site, struct lg_slice path, struct lg_slice id)
{
	struct lg_slice prefixes = slice_from(site->persons), prefix;

	if (path.length == 0)
		return true;
	while (slice_split(&prefixes, ' ', &prefix))
		if (slice_equal_nocase(path, slice_cut(prefix, 0, prefix.length - 1)))
			return true;
	return is_page_by_id(site, path) && !slice_present(id);
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
	struct lg_slice one_form;
	size_t start;

	write_text(writer, slice_from(site->name), true);
	start = writer->length;
	write_text(writer, path, true);
	one_form = slice_of(writer->out + start, writer->length - start);
	if (is_page_by_id(site, one_form) && slice_present(id)) {
		write_text(writer, LG_SLICE("?"), true);
		write_text(writer, id, true);
	} else if (!names_person(site, one_form)) {
		return slice_of(NULL, 0);
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

struct address {
	struct lg_slice host, path;
	struct lg_slice rest; /* query and fragment */
	const struct site *site;
};

static bool read_address(struct lg_slice url, struct address *address)
{
	size_t scheme = slice_starts(url, "https://") ? 8 : slice_starts(url, "http://") ? 7 : 0;

	address->rest = slice_cut(url, scheme, SIZE_MAX);
	address->host = take_until(&address->rest, "/?#");
	address->path = without_slashes(take_until(&address->rest, "?#"));
	address->site = site_of(address->host);
	return scheme > 0;
}

/* The scheme that goes makes room for a longer name of the site. */
struct lg_slice profile_url_identity(struct lg_slice url, char out[LEAD_PROFILE_URL_BYTES])
{
	struct writer writer = {.out = out};
	struct address at;

	if (url.length > LEAD_PROFILE_URL_BYTES || !read_address(url, &at))
		return slice_of(NULL, 0);
	return at.site ? on_site(at.site, at.path, query_id(url), &writer)
		       : elsewhere(at.host, at.path, at.rest, &writer);
}

bool profile_url_leads_on(struct lg_slice url)
{
	struct address at;

	return read_address(url, &at) && !(at.site && is_bare(at.site, at.path, query_id(url)));
}
