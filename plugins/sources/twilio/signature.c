/* X-Twilio-Signature: base64 of HMAC-SHA1, keyed with the account's token, over the
 * URL as it was typed at Twilio and, of a form, over its parameters in order. What
 * the signer makes of the URL differs by product and age, and a proxy before us may
 * have changed it: so each way in which it may have been written is tried. */
#include "twilio.h"

#define SHA1_BYTES 20
#define SIGNATURE_BYTES 28 /* of base64 */
#define TEXT_MARGIN 16	   /* a port, a question mark, and some to spare */

/* A URL in parts. */
struct url {
	struct lg_slice scheme;	   /* "https" */
	struct lg_slice authority; /* without the port */
	struct lg_slice port;	   /* absent without one */
	struct lg_slice path;
	struct lg_slice query; /* absent without '?' */
};

/* What is tried: text that grows to the signed message. */
struct trial {
	const struct settings *settings;
	struct lg_request *request;
	struct lg_slice signature;
	struct lg_slice suffix; /* the parameters */
	char *text;		/* has room for any variant and the suffix */
};

/* ---- parameters ------------------------------------------------------------------------- */

static void append(char *text, size_t *length, struct lg_slice part)
{
	if (part.length)
		memcpy(text + *length, part.data, part.length);
	*length += part.length;
}

/* Whether a pair is the same as the one before it, which counts once. */
static bool is_repeated(const struct message *message, size_t index)
{
	const struct lg_pair *pair = &message->parameters[index];

	return index > 0 && lg_slice_equal(pair[-1].name, pair->name) &&
	       lg_slice_equal(pair[-1].value, pair->value);
}

/* Names and values in the order of their bytes, without anything between. False: no
 * memory. */
static bool join_parameters(struct lg_request *request, const struct message *message,
			    struct lg_slice *joined)
{
	size_t length = 0;
	char *text;

	for (size_t i = 0; i < message->count; i++)
		length += message->parameters[i].name.length + message->parameters[i].value.length;
	text = lg_allocate(request, length + 1);
	if (!text)
		return false;
	length = 0;
	for (size_t i = 0; i < message->count; i++) {
		if (is_repeated(message, i))
			continue;
		append(text, &length, message->parameters[i].name);
		append(text, &length, message->parameters[i].value);
	}
	*joined = (struct lg_slice){text, length};
	return true;
}

/* Of JSON the URL carries the digest: bodySHA256, in hex. */
static bool body_fits(struct lg_request *request, const struct lg_request_info *info)
{
	static const char name[] = "bodySHA256=";
	unsigned char digest[32];
	char hex[64];
	struct lg_slice rest = info->query, part;

	if (lg_sha256(request, info->body, digest) < 0 ||
	    lg_hex(request, (struct lg_slice){(const char *)digest, 32}, hex, sizeof(hex)) != 64)
		return false;
	while (rest.length) {
		part = lg_slice_part(&rest, '&');
		if (part.length != sizeof(name) - 1 + 64 ||
		    memcmp(part.data, name, sizeof(name) - 1) != 0)
			continue;
		for (size_t i = 0; i < 64; i++)
			if (lg_lower(part.data[sizeof(name) - 1 + i]) != hex[i])
				return false; /* a digest is no secret */
		return true;
	}
	return false;
}

/* ---- trials ------------------------------------------------------------------------------- */

/* Whether any token has signed the text with the parameters behind it. All are
 * compared, so that the time does not tell which one it was. */
static bool is_signed(const struct trial *trial, size_t length)
{
	struct lg_slice rest = trial->settings->tokens, token;
	unsigned char mac[SHA1_BYTES];
	char expected[SIGNATURE_BYTES];
	bool fits = false;

	append(trial->text, &length, trial->suffix);
	while ((token = lg_slice_word(&rest)).length) {
		struct lg_slice raw = {(const char *)mac, SHA1_BYTES};
		struct lg_slice ours = {expected, SIGNATURE_BYTES};

		if (lg_hmac(trial->request, LG_SHA1, token, (struct lg_slice){trial->text, length},
			    mac, sizeof(mac)) != SHA1_BYTES ||
		    lg_base64(trial->request, raw, 0, expected, sizeof(expected)) !=
			    SIGNATURE_BYTES)
			return false;
		fits |= lg_equal(trial->request, ours, trial->signature) == 1;
	}
	return fits;
}

/* How an apostrophe of the query is written; the signer and the sender may differ. */
enum quotes { QUOTES_KEPT, QUOTES_ENCODED, QUOTES_RAW };

static void append_query(char *text, size_t *length, struct lg_slice query, enum quotes quotes)
{
	while (query.length) {
		size_t taken = 1;

		if (quotes == QUOTES_ENCODED && query.data[0] == '\'') {
			append(text, length, LG_SLICE("%27"));
		} else if (quotes == QUOTES_RAW && query.length >= 3 &&
			   memcmp(query.data, "%27", 3) == 0) {
			append(text, length, LG_SLICE("'"));
			taken = 3;
		} else {
			append(text, length, lg_slice_cut(query, 0, 1));
		}
		query = lg_slice_cut(query, taken, query.length);
	}
}

static bool try_query(const struct trial *trial, const struct url *url, size_t length)
{
	bool quotes = lg_slice_find(url->query, "'") || lg_slice_find(url->query, "%27");

	for (int32_t way = QUOTES_KEPT; way <= (quotes ? QUOTES_RAW : QUOTES_KEPT); way++) {
		size_t whole = length;

		if (url->query.data)
			append(trial->text, &whole, LG_SLICE("?"));
		append_query(trial->text, &whole, url->query, (enum quotes)way);
		if (is_signed(trial, whole))
			return true;
	}
	if (url->query.length)
		return false;
	/* A question mark with nothing behind it: one side may have dropped it. */
	if (!url->query.data)
		append(trial->text, &length, LG_SLICE("?"));
	return is_signed(trial, length);
}

/* With the port, the default one when none is given, and without. */
static bool try_ports(const struct trial *trial, const struct url *url)
{
	bool https = lg_slice_is(url->scheme, "https");
	struct lg_slice port = url->port.length ? url->port
			       : https		? LG_SLICE("443")
						: LG_SLICE("80");

	for (int with = 0; with < 2; with++) {
		size_t length = 0;

		append(trial->text, &length, url->scheme);
		append(trial->text, &length, LG_SLICE("://"));
		append(trial->text, &length, url->authority);
		if (with)
			append(trial->text, &length, LG_SLICE(":"));
		if (with)
			append(trial->text, &length, port);
		append(trial->text, &length, url->path);
		if (try_query(trial, url, length))
			return true;
	}
	return false;
}

/* The port behind the last colon of an authority, unless that is in brackets. */
static void split_port(struct url *url)
{
	size_t at = url->authority.length;

	while (at > 0 && url->authority.data[at - 1] >= '0' && url->authority.data[at - 1] <= '9')
		at--;
	if (at == 0 || url->authority.data[at - 1] != ':')
		return;
	url->port = lg_slice_cut(url->authority, at, url->authority.length);
	url->authority.length = at - 1;
}

static bool split(struct lg_slice text, struct url *url)
{
	const char *slashes = lg_slice_find(text, "://");
	struct lg_slice rest;
	size_t end = 0;

	memset(url, 0, sizeof(*url));
	if (!slashes)
		return false;
	url->scheme = lg_slice_cut(text, 0, (size_t)(slashes - text.data));
	rest = lg_slice_cut(text, url->scheme.length + 3, text.length);
	while (end < rest.length && rest.data[end] != '/' && rest.data[end] != '?')
		end++;
	url->authority = lg_slice_cut(rest, 0, end);
	rest = lg_slice_cut(rest, end, rest.length);
	url->path = lg_slice_part(&rest, '?');
	if (url->path.length < text.length - (size_t)(url->path.data - text.data))
		url->query = rest;
	split_port(url);
	return true;
}

/* A URL as it may have been typed at Twilio. */
static bool try_url(struct trial *trial, struct lg_slice text, struct lg_slice query)
{
	size_t room = text.length + 3 * query.length + TEXT_MARGIN + trial->suffix.length;
	struct url url;

	if (!split(text, &url))
		return false;
	if (query.data)
		url.query = query;
	room += 3 * url.query.length;
	trial->text = lg_allocate(trial->request, room);
	return trial->text && try_ports(trial, &url);
}

bool signature_fits(const struct settings *settings, struct lg_request *request,
		    const struct lg_request_info *info, const struct message *message,
		    struct lg_slice signature)
{
	struct trial trial = {.settings = settings, .request = request, .signature = signature};
	bool form = lg_slice_equal(info->method, LG_SLICE("POST")) && !message_is_json(request);
	struct lg_slice url;

	if (form && !join_parameters(request, message, &trial.suffix))
		return false;
	if (message_is_json(request) && !body_fits(request, info))
		return false;
	if (settings->public_url.length) {
		/* What stands behind '#' tells Twilio how to connect; it is not signed. */
		struct lg_slice typed = settings->public_url;

		return try_url(&trial, lg_slice_part(&typed, '#'), info->query);
	}
	for (size_t i = 0; lg_public_url(request, i, &url) == LG_OK; i++)
		if (try_url(&trial, url, (struct lg_slice){NULL, 0}))
			return true;
	return false;
}
