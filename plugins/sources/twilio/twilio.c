/* twilio: leads from text messages (SMS, MMS, WhatsApp) to numbers at Twilio.
 *
 *   sources:
 *     sms: { plugin: twilio, path: /in/sms, auth_token: "${TWILIO_AUTH_TOKEN}",
 *            keywords: { QUOTE: quote, SPRING: "newsletter spring-2026" } }
 *
 * A person's messages are touches on one lead, for the number is one. STOP and START
 * change the consent; Twilio answers those words by itself, so this does not. */
#include "twilio.h"

#include <stdio.h>

static const struct lg_option options[] = {
	{.name = "auth_token",
	 .type = LG_SECRET,
	 .flags = LG_REQUIRED,
	 .offset = offsetof(struct settings, tokens),
	 .help = "auth token of the account, by which requests are signed; several, with blanks "
		 "between, while it is changed or for several accounts"},
	{.name = "public_url",
	 .type = LG_STRING,
	 .offset = offsetof(struct settings, public_url),
	 .help = "the URL as it stands at Twilio, with user and password if those are in it; "
		 "only where a proxy hides it: otherwise it is known from the request"},
	{.name = "keywords",
	 .type = LG_MAP,
	 .offset = offsetof(struct settings, keywords),
	 .help = "what the first word of a message means, in any case: a kind of inquiry "
		 "(contact, quote, demo, callback, newsletter, download, event, referral, other), "
		 "and after a blank a campaign"},
	{.name = "answer",
	 .type = LG_STRING,
	 .offset = offsetof(struct settings, answer),
	 .help = "what is written back to each message but STOP, START and HELP; without it "
		 "nothing is"},
	{.name = "max_message",
	 .type = LG_SIZE,
	 .offset = offsetof(struct settings, max_message),
	 .fallback = "64KiB",
	 .min = 4096,
	 .max = 1 << 20,
	 .help = "largest request whose signature is looked at"},
};

/* ---- settings ------------------------------------------------------------------------ */

static int32_t say(struct lg_text problem, const char *text)
{
	snprintf(problem.data, problem.capacity, "%s", text);
	return LG_FAIL;
}

static bool is_kind(struct lg_slice word)
{
	struct lg_slice rest = LG_SLICE(LG_INQUIRY_KINDS), kind;

	while ((kind = lg_slice_part(&rest, '|')).length)
		if (lg_slice_equal(kind, word))
			return true;
	return false;
}

static int32_t check(const void *memory, struct lg_text problem)
{
	const struct settings *settings = memory;
	struct lg_slice url = settings->public_url;

	if (!lg_slice_trim(settings->tokens).length)
		return say(problem, "auth_token must not be empty: anybody could send messages");
	if (url.data && lg_slice_find(url, "http://") != url.data &&
	    lg_slice_find(url, "https://") != url.data)
		return say(problem, "public_url must begin with https:// or http://, as at Twilio");
	for (size_t i = 0; i < settings->keywords.count; i++) {
		struct lg_slice name = settings->keywords.pairs[i].name;
		struct lg_slice rest = settings->keywords.pairs[i].value;

		if (!is_kind(lg_slice_word(&rest)))
			return say(problem, "each of keywords must name a kind of inquiry first, "
					    "as in \"QUOTE: quote\"");
		if (!name.length ||
		    !lg_slice_equal(lg_slice_word(&name), settings->keywords.pairs[i].name))
			return say(problem, "each of keywords must be one word");
	}
	return LG_OK;
}

static int32_t open_instance(struct lg_host *host, const void *settings, void **instance,
			     struct lg_text problem)
{
	(void)host;
	(void)problem;
	memcpy(instance, &settings, sizeof(settings));
	return LG_OK;
}

/* ---- the lead -------------------------------------------------------------------------- */

/* A number that a person may be called at: short codes and names are senders of
 * campaigns. */
static bool is_number(struct lg_slice from)
{
	size_t digits = 0;

	for (size_t i = 0; i < from.length; i++)
		digits += from.data[i] >= '0' && from.data[i] <= '9';
	return from.length && from.data[0] == '+' && digits == from.length - 1 && digits >= 7;
}

static void set_keyword(const struct settings *settings, const struct message *message,
			struct lg_lead *lead)
{
	struct lg_slice text = message->body, first = lg_slice_word(&text);

	while (first.length && strchr(",.!?:;", first.data[first.length - 1]))
		first.length--;
	lg_lead_set(lead, LG_INQUIRY_KIND, LG_SLICE("contact"));
	for (size_t i = 0; i < settings->keywords.count; i++) {
		struct lg_slice meaning = settings->keywords.pairs[i].value;

		if (!lg_slice_same(settings->keywords.pairs[i].name, first))
			continue;
		lg_lead_set(lead, LG_INQUIRY_KIND, lg_slice_word(&meaning));
		meaning = lg_slice_trim(meaning);
		if (meaning.length)
			lg_lead_set(lead, LG_UTM_CAMPAIGN, meaning);
	}
}

/* Set only where it is there: an absent name must not hide a later one. */
static void set_found(struct lg_lead *lead, int32_t field, struct lg_slice value)
{
	if (value.length)
		lg_lead_set(lead, field, value);
}

static void set_person(const struct message *message, struct lg_lead *lead)
{
	struct lg_slice name = message_name(message->body);

	lg_lead_set(lead, LG_PHONE, message->from);
	set_found(lead, LG_EMAIL, message_email(message->body));
	set_found(lead, LG_FULL_NAME, name.length ? name : message->profile);
}

/* "marketing" by SMS is what the carrier's words are about. */
static int32_t state_consent(const struct message *message, const struct lg_request_info *info,
			     struct lg_lead *lead)
{
	struct lg_consent consent = {
		.size = sizeof(consent),
		.state = message->wish == WISH_STOP ? LG_CONSENT_WITHDRAWN : LG_CONSENT_GRANTED,
		.purpose = LG_SLICE("marketing"),
		.channels = LG_SLICE("sms"),
		.basis = LG_SLICE("consent"),
		.text = lg_slice_trim(message->body),
		.method = LG_SLICE("keyword"),
		.at = info->received_at,
	};

	return lg_lead_consent(lead, &consent);
}

/* What Twilio adds without notice is kept, too; what is beyond the limits of a lead
 * is not, for a message with one parameter less is better than none. */
static void keep_parameters(const struct message *message, struct lg_lead *lead)
{
	for (size_t i = 0; i < message->count; i++)
		if (message->parameters[i].value.length &&
		    !message_shows(message->parameters[i].name))
			lg_lead_extra(lead, message->parameters[i].name,
				      message->parameters[i].value);
}

static int32_t add_lead(const struct settings *settings, struct lg_request *request,
			const struct lg_request_info *info, const struct message *message)
{
	struct lg_lead *lead = lg_lead(request);

	if (!lead || lg_lead_key(lead, LG_KEY_PROVIDER, message->sid) != LG_OK)
		return lg_refuse(request, 503, LG_SLICE("There is no memory for the lead."));
	lg_lead_set(lead, LG_EXTERNAL_ID, message->sid);
	set_person(message, lead);
	keep_parameters(message, lead);
	if (message->wish != WISH_NONE) {
		lg_lead_set(lead, LG_INQUIRY_KIND, LG_SLICE("other"));
		if (state_consent(message, info, lead) != LG_OK)
			return lg_refuse(request, 503, LG_SLICE("The consent cannot be kept."));
		return LG_OK;
	}
	set_found(lead, LG_MESSAGE, message->body);
	set_keyword(settings, message, lead);
	return LG_OK;
}

static int32_t take(const struct settings *settings, struct lg_request *request,
		    const struct lg_request_info *info)
{
	struct lg_slice signature = {NULL, 0};
	struct message message;

	if (lg_header(request, "x-twilio-signature", 0, &signature) != LG_OK)
		return lg_refuse(request, 400, LG_SLICE("X-Twilio-Signature is missing."));
	if (info->body.length + info->target.length > (size_t)settings->max_message)
		return lg_refuse(request, 413, LG_SLICE("The request is too large for a message."));
	if (!message_read(request, info, &message))
		return lg_refuse(request, 400, LG_SLICE("The parameters cannot be read."));
	if (!signature_fits(settings, request, info, &message, lg_slice_trim(signature)))
		return lg_refuse(request, 403,
				 LG_SLICE("X-Twilio-Signature is wrong for every URL that this "
					  "request may have been sent to. Where the URL at Twilio "
					  "is another one, say it in public_url."));
	if (!message.sid.length)
		return lg_refuse(request, 422, LG_SLICE("There is no MessageSid."));
	if (message.wish == WISH_HELP)
		return lg_ignore(request, LG_SLICE("HELP, which Twilio answers"));
	if (!is_number(message.from))
		return lg_ignore(request, LG_SLICE("the sender has no phone number"));
	return add_lead(settings, request, info, &message);
}

static int32_t receive(void *instance, struct lg_request *request)
{
	struct lg_request_info info;

	if (lg_request_info(request, &info) != LG_OK)
		return lg_refuse(request, 503, LG_SLICE("The request cannot be read."));
	return take(instance, request, &info);
}

/* ---- the answer ------------------------------------------------------------------------- */

#define SAY_NOTHING "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response/>\n"
#define SAY_START "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Message>"
#define SAY_END "</Message></Response>\n"

/* Text in XML; at most five bytes for one. */
static size_t escape(struct lg_slice text, char *out)
{
	size_t used = 0;

	for (size_t i = 0; i < text.length; i++) {
		char c = text.data[i];
		struct lg_slice as = c == '<'	? LG_SLICE("&lt;")
				     : c == '>' ? LG_SLICE("&gt;")
				     : c == '&' ? LG_SLICE("&amp;")
						: lg_slice_cut(text, i, 1);

		memcpy(out + used, as.data, as.length);
		used += as.length;
	}
	return used;
}

/* An empty answer says nothing to the person; plain text would be sent as a message. */
static int32_t answer(struct lg_reply *reply, struct lg_slice body)
{
	return lg_reply_status(reply, 200) == LG_OK
		       ? lg_reply_body(reply, "text/xml; charset=utf-8", body)
		       : LG_FAIL;
}

/* Whether the message is one that the option answers. */
static bool wants_answer(const struct settings *settings, struct lg_request *request)
{
	struct lg_request_info info;
	struct lg_result result;
	struct message message;

	return settings->answer.length && lg_result(request, 0, &result) == LG_OK &&
	       result.verdict != LG_IGNORED && lg_request_info(request, &info) == LG_OK &&
	       message_read(request, &info, &message) && message.wish == WISH_NONE;
}

static int32_t reply_to(void *instance, struct lg_request *request, struct lg_reply *reply)
{
	const struct settings *settings = instance;
	size_t room = sizeof(SAY_START) + sizeof(SAY_END) + 5 * settings->answer.length;
	size_t used = sizeof(SAY_START) - 1;
	char *body;

	if (!wants_answer(settings, request))
		return answer(reply, LG_SLICE(SAY_NOTHING));
	body = lg_allocate(request, room);
	if (!body)
		return answer(reply, LG_SLICE(SAY_NOTHING));
	memcpy(body, SAY_START, used);
	used += escape(settings->answer, body + used);
	memcpy(body + used, SAY_END, sizeof(SAY_END) - 1);
	return answer(reply, (struct lg_slice){body, used + sizeof(SAY_END) - 1});
}

static const struct lg_source_operations operations = {
	.size = sizeof(operations),
	.check = check,
	.open = open_instance,
	.receive = receive,
	.reply = reply_to,
};

LG_SOURCE_PLUGIN(0, 3, "twilio", .version = "0.1",
		 .summary = "Leads from text messages to numbers at Twilio", .flags = LG_HAS_AUTH,
		 .channel = "sms", .methods = "GET POST", .source = &operations,
		 LG_OPTIONS(options, struct settings));
