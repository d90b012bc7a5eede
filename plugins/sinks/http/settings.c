#include "settings.h"
#include "signature.h"

#include <leadgate/text.h>

#include <stdio.h>

#define SETTING(member) offsetof(struct settings, member)

const struct lg_option http_options[HTTP_OPTION_COUNT] = {
	{.name = "url",
	 .type = LG_URL,
	 .flags = LG_REQUIRED,
	 .offset = SETTING(url),
	 .help = "where events are sent, such as https://crm.example/leads"},
	{.name = "method",
	 .type = LG_ENUM,
	 .offset = SETTING(method),
	 .fallback = "POST",
	 .choices = "POST|PUT|PATCH",
	 .help = "method of the requests"},
	{.name = "update_url",
	 .type = LG_URL,
	 .offset = SETTING(update_url),
	 .help = "where events go whose lead the destination has given an id, by external_id, with "
		 ":external_id in its place, such as https://crm.example/leads/:external_id"},
	{.name = "update_method",
	 .type = LG_ENUM,
	 .offset = SETTING(update_method),
	 .fallback = "PATCH",
	 .choices = "POST|PUT|PATCH",
	 .help = "method of the requests to update_url"},
	{.name = "batch",
	 .type = LG_ENUM,
	 .offset = SETTING(form),
	 .fallback = "single",
	 .choices = "single|array|ndjson",
	 .help = "what a request carries: one event, a JSON array of events, or one event a line"},
	{.name = "headers",
	 .type = LG_MAP,
	 .offset = SETTING(headers),
	 .help = "further headers of each request"},
	{.name = "secret",
	 .type = LG_SECRET,
	 .offset = SETTING(secret),
	 .help = "key that requests are signed with as Standard Webhooks say: base64 of 24 to 64 "
		 "bytes, with whsec_ before it or not; several, with blanks between, all sign"},
	{.name = "bearer",
	 .type = LG_SECRET,
	 .offset = SETTING(bearer),
	 .help = "token that is sent as Authorization: Bearer"},
	{.name = "user",
	 .type = LG_STRING,
	 .offset = SETTING(user),
	 .help = "name for Basic authentication"},
	{.name = "password",
	 .type = LG_SECRET,
	 .offset = SETTING(password),
	 .help = "password for Basic authentication"},
};

static int32_t refuse(struct lg_text problem, const char *text)
{
	snprintf(problem.data, problem.capacity, "%s", text);
	return LG_FAIL;
}

/* RFC 9110, section 5.6.2 */
static bool is_token(struct lg_slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		char c = text.data[i], lower = lg_lower(c);
		if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9') &&
		    (!c || !strchr("!#$%&'*+-.^_`|~", c)))
			return false;
	}
	return text.length > 0;
}

static bool is_value(struct lg_slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* Headers that the client or this plugin sets. */
static bool is_ours(struct lg_slice name)
{
	static const char *const ours[] = {"content-length",
					   "transfer-encoding",
					   "connection",
					   "upgrade",
					   "te",
					   "trailer",
					   "keep-alive",
					   "expect",
					   "host",
					   "idempotency-key",
					   "webhook-id",
					   "webhook-timestamp",
					   "webhook-signature"};

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (lg_slice_is(name, ours[i]))
			return true;
	return false;
}

const struct lg_pair *http_settings_header(const struct settings *settings, const char *name)
{
	for (size_t i = 0; i < settings->headers.count; i++)
		if (lg_slice_is(settings->headers.pairs[i].name, name))
			return &settings->headers.pairs[i];
	return NULL;
}

/* Whether one of the headers before this one has its name, in whatever case. */
static bool is_repeated(const struct settings *settings, size_t index)
{
	const struct lg_pair *pairs = settings->headers.pairs;

	for (size_t i = 0; i < index; i++)
		if (lg_slice_same(pairs[i].name, pairs[index].name))
			return true;
	return false;
}

static int32_t check_headers(const struct settings *settings, struct lg_text problem)
{
	if (settings->headers.count > HEADERS_MAX)
		return refuse(problem, "headers: more than 32");
	for (size_t i = 0; i < settings->headers.count; i++) {
		const struct lg_pair *pair = &settings->headers.pairs[i];
		const char *wrong = !is_token(pair->name)    ? "is no name of a header"
				    : !is_value(pair->value) ? "has a value with control characters"
				    : is_ours(pair->name)    ? "is not yours to set"
				    : is_repeated(settings, i) ? "is there twice, whatever its case"
							       : NULL;
		if (!wrong)
			continue;
		snprintf(problem.data, problem.capacity, "headers: \"%.*s\" %s",
			 (int)(pair->name.length < 64 ? pair->name.length : 64), pair->name.data,
			 wrong);
		return LG_FAIL;
	}
	return LG_OK;
}

static int32_t check_credentials(const struct settings *settings, struct lg_text problem)
{
	bool basic = settings->user.data || settings->password.data;

	if (settings->bearer.data && basic)
		return refuse(problem, "bearer and user exclude each other");
	if (basic && !(settings->user.data && settings->password.data))
		return refuse(problem, "user and password go together");
	if ((basic || settings->bearer.data) && http_settings_header(settings, "authorization"))
		return refuse(problem, "Authorization stands in headers and is made of bearer or "
				       "user, too");
	if (!is_value(settings->bearer) || !is_value(settings->user) ||
	    !is_value(settings->password))
		return refuse(problem, "control characters in bearer, user or password");
	if (settings->user.length && memchr(settings->user.data, ':', settings->user.length))
		return refuse(problem, "user: a name cannot hold a colon");
	return LG_OK;
}

/* The client refuses them at each call; here it is said before the first. */
static bool url_has_user(struct lg_slice url)
{
	size_t i = 0, slashes = 0;

	while (i < url.length && slashes < 2)
		slashes += url.data[i++] == '/';
	while (i < url.length && url.data[i] != '@' && !strchr("/?#", url.data[i]))
		i++;
	return i < url.length && url.data[i] == '@';
}

static int32_t check_update(const struct settings *settings, struct lg_text problem)
{
	struct lg_slice url = settings->update_url;
	const char *place = lg_slice_find(url, EXTERNAL_ID_PLACE);

	if (!url.data)
		return LG_OK;
	if (!place)
		return refuse(problem, "update_url: it has no " EXTERNAL_ID_PLACE);
	if (lg_slice_find(lg_slice_cut(url, (size_t)(place + 1 - url.data), url.length),
			  EXTERNAL_ID_PLACE))
		return refuse(problem, "update_url: it has " EXTERNAL_ID_PLACE " twice");
	if (settings->form != FORM_SINGLE)
		return refuse(problem, "update_url: it takes one event at a time, batch: single");
	return LG_OK;
}

int32_t http_settings_check(const void *settings, struct lg_text problem)
{
	const struct settings *s = settings;
	struct keys keys;

	if (url_has_user(s->url) || url_has_user(s->update_url))
		return refuse(problem, "url: give user and password as options of their own");
	if (check_update(s, problem) != LG_OK || check_headers(s, problem) != LG_OK ||
	    check_credentials(s, problem) != LG_OK)
		return LG_FAIL;
	return http_keys_read(s->secret, &keys, problem) ? LG_OK : LG_FAIL;
}
