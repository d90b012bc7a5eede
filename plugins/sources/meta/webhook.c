/* The webhook: the handshake, and events that name leads. */
#include "meta.h"

#define SIGNATURE "X-Hub-Signature-256"
#define PREFIX "sha256="
#define MAC_BYTES 32
#define CHALLENGE_BYTES 128

/* ---- the handshake -------------------------------------------------------------------- */

static struct lg_slice parameter(struct lg_request *request, const struct lg_form *form,
				 const char *name)
{
	struct lg_slice none = {NULL, 0};
	struct lg_pair pair;

	for (size_t i = 0; lg_form_pair(request, form, i, &pair) == LG_OK; i++)
		if (lg_slice_is(pair.name, name))
			return pair.value;
	return none;
}

/* The challenge is sent back as it came, so only what cannot be read as anything else. */
static bool is_challenge(struct lg_slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		char c = lg_lower(text.data[i]);
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
			return false;
	}
	return text.length > 0 && text.length <= CHALLENGE_BYTES;
}

/* Absent: this is no handshake of somebody who knows the token. */
static struct lg_slice challenge(const struct settings *settings, struct lg_request *request)
{
	struct lg_slice none = {NULL, 0}, text;
	struct lg_request_info info;
	struct lg_form *form;

	if (lg_request_info(request, &info) != LG_OK || !info.query.data ||
	    lg_form(request, info.query, &form) != LG_OK ||
	    !lg_slice_is(parameter(request, form, "hub.mode"), "subscribe") ||
	    !lg_equal(request, parameter(request, form, "hub.verify_token"),
		      settings->verify_token))
		return none;
	text = parameter(request, form, "hub.challenge");
	return is_challenge(text) ? text : none;
}

/* ---- the signature -------------------------------------------------------------------- */

/* Over the bytes as they came: Meta signs an escaped form of its JSON, and that is what is
 * on the wire; whoever decodes first fails at the first accented name. The older header of
 * SHA-1 is no substitute. */
static bool is_signed(const struct settings *settings, struct lg_request *request,
		      struct lg_slice body)
{
	unsigned char mac[MAC_BYTES];
	char ours[2 * MAC_BYTES], theirs[2 * MAC_BYTES];
	struct lg_slice header, second;

	if (lg_header(request, SIGNATURE, 0, &header) != LG_OK ||
	    lg_header(request, SIGNATURE, 1, &second) == LG_OK ||
	    header.length != strlen(PREFIX) + sizeof(theirs) ||
	    memcmp(header.data, PREFIX, strlen(PREFIX)) != 0 ||
	    lg_hmac(request, LG_SHA256, settings->app_secret, body, mac, sizeof(mac)) != MAC_BYTES)
		return false;
	for (size_t i = 0; i < sizeof(theirs); i++)
		theirs[i] = lg_lower(header.data[strlen(PREFIX) + i]);
	lg_hex(request, (struct lg_slice){(const char *)mac, sizeof(mac)}, ours, sizeof(ours));
	return lg_equal(request, (struct lg_slice){ours, sizeof(ours)},
			(struct lg_slice){theirs, sizeof(theirs)}) == 1;
}

/* ---- events ------------------------------------------------------------------------------ */

/* The form's id is kept for the question whether it is the lead or the permission that
 * is missing. LG_FAIL: there is no room. */
static int32_t take_lead(struct lg_request *request, const struct lg_json *value)
{
	struct lg_claim claim = {.size = sizeof(claim),
				 .key = text_of(request, value, "leadgen_id")};
	struct lg_slice form = text_of(request, value, "form_id");

	if (!is_id(claim.key))
		return lg_ignore(request, LG_SLICE("an event of a lead without its id"));
	if (is_id(form))
		claim.blob = form;
	return lg_claim(request, &claim);
}

static int32_t take_change(struct lg_request *request, const struct lg_json *change)
{
	if (lg_slice_is(text_of(request, change, "field"), "leadgen"))
		return take_lead(request, member(request, change, "value"));
	return lg_ignore(request, LG_SLICE("an event that is of no lead"));
}

static int32_t take_entries(struct lg_request *request, const struct lg_json *entries)
{
	for (const struct lg_json *e = lg_json_first(request, entries); e;
	     e = lg_json_next(request, e)) {
		const struct lg_json *changes = member(request, e, "changes");
		for (const struct lg_json *c = lg_json_first(request, changes); c;
		     c = lg_json_next(request, c))
			if (take_change(request, c) != LG_OK)
				return LG_FAIL;
	}
	return LG_OK;
}

static int32_t take_events(struct lg_request *request, struct lg_slice body)
{
	char problem[200] = "";
	const struct lg_json *root;

	if (lg_json(request, body, &root, (struct lg_text){problem, sizeof(problem)}) != LG_OK ||
	    lg_json_kind(request, root) != LG_JSON_OBJECT)
		return lg_refuse(request, 400, LG_SLICE("the body is no JSON object"));
	if (!lg_slice_is(text_of(request, root, "object"), "page")) {
		lg_ignore(request, LG_SLICE("an event of another product"));
		return LG_OK;
	}
	if (take_entries(request, member(request, root, "entry")) != LG_OK)
		return lg_refuse(request, 413,
				 LG_SLICE("more events than max_items of the source allows"));
	return LG_OK;
}

int32_t webhook_receive(void *instance, struct lg_request *request)
{
	const struct settings *settings = instance;
	struct lg_request_info info;

	if (lg_request_info(request, &info) != LG_OK)
		return LG_FAIL;
	if (lg_slice_is(info.method, "get"))
		return challenge(settings, request).data
			       ? LG_OK
			       : lg_refuse(request, 403, LG_SLICE("hub.verify_token is not ours"));
	if (!is_signed(settings, request, info.body))
		return lg_refuse(request, 403, LG_SLICE("the signature is missing or wrong"));
	return take_events(request, info.body);
}

/* 200 whatever the events were: what is known is as good as what is new. */
int32_t webhook_reply(void *instance, struct lg_request *request, struct lg_reply *reply)
{
	struct lg_slice text = LG_SLICE("");
	struct lg_request_info info;

	if (lg_request_info(request, &info) == LG_OK && lg_slice_is(info.method, "get"))
		text = challenge(instance, request);
	lg_reply_status(reply, 200);
	return lg_reply_body(reply, "text/plain", text);
}
