#include "webform.h"

#include <stdio.h>

/* Of a page without what was typed, of whose problem each byte may be written as six. */
#define REASON_BYTES 8192

/* In which the page with a refused form sends on where that form stood. */
#define PAGE_FIELD "client.page_url"

/* ---- who asks -------------------------------------------------------------------- */

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
bool answer_is_page(struct lg_request *request)
{
	struct lg_slice accept = request_header(request, "accept");

	return weight(accept, "text/html", "text/*") >
	       weight(accept, "application/json", "application/*");
}

/* ---- pages ------------------------------------------------------------------------ */

#define HEAD_START                                                    \
	"<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">" \
	"<meta name=\"viewport\" content=\"width=device-width\"><title>"

static int32_t send_text(struct lg_reply *reply, int32_t status, const char *type,
			 struct lg_slice text)
{
	if (lg_reply_status(reply, status) != LG_OK ||
	    lg_reply_header(reply, "Cache-Control", LG_SLICE("no-store")) != LG_OK)
		return LG_FAIL;
	return lg_reply_body(reply, type, text);
}

/* What was typed stands in it, so nothing that could run may be loaded. (form-action
 * would stop the redirect after the form, too.) */
static int32_t send_page(struct lg_reply *reply, int32_t status, struct lg_slice text)
{
	if (lg_reply_header(reply, "Content-Security-Policy",
			    LG_SLICE("default-src 'none'; base-uri 'none'")) != LG_OK ||
	    lg_reply_header(reply, "X-Content-Type-Options", LG_SLICE("nosniff")) != LG_OK)
		return LG_FAIL;
	return send_text(reply, status, "text/html; charset=utf-8", text);
}

/* A page or an answer that is being written. */
struct writing {
	struct visitor visitor; /* first: hears the form's fields */
	struct page *page;
	const struct settings *settings;
	struct lg_request *request;
	struct lg_slice text; /* what it says */
	int32_t status;
	bool says_page; /* the form itself brought the page on which it stands */
};

static void start_page(struct page *page, const char *title, struct lg_slice text)
{
	page_add(page, HEAD_START);
	page_add(page, title);
	page_add(page, "</title>\n<h1>");
	page_add(page, title);
	page_add(page, "</h1>\n<p>");
	page_add_html(page, text);
	page_add(page, "</p>\n");
}

static void render_thanks(struct page *page, void *context)
{
	struct writing *writing = context;

	start_page(page, "Thank you", writing->text);
	page_add(page, "</html>\n");
}

static void render_short(struct page *page, void *context)
{
	struct writing *writing = context;

	start_page(page, "Not sent", writing->text);
	page_add(page, "<p>What you have typed is still there when you go back.</p>\n</html>\n");
}

/* ---- what was typed ------------------------------------------------------------------ */

static void add_attributes(struct page *page, struct lg_slice name)
{
	page_add(page, " name=\"");
	page_add_html(page, name);
	page_add(page, "\"");
}

/* A checked box has the value that it came with; one that is not sends what any box does. */
static void add_box(struct page *page, const struct settings *settings, struct lg_slice name,
		    struct lg_slice value, bool checked)
{
	page_add(page, "<p><label><input type=\"checkbox\" value=\"");
	page_add_html(page, checked ? value : LG_SLICE("on"));
	page_add(page, "\"");
	add_attributes(page, name);
	page_add(page, checked ? " checked> " : "> ");
	page_add_html(page, settings->consent_text.length ? settings->consent_text : name);
	page_add(page, "</label></p>\n");
}

static void add_input(struct page *page, bool hidden, struct lg_slice name, struct lg_slice value)
{
	page_add(page, hidden ? "<input type=\"hidden\"" : "<input");
	add_attributes(page, name);
	page_add(page, " value=\"");
	page_add_html(page, value);
	page_add(page, "\">");
}

/* The line feed after the tag is not part of the value (WHATWG HTML, 13.2.6.4.7). */
static void add_area(struct page *page, struct lg_slice name, struct lg_slice value)
{
	page_add(page, "<textarea rows=\"6\" cols=\"60\"");
	add_attributes(page, name);
	page_add(page, ">\n");
	page_add_html(page, value);
	page_add(page, "</textarea>");
}

/* What people did not see in the form they do not see here. */
static bool is_hidden(const struct settings *settings, struct lg_slice name)
{
	return name.data[0] == '_' || lg_slice_equal(name, LG_SLICE(PAGE_FIELD)) ||
	       (settings->honeypot.length && lg_slice_equal(name, settings->honeypot));
}

static bool show_field(struct visitor *visitor, struct lg_slice name, struct lg_slice value,
		       struct problem *problem)
{
	struct writing *writing = (struct writing *)visitor;
	const struct settings *settings = writing->settings;
	struct page *page = writing->page;
	int32_t state = fields_consent(settings, value);

	(void)problem;
	if (lg_slice_trim(value).length &&
	    fields_named(settings, writing->request, name) == LG_PAGE_URL)
		writing->says_page = true;
	if (is_hidden(settings, name)) {
		add_input(page, true, name, value);
		return true;
	}
	/* A word of refusal was no box, and is not made one. */
	if (settings->consent_field.length && lg_slice_equal(name, settings->consent_field) &&
	    state != LG_CONSENT_DENIED) {
		add_box(page, settings, name, value, state == LG_CONSENT_GRANTED);
		return true;
	}
	page_add(page, "<p><label>");
	page_add_html(page, name);
	page_add(page, "<br>");
	if (value.length > 80 || (value.length && memchr(value.data, '\n', value.length)))
		add_area(page, name, value);
	else
		add_input(page, false, name, value);
	page_add(page, "</label></p>\n");
	return true;
}

/* What is corrected comes from this page and not from the one that the visitor came to,
 * whose address says what led there. An address that no field may hold would have the
 * form refused for it. */
static void add_page_url(struct writing *writing)
{
	struct lg_slice referer = lg_slice_trim(request_header(writing->request, "referer"));

	if (!writing->says_page && referer.length &&
	    referer.length <= (size_t)writing->settings->max_value)
		add_input(writing->page, true, LG_SLICE(PAGE_FIELD), referer);
}

/* The form as it was sent, to be corrected and sent again. A body that cannot be
 * read to its end shows what stands before. */
static void render_again(struct page *page, void *context)
{
	struct writing *writing = context;
	struct problem problem = {0};
	struct lg_request_info info;

	writing->page = page;
	writing->says_page = false;
	start_page(page, "Not sent", writing->text);
	page_add(page, "<form method=\"post\" accept-charset=\"utf-8\">\n");
	if (lg_request_info(writing->request, &info) == LG_OK)
		body_read(writing->request, writing->settings, info.body, &writing->visitor,
			  &problem);
	add_page_url(writing);
	page_add(page, "<p><button>Send again</button></p>\n</form>\n</html>\n");
}

static bool read_nothing(struct visitor *visitor, struct lg_slice name, struct lg_slice value,
			 struct problem *problem)
{
	(void)visitor;
	(void)name;
	(void)value;
	(void)problem;
	return true;
}

/* Whether a form stands in the body that can be shown again as it was. The gateway's own
 * page may send, so that it never offers what another site may not. */
static bool can_show(struct writing *writing)
{
	struct visitor nobody = {read_nothing, NULL};
	struct problem problem = {0};
	struct lg_request_info info;

	return cors_takes(writing->settings, writing->request) && body_is_form(writing->request) &&
	       lg_request_info(writing->request, &info) == LG_OK && info.body.length &&
	       body_read(writing->request, writing->settings, info.body, &nobody, &problem);
}

/* ---- answers -------------------------------------------------------------------------- */

static void render_problem(struct page *page, void *context)
{
	struct writing *writing = context;
	char number[16];

	snprintf(number, sizeof(number), "%d", (int)writing->status);
	page_add(page,
		 "{\"type\":\"about:blank\",\"title\":\"The lead was not taken\",\"status\":");
	page_add(page, number);
	page_add(page, ",\"detail\":\"");
	page_add_json(page, writing->text);
	page_add(page, "\"}\n");
}

static void render_accepted(struct page *page, void *context)
{
	struct writing *writing = context;

	page_add(page, "{\"status\":\"accepted\",\"receipt\":\"");
	page_add_json(page, writing->text);
	page_add(page, "\"}");
}

int32_t answer_refused(const struct settings *settings, int32_t status, struct lg_slice reason,
		       struct lg_request *request, struct lg_reply *reply)
{
	struct writing writing = {.visitor = {show_field, NULL},
				  .settings = settings,
				  .request = request,
				  .text = reason,
				  .status = status};
	struct lg_slice text;

	if (!answer_is_page(request))
		return page_make(request, render_problem, &writing, REASON_BYTES, &text)
			       ? send_text(reply, status, "application/problem+json", text)
			       : LG_FAIL;
	if ((can_show(&writing) &&
	     page_make(request, render_again, &writing, (size_t)settings->max_page, &text)) ||
	    page_make(request, render_short, &writing, REASON_BYTES, &text))
		return send_page(reply, status, text);
	return LG_FAIL;
}

/* What the form names in its redirect field, when the configuration lists it. */
struct choosing {
	struct visitor visitor; /* first */
	const struct settings *settings;
	struct lg_slice chosen;
};

static bool choose(struct visitor *visitor, struct lg_slice name, struct lg_slice value,
		   struct problem *problem)
{
	struct choosing *choosing = (struct choosing *)visitor;
	const struct settings *settings = choosing->settings;

	(void)problem;
	if (lg_slice_equal(name, settings->redirect_field))
		for (size_t i = 0; i < settings->redirects.count; i++)
			if (lg_slice_equal(settings->redirects.items[i], lg_slice_trim(value)))
				choosing->chosen = settings->redirects.items[i];
	return true;
}

/* Never what the form says: only what the configuration has. */
static struct lg_slice target_of(const struct settings *settings, struct lg_request *request)
{
	struct choosing choosing = {{choose, NULL}, settings, settings->redirect};
	struct problem problem = {0};
	struct lg_request_info info;

	if (settings->redirects.count && lg_request_info(request, &info) == LG_OK)
		body_read(request, settings, info.body, &choosing.visitor, &problem);
	return choosing.chosen;
}

int32_t answer_accepted(const struct settings *settings, const struct lg_result *result,
			struct lg_request *request, struct lg_reply *reply)
{
	struct writing writing = {.text = result->receipt};
	struct lg_slice target = {NULL, 0}, text;

	if (!answer_is_page(request))
		return page_make(request, render_accepted, &writing, REASON_BYTES, &text)
			       ? send_text(reply, 202, "application/json", text)
			       : LG_FAIL;
	if (body_is_form(request))
		target = target_of(settings, request);
	if (target.length)
		return lg_reply_status(reply, 303) == LG_OK
			       ? lg_reply_header(reply, "Location", target)
			       : LG_FAIL;
	writing.text = settings->thanks;
	return page_make(request, render_thanks, &writing, SIZE_MAX, &text)
		       ? send_page(reply, 202, text)
		       : LG_FAIL;
}
