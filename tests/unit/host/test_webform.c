/* The webform plugin, linked in, over services that write down what it does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>
#include <leadgate/source.h>

#include "base/buffer.h"
#include "codec/form.h"
#include "codec/json.h"
#include "host/library.h"
#include "host/services.h"
#include "lead/field.h"

extern const struct lg_plugin plugin_webform;

/* One request, one lead, one answer; `story` is what the plugin did, a line a
 * call. */
static struct desk {
	struct lg_request request; /* first */
	struct lg_lead lead;
	struct lg_reply reply;
	struct lg_services services;
	struct arena arena;
	struct buffer story;
	struct form form;
	const char *headers[8][2];
	struct lg_slice body;
	size_t extra_limit;
	struct lg_result result;
	_Alignas(16) char settings[512];
	void *instance;
} desk;

__attribute__((format(printf, 1, 2))) static void tell(const char *format, ...)
{
	char line[8192];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	assert_true(n >= 0 && n < (int)sizeof(line));
	buffer_add(&desk.story, line, (size_t)n);
	buffer_add_byte(&desk.story, '\n');
}

static int32_t fake_info(struct lg_request *request, struct lg_request_info *info)
{
	(void)request;
	info->method = LG_SLICE("POST");
	info->body = desk.body;
	return LG_OK;
}

static int32_t fake_header(struct lg_request *request, const char *name, size_t index,
			   struct lg_slice *value)
{
	(void)request;
	for (size_t i = 0; i < 8 && desk.headers[i][0]; i++)
		if (strcasecmp(desk.headers[i][0], name) == 0 && index-- == 0) {
			*value = slice_from(desk.headers[i][1]);
			return LG_OK;
		}
	return LG_FAIL;
}

static int32_t fake_form(struct lg_request *request, struct lg_slice bytes, struct lg_form **form)
{
	(void)request;
	*form = (struct lg_form *)&desk.form;
	return form_parse(&desk.arena, bytes, 100, &desk.form) ? LG_OK : LG_FAIL;
}

static size_t fake_form_count(const struct lg_form *form)
{
	return ((const struct form *)form)->count;
}

static int32_t fake_form_pair(const struct lg_form *form, size_t index, struct lg_pair *pair)
{
	*pair = ((const struct form *)form)->pairs[index];
	return LG_OK;
}

static int32_t fake_json(struct lg_request *request, struct lg_slice bytes,
			 const struct lg_json **root, struct lg_text problem)
{
	struct error error = {""};

	(void)request;
	*root = (const struct lg_json *)json_parse(&desk.arena, bytes, &error);
	snprintf(problem.data, problem.capacity, "%.200s", error.text);
	return *root ? LG_OK : LG_FAIL;
}

static void *fake_allocate(struct lg_request *request, size_t size)
{
	(void)request;
	return arena_zalloc(&desk.arena, size);
}

static int32_t fake_refuse(struct lg_request *request, int32_t status, struct lg_slice detail)
{
	(void)request;
	tell("refuse %d %.*s", status, SLICE_ARGS(detail));
	return LG_FAIL;
}

static struct lg_lead *fake_lead(struct lg_request *request)
{
	(void)request;
	return &desk.lead;
}

static int32_t fake_set(struct lg_lead *lead, int32_t field, struct lg_slice value)
{
	(void)lead;
	if (field < 0 || field >= LG_FIELD_COUNT || field_table[field].type == FIELD_LIST)
		return LG_FAIL;
	tell("%s=%.*s", field_table[field].path, SLICE_ARGS(value));
	return LG_OK;
}

static int32_t fake_add(struct lg_lead *lead, int32_t field, struct lg_slice value)
{
	(void)lead;
	if (field < 0 || field >= LG_FIELD_COUNT || field_table[field].type != FIELD_LIST)
		return LG_FAIL;
	tell("%s+=%.*s", field_table[field].path, SLICE_ARGS(value));
	return LG_OK;
}

static int32_t fake_profile(struct lg_lead *lead, struct lg_slice network, struct lg_slice id,
			    struct lg_slice url)
{
	(void)lead;
	tell("profile %.*s %.*s %.*s", SLICE_ARGS(network), SLICE_ARGS(id), SLICE_ARGS(url));
	return LG_OK;
}

static int32_t fake_consent(struct lg_lead *lead, const struct lg_consent *c)
{
	(void)lead;
	tell("consent %d %.*s by %.*s: %.*s v%.*s", c->state, SLICE_ARGS(c->purpose),
	     SLICE_ARGS(c->channels), SLICE_ARGS(c->text), SLICE_ARGS(c->version));
	return LG_OK;
}

static int32_t fake_extra(struct lg_lead *lead, struct lg_slice name, struct lg_slice value)
{
	(void)lead;
	if (desk.extra_limit-- == 0)
		return LG_FAIL;
	tell("extra %.*s=%.*s", SLICE_ARGS(name), SLICE_ARGS(value));
	return LG_OK;
}

static int32_t fake_key(struct lg_lead *lead, int32_t kind, struct lg_slice key)
{
	(void)lead;
	tell("key %d %.*s", kind, SLICE_ARGS(key));
	return LG_OK;
}

static int32_t fake_trap(struct lg_lead *lead, struct lg_slice rule)
{
	(void)lead;
	tell("trap %.*s", SLICE_ARGS(rule));
	return LG_OK;
}

static int32_t fake_field_named(struct lg_slice name)
{
	return field_by_name(name);
}

static int32_t fake_result(struct lg_request *request, size_t index, struct lg_result *result)
{
	(void)request;
	if (index > 0)
		return LG_FAIL;
	*result = desk.result;
	return LG_OK;
}

static int32_t fake_status(struct lg_reply *reply, int32_t status)
{
	(void)reply;
	tell("status %d", status);
	return LG_OK;
}

static int32_t fake_reply_header(struct lg_reply *reply, const char *name, struct lg_slice value)
{
	(void)reply;
	tell("%s: %.*s", name, SLICE_ARGS(value));
	return LG_OK;
}

static int32_t fake_reply_body(struct lg_reply *reply, const char *type, struct lg_slice body)
{
	(void)reply;
	tell("%s: %.*s", type, SLICE_ARGS(body));
	return LG_OK;
}

/* ---- the desk --------------------------------------------------------------- */

static void set_setting(const char *name, const void *value, size_t size)
{
	for (size_t i = 0; i < plugin_webform.option_count; i++)
		if (strcmp(plugin_webform.options[i].name, name) == 0) {
			memcpy(desk.settings + plugin_webform.options[i].offset, value, size);
			return;
		}
	fail_msg("no option %s", name);
}

static void set_text(const char *name, const char *value)
{
	struct lg_slice text = slice_from(value);
	set_setting(name, &text, sizeof(text));
}

static void add_services(struct lg_services *services)
{
	services_init(services);
	services->request_info = fake_info;
	services->header = fake_header;
	services->form = fake_form;
	services->form_count = fake_form_count;
	services->form_pair = fake_form_pair;
	services->json = fake_json;
	services->allocate = fake_allocate;
	services->refuse = fake_refuse;
	services->lead = fake_lead;
	services->lead_set = fake_set;
	services->lead_add = fake_add;
	services->lead_profile = fake_profile;
	services->lead_consent = fake_consent;
	services->lead_extra = fake_extra;
	services->lead_key = fake_key;
	services->lead_trap = fake_trap;
	services->field_named = fake_field_named;
	services->result = fake_result;
	services->reply_status = fake_status;
	services->reply_header = fake_reply_header;
	services->reply_body = fake_reply_body;
}

static int desk_init(void **state)
{
	(void)state;
	memset(&desk, 0, sizeof(desk));
	add_services(&desk.services);
	desk.request.services = desk.lead.services = desk.reply.services = &desk.services;
	desk.extra_limit = 50;
	arena_init(&desk.arena, 65536, 0);
	buffer_init(&desk.story, SIZE_MAX);
	set_text("thanks", "Thank you <very> much.");
	set_text("consent_purpose", "marketing");
	return 0;
}

static int desk_fini(void **state)
{
	(void)state;
	arena_fini(&desk.arena);
	buffer_fini(&desk.story);
	return 0;
}

static int group_init(void **state)
{
	(void)state;
	field_setup();
	return 0;
}

static void header(const char *name, const char *value)
{
	size_t i = 0;

	while (desk.headers[i][0])
		i++;
	assert_true(i < 7);
	desk.headers[i][0] = name;
	desk.headers[i][1] = value;
}

static const char *story(void)
{
	buffer_add_byte(&desk.story, '\0');
	return desk.story.data;
}

/* What the plugin makes of a body. */
static const char *receive(const char *type, const char *body)
{
	char text[64];

	if (type)
		header("Content-Type", type);
	desk.body = slice_from(body);
	assert_int_equal(plugin_webform.source->open(NULL, desk.settings, &desk.instance,
						     (struct lg_text){text, sizeof(text)}),
			 LG_OK);
	plugin_webform.source->receive(desk.instance, &desk.request);
	return story();
}

static const char *receive_form(const char *body)
{
	return receive("application/x-www-form-urlencoded", body);
}

static const char *receive_json(const char *body)
{
	return receive("application/json; charset=utf-8", body);
}

#define HAS(text, word)                                                 \
	do {                                                            \
		const char *all = (text);                               \
		if (!strstr(all, (word)))                               \
			fail_msg("\"%s\" is not in:\n%s", (word), all); \
	} while (0)
#define LACKS(text, word)                                           \
	do {                                                        \
		const char *all = (text);                           \
		if (strstr(all, (word)))                            \
			fail_msg("\"%s\" is in:\n%s", (word), all); \
	} while (0)

/* ---- forms ------------------------------------------------------------------ */

static void test_form_fields(void **state)
{
	(void)state;
	assert_string_equal(receive_form("email=a%40b.c&Your-Name=Ada+L&shoe+size=38&phone=&"
					 "products%5B%5D=x&products%5B%5D=y&empty="),
			    "person.email=a@b.c\n"
			    "person.full_name=Ada L\n"
			    "extra shoe size=38\n"
			    "inquiry.products+=x\n"
			    "inquiry.products+=y\n"
			    "extra empty=\n"
			    "inquiry.kind=contact\n");
}

static void test_fields_map(void **state)
{
	static const struct lg_field_name names[] = {{{"your-tel", 8}, LG_PHONE, 0},
						     {{"email", 5}, LG_REFERRER_EMAIL, 0}};
	struct lg_field_map map = {names, 2};
	int32_t kind = 2;

	(void)state;
	set_setting("fields", &map, sizeof(map));
	set_setting("kind", &kind, sizeof(kind));
	assert_string_equal(receive_form("your-tel=123&email=x%40y.z"),
			    "person.phone=123\nreferral.referrer_email=x@y.z\ninquiry.kind=demo\n");
}

/* No value is dropped when two fields mean the same. */
static void test_two_values(void **state)
{
	(void)state;
	assert_string_equal(receive_form("email=a%40b.c&mail=d%40e.f&e_mail=+&inquiry_kind=quote"),
			    "person.email=a@b.c\n"
			    "person.email=d@e.f\n"
			    "extra mail=a@b.c\n"
			    "inquiry.kind=quote\n");
}

static void test_honeypot(void **state)
{
	(void)state;
	set_text("honeypot", "website2");
	LACKS(receive_form("email=a%40b.c&website2="), "trap");
	desk_fini(state);
	desk_init(state);
	set_text("honeypot", "website2");
	assert_string_equal(receive_form("email=a%40b.c&website2=spam"),
			    "person.email=a@b.c\ntrap honeypot\ninquiry.kind=contact\n");
}

static void test_consent(void **state)
{
	static const struct lg_slice channels[] = {{"email", 5}, {"sms", 3}};
	static const struct {
		const char *body;
		bool granted;
	} boxes[] = {{"agree=on", true},   {"agree=yes", true}, {"agree=1", true},
		     {"agree=", false},	   {"agree=0", false},	{"agree=False", false},
		     {"agree=off", false}, {"x=on", false},	{"agree=0&agree=1", true},
		     {"agree=+no+", false}};
	struct lg_list list = {channels, 2};

	for (size_t i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++) {
		set_text("consent_field", "agree");
		set_text("consent_text", "Write to me");
		set_text("consent_version", "3");
		set_setting("consent_channels", &list, sizeof(list));
		const char *text = receive_form(boxes[i].body);
		LACKS(text, "extra agree");
		if (boxes[i].granted)
			HAS(text, "consent 1 marketing by email,sms: Write to me v3\n");
		else
			LACKS(text, "consent");
		desk_fini(state);
		desk_init(state);
	}
}

static void test_page_url(void **state)
{
	(void)state;
	header("Referer", "https://site.example/contact");
	HAS(receive_form("email=a%40b.c"), "client.page_url=https://site.example/contact\n");
	desk_fini(state);
	desk_init(state);
	header("Referer", "https://site.example/contact");
	LACKS(receive_form("page_url=https%3A%2F%2Fsite.example%2Fx"), "site.example/contact");
}

/* ---- JSON ------------------------------------------------------------------- */

static void test_json_fields(void **state)
{
	(void)state;
	assert_string_equal(
		receive_json("{\"person\":{\"email\":\"a@b.c\",\"phone\":null},\"person.gender\":"
			     "\"x\",\"budget\":1.10,\"id\":12345678901234567890,\"vip\":true,"
			     "\"products\":[\"x\",\"y\"],\"tags\":[\"a\",[\"b\"]],"
			     "\"attribution\":{\"last\":{\"gclid\":\"g\"}},"
			     "\"deep\":{\"a\":{\"b\":\"c\"}}}"),
		"person.email=a@b.c\n"
		"person.gender=x\n"
		"extra budget=1.10\n"
		"extra id=12345678901234567890\n"
		"extra vip=true\n"
		"inquiry.products+=x\n"
		"inquiry.products+=y\n"
		"extra tags=a\n"
		"extra tags=b\n"
		"attribution.last.gclid=g\n"
		"extra deep.a.b=c\n"
		"inquiry.kind=contact\n");
}

static void test_json_profiles(void **state)
{
	(void)state;
	HAS(receive_json("{\"person\":{\"profiles\":[{\"network\":\"linkedin\",\"id\":\"ada\"},"
			 "{\"network\":\"x\",\"url\":\"https://x.example/ada\"}]}}"),
	    "profile linkedin ada \nprofile x  https://x.example/ada\n");
}

static void test_json_refusals(void **state)
{
	static const struct {
		const char *body, *answer;
	} bad[] = {
		{"{\"a\":", "refuse 400 "},
		{"", "refuse 400 "},
		{"[1]", "refuse 422 The body must be one JSON object"},
		{"\"x\"", "refuse 422 The body must be one JSON object"},
		{"{\"a\":[[[[[[[[[[1]]]]]]]]]]}", "refuse 422 The JSON is nested deeper"},
		{"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}",
		 "refuse 422 The JSON is nested deeper"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		HAS(receive_json(bad[i].body), bad[i].answer);
		desk_fini(state);
		desk_init(state);
	}
}

static void test_long_names(void **state)
{
	char body[600] = "{\"p\":{\"";

	(void)state;
	memset(body + 7, 'n', 254);
	strcpy(body + 7 + 254, "\":1}}");
	HAS(receive_json(body), "extra p.nnn");
	desk_fini(state);
	desk_init(state);
	strcpy(body + 7 + 254, "n\":1}}");
	HAS(receive_json(body), "refuse 422 ");
}

/* ---- refusals ---------------------------------------------------------------- */

static void test_content_types(void **state)
{
	(void)state;
	HAS(receive("text/plain", "x"), "refuse 415 This Content-Type is not taken here: send "
					"application/x-www-form-urlencoded or application/json.");
	desk_fini(state);
	desk_init(state);
	HAS(receive(NULL, "x"), "refuse 415 The request has no Content-Type");
	desk_fini(state);
	desk_init(state);
	HAS(receive("Application/X-WWW-Form-URLencoded ;charset=UTF-8", "email=a%40b.c"), "a@b.c");
	desk_fini(state);
	desk_init(state);
	HAS(receive("application/jsonx", "{}"), "refuse 415");
}

static void test_too_many_fields(void **state)
{
	char body[1024] = "";

	(void)state;
	for (int i = 0; i < 120; i++)
		strcat(body, "a=1&");
	HAS(receive_form(body), "refuse 422 The form has more fields");
	desk_fini(state);
	desk_init(state);
	desk.extra_limit = 2;
	HAS(receive_form("u=1&v=2&w=3&x=4"), "refuse 422 The form has more unknown fields");
}

static void test_idempotency_key(void **state)
{
	static char longest[300];
	static const struct {
		const char *key, *answer;
	} keys[] = {
		{"abc-1", "key 2 abc-1\n"},
		{"\"abc 1\"", "key 2 abc 1\n"},
		{"\"\"", "refuse 400 The Idempotency-Key must have 1 to 255"},
		{"a\xc3\xa4", "refuse 400 The Idempotency-Key must be printable"},
		{longest, "refuse 400 The Idempotency-Key must have 1 to 255"},
	};

	memset(longest, 'k', 256);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		header("Idempotency-Key", keys[i].key);
		const char *text = receive_form("email=a%40b.c");
		HAS(text, keys[i].answer);
		if (strstr(keys[i].answer, "refuse"))
			LACKS(text, "email");
		desk_fini(state);
		desk_init(state);
	}
	LACKS(receive_form("email=a%40b.c"), "key");
}

/* ---- answers ----------------------------------------------------------------- */

static const char *answer(int32_t verdict, const char *accept, const char *type)
{
	if (accept)
		header("Accept", accept);
	if (type)
		header("Content-Type", type);
	desk.result = (struct lg_result){
		.size = sizeof(desk.result),
		.verdict = verdict,
		.status = verdict == LG_REFUSED ? 422 : 202,
		.receipt = LG_SLICE("0190-7"),
		.reason = LG_SLICE("give <an> \"email\""),
	};
	plugin_webform.source->reply(desk.settings, &desk.request, &desk.reply);
	return story();
}

#define FORM "application/x-www-form-urlencoded"
#define BROWSER "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

static void test_answers(void **state)
{
	static const struct {
		const char *redirect, *accept, *type;
		int32_t verdict;
		const char *has, *lacks;
	} answers[] = {
		{NULL, NULL, FORM, LG_ACCEPTED,
		 "status 202\napplication/json: {\"status\":\"accepted\",\"receipt\":\"0190-7\"}\n",
		 "html"},
		{NULL, "*/*", FORM, LG_REPEATED, "{\"status\":\"accepted\"", "html"},
		{"/thanks", "*/*", FORM, LG_ACCEPTED, "{\"status\":\"accepted\"", "303"},
		{"/thanks", BROWSER, FORM, LG_ACCEPTED, "status 303\nLocation: /thanks\n", "html"},
		{"/thanks", BROWSER, FORM, LG_REPEATED, "status 303\nLocation: /thanks\n", "html"},
		{"/thanks", BROWSER, "application/json", LG_ACCEPTED, "status 202\ntext/html",
		 "303"},
		{NULL, BROWSER, FORM, LG_ACCEPTED, "Thank you &lt;very&gt; much.", "<very>"},
		{NULL, "text/html;q=0.5, application/json", FORM, LG_ACCEPTED,
		 "application/json: {", "html"},
		{NULL, "text/html;q=0, */*", FORM, LG_ACCEPTED, "application/json: {", "html"},
		{NULL, "text/*, application/json;q=0.9", FORM, LG_ACCEPTED, "text/html",
		 "application/json:"},
		{NULL, "*/*", FORM, LG_REFUSED,
		 "status 422\napplication/problem+json: {\"type\":\"about:blank\",\"title\":\"The "
		 "lead was "
		 "not taken\",\"status\":422,\"detail\":\"give <an> \\\"email\\\"\"}\n",
		 "html:"},
		{"/thanks", BROWSER, FORM, LG_REFUSED, "status 422\ntext/html", "Location"},
		{NULL, BROWSER, FORM, LG_REFUSED, "give &lt;an&gt; &quot;email&quot;", "<an>"},
	};

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		if (answers[i].redirect)
			set_text("redirect", answers[i].redirect);
		const char *text = answer(answers[i].verdict, answers[i].accept, answers[i].type);
		HAS(text, answers[i].has);
		LACKS(text, answers[i].lacks);
		desk_fini(state);
		desk_init(state);
	}
}

/* ---- settings ---------------------------------------------------------------- */

static const char *check(void)
{
	static char text[256];

	text[0] = '\0';
	if (plugin_webform.source->check(desk.settings, (struct lg_text){text, sizeof(text)}) ==
	    LG_OK)
		return "";
	assert_true(*text);
	return text;
}

static void test_check(void **state)
{
	static const char *const good[] = {"/", "/thanks.html", "https://a.example/x", "http://a/"};
	static const char *const bad[] = {"",	      "thanks",		 "//evil.example",
					  "/a b",     "/a\nb",		 "ftp://x/",
					  "https://", "/\\evil.example", "javascript:alert(1)"};

	(void)state;
	assert_string_equal(check(), "");
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		set_text("redirect", good[i]);
		assert_string_equal(check(), "");
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		set_text("redirect", bad[i]);
		HAS(check(), "redirect must be");
	}
	set_text("redirect", NULL);
	set_text("honeypot", "a");
	set_text("consent_field", "a");
	HAS(check(), "must be different fields");
	set_text("honeypot", "");
	HAS(check(), "honeypot must name a field");
}

static void test_descriptor(void **state)
{
	struct library library;
	struct error error = {""};

	(void)state;
	if (!descriptor_read(&plugin_webform, "static", &library, &error))
		fail_msg("%s", error.text);
	assert_string_equal(library.plugin.channel, "web");
	assert_int_equal(library.plugin.flags & LG_HAS_AUTH, 0);
}

int main(void)
{
#define AT_A_DESK(test) cmocka_unit_test_setup_teardown(test, desk_init, desk_fini)
	const struct CMUnitTest tests[] = {
		AT_A_DESK(test_form_fields),	 AT_A_DESK(test_fields_map),
		AT_A_DESK(test_two_values),	 AT_A_DESK(test_honeypot),
		AT_A_DESK(test_consent),	 AT_A_DESK(test_page_url),
		AT_A_DESK(test_json_fields),	 AT_A_DESK(test_json_profiles),
		AT_A_DESK(test_json_refusals),	 AT_A_DESK(test_long_names),
		AT_A_DESK(test_content_types),	 AT_A_DESK(test_too_many_fields),
		AT_A_DESK(test_idempotency_key), AT_A_DESK(test_answers),
		AT_A_DESK(test_check),		 AT_A_DESK(test_descriptor),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("webform", tests, group_init, NULL);
}
