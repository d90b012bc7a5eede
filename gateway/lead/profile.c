#include "lead/profile.h"

#include "base/utf8.h"
#include "lead/profile_url.h"
#include "lead/text.h"
#include "lead/url.h"

/* What people write where a form wants a profile and they have none, in letters
 * and digits alone. As a key it would make one person of all who write so. */
static const char *const refusals[] = {
	"na",	"none",	 "null",	 "nil",		  "undefined",	 "no",	      "nein",
	"kein", "keine", "keines",	 "keinen",	  "keineangabe", "ka",	      "nothing",
	"nope", "nada",	 "notavailable", "notapplicable", "notprovided", "unbekannt", "unknown",
};

#define REFUSAL_BYTES 32

static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* All of ASCII but letters and digits; beyond it Latin-1's signs, and the blocks
 * from U+2000 (dashes, dots, quotes) to U+303F. */
static bool sign(int32_t c)
{
	if (c < 0x80)
		return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			 (c >= '0' && c <= '9'));
	return c < 0xC0 || (c >= 0x2000 && c <= 0x303F);
}

/* Whether signs are all there is, or besides them the letters of a refusal. */
static bool says_nothing(struct lg_slice text)
{
	char letters[REFUSAL_BYTES];
	size_t length = 0;

	while (text.length > 0) {
		const char *at = text.data;
		int32_t c = utf8_next(&text);

		if (sign(c))
			continue;
		if (c >= 0x80 || length == sizeof(letters))
			return false;
		letters[length++] = lower(*at);
	}
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (slice_is(slice_of(letters, length), refusals[i]))
			return true;
	return length == 0;
}

/* Of a normalized URL: whether its host ends in a domain. "https://n.a" reaches nobody. */
static bool has_domain(struct lg_slice url)
{
	size_t start = (size_t)slice_find(url, '/') + 2, end = start, dot = 0;

	while (end < url.length && !strchr(":/?#", url.data[end])) {
		if (url.data[end] == '.')
			dot = end;
		end++;
	}
	return dot > 0 && end - dot > 2 && sign((unsigned char)url.data[dot + 1]) == false;
}

/* The id's one form; absent when it says nothing. */
static struct lg_slice read_id(struct arena *arena, struct lg_slice text)
{
	struct lg_slice id = text_line(arena, text, LEAD_PROFILE_ID_BYTES);

	return says_nothing(id) ? slice_of(NULL, 0) : id;
}

/* The URL's one form; absent when it is none, is nobody's, or too long for a profile. */
static struct lg_slice read_url(struct arena *arena, struct lg_slice text)
{
	struct lg_slice line = text_line(arena, text, LEAD_PROFILE_URL_BYTES), url;

	if (line.length == 0)
		return slice_of(NULL, 0);
	url = url_normalize_website(arena, line);
	if (!slice_present(url) || url.length > LEAD_PROFILE_URL_BYTES || !has_domain(url))
		return slice_of(NULL, 0);
	return profile_url_leads_on(url) ? url : slice_of(NULL, 0);
}

static struct lg_slice read_network(struct arena *arena, struct lg_slice text)
{
	struct lg_slice line = text_line(arena, text, LEAD_NETWORK_BYTES);
	char *out = line.length ? arena_alloc(arena, line.length) : NULL;

	for (size_t i = 0; out && i < line.length; i++)
		out[i] = lower(line.data[i]);
	return slice_of(out, out ? line.length : 0);
}

/* Puts `value` in the place of `*text`, which is kept beside it when it is lost so. */
static bool replace(struct lead *lead, struct lg_slice network, struct lg_slice *text,
		    struct lg_slice value)
{
	struct lg_slice before = *text;

	*text = value;
	if (slice_present(value) || slice_trim(before).length == 0)
		return !lead->arena->failed;
	return !lead->arena->failed && lead_keep_extra(lead, network, before);
}

static bool keep_part(struct lead *lead, const char *path, struct lg_slice sent)
{
	return slice_trim(sent).length == 0 || lead_keep_extra(lead, slice_from(path), sent);
}

/* A profile without network, or without id and URL, finds nobody: it goes, and what was sent
 * of it is kept. */
static bool normalize_one(struct lead *lead, struct lead_profile *profile, bool *stays)
{
	struct arena *arena = lead->arena;
	struct lead_profile sent = *profile;
	size_t kept = lead->extra_count;

	profile->network = read_network(arena, profile->network);
	*stays = slice_present(profile->network);
	if (!*stays)
		return !arena->failed && keep_part(lead, LEAD_PROFILE_ID_PATH, sent.id) &&
		       keep_part(lead, LEAD_PROFILE_URL_PATH, sent.url);
	if (!replace(lead, profile->network, &profile->id, read_id(arena, profile->id)) ||
	    !replace(lead, profile->network, &profile->url, read_url(arena, profile->url)))
		return false;
	*stays = slice_present(profile->id) || slice_present(profile->url);
	return *stays || lead->extra_count > kept ||
	       keep_part(lead, LEAD_NETWORK_PATH, sent.network);
}

static bool listed_before(const struct lead_profile *first, const struct lead_profile *profile)
{
	while (first != profile && !profile_equal(first, profile))
		first = first->next;
	return first != profile;
}

bool profile_normalize(struct lead *lead)
{
	struct lead_profile **link = &lead->profiles;

	while (*link) {
		bool stays;

		if (!normalize_one(lead, *link, &stays))
			return false;
		if (stays && !listed_before(lead->profiles, *link))
			link = &(*link)->next;
		else
			*link = (*link)->next;
	}
	return true;
}

/* ---- the same profile ---- */

bool profile_equal(const struct lead_profile *a, const struct lead_profile *b)
{
	return slice_equal(a->network, b->network) && slice_equal(a->id, b->id) &&
	       slice_equal(a->url, b->url);
}

static bool same_url(struct lg_slice a, struct lg_slice b)
{
	char one[LEAD_PROFILE_URL_BYTES], other[LEAD_PROFILE_URL_BYTES];
	struct lg_slice identity = profile_url_identity(a, one);

	return slice_present(identity) && slice_equal(identity, profile_url_identity(b, other));
}

bool profile_same(const struct lead_profile *a, const struct lead_profile *b)
{
	return slice_equal(a->network, b->network) &&
	       ((a->id.length > 0 && slice_equal(a->id, b->id)) || same_url(a->url, b->url));
}

static bool url_names_somebody(struct lg_slice url)
{
	char room[LEAD_PROFILE_URL_BYTES];

	return slice_present(profile_url_identity(url, room));
}

bool profile_names_somebody(const struct lead_profile *profile)
{
	return profile->id.length > 0 || url_names_somebody(profile->url);
}

bool profile_differs(const struct lead_profile *a, const struct lead_profile *b)
{
	bool comparable = (a->id.length > 0 && b->id.length > 0) ||
			  (url_names_somebody(a->url) && url_names_somebody(b->url));

	return comparable && slice_equal(a->network, b->network) && !profile_same(a, b);
}
