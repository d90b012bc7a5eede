/* The page on which the webform plugin shows a refused form again. */
#include "webform_desk.h"

#include "lead/field.h"

#define PAGE_INPUT "<input type=\"hidden\" name=\"client.page_url\""

static int group_init(void **state)
{
	(void)state;
	field_setup();
	return 0;
}

/* A corrected form says where the visitor found it, however often it is corrected. */
static void test_page_of_the_form(void **state)
{
	static const struct {
		const char *referer, *body, *has, *lacks;
	} forms[] = {
		{"https://s.example/?utm_source=n&gclid=\"><b>", "email=a%40",
		 PAGE_INPUT " value=\"https://s.example/?utm_source=n&amp;gclid=&quot;&gt;&lt;b&gt;"
			    "\">",
		 "<b>"},
		{"https://own.example/f", "client.page_url=https%3A%2F%2Fs.example%2F%3Fx&email=a",
		 PAGE_INPUT " value=\"https://s.example/?x\">", "own.example"},
		{"https://own.example/f", "client%5Bpage_url%5D=https%3A%2F%2Fs.example%2F",
		 "value=\"https://s.example/\">", "own.example"},
		{"https://own.example/f", "where=https%3A%2F%2Fs.example%2F",
		 "value=\"https://s.example/\">", "own.example"},
		{"https://s.example/x", "page_url=+", PAGE_INPUT " value=\"https://s.example/x\">",
		 "own.example"},
		{"", "email=a%40", "name=\"email\"", "page_url"},
	};
	static const struct lg_field_name where = {{"where", 5}, LG_PAGE_URL, 0};
	struct lg_field_map map = {&where, 1};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		set_setting("fields", &map, sizeof(map));
		header("Referer", forms[i].referer);
		desk.body = slice_from(forms[i].body);
		HAS(answer(LG_REFUSED, BROWSER, FORM), forms[i].has);
		LACKS(story(), forms[i].lacks);
		webform_again(state);
	}
}

/* An address that is longer than a value may be would have the form refused. */
static void test_long_page(void **state)
{
	char url[400] = "https://s.example/";

	memset(url + strlen(url), 'x', 300 - strlen(url));
	set_number("max_value", 300);
	header("Referer", url);
	desk.body = LG_SLICE("email=a%40");
	HAS(answer(LG_REFUSED, BROWSER, FORM), PAGE_INPUT);
	webform_again(state);
	set_number("max_value", 299);
	header("Referer", url);
	desk.body = LG_SLICE("email=a%40");
	HAS(answer(LG_REFUSED, BROWSER, FORM), "name=\"email\"");
	LACKS(story(), PAGE_INPUT);
}

/* One click on the gateway's own page would send what the site may not. */
static void test_form_of_another_site(void **state)
{
	static const struct lg_slice site = {"https://a.example", 17};
	static const struct {
		const char *name, *value;
		bool shown;
	} senders[] = {
		{"Origin", "https://a.example", true},
		{"Origin", "https://forms.example", true},
		{"X-Nothing", "", true},
		{"Origin", "https://evil.example", false},
		{"Origin", "null", false},
		{"Referer", "https://evil.example/page", false},
	};
	struct lg_list list = {&site, 1};

	for (size_t i = 0; i < sizeof(senders) / sizeof(senders[0]); i++) {
		set_setting("origins", &list, sizeof(list));
		desk.url = "https://forms.example/f";
		header(senders[i].name, senders[i].value);
		desk.body = LG_SLICE("email=a%40");
		HAS(answer(LG_REFUSED, BROWSER, FORM), "<h1>Not sent</h1>");
		if (senders[i].shown)
			HAS(story(), "<form");
		else
			LACKS(story(), "<form");
		webform_again(state);
	}
}

int main(void)
{
#define AT_A_DESK(test) cmocka_unit_test_setup_teardown(test, webform_init, desk_fini)
	const struct CMUnitTest tests[] = {
		AT_A_DESK(test_page_of_the_form),
		AT_A_DESK(test_long_page),
		AT_A_DESK(test_form_of_another_site),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("webform_page", tests, group_init, NULL);
}
