/* webform: leads from the forms of a web site.
 *
 * Takes form posts (application/x-www-form-urlencoded) and JSON objects. Each
 * field goes, by its name, to the record's field that it means; what nobody
 * knows is kept as it was sent. Browsers are sent on to a page or thanked,
 * programs get JSON. The same in one look:
 *
 *   sources:
 *     contact: { plugin: webform, path: /f/contact, auth: none,
 *                fields: { your-tel: person.phone }, honeypot: website2,
 *                redirect: /thanks.html }
 */
#include <leadgate/source.h>
#include <leadgate/text.h>

#include <stdio.h>

#define NAME_BYTES 256 /* of a field, with the names of the objects around it */
#define DEPTH_MAX 8    /* of objects and arrays in each other */
#define KEY_BYTES 255  /* of an Idempotency-Key */

struct settings {
	struct lg_field_map fields;
	int32_t kind; /* position in KINDS */
	struct lg_slice honeypot;
	struct lg_slice redirect;
	struct lg_slice thanks;
	struct lg_slice consent_field, consent_purpose, consent_text, consent_version;
	struct lg_list consent_channels;
};

#define KINDS "contact|quote|demo|callback|newsletter|download|event|referral|other"

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
	 .choices = KINDS,
	 .help = "what the form asks for, written to inquiry.kind unless the form says it"},
	{.name = "honeypot",
	 .type = LG_STRING,
	 .offset = offsetof(struct settings, honeypot),
	 .help = "name of a field that people do not see: whoever fills it is answered as "
		 "always, and the lead is kept as a trap and delivered to nobody"},
	{.name = "redirect",
	 .type = LG_STRING,
	 .offset = offsetof(struct settings, redirect),
	 .help = "where a browser is sent after a form was stored: a path that begins with '/', "
		 "or an http(s) URL; without it the browser gets a short page"},
	{.name = "thanks",
	 .type = LG_STRING,
	 .offset = offsetof(struct settings, thanks),
	 .fallback = "Thank you. We have received your message.",
	 .help = "what that short page says, plain text"},
	{.name = "consent_field",
	 .type = LG_STRING,
	 .offset = offsetof(struct settings, consent_field),
	 .help = "name of the form's consent box: checked means granted, anything else is no "
		 "statement"},
	{.name = "consent_purpose",
	 .type = LG_STRING,
	 .offset = offsetof(struct settings, consent_purpose),
	 .fallback = "marketing",
	 .help = "what the box consents to"},
	{.name = "consent_channels",
	 .type = LG_LIST,
	 .offset = offsetof(struct settings, consent_channels),
	 .help = "the ways of contact that the consent covers, such as email, sms, phone"},
	{.name = "consent_text",
	 .type = LG_STRING,
	 .offset = offsetof(struct settings, consent_text),
	 .help = "the words beside the box, kept as evidence"},
	{.name = "consent_version",
	 .type = LG_STRING,
	 .offset = offsetof(struct settings, consent_version),
	 .help = "version of those words"},
};

static const struct lg_slice absent;

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

static int32_t check(const void *memory, struct lg_text problem)
{
	const struct settings *settings = memory;

	if (settings->redirect.data && !redirect_fits(settings->redirect))
		return say(problem, "redirect must be a path that begins with one '/' or an "
				    "http(s) URL, without blanks");
	if (settings->honeypot.data && settings->honeypot.length == 0)
		return say(problem, "honeypot must name a field, or be left out");
	if (settings->honeypot.length &&
	    lg_slice_equal(settings->honeypot, settings->consent_field))
		return say(problem, "honeypot and consent_field must be different fields");
	if (settings->consent_field.length && settings->consent_purpose.length == 0)
		return say(problem, "consent_purpose must say what consent_field consents to");
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

/* ---- fields ---------------------------------------------------------------- */

struct filling {
	const struct settings *settings;
	struct lg_request *request;
	struct lg_lead *lead;
	bool granted; /* the consent is stated: a box that comes twice is one */
	bool failed;  /* the request was refused */
	struct lg_slice taken[LG_FIELD_COUNT]; /* what each field was set to */
};

static struct lg_slice header(struct lg_request *request, const char *name)
{
	struct lg_slice value = absent;

	return lg_header(request, name, 0, &value) == LG_OK ? value : absent;
}

static int32_t refuse(struct filling *filling, int32_t status, const char *detail)
{
	filling->failed = true;
	return lg_refuse(filling->request, status, lg_slice_from(detail));
}

/* "interests[]", as some frameworks spell a list, means interests. */
static struct lg_slice plain_name(struct lg_slice name)
{
	if (name.length > 2 && memcmp(name.data + name.length - 2, "[]", 2) == 0)
		name.length -= 2;
	return name;
}

static int32_t field_of(const struct filling *filling, struct lg_slice name)
{
	const struct lg_field_map *map = &filling->settings->fields;

	for (size_t i = 0; i < map->count; i++)
		if (lg_slice_equal(map->entries[i].name, name))
			return map->entries[i].field;
	return lg_field_named(filling->request, name);
}

static void keep_extra(struct filling *filling, struct lg_slice name, struct lg_slice value)
{
	if (lg_lead_extra(filling->lead, name, value) != LG_OK)
		refuse(filling, 422,
		       "The form has more unknown fields, or longer names, than this "
		       "gateway keeps.");
}

static void set_field(struct filling *filling, int32_t field, struct lg_slice name,
		      struct lg_slice value)
{
	struct lg_slice *taken = field < LG_FIELD_COUNT ? &filling->taken[field] : NULL;

	if (lg_slice_trim(value).length == 0)
		return; /* an empty box is no answer */
	if (lg_lead_add(filling->lead, field, value) == LG_OK)
		return;
	if (lg_lead_set(filling->lead, field, value) != LG_OK) {
		keep_extra(filling, name, value);
		return;
	}
	/* The last one wins, as in a form that hides a default before a box. */
	if (taken && taken->data && !lg_slice_equal(*taken, value))
		keep_extra(filling, name, *taken);
	if (taken)
		*taken = value;
}

static bool is_checked(struct lg_slice value)
{
	value = lg_slice_trim(value);
	return value.length && !lg_slice_is(value, "0") && !lg_slice_is(value, "false") &&
	       !lg_slice_is(value, "off") && !lg_slice_is(value, "no");
}

/* "email,sms" of the list that the configuration gives. */
static struct lg_slice consent_channels(struct filling *filling)
{
	const struct lg_list *list = &filling->settings->consent_channels;
	size_t length = 0;
	char *joined;

	for (size_t i = 0; i < list->count; i++)
		length += list->items[i].length + 1;
	joined = length ? lg_allocate(filling->request, length) : NULL;
	if (!joined)
		return absent;
	length = 0;
	for (size_t i = 0; i < list->count; i++) {
		if (i)
			joined[length++] = ',';
		memcpy(joined + length, list->items[i].data, list->items[i].length);
		length += list->items[i].length;
	}
	return (struct lg_slice){joined, length};
}

static void grant(struct filling *filling)
{
	const struct settings *settings = filling->settings;
	struct lg_consent consent = {
		.size = sizeof(consent),
		.state = LG_CONSENT_GRANTED,
		.purpose = settings->consent_purpose,
		.channels = consent_channels(filling),
		.basis = LG_SLICE("consent"),
		.text = settings->consent_text,
		.version = settings->consent_version,
		.method = LG_SLICE("checkbox"),
	};

	filling->granted = true;
	if (lg_lead_consent(filling->lead, &consent) != LG_OK)
		refuse(filling, 503, "The consent could not be kept.");
}

/* One field of the form, whatever it is. */
static void put(struct filling *filling, struct lg_slice name, struct lg_slice value)
{
	const struct settings *settings = filling->settings;
	struct lg_slice plain = plain_name(name);
	int32_t field;

	if (filling->failed)
		return;
	if (settings->honeypot.length && lg_slice_equal(name, settings->honeypot)) {
		if (lg_slice_trim(value).length)
			lg_lead_trap(filling->lead, LG_SLICE("honeypot"));
		return;
	}
	if (settings->consent_field.length && lg_slice_equal(name, settings->consent_field)) {
		if (is_checked(value) && !filling->granted)
			grant(filling);
		return;
	}
	field = field_of(filling, plain);
	if (field >= 0)
		set_field(filling, field, name, value);
	else
		keep_extra(filling, name, value);
}

/* ---- bodies ---------------------------------------------------------------- */

static int32_t read_form(struct filling *filling, struct lg_slice body)
{
	struct lg_form *form;
	struct lg_pair pair;
	size_t count;

	if (lg_form(filling->request, body, &form) != LG_OK)
		return refuse(filling, 422, "The form has more fields than this gateway takes.");
	count = lg_form_count(filling->request, form);
	for (size_t i = 0; i < count; i++)
		if (lg_form_pair(filling->request, form, i, &pair) == LG_OK && pair.name.length)
			put(filling, pair.name, pair.value);
	return filling->failed ? LG_FAIL : LG_OK;
}

/* A name that grows as the walk goes down: "person", "person.email". */
struct path {
	char name[NAME_BYTES];
	size_t length;
	int depth;
};

static bool path_enter(struct path *path, struct lg_slice name)
{
	size_t dot = path->length ? 1 : 0;

	if (path->depth == DEPTH_MAX || name.length + dot > NAME_BYTES - path->length)
		return false;
	if (dot)
		path->name[path->length++] = '.';
	if (name.length)
		memcpy(path->name + path->length, name.data, name.length);
	path->length += name.length;
	path->depth++;
	return true;
}

/* A profile is the one object of the record that may come several times. */
static bool put_profile(struct filling *filling, const struct path *path,
			const struct lg_json *value)
{
	struct lg_request *request = filling->request;
	struct lg_slice name = {path->name, path->length};
	const struct lg_json *network = lg_json_member(request, value, LG_SLICE("network"));
	const struct lg_json *id = lg_json_member(request, value, LG_SLICE("id"));
	const struct lg_json *url = lg_json_member(request, value, LG_SLICE("url"));

	if (!lg_slice_equal(name, LG_SLICE("person.profiles")) &&
	    !lg_slice_equal(name, LG_SLICE("profiles")))
		return false;
	return network && lg_lead_profile(filling->lead, lg_json_text(request, network),
					  id ? lg_json_text(request, id) : absent,
					  url ? lg_json_text(request, url) : absent) == LG_OK;
}

/* Objects become names with dots, elements of an array repeat its name. The
 * depth is bounded by path_enter. */
static void put_json(struct filling *filling, struct path *path, const struct lg_json *value)
{
	struct lg_request *request = filling->request;
	int32_t kind = lg_json_kind(request, value);
	struct lg_slice name = {path->name, path->length};

	if (kind == LG_JSON_TRUE || kind == LG_JSON_FALSE) {
		put(filling, name, kind == LG_JSON_TRUE ? LG_SLICE("true") : LG_SLICE("false"));
	} else if (kind == LG_JSON_NUMBER || kind == LG_JSON_STRING) {
		put(filling, name, lg_json_text(request, value));
	} else if (kind == LG_JSON_ARRAY ||
		   (kind == LG_JSON_OBJECT && !put_profile(filling, path, value))) {
		const struct lg_json *part = lg_json_first(request, value);
		for (; part && !filling->failed; part = lg_json_next(request, part)) {
			struct path outer = {.length = path->length, .depth = path->depth};
			bool fits = kind == LG_JSON_OBJECT
					    ? path_enter(path, lg_json_name(request, part))
					    : path->depth++ < DEPTH_MAX;
			if (!fits) {
				refuse(filling, 422,
				       "The JSON is nested deeper than 8 levels, or "
				       "a field's name with the names around it is "
				       "longer than 256 bytes.");
				return;
			}
			put_json(filling, path, part);
			path->length = outer.length;
			path->depth = outer.depth;
		}
	}
}

static int32_t read_json(struct filling *filling, struct lg_slice body)
{
	char text[256] = "The body is no JSON.";
	struct lg_text problem = {text, sizeof(text)};
	const struct lg_json *root;
	struct path path = {.length = 0};

	if (lg_json(filling->request, body, &root, problem) != LG_OK)
		return refuse(filling, 400, text);
	if (lg_json_kind(filling->request, root) != LG_JSON_OBJECT)
		return refuse(filling, 422,
			      "The body must be one JSON object: its members are the "
			      "fields of the form.");
	put_json(filling, &path, root);
	return filling->failed ? LG_FAIL : LG_OK;
}

static bool is_type(struct lg_slice content_type, const char *type)
{
	return lg_slice_is(lg_slice_trim(lg_slice_part(&content_type, ';')), type);
}

static int32_t read_body(struct filling *filling, struct lg_slice body)
{
	struct lg_slice type = header(filling->request, "content-type");

	if (is_type(type, "application/x-www-form-urlencoded"))
		return read_form(filling, body);
	if (is_type(type, "application/json"))
		return read_json(filling, body);
	return refuse(filling, 415,
		      lg_slice_trim(type).length
			      ? "This Content-Type is not taken here: send "
				"application/x-www-form-urlencoded or application/json."
			      : "The request has no Content-Type: send "
				"application/x-www-form-urlencoded or application/json.");
}

/* ---- the request ----------------------------------------------------------- */

/* Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a structured
 * field string in quotes; senders that leave the quotes out are understood. */
static int32_t take_key(struct filling *filling)
{
	struct lg_slice key = lg_slice_trim(header(filling->request, "idempotency-key"));

	if (!key.data)
		return LG_OK;
	if (key.length >= 2 && key.data[0] == '"' && key.data[key.length - 1] == '"')
		key = lg_slice_cut(key, 1, key.length - 2);
	if (key.length == 0 || key.length > KEY_BYTES)
		return refuse(filling, 400, "The Idempotency-Key must have 1 to 255 characters.");
	for (size_t i = 0; i < key.length; i++)
		if (key.data[i] < ' ' || key.data[i] > '~')
			return refuse(filling, 400, "The Idempotency-Key must be printable ASCII.");
	if (lg_lead_key(filling->lead, LG_KEY_IDEMPOTENCY, key) != LG_OK)
		return refuse(filling, 503, "The Idempotency-Key could not be kept.");
	return LG_OK;
}

/* The kind-th word of KINDS. */
static struct lg_slice kind_name(int32_t kind)
{
	struct lg_slice rest = LG_SLICE(KINDS), word = lg_slice_part(&rest, '|');

	while (kind-- > 0)
		word = lg_slice_part(&rest, '|');
	return word;
}

static void add_what_the_form_left_out(struct filling *filling)
{
	struct lg_slice referer = lg_slice_trim(header(filling->request, "referer"));

	if (!filling->taken[LG_INQUIRY_KIND].data)
		lg_lead_set(filling->lead, LG_INQUIRY_KIND, kind_name(filling->settings->kind));
	if (!filling->taken[LG_PAGE_URL].data && referer.length)
		lg_lead_set(filling->lead, LG_PAGE_URL, referer);
}

static int32_t receive(void *instance, struct lg_request *request)
{
	struct filling filling = {.settings = instance, .request = request};
	struct lg_request_info info;

	if (lg_request_info(request, &info) != LG_OK)
		return lg_refuse(request, 503, LG_SLICE("The request could not be read."));
	filling.lead = lg_lead(request);
	if (!filling.lead)
		return lg_refuse(request, 503, LG_SLICE("There is no memory for the lead."));
	if (take_key(&filling) != LG_OK || read_body(&filling, info.body) != LG_OK)
		return LG_FAIL;
	add_what_the_form_left_out(&filling);
	return LG_OK;
}

/* ---- the answer ------------------------------------------------------------ */

/* The weight of one media range, in thousandths (RFC 9110, section 12.4.2). */
static int quality(struct lg_slice parameters)
{
	while (parameters.length) {
		struct lg_slice p = lg_slice_trim(lg_slice_part(&parameters, ';'));
		int value = 0;
		if (p.length < 3 || lg_lower(p.data[0]) != 'q' || p.data[1] != '=')
			continue;
		value = p.data[2] == '1' ? 1000 : 0;
		for (size_t i = 4, unit = 100; value < 1000 && i < p.length && unit;
		     i++, unit /= 10)
			if (p.data[i] >= '0' && p.data[i] <= '9')
				value += (int)unit * (p.data[i] - '0');
		return value;
	}
	return 1000;
}

/* How much Accept wants a type; the most specific range that names it counts
 * (RFC 9110, section 12.5.1). */
static int weight(struct lg_slice accept, const char *type, const char *family)
{
	int best = 0, precision = -1;

	while (accept.length) {
		struct lg_slice range = lg_slice_part(&accept, ',');
		struct lg_slice name = lg_slice_trim(lg_slice_part(&range, ';'));
		int fits = lg_slice_is(name, type)     ? 2
			   : lg_slice_is(name, family) ? 1
			   : lg_slice_is(name, "*/*")  ? 0
						       : -1;
		if (fits > precision) {
			precision = fits;
			best = quality(range);
		}
	}
	return best;
}

/* A browser asks for pages first; a program that asks for anything gets JSON. */
static bool wants_page(struct lg_request *request)
{
	struct lg_slice accept = header(request, "accept");

	return weight(accept, "text/html", "text/*") >
	       weight(accept, "application/json", "application/*");
}

/* Text on its way into HTML or JSON, cut when it is full. */
struct page {
	char data[4096];
	size_t length;
};

static void page_begin(struct page *page)
{
	page->length = 0; /* and not a page of zeroes for some bytes of JSON */
}

static void page_add(struct page *page, const char *text)
{
	size_t length = strlen(text);

	if (length > sizeof(page->data) - page->length)
		length = sizeof(page->data) - page->length;
	memcpy(page->data + page->length, text, length);
	page->length += length;
}

/* As much of a text as leaves room for what closes a page, cut between two
 * characters: the further bytes of one go with its first. */
static bool page_takes(const struct page *page, char c)
{
	size_t spare = ((unsigned char)c & 0xc0) == 0x80 ? 128 : 256;

	return page->length + spare < sizeof(page->data);
}

static void page_add_html(struct page *page, struct lg_slice text)
{
	for (size_t i = 0; i < text.length && page_takes(page, text.data[i]); i++) {
		char c = text.data[i];
		const char one[2] = {c, '\0'};
		page_add(page, c == '<'	  ? "&lt;"
			       : c == '>' ? "&gt;"
			       : c == '&' ? "&amp;"
			       : c == '"' ? "&quot;"
					  : one);
	}
}

static void page_add_json(struct page *page, struct lg_slice text)
{
	for (size_t i = 0; i < text.length && page_takes(page, text.data[i]); i++) {
		unsigned char c = (unsigned char)text.data[i];
		char escape[8];
		if (c < ' ') {
			snprintf(escape, sizeof(escape), "\\u%04x", c);
			page_add(page, escape);
			continue;
		}
		if (c == '"' || c == '\\')
			page_add(page, "\\");
		page->data[page->length++] = text.data[i];
	}
}

static void html(struct page *page, const char *title, struct lg_slice text)
{
	page_add(page, "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">"
		       "<meta name=\"viewport\" content=\"width=device-width\"><title>");
	page_add(page, title);
	page_add(page, "</title>\n<p>");
	page_add_html(page, text);
	page_add(page, "</p>\n</html>\n");
}

static int32_t answer(struct lg_reply *reply, int32_t status, const char *type,
		      const struct page *page)
{
	if (lg_reply_status(reply, status) != LG_OK)
		return LG_FAIL;
	return lg_reply_body(reply, type, (struct lg_slice){page->data, page->length});
}

static int32_t answer_refused(const struct lg_result *result, bool browser, struct lg_reply *reply)
{
	struct page page;
	int32_t status = result->status ? result->status : 422;
	char number[16];

	page_begin(&page);
	if (browser) {
		html(&page, "Not sent", result->reason);
		return answer(reply, status, "text/html; charset=utf-8", &page);
	}
	snprintf(number, sizeof(number), "%d", (int)status);
	page_add(&page,
		 "{\"type\":\"about:blank\",\"title\":\"The lead was not taken\",\"status\":");
	page_add(&page, number);
	page_add(&page, ",\"detail\":\"");
	page_add_json(&page, result->reason);
	page_add(&page, "\"}");
	return answer(reply, status, "application/problem+json", &page);
}

static int32_t answer_accepted(const struct settings *settings, const struct lg_result *result,
			       struct lg_request *request, struct lg_reply *reply)
{
	struct page page;

	page_begin(&page);
	if (!wants_page(request)) {
		page_add(&page, "{\"status\":\"accepted\",\"receipt\":\"");
		page_add_json(&page, result->receipt);
		page_add(&page, "\"}");
		return answer(reply, 202, "application/json", &page);
	}
	if (settings->redirect.length &&
	    is_type(header(request, "content-type"), "application/x-www-form-urlencoded"))
		return lg_reply_status(reply, 303) == LG_OK
			       ? lg_reply_header(reply, "Location", settings->redirect)
			       : LG_FAIL;
	html(&page, "Thank you", settings->thanks);
	return answer(reply, 202, "text/html; charset=utf-8", &page);
}

static int32_t reply_to(void *instance, struct lg_request *request, struct lg_reply *reply)
{
	struct lg_result result;

	if (lg_result(request, 0, &result) != LG_OK)
		return LG_FAIL;
	if (result.verdict == LG_ACCEPTED || result.verdict == LG_REPEATED)
		return answer_accepted(instance, &result, request, reply);
	return answer_refused(&result, wants_page(request), reply);
}

static const struct lg_source_operations operations = {
	.size = sizeof(operations),
	.check = check,
	.open = open_instance,
	.receive = receive,
	.reply = reply_to,
};

LG_SOURCE_PLUGIN(0, 1, "webform", .version = "0.1",
		 .summary = "Leads from the forms of a web site, form posts or JSON",
		 .channel = "web", .methods = "POST", .source = &operations,
		 LG_OPTIONS(options, struct settings));
