/* That the webform plugin keeps what arrives, whatever field it was meant for. */
#include "webform_desk.h"

#include <stdio.h>

#include "lead/field.h"

static int group_init(void **state)
{
	(void)state;
	field_setup();
	return 0;
}

/* A hidden default before its box is no key: it would make one person of all visitors. */
static void test_defaults(void **state)
{
	static const struct {
		const char *body, *story;
	} forms[] = {
		{"email=default%40a.b&email=ada%40c.d", "person.email=default@a.b\n"
							"person.email=ada@c.d\n"
							"extra email=default@a.b\n"},
		{"email=default%40a.b&email=bert%40c.d", "person.email=default@a.b\n"
							 "person.email=bert@c.d\n"
							 "extra email=default@a.b\n"},
		{"phone=4155550100&phone=4155550171", "person.phone=4155550100\n"
						      "person.phone=4155550171\n"
						      "extra phone=4155550100\n"},
		{"tel=4155550100&tel=%EF%BC%94%EF%BC%91%EF%BC%95%EF%BC%95%EF%BC%95",
		 "person.phone=4155550100\n"
		 "person.phone=\xef\xbc\x94\xef\xbc\x91\xef\xbc\x95\xef\xbc\x95\xef\xbc\x95\n"
		 "extra tel=4155550100\n"},
		/* but where nothing else can be one */
		{"email=ada%40c.d&email=n%2Fa", "person.email=ada@c.d\n"
						"person.email=n/a\n"
						"person.other_emails+=ada@c.d\n"},
		{"phone=4155550171&phone=ext.+123", "person.phone=4155550171\n"
						    "person.phone=ext. 123\n"
						    "person.other_phones+=4155550171\n"},
	};
	char expected[200];

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		snprintf(expected, sizeof(expected), "%sinquiry.kind=contact\n", forms[i].story);
		assert_string_equal(receive_form(forms[i].body), expected);
		webform_again(state);
	}
}

/* Names in JSON are made while it is walked: each value keeps its own. */
static void test_two_values_in_json(void **state)
{
	(void)state;
	assert_string_equal(receive_json("{\"person\":{\"given_name\":\"a\"},\"first_name\":\"b\","
					 "\"fname\":\"c\"}"),
			    "person.given_name=a\n"
			    "person.given_name=b\n"
			    "extra person.given_name=a\n"
			    "person.given_name=c\n"
			    "extra first_name=b\n"
			    "inquiry.kind=contact\n");
}

/* What a profile has no place for is an unknown field. */
static void test_json_profiles_with_more(void **state)
{
	(void)state;
	assert_string_equal(
		receive_json(
			"{\"profiles\":[{\"network\":\"x\",\"id\":1,\"followers\":5,\"url\":[\"u\","
			"\"v\"]},{\"network\":{\"name\":\"y\"},\"id\":\"ada\"},{\"id\":true}]}"),
		"profile x 1 \n"
		"extra profiles.followers=5\n"
		"extra profiles.url=u\n"
		"extra profiles.url=v\n"
		"extra profiles.network.name=y\n"
		"extra profiles.id=ada\n"
		"extra profiles.id=true\n"
		"inquiry.kind=contact\n");
}

#define WHOLE "\xf0\x9f\x98\x80"
#define HALF "\xef\xbf\xbd"

/* An emoji that a script has cut through costs nothing but itself. */
static void test_halves_in_json(void **state)
{
	static const struct {
		const char *body, *kept;
	} texts[] = {
		{"{\"x\":\"Hi \\ud83d\"}", "extra x=Hi " HALF "\n"},
		{"{\"x\":\"\\uDE00 Hi\"}", "extra x=" HALF " Hi\n"},
		{"{\"x\":\"\\ud83dA\\n\"}", "extra x=" HALF "A\n\n"},
		{"{\"x\":\"\\ud83d\\u0041\"}", "extra x=" HALF "A\n"},
		{"{\"x\":\"\\ud83d\\ud83d\\ude00\"}", "extra x=" HALF WHOLE "\n"},
		{"{\"x\":\"\\ud83d\\ude00\\ude00\"}", "extra x=" WHOLE HALF "\n"},
		{"{\"x\":\"\\ud83d\\ude00\"}", "extra x=" WHOLE "\n"},
		{"{\"x\":\"\\\\ud83d\"}", "extra x=\\ud83d\n"},
		{"{\"x\":\"\\\\\\ud83d\"}", "extra x=\\" HALF "\n"},
		{"{\"x\":\"\\ud83d\\\\ude00\"}", "extra x=" HALF "\\ude00\n"},
		{"{\"x\\ud83d\":\"y\"}", "extra x" HALF "=y\n"},
		{"{\"x\":\"\\ud83d\\", "refuse 400 line 1, column 14: "},
		{"{\"x\":\"\\ud83d\\u12\"}", "refuse 400 line 1, column "},
		{"{\"x\":\"\\ud83", "refuse 400 line 1, column "},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		HAS(receive_json(texts[i].body), texts[i].kept);
		webform_again(state);
	}
	HAS(receive("text/plain", texts[0].body), texts[0].kept);
}

static void set_consent(const char *const *denied, size_t count)
{
	static const struct lg_slice channels[] = {{"email", 5}, {"sms", 3}};
	static struct lg_slice words[4];
	struct lg_list list = {channels, 2}, refusals = {words, count};

	for (size_t i = 0; i < count; i++)
		words[i] = slice_from(denied[i]);
	set_text("consent_field", "agree");
	set_text("consent_text", "Write to me");
	set_text("consent_version", "3");
	set_setting("consent_channels", &list, sizeof(list));
	set_setting("consent_denied", &refusals, sizeof(refusals));
}

/* One statement at most comes of the consent's field, and all that was sent is kept. */
static void test_consent(void **state)
{
	static const char *const denied[] = {"no", "nein"};
	static const struct {
		const char *body;
		int32_t state;
		const char *kept;
	} boxes[] = {
		{"agree=on", LG_CONSENT_GRANTED, "extra agree=on\n"},
		{"agree=1", LG_CONSENT_GRANTED, "extra agree=1\n"},
		{"agree=email&agree=phone", LG_CONSENT_GRANTED,
		 "extra agree=email\nextra agree=phone\n"},
		{"agree=nothing", LG_CONSENT_GRANTED, "extra agree=nothing\n"},
		{"agree=no", LG_CONSENT_DENIED, "extra agree=no\n"},
		{"agree=+Nein+", LG_CONSENT_DENIED, "extra agree= Nein \n"},
		{"agree=no&agree=yes", LG_CONSENT_GRANTED, "extra agree=no\nextra agree=yes\n"},
		{"agree=yes&agree=no", LG_CONSENT_GRANTED, "extra agree=yes\nextra agree=no\n"},
		{"agree=0&agree=1", LG_CONSENT_GRANTED, "extra agree=0\nextra agree=1\n"},
		{"agree=0", 0, "extra agree=0\n"},
		{"agree=False", 0, "extra agree=False\n"},
		{"agree=off", 0, "extra agree=off\n"},
		{"agree=+", 0, ""},
		{"x=on", 0, "extra x=on\n"},
	};
	char expected[200];

	for (size_t i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++) {
		char statement[80] = "";

		set_consent(denied, 2);
		if (boxes[i].state)
			snprintf(statement, sizeof(statement),
				 "consent %d marketing by email,sms: Write to me v3\n",
				 boxes[i].state);
		snprintf(expected, sizeof(expected), "%s%sinquiry.kind=contact\n", boxes[i].kept,
			 statement);
		assert_string_equal(receive_form(boxes[i].body), expected);
		webform_again(state);
	}
}

/* With no words that deny, "no" is a box that is not checked. */
static void test_consent_without_refusals(void **state)
{
	set_consent(NULL, 0);
	LACKS(receive_form("agree=no"), "consent");
	webform_again(state);
	set_consent(NULL, 0);
	HAS(receive_form("agree=nein"), "consent 1 ");
}

/* What is sent again from the page of a refused form says the same. */
static void test_consent_on_the_page(void **state)
{
	static const char *const denied[] = {"no"};
	static const struct {
		const char *body, *has;
	} boxes[] = {
		{"agree=email", "<input type=\"checkbox\" value=\"email\" name=\"agree\" checked>"},
		{"agree=0", "<input type=\"checkbox\" value=\"on\" name=\"agree\"> "},
		{"agree=No", "<input name=\"agree\" value=\"No\">"},
	};

	for (size_t i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++) {
		set_consent(denied, 1);
		desk.body = slice_from(boxes[i].body);
		HAS(answer(LG_REFUSED, BROWSER, FORM), boxes[i].has);
		webform_again(state);
	}
}

int main(void)
{
#define AT_A_DESK(test) cmocka_unit_test_setup_teardown(test, webform_init, desk_fini)
	const struct CMUnitTest tests[] = {
		AT_A_DESK(test_defaults),
		AT_A_DESK(test_two_values_in_json),
		AT_A_DESK(test_json_profiles_with_more),
		AT_A_DESK(test_halves_in_json),
		AT_A_DESK(test_consent),
		AT_A_DESK(test_consent_without_refusals),
		AT_A_DESK(test_consent_on_the_page),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("webform_kept", tests, group_init, NULL);
}
