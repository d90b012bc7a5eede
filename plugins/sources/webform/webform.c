/* webform: leads from the forms of a web site.
 *
 * Takes what an HTML form can send (application/x-www-form-urlencoded,
 * multipart/form-data, text/plain) and JSON objects. Browsers are sent on to a page
 * or thanked, programs get JSON. The same in one look:
 *
 *   sources:
 *     contact: { plugin: webform, path: /f/contact, auth: none,
 *                fields: { your-tel: person.phone }, honeypot: website2,
 *                origins: ["https://www.example.com"],
 *                redirect: "https://www.example.com/thanks.html" }
 */
#include "webform.h"

#include <stdarg.h>
#include <stdio.h>

static const struct lg_option options[] = {
	{.name = "fields",
	 .type = LG_FIELD_MAP,
	 .offset = offsetof(struct settings, fields),
	 .help = "where fields of the form go whose names say too little: form name to path in "
		 "the record, as in \"your-tel: person.phone\""},
	{.name = "kind",
	 .type = LG_ENUM,
	 .offset = offsetof(struct settings, kind),
	 .fallback = "contact",
	 .choices = LG_INQUIRY_KINDS,
	 .help = "what the form asks for, written to inquiry.kind unless the form says it"},
	{.name = "honeypot",
	 .type = LG_STRING,
	 .offset = offsetof(struct settings, honeypot),
	 .help = "name of a field that people do not see: whoever fills it is answered as "
		 "always, and the lead is kept as a trap and delivered to nobody"},
	{.name = "redirect",
	 .type = LG_STRING,
	 .offset = offsetof(struct settings, redirect),
	 .help = "where a browser is sent after a form was stored: an http(s) URL, or a path that "
		 "begins with '/' where a proxy serves the site under the gateway's name, too; "
		 "without it the browser gets a short page"},
	{.name = "redirects",
	 .type = LG_LIST,
	 .offset = offsetof(struct settings, redirects),
	 .help = "further places of that kind, of which a form may name one in its "
		 "redirect_field, letter by letter; what is not listed is not followed"},
	{.name = "redirect_field",
	 .type = LG_STRING,
	 .offset = offsetof(struct settings, redirect_field),
	 .fallback = "_next",
	 .help = "name of the field in which a form names one of the redirects"},
	{.name = "thanks",
	 .type = LG_STRING,
	 .offset = offsetof(struct settings, thanks),
	 .fallback = "Thank you. We have received your message.",
	 .help = "what that short page says, plain text"},
	{.name = "consent_field",
	 .type = LG_STRING,
	 .offset = offsetof(struct settings, consent_field),
	 .help = "name of the form's consent box: its value is kept in extra and means granted, "
		 "but for the words of consent_denied, and for 0, false, off or nothing, as "
		 "an unchecked box sends them, which are no statement"},
	{.name = "consent_denied",
	 .type = LG_LIST,
	 .offset = offsetof(struct settings, consent_denied),
	 .fallback = "no, nein, non, nee, nej",
	 .help = "the words in that field that deny it, where a form asks yes or no"},
	{.name = "consent_purpose",
	 .type = LG_STRING,
	 .offset = offsetof(struct settings, consent_purpose),
	 .fallback = "marketing",
	 .help = "what the box consents to"},
	{.name = "consent_channels",
	 .type = LG_LIST,
	 .offset = offsetof(struct settings, consent_channels),
	 .help = "the ways of contact that the consent covers, such as email, sms, phone; 255 "
		 "bytes with their commas, as consent_purpose and consent_version have"},
	{.name = "consent_text",
	 .type = LG_STRING,
	 .offset = offsetof(struct settings, consent_text),
	 .help = "the words beside the box, kept as evidence"},
	{.name = "consent_version",
	 .type = LG_STRING,
	 .offset = offsetof(struct settings, consent_version),
	 .help = "version of those words"},
	{.name = "origins",
	 .type = LG_LIST,
	 .offset = offsetof(struct settings, origins),
	 .help = "sites whose pages may send this form and whose scripts may read the answer, "
		 "as in https://www.example.com; \"*\" is all, \"null\" pages without a site; "
		 "the gateway's own pages always may; without it pages of all sites may send plain "
		 "forms, and scripts of none may read the answer"},
	{.name = "preflight_age",
	 .type = LG_DURATION,
	 .offset = offsetof(struct settings, preflight_age),
	 .fallback = "2h",
	 .min = 0,
	 .max = INT64_C(86400000),
	 .help = "how long a browser may remember that a site's scripts may send"},
	{.name = "max_name",
	 .type = LG_SIZE,
	 .offset = offsetof(struct settings, max_name),
	 .fallback = "128",
	 .min = 16,
	 .max = NAME_BYTES_MAX,
	 .help = "longest name of a field, in bytes of UTF-8; a form with a longer one is "
		 "refused"},
	{.name = "max_value",
	 .type = LG_SIZE,
	 .offset = offsetof(struct settings, max_value),
	 .fallback = "64KiB",
	 .min = 256,
	 .max = 1 << 20,
	 .help = "longest value of a field; a form with a longer one is refused"},
	{.name = "max_page",
	 .type = LG_SIZE,
	 .offset = offsetof(struct settings, max_page),
	 .fallback = "256KiB",
	 .min = 4096,
	 .max = 16 << 20,
	 .help = "largest page that shows again what was typed; beyond it the page only says "
		 "what is wrong"},
};

bool problem_set(struct problem *problem, int32_t status, const char *format, ...)
{
	va_list args;

	problem->status = status;
	va_start(args, format);
	vsnprintf(problem->detail, sizeof(problem->detail), format, args);
	va_end(args);
	return false;
}

struct lg_slice request_header(struct lg_request *request, const char *name)
{
	struct lg_slice value = {NULL, 0};

	return lg_header(request, name, 0, &value) == LG_OK ? value : (struct lg_slice){NULL, 0};
}

/* ---- settings -------------------------------------------------------------- */

static int32_t say(struct lg_text problem, const char *text)
{
	snprintf(problem.data, problem.capacity, "%s", text);
	return LG_FAIL;
}

static bool redirect_fits(struct lg_slice url)
{
	bool path = url.length && url.data[0] == '/' && !(url.length > 1 && url.data[1] == '/');
	bool absolute = (url.length > 7 && memcmp(url.data, "http://", 7) == 0) ||
			(url.length > 8 && memcmp(url.data, "https://", 8) == 0);

	for (size_t i = 0; i < url.length; i++)
		if ((unsigned char)url.data[i] <= ' ' || url.data[i] == 0x7f || url.data[i] == '\\')
			return false;
	return path || absolute;
}

static bool redirects_fit(const struct settings *settings)
{
	if (settings->redirect.data && !redirect_fits(settings->redirect))
		return false;
	for (size_t i = 0; i < settings->redirects.count; i++)
		if (!redirect_fits(settings->redirects.items[i]))
			return false;
	return true;
}

/* The time of a form is too late to find out that a refusal has no room. */
static bool words_fit(const struct settings *settings, struct lg_text problem)
{
	return lg_consent_fits("consent_purpose", settings->consent_purpose.length, problem) &&
	       lg_consent_fits("consent_channels", lg_joined_bytes(&settings->consent_channels),
			       problem) &&
	       lg_consent_fits("consent_version", settings->consent_version.length, problem);
}

static int32_t check(const void *memory, struct lg_text problem)
{
	const struct settings *settings = memory;
	const char *origins = cors_check(settings);

	if (origins)
		return say(problem, origins);
	if (!redirects_fit(settings))
		return say(problem, "redirect must be a path that begins with one '/' or an "
				    "http(s) URL, without blanks; so must each of redirects");
	if (settings->redirects.count && settings->redirect_field.length == 0)
		return say(problem, "redirect_field must name the field that chooses a redirect");
	if (settings->honeypot.data && settings->honeypot.length == 0)
		return say(problem, "honeypot must name a field, or be left out");
	if (settings->honeypot.length &&
	    lg_slice_equal(settings->honeypot, settings->consent_field))
		return say(problem, "honeypot and consent_field must be different fields");
	if (settings->consent_field.length && settings->consent_purpose.length == 0)
		return say(problem, "consent_purpose must say what consent_field consents to");
	if (settings->consent_field.length && !words_fit(settings, problem))
		return LG_FAIL;
	for (size_t i = 0; i < settings->fields.count; i++)
		if (settings->honeypot.length &&
		    lg_slice_equal(settings->fields.entries[i].name, settings->honeypot))
			return say(problem, "the honeypot must not stand in fields as well");
	return LG_OK;
}

static int32_t open_instance(struct lg_host *host, const void *settings, void **instance,
			     struct lg_text problem)
{
	(void)host;
	(void)problem;
	/* The settings are all that an instance is; nothing writes to them. */
	memcpy(instance, &settings, sizeof(settings));
	return LG_OK;
}

/* ---- the request ------------------------------------------------------------- */

static bool is_preflight(const struct lg_request_info *info)
{
	return lg_slice_equal(info->method, LG_SLICE("OPTIONS"));
}

static bool take(const struct settings *settings, struct lg_request *request,
		 struct problem *problem)
{
	struct lg_request_info info;
	struct lg_lead *lead;

	if (lg_request_info(request, &info) != LG_OK)
		return problem_set(problem, 503, "The request could not be read.");
	if (is_preflight(&info))
		return cors_preflight(settings, request, problem);
	if (!cors_admit(settings, request, problem))
		return false;
	lead = lg_lead(request);
	if (!lead)
		return problem_set(problem, 503, "There is no memory for the lead.");
	return fields_fill(settings, request, lead, info.body, problem);
}

static int32_t receive(void *instance, struct lg_request *request)
{
	struct problem problem = {0};

	if (take(instance, request, &problem))
		return LG_OK;
	return lg_refuse(request, problem.status, lg_slice_from(problem.detail));
}

static int32_t reply_to(void *instance, struct lg_request *request, struct lg_reply *reply)
{
	struct lg_request_info info;
	struct lg_result result;

	if (lg_refusal(request, &result) == LG_OK)
		return answer_refused(instance, result.status, result.reason, request, reply);
	if (lg_request_info(request, &info) == LG_OK && is_preflight(&info))
		return lg_reply_status(reply, 204);
	if (lg_result(request, 0, &result) != LG_OK)
		return LG_FAIL;
	return answer_accepted(instance, &result, request, reply);
}

static const struct lg_source_operations operations = {
	.size = sizeof(operations),
	.check = check,
	.open = open_instance,
	.receive = receive,
	.reply = reply_to,
};

LG_SOURCE_PLUGIN(0, 4, "webform", .version = "0.2",
		 .summary = "Leads from the forms of a web site: form posts, scripts, JSON",
		 .flags = LG_ANSWERS_REFUSALS, .channel = "web", .methods = "OPTIONS POST",
		 .source = &operations, LG_OPTIONS(options, struct settings));
