/* The parts of the webform plugin. Nothing here is seen outside of it. */
#ifndef WEBFORM_H
#define WEBFORM_H

#include <leadgate/source.h>
#include <leadgate/text.h>

struct settings {
	struct lg_field_map fields;
	int32_t kind; /* position in LG_INQUIRY_KINDS */
	struct lg_slice honeypot;
	struct lg_slice redirect;
	struct lg_slice redirect_field;
	struct lg_list redirects;
	struct lg_slice thanks;
	struct lg_slice consent_field, consent_purpose, consent_text, consent_version;
	struct lg_list consent_channels, consent_denied;
	struct lg_list origins;
	int64_t preflight_age; /* milliseconds */
	int64_t max_name, max_value, max_page;
};

#define NAME_BYTES_MAX 1024 /* that max_name may be */

/* Why a request is refused: a sentence, whole also when it quotes the name of a field. */
struct problem {
	int32_t status; /* 0: it is not */
	char detail[NAME_BYTES_MAX + 256];
};

/* Says it, as printf does. Returns false. */
bool problem_set(struct problem *problem, int32_t status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The first value of a header; absent without one. */
struct lg_slice request_header(struct lg_request *request, const char *name);

/* ---- body.c: what stands in a body, whatever its media type ------------------ */

/* Is told each field in the order in which they stand; text is UTF-8 and lives as
 * long as the request. False ends the reading: the visitor has said why. */
struct visitor {
	bool (*field)(struct visitor *visitor, struct lg_slice name, struct lg_slice value,
		      struct problem *problem);
	/* A profile of JSON, the one object that may come several times. NULL: its members come
	 * as fields, as those of other objects do. */
	bool (*profile)(struct visitor *visitor, struct lg_slice network, struct lg_slice id,
			struct lg_slice url, struct problem *problem);
};

/* False with the problem when the body cannot be read, or the visitor ended it. */
bool body_read(struct lg_request *request, const struct settings *settings, struct lg_slice body,
	       struct visitor *visitor, struct problem *problem);

/* Whether the body is that of a form, which a browser sends for a page: all but
 * JSON. */
bool body_is_form(struct lg_request *request);

/* A body on its way to the visitor, for those who read it. */
struct reading {
	struct lg_request *request;
	const struct settings *settings;
	struct visitor *visitor;
	struct problem *problem;
};

/* Gives the visitor a field within the limits that all bodies have. False with the
 * problem. */
bool body_give(const struct reading *reading, struct lg_slice name, struct lg_slice value);

/* ---- json_body.c: JSON in a body ------------------------------------------------- */

/* False with the problem, as above. */
bool json_body_read(const struct reading *reading, struct lg_slice body);

/* ---- fields.c: from fields to a lead ------------------------------------------ */

/* Fills the lead from the request. False with the problem. */
bool fields_fill(const struct settings *settings, struct lg_request *request, struct lg_lead *lead,
		 struct lg_slice body, struct problem *problem);

/* The record's field that a form's field means; LG_FAIL: none. */
int32_t fields_named(const struct settings *settings, struct lg_request *request,
		     struct lg_slice name);

/* What a value of the consent's field states: LG_CONSENT_GRANTED, LG_CONSENT_DENIED, or 0,
 * nothing: the box is not checked. */
int32_t fields_consent(const struct settings *settings, struct lg_slice value);

/* ---- cors.c: which sites' pages may send ---------------------------------------- */

/* What is wrong with `origins`; NULL: nothing. */
const char *cors_check(const struct settings *settings);

/* Whether what the request comes from may send: a listed site, this gateway's own page,
 * or a program, which says nothing of where it is. */
bool cors_takes(const struct settings *settings, struct lg_request *request);

/* Looks where the request comes from and adds what a browser wants to hear to the
 * answer, whatever that will be. False with the problem: the site may not. */
bool cors_admit(const struct settings *settings, struct lg_request *request,
		struct problem *problem);

/* The same for OPTIONS, by which a browser asks before it sends. */
bool cors_preflight(const struct settings *settings, struct lg_request *request,
		    struct problem *problem);

/* ---- answer.c: pages for browsers, JSON for programs ---------------------------- */

int32_t answer_accepted(const struct settings *settings, const struct lg_result *result,
			struct lg_request *request, struct lg_reply *reply);

/* A page keeps what was typed, so that it can be sent again: not when its site may not
 * send. */
int32_t answer_refused(const struct settings *settings, int32_t status, struct lg_slice reason,
		       struct lg_request *request, struct lg_reply *reply);

/* Whether the sender likes a page better than JSON. */
bool answer_is_page(struct lg_request *request);

/* ---- page.c: text on its way into HTML or JSON ----------------------------------- */

/* What goes beyond the room is only counted: then the page is written again. */
struct page {
	char *data;
	size_t room, length;
};

void page_add(struct page *page, const char *text);
void page_add_html(struct page *page, struct lg_slice text);
void page_add_json(struct page *page, struct lg_slice text);

/* A page by what `render` adds to it, of the request. False: longer than
 * `max_bytes`, or no memory. */
bool page_make(struct lg_request *request, void (*render)(struct page *page, void *context),
	       void *context, size_t max_bytes, struct lg_slice *text);

#endif
