/* The webform plugin at its desk: what it makes of bodies, and what it answers. */
#include "webform_desk.h"

#include <stdio.h>

#include "host/library.h"
#include "lead/field.h"

static int group_init(void **state)
{
	(void)state;
	field_setup();
	return 0;
}

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
			    "person.other_emails+=a@b.c\n"
			    "inquiry.kind=quote\n");
	webform_again(state);
	assert_string_equal(receive_form("phone=1&mobile=2&tel=3&fname=A&first_name=B"),
			    "person.phone=1\n"
			    "person.phone=2\n"
			    "person.other_phones+=1\n"
			    "person.phone=3\n"
			    "person.other_phones+=2\n"
			    "person.given_name=A\n"
			    "person.given_name=B\n"
			    "extra fname=A\n"
			    "inquiry.kind=contact\n");
}

static void test_honeypot(void **state)
{
	(void)state;
	set_text("honeypot", "website2");
	LACKS(receive_form("email=a%40b.c&website2="), "trap");
	webform_again(state);
	set_text("honeypot", "website2");
	assert_string_equal(receive_form("email=a%40b.c&website2=spam"),
			    "person.email=a@b.c\ntrap honeypot\ninquiry.kind=contact\n");
}

static void test_page_url(void **state)
{
	(void)state;
	header("Referer", "https://site.example/contact");
	HAS(receive_form("email=a%40b.c"), "client.page_url=https://site.example/contact\n");
	webform_again(state);
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
		webform_again(state);
	}
}

static void test_cut_json(void **state)
{
	static const char body[] = "{\"person\":{\"email\":\"a@b.c\"},\"n\":[1.50,true,null]}";
	char text[sizeof(body)];

	for (size_t n = 0; n < sizeof(body) - 1; n++) {
		slice_to_text(slice_of(body, n), text, sizeof(text));
		HAS(receive_json(text), "refuse 400 ");
		webform_again(state);
	}
	HAS(receive_json(body), "person.email=a@b.c\nextra n=1.50\nextra n=true\n");
}

static void test_long_names(void **state)
{
	char body[600] = "{\"p\":{\"";

	(void)state;
	memset(body + 7, 'n', 254);
	strcpy(body + 7 + 254, "\":1}}");
	HAS(receive_json(body), "extra p.nnn");
	webform_again(state);
	strcpy(body + 7 + 254, "n\":1}}");
	HAS(receive_json(body), "refuse 422 ");
}

/* ---- refusals ---------------------------------------------------------------- */

static void test_content_types(void **state)
{
	(void)state;
	HAS(receive("text/html", "x"), "refuse 415 This Content-Type is not taken here: send "
				       "application/x-www-form-urlencoded, ");
	webform_again(state);
	HAS(receive(NULL, "x"), "refuse 415 The request has no Content-Type");
	webform_again(state);
	HAS(receive("Application/X-WWW-Form-URLencoded ;charset=UTF-8", "email=a%40b.c"), "a@b.c");
	webform_again(state);
	HAS(receive("application/jsonx", "{}"), "refuse 415");
}

static void test_too_many_fields(void **state)
{
	char body[1024] = "";

	(void)state;
	for (int i = 0; i < 120; i++)
		strcat(body, "a=1&");
	HAS(receive_form(body), "refuse 422 The form has more fields");
	webform_again(state);
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
		webform_again(state);
	}
	LACKS(receive_form("email=a%40b.c"), "key");
}

/* ---- answers ----------------------------------------------------------------- */

static void test_answers(void **state)
{
	static const struct {
		const char *redirect, *accept, *type;
		int32_t verdict;
		const char *has, *lacks;
	} answers[] = {
		{NULL, NULL, FORM, LG_ACCEPTED,
		 "status 202\nCache-Control: no-store\napplication/json: "
		 "{\"status\":\"accepted\",\"receipt\":\"0190-7\"}\n",
		 "html"},
		{NULL, "*/*", FORM, LG_REPEATED, "{\"status\":\"accepted\"", "html"},
		{"/thanks", "*/*", FORM, LG_ACCEPTED, "{\"status\":\"accepted\"", "303"},
		{"/thanks", BROWSER, FORM, LG_ACCEPTED, "status 303\nLocation: /thanks\n", "html"},
		{"/thanks", BROWSER, FORM, LG_REPEATED, "status 303\nLocation: /thanks\n", "html"},
		{"/thanks", BROWSER, "application/json", LG_ACCEPTED, "text/html", "303"},
		{NULL, BROWSER, FORM, LG_ACCEPTED, "Thank you &lt;very&gt; much.", "<very>"},
		{NULL, "text/html;q=0.5, application/json", FORM, LG_ACCEPTED,
		 "application/json: {", "html"},
		{NULL, "text/html;q=0, */*", FORM, LG_ACCEPTED, "application/json: {", "html"},
		{NULL, "text/*, application/json;q=0.9", FORM, LG_ACCEPTED, "text/html",
		 "application/json:"},
		{NULL, "*/*", FORM, LG_REFUSED,
		 "status 422\nCache-Control: no-store\napplication/problem+json: "
		 "{\"type\":\"about:blank\",\"title\":\"The "
		 "lead was "
		 "not taken\",\"status\":422,\"detail\":\"give <an> \\\"email\\\"\"}\n",
		 "html:"},
		{"/thanks", BROWSER, FORM, LG_REFUSED, "status 422\n", "Location"},
		{NULL, BROWSER, FORM, LG_REFUSED, "give &lt;an&gt; &quot;email&quot;", "<an>"},
	};

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		if (answers[i].redirect)
			set_text("redirect", answers[i].redirect);
		const char *text = answer(answers[i].verdict, answers[i].accept, answers[i].type);
		HAS(text, answers[i].has);
		LACKS(text, answers[i].lacks);
		webform_again(state);
	}
}

/* ---- multipart and text --------------------------------------------------------- */

#define PART(name, value) \
	"--x\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"

static const char *receive_multipart(const char *body)
{
	return receive("multipart/form-data; boundary=x", body);
}

static void test_multipart(void **state)
{
	assert_string_equal(receive_multipart(PART("email", "a@b.c") PART("products[]", "x")
						      PART("person[given_name]", "Ada")
							      PART("lines", "a\r\nb") "--x--\r\n"),
			    "person.email=a@b.c\n"
			    "inquiry.products+=x\n"
			    "person.given_name=Ada\n"
			    "extra lines=a\r\nb\n"
			    "inquiry.kind=contact\n");
	webform_again(state);
	HAS(receive_multipart(PART("email", "a@b.c")), "refuse 422 The form cannot be read: the "
						       "multipart body ends before its last");
}

#define FILE_PART(name, filename, value)                                                 \
	"--x\r\nContent-Disposition: form-data; name=\"" name "\"; filename=\"" filename \
	"\"\r\nContent-Type: application/octet-stream\r\n\r\n" value "\r\n"

static void test_files(void **state)
{
	const char *text = receive_multipart(FILE_PART("cv", "", "")
						     PART("email", "a@b.c") "--x--");

	HAS(text, "person.email=a@b.c\n");
	LACKS(text, "cv");
	webform_again(state);
	HAS(receive_multipart(PART("email", "a@b.c") FILE_PART("cv", "cv.pdf", "") "--x--"),
	    "refuse 422 The field \"cv\" carries a file: this form takes no files.\n");
	webform_again(state);
	HAS(receive_multipart(FILE_PART("cv", "", "bytes") "--x--"), "refuse 422 The field");
}

static void test_text(void **state)
{
	static const struct {
		const char *body, *has;
	} bodies[] = {
		{"email=a@b.c\r\nnote=one\r\ntwo\r\nlast=3\r\n",
		 "person.email=a@b.c\nextra note=one\r\ntwo\nextra last=3\n"},
		{" {\"email\":\"a@b.c\"}", "person.email=a@b.c\n"},
		{"email=a%40b.c&note=x+y", "person.email=a@b.c\nextra note=x y\n"},
		{"{\"email\":", "refuse 400 "},
	};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		HAS(receive("text/plain;charset=UTF-8", bodies[i].body), bodies[i].has);
		webform_again(state);
	}
}

static void test_charsets(void **state)
{
	HAS(receive_form("_charset_=windows-1252&name=Zo%EB+%80"), "=Zo\xc3\xab \xe2\x82\xac\n");
	webform_again(state);
	HAS(receive("application/x-www-form-urlencoded; charset=\"ISO-8859-1\"", "name=Zo%EB"),
	    "=Zo\xc3\xab\n");
	webform_again(state);
	HAS(receive_form("_charset_=utf-7&name=Zo"), "refuse 415 The character set");
	webform_again(state);
	LACKS(receive_form("_charset_=utf-8&name=Zo"), "_charset_");
}

static void test_names(void **state)
{
	static const struct {
		const char *body, *has;
	} names[] = {
		{"person%5Bemail%5D=a", "person.email=a\n"},
		{"person[email]=a", "person.email=a\n"},
		{"a[person][email]=a", "extra a[person][email]=a\n"},
		{"products[3]=a", "inquiry.products+=a\n"},
		{"person[0][email]=a", "person.email=a\n"},
		{"person[email=a", "extra person[email=a\n"},
		{"person[email]x=a", "extra person[email]x=a\n"},
		{"[email]=a", "extra [email]=a\n"},
		{"person.email=a", "person.email=a\n"},
		{"attribution[last][gclid]=a", "attribution.last.gclid=a\n"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		HAS(receive_form(names[i].body), names[i].has);
		webform_again(state);
	}
}

static void test_long_values(void **state)
{
	char body[400] = "full_name=";

	set_number("max_value", 300);
	memset(body + 10, 'n', 257);
	HAS(receive_form(body), "extra full_name=nnn");
	HAS(story(), "person.full_name=nnn");
	webform_again(state);
	set_number("max_value", 300);
	memset(body + 10, 'n', 301);
	HAS(receive_form(body), "refuse 413 The field \"full_name\" is longer than 300 bytes.");
}

/* A name is quoted whole, or not at all: half a character is no text. */
static void test_whole_quotes(void **state)
{
	char body[2000] = "x", sentence[1200], *end = body;

	(void)state;
	set_number("max_name", 1024);
	set_number("max_value", 256);
	for (int i = 0; i < 511; i++)
		end = stpcpy(end, "\xc3\xab");
	snprintf(sentence, sizeof(sentence),
		 "refuse 413 The field \"%s\" is longer than 256 bytes.\n", body);
	*end++ = '=';
	memset(end, 'v', 257);
	HAS(receive_form(body), sentence);
}

/* ---- other sites ------------------------------------------------------------------ */

static void set_origins(const struct lg_slice *items, size_t count)
{
	struct lg_list list = {items, count};
	set_setting("origins", &list, sizeof(list));
}

static void test_origins(void **state)
{
	static const struct lg_slice sites[] = {{"https://a.example", 17},
						{"http://b.example:81", 19}};
	static const struct {
		const char *name, *value, *has, *lacks;
	} senders[] = {
		{"Origin", "https://a.example",
		 "Access-Control-Allow-Origin: https://a.example\n"
		 "Access-Control-Allow-Credentials: true\n",
		 "refuse"},
		{"Origin", "http://b.example:81", "Vary: Origin\n", "refuse"},
		{"Origin", "http://a.example", "refuse 403 This form does not take",
		 "Allow-Origin"},
		{"Origin", "https://a.example.evil", "refuse 403", "Allow-Origin"},
		{"Origin", "null", "refuse 403", "Allow-Origin"},
		{"Referer", "https://a.example/page?x", "person.email", "Allow-Origin"},
		{"Referer", "https://evil.example/https://a.example", "refuse 403", "email"},
		{"X-Nothing", "", "person.email", "refuse"},
	};

	for (size_t i = 0; i < sizeof(senders) / sizeof(senders[0]); i++) {
		set_origins(sites, 2);
		header(senders[i].name, senders[i].value);
		const char *text = receive_form("email=a%40b.c");
		HAS(text, senders[i].has);
		LACKS(text, senders[i].lacks);
		webform_again(state);
	}
	LACKS(receive_form("email=a%40b.c"), "Vary");
}

/* The page on which a refused form is sent again is the gateway's own. */
static void test_own_origin(void **state)
{
	static const struct lg_slice site = {"https://a.example", 17};
	static const struct {
		const char *url, *sender;
		bool own;
	} pages[] = {
		{"http://127.0.0.1:8080/f/contact", "http://127.0.0.1:8080", true},
		{"https://Forms.example/f?x=http://b.example", "https://forms.example", true},
		{"https://forms.example:443/f", "https://forms.example", true},
		{"http://forms.example:80/f", "http://forms.example", true},
		{"http://[::1]:80/f", "http://[::1]", true},
		{"http://[::1]/f", "http://[::1]:80", true},
		{"https://forms.example:80/f", "https://forms.example", false},
		{"http://forms.example/f", "https://forms.example", false},
		{"http://forms.example:8080/f", "http://forms.example", false},
		{"http://forms.example/f", "http://forms.example.evil", false},
		{"http://forms.example/f", "null", false},
		{"http://forms.example/f", "", false},
		{NULL, "http://forms.example", false},
	};

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		set_origins(&site, 1);
		desk.url = pages[i].url;
		header("Origin", pages[i].sender);
		HAS(receive_form("email=a%40b.c"), pages[i].own ? "person.email" : "refuse 403");
		LACKS(story(), "Allow-Origin");
		webform_again(state);
	}
}

static void test_preflight(void **state)
{
	static const struct lg_slice any[] = {{"*", 1}};

	desk.method = "OPTIONS";
	set_origins(any, 1);
	header("Origin", "https://any.example");
	assert_string_equal(receive("application/json", ""),
			    "Allow: OPTIONS, POST\n"
			    "Vary: Access-Control-Request-Method, Access-Control-Request-Headers\n"
			    "Vary: Origin\n"
			    "Access-Control-Allow-Origin: *\n"
			    "Access-Control-Allow-Methods: POST\n"
			    "Access-Control-Allow-Headers: Content-Type, Idempotency-Key, "
			    "X-Requested-With\n"
			    "Access-Control-Max-Age: 7200\n");
	webform_again(state);
	desk.method = "OPTIONS";
	assert_string_equal(receive("application/json", ""), "Allow: OPTIONS, POST\n");
	webform_again(state);
	desk.method = "OPTIONS";
	HAS(answer(LG_ACCEPTED, "*/*", NULL), "status 204\n");
}

/* ---- what was typed ------------------------------------------------------------------ */

static void test_page_keeps_what_was_typed(void **state)
{
	const char *text;

	set_text("honeypot", "hp");
	set_text("consent_field", "agree");
	set_text("consent_text", "Yes & <ok>");
	desk.body = LG_SLICE("n%3Ca%3E=%22%3E%3Cscript%3E&note=%0Aone%0Atwo%3C%2Ftextarea%3E&"
			     "agree=on&hp=&_next=%2Fx");
	text = answer(LG_REFUSED, BROWSER, FORM);
	HAS(text, "give &lt;an&gt;");
	HAS(text, "<input name=\"n&lt;a&gt;\" value=\"&quot;&gt;&lt;script&gt;\">");
	HAS(text, "<textarea rows=\"6\" cols=\"60\" name=\"note\">\n\none\n"
		  "two&lt;/textarea&gt;</textarea>");
	HAS(text, "name=\"agree\" checked> Yes &amp; &lt;ok&gt;</label>");
	HAS(text, "<input type=\"hidden\" name=\"hp\" value=\"\">");
	HAS(text, "<input type=\"hidden\" name=\"_next\" value=\"/x\">");
	HAS(text, "Content-Security-Policy: default-src 'none'");
	LACKS(text, "<script");
	webform_again(state);
	set_number("max_page", 300);
	desk.body = LG_SLICE("note=this+is+not+shown");
	text = answer(LG_REFUSED, BROWSER, FORM);
	HAS(text, "still there when you go back");
	LACKS(text, "not shown");
}

static void test_redirects(void **state)
{
	static const struct lg_slice places[] = {{"/one", 4}, {"https://two.example/x", 21}};
	static const struct {
		const char *body, *target;
	} forms[] = {
		{"_next=%2Fone", "Location: /one\n"},
		{"_next=https%3A%2F%2Ftwo.example%2Fx", "Location: https://two.example/x\n"},
		{"a=1", "Location: /thanks\n"},
		{"_next=https%3A%2F%2Fevil.example%2F", "Location: /thanks\n"},
		{"_next=%2Fone%0D%0AX:y", "Location: /thanks\n"},
		{"_next=%2Fon", "Location: /thanks\n"},
		{"_next=https%3A%2F%2Ftwo.example%2Fx%40evil.example", "Location: /thanks\n"},
	};
	struct lg_list list = {places, 2};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		set_text("redirect", "/thanks");
		set_setting("redirects", &list, sizeof(list));
		desk.body = slice_from(forms[i].body);
		HAS(answer(LG_ACCEPTED, BROWSER, FORM), forms[i].target);
		webform_again(state);
	}
	set_text("redirect", "/thanks");
	desk.body = LG_SLICE("_next=%2Fone");
	HAS(answer(LG_ACCEPTED, BROWSER, FORM), "Location: /thanks\n");
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

/* What would be cut off of a consent is said before there is one. */
static void check_consent(void)
{
	static char text[LG_CONSENT_WORD_MAX + 2];
	struct lg_slice ways[] = {{text, 200}, {text, 54}};
	struct lg_list list = {ways, 2};

	memset(text, 'x', sizeof(text) - 1);
	set_setting("consent_channels", &list, sizeof(list));
	assert_string_equal(check(), "");
	ways[1].length++;
	set_setting("consent_channels", &list, sizeof(list));
	HAS(check(), "consent_channels has 256 bytes; a consent has room for 255");
	list.count = 0;
	set_setting("consent_channels", &list, sizeof(list));
	set_text("consent_version", text);
	HAS(check(), "consent_version has 256 bytes");
	set_text("consent_version", NULL);
	set_text("consent_purpose", text);
	HAS(check(), "consent_purpose has 256 bytes");
	set_text("consent_purpose", "marketing");
	assert_string_equal(check(), "");
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
	set_text("honeypot", NULL);
	check_consent();
	set_text("honeypot", "");
	HAS(check(), "honeypot must name a field");
	set_text("honeypot", NULL);
	set_text("consent_field", NULL);
	set_origins(&(struct lg_slice){"https://a.example", 17}, 1);
	assert_string_equal(check(), "");
	set_origins(&(struct lg_slice){"https://a.example/", 18}, 1);
	HAS(check(), "origins must be like");
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
#define AT_A_DESK(test) cmocka_unit_test_setup_teardown(test, webform_init, desk_fini)
	const struct CMUnitTest tests[] = {
		AT_A_DESK(test_form_fields),
		AT_A_DESK(test_fields_map),
		AT_A_DESK(test_two_values),
		AT_A_DESK(test_honeypot),
		AT_A_DESK(test_page_url),
		AT_A_DESK(test_json_fields),
		AT_A_DESK(test_json_profiles),
		AT_A_DESK(test_json_refusals),
		AT_A_DESK(test_cut_json),
		AT_A_DESK(test_long_names),
		AT_A_DESK(test_content_types),
		AT_A_DESK(test_too_many_fields),
		AT_A_DESK(test_idempotency_key),
		AT_A_DESK(test_answers),
		AT_A_DESK(test_multipart),
		AT_A_DESK(test_files),
		AT_A_DESK(test_text),
		AT_A_DESK(test_charsets),
		AT_A_DESK(test_names),
		AT_A_DESK(test_long_values),
		AT_A_DESK(test_whole_quotes),
		AT_A_DESK(test_origins),
		AT_A_DESK(test_preflight),
		AT_A_DESK(test_page_keeps_what_was_typed),
		AT_A_DESK(test_own_origin),
		AT_A_DESK(test_redirects),
		AT_A_DESK(test_check),
		AT_A_DESK(test_descriptor),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("webform", tests, group_init, NULL);
}
