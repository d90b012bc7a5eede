/* CORS (WHATWG Fetch, section 3.2) tells a browser whether a script of another
 * site may send here and read the answer. It does not stop a plain form: so where
 * `origins` are given, what comes from elsewhere is refused as well. */
#include "webform.h"

#include <stdio.h>

/* "https://site.example:8443": what browsers send, without a path. */
static bool is_origin(struct lg_slice text)
{
	struct lg_slice host = {NULL, 0};

	if (text.length > 7 && memcmp(text.data, "http://", 7) == 0)
		host = lg_slice_cut(text, 7, text.length);
	else if (text.length > 8 && memcmp(text.data, "https://", 8) == 0)
		host = lg_slice_cut(text, 8, text.length);
	for (size_t i = 0; i < host.length; i++)
		if ((unsigned char)host.data[i] <= ' ' || host.data[i] == 0x7f ||
		    strchr("/?#@\\,*", host.data[i]))
			return false;
	return host.length > 0;
}

static bool is_listed(const struct settings *settings, struct lg_slice origin)
{
	for (size_t i = 0; i < settings->origins.count; i++)
		if (lg_slice_same(settings->origins.items[i], origin))
			return true;
	return false;
}

static bool takes_all(const struct settings *settings)
{
	return is_listed(settings, LG_SLICE("*"));
}

static bool is_site(const struct settings *settings, struct lg_slice origin)
{
	return takes_all(settings) || is_listed(settings, origin);
}

const char *cors_check(const struct settings *settings)
{
	for (size_t i = 0; i < settings->origins.count; i++) {
		struct lg_slice origin = settings->origins.items[i];

		if (!is_origin(origin) && !lg_slice_equal(origin, LG_SLICE("*")) &&
		    !lg_slice_equal(origin, LG_SLICE("null")))
			return "origins must be like https://www.example.com, without a path or a "
			       "slash at the end; or \"*\" for all, or \"null\"";
	}
	return NULL;
}

/* The origin of a URL: all before its path. */
static struct lg_slice origin_of(struct lg_slice url)
{
	const char *slashes = lg_slice_find(url, "://");
	size_t start = slashes ? (size_t)(slashes - url.data) + 3 : url.length, end = start;

	while (end < url.length && !strchr("/?#", url.data[end]))
		end++;
	return slashes ? lg_slice_cut(url, 0, end) : (struct lg_slice){NULL, 0};
}

/* An origin without the port that its scheme means anyway: browsers leave it out,
 * proxies do not always. */
static struct lg_slice without_usual_port(struct lg_slice origin)
{
	struct lg_slice rest = origin, scheme = lg_slice_part(&rest, ':');
	struct lg_slice port = lg_slice_is(scheme, "http")    ? LG_SLICE(":80")
			       : lg_slice_is(scheme, "https") ? LG_SLICE(":443")
							      : LG_SLICE("");
	size_t before = rest.length > port.length ? origin.length - port.length : 0;

	if (before && lg_slice_equal(lg_slice_cut(origin, before, port.length), port))
		origin.length = before;
	return origin;
}

/* Whether it is the gateway's own page that sends: the one that shows a refused form
 * again, or one that a proxy serves under the same name. No browser lets a page of
 * another site choose the Host that this is compared with. */
static bool is_own(struct lg_request *request, struct lg_slice sender)
{
	struct lg_slice url;

	sender = without_usual_port(sender);
	for (size_t i = 0; lg_public_url(request, i, &url) == LG_OK; i++)
		if (lg_slice_same(without_usual_port(origin_of(url)), sender))
			return true;
	return false;
}

/* Where a request comes from; absent when it does not say, as programs do. Old
 * browsers send only Referer with a form. */
static struct lg_slice sender_of(struct lg_request *request)
{
	struct lg_slice origin = lg_slice_trim(request_header(request, "origin"));

	return origin.data ? origin : origin_of(lg_slice_trim(request_header(request, "referer")));
}

/* Credentials are allowed for sites that are named because sendBeacon always asks
 * for them; there are none here that an answer would depend on. */
static void allow(const struct settings *settings, struct lg_request *request,
		  struct lg_slice origin)
{
	if (takes_all(settings)) {
		lg_answer_header(request, "Access-Control-Allow-Origin", LG_SLICE("*"));
		return;
	}
	lg_answer_header(request, "Access-Control-Allow-Origin", origin);
	lg_answer_header(request, "Access-Control-Allow-Credentials", LG_SLICE("true"));
}

bool cors_takes(const struct settings *settings, struct lg_request *request)
{
	struct lg_slice sender;

	if (settings->origins.count == 0)
		return true;
	sender = sender_of(request);
	return !sender.data || is_site(settings, sender) || is_own(request, sender);
}

bool cors_admit(const struct settings *settings, struct lg_request *request,
		struct problem *problem)
{
	struct lg_slice origin;

	if (settings->origins.count == 0)
		return true;
	origin = lg_slice_trim(request_header(request, "origin"));
	lg_answer_header(request, "Vary", LG_SLICE("Origin"));
	if (!cors_takes(settings, request))
		return problem_set(problem, 403,
				   "This form does not take what pages of other sites send.");
	if (origin.data && is_site(settings, origin))
		allow(settings, request, origin);
	return true;
}

bool cors_preflight(const struct settings *settings, struct lg_request *request,
		    struct problem *problem)
{
	char seconds[24];

	lg_answer_header(request, "Allow", LG_SLICE("OPTIONS, POST"));
	if (settings->origins.count == 0)
		return true;
	lg_answer_header(request, "Vary",
			 LG_SLICE("Access-Control-Request-Method, "
				  "Access-Control-Request-Headers"));
	if (!cors_admit(settings, request, problem))
		return false;
	snprintf(seconds, sizeof(seconds), "%lld", (long long)settings->preflight_age / 1000);
	lg_answer_header(request, "Access-Control-Allow-Methods", LG_SLICE("POST"));
	lg_answer_header(request, "Access-Control-Allow-Headers",
			 LG_SLICE("Content-Type, Idempotency-Key, X-Requested-With"));
	lg_answer_header(request, "Access-Control-Max-Age", lg_slice_from(seconds));
	return true;
}
