/* The twilio plugin at a desk: signatures, which are openssl's, and what is read of a
 * message. */
#include "source_desk.h"

#include "../../../plugins/sources/twilio/twilio.h"
#include "lead/field.h"

extern const struct lg_plugin plugin_twilio;
const struct lg_plugin *const desk_plugin = &plugin_twilio;

#define FORM "application/x-www-form-urlencoded"
#define MESSAGE "MessageSid=SM1&From=%2B14155550100&Body=Hi"
#define URL "https://sms.example/in/sms"
/* over URL and MESSAGE; with "?a=1" behind the URL; over TYPED in place of it */
#define SIGNATURE "KWdN9vt4rNJy9IHnmX9Hx5RROT4="
#define SIGNATURE_QUERY "xxrD6EofAlTrxWjmxH2rUHA7hi4="
#define SIGNATURE_TYPED "Pa65cRs3PjJ5Q6S5hkMbDXfQkFw="
#define TYPED "https://user:pass@sms.example/twilio"
/* over URL and the same with the body STOP */
#define SIGNATURE_STOP "eTBlAZX7XrKl8AHaSffmYP8cp58="

#define LEAD                                  \
	"key 1 SM1\nsource.external_id=SM1\n" \
	"person.phone=+14155550100\n"         \
	"inquiry.message=Hi\ninquiry.kind=contact\n"

static int twilio_init(void **state)
{
	field_setup();
	desk_init(state);
	set_text("auth_token", "another\ttoken");
	set_number("max_message", 4096);
	desk.url = URL;
	return 0;
}

static void twilio_again(void **state)
{
	desk_fini(state);
	twilio_init(state);
}

static void test_signatures(void **state)
{
	static const struct {
		const char *url, *signature, *body, *story;
	} requests[] = {
		{URL, SIGNATURE, MESSAGE, LEAD},
		{URL "?a=1", SIGNATURE_QUERY, MESSAGE, LEAD},
		{URL, SIGNATURE, "Body=Hi&Body=Hi&From=%2b14155550100&MessageSid=SM1", LEAD},
		{"https://sms.example:443/in/sms", SIGNATURE, MESSAGE, LEAD},
		{URL, SIGNATURE_QUERY, MESSAGE, "refuse 403"},
		{URL "?a=2", SIGNATURE_QUERY, MESSAGE, "refuse 403"},
		{"http://sms.example/in/sms", SIGNATURE, MESSAGE, "refuse 403"},
		{URL, SIGNATURE, MESSAGE "&x=y", "refuse 403"},
		{URL, SIGNATURE, "MessageSid=SM1&From=%2B14155550100&Body=Ho", "refuse 403"},
		{URL, SIGNATURE "=", MESSAGE, "refuse 403"},
		{URL, "", MESSAGE, "refuse 403"},
		{URL, NULL, MESSAGE, "refuse 400 X-Twilio-Signature is missing"},
		{"no url", SIGNATURE, MESSAGE, "refuse 403"},
		{NULL, SIGNATURE, MESSAGE, "refuse 403"},
	};

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		desk.url = requests[i].url;
		if (requests[i].signature)
			header("X-Twilio-Signature", requests[i].signature);
		HAS(receive(FORM, requests[i].body), requests[i].story);
		twilio_again(state);
	}
	set_text("auth_token", "another");
	header("X-Twilio-Signature", SIGNATURE);
	HAS(receive(FORM, MESSAGE), "refuse 403");
}

/* As it was typed at Twilio, with what is said there of connections. */
static void test_public_url(void **state)
{
	static const char *const typed[] = {TYPED, TYPED "#rc=2&rp=all", TYPED "?",
					    "https://user:pass@sms.example:443/twilio#"};

	for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++) {
		set_text("public_url", typed[i]);
		header("X-Twilio-Signature", SIGNATURE_TYPED);
		assert_string_equal(receive(FORM, MESSAGE), LEAD);
		twilio_again(state);
	}
	set_text("public_url", "https://user:other@sms.example/twilio");
	header("X-Twilio-Signature", SIGNATURE_TYPED);
	HAS(receive(FORM, MESSAGE), "refuse 403");
}

static void test_wishes(void **state)
{
	(void)state;
	set_text("answer", "Thanks");
	header("X-Twilio-Signature", SIGNATURE_STOP);
	assert_string_equal(receive(FORM, "MessageSid=SM1&From=%2B14155550100&Body=STOP"),
			    "key 1 SM1\nsource.external_id=SM1\nperson.phone=+14155550100\n"
			    "inquiry.kind=other\nconsent 3 marketing by sms: STOP v\n");
	desk.result = (struct lg_result){.verdict = LG_ACCEPTED};
	plugin_twilio.source->reply(desk.settings, &desk.request, &desk.reply);
	HAS(desk.story.data + strlen(desk.story.data) + 1, "<Response/>");
}

static void test_names(void **state)
{
	static const struct {
		const char *text, *name;
	} texts[] = {
		{"my name is Ada Lovelace. Call me", "Ada Lovelace"},
		{"Hello, my name is \"Zo\xc3\xab\"!", "Zo\xc3\xab"},
		{"Name: Ada Byron\nBye", "Ada Byron"},
		{"Hello\r\nfull name: Ada Byron", "Ada Byron"},
		{"Name is Eve", "Eve"},
		/* the dot of a title and of an initial ends no sentence */
		{"My name is Dr. Jane Doe", "Dr. Jane Doe"},
		{"My name is Prof. Dr. Ada M. K. Byron. Hi", "Prof. Dr. Ada M. K. Byron"},
		{"my name is John F. Kennedy", "John F. Kennedy"},
		{"my name is J.R.R. Tolkien.", "J.R.R. Tolkien"},
		{"my name is \xc3\x96. Doe", "\xc3\x96. Doe"},
		{"name: Jill St. John. Call me", "Jill St. John"},
		{"my name is Jane D. Please call", "Jane D"},
		{"my name is Jane D. I am here", "Jane D"},
		{"my name is Jane D.", "Jane D"},
		{"my name is Bob B. Send me a quote", "Bob B"},
		{"my name is Bob B. Where are you?", "Bob B"},
		{"my name is Bob B. Hello", "Bob B"},
		{"my name is Bob B. Interested in a car", "Bob B"},
		{"my name is Bob B. Selling my car", "Bob B"},
		{"my name is Ed M. Hi there", "Ed M"},
		{"my name is Ed M. Danke", "Ed M"},
		{"my name is Dr. Please call", ""},
		{"my name is Dr. Ada B. Who is there?", "Dr. Ada B"},
		{"my name is John F. Kennedy and I need a car", "John F. Kennedy"},
		{"my name is John F. Kennedy, please call", "John F. Kennedy"},
		{"my name is Prof. Ada M. K. Byron. please call", "Prof. Ada M. K. Byron"},
		{"my name is Martin King Jr. Call me", "Martin King Jr"},
		{"my name is Jane. Mr. Doe is out", "Jane"},
		/* what goes on in small letters behind a name takes none of it */
		{"My name is John D. Smith from Acme", "John D. Smith"},
		{"my name is John F. Kennedy calling about a quote", "John F. Kennedy"},
		{"my name is Mary J. Watson with Acme Roofing", "Mary J. Watson"},
		{"my name is J. Smith from Acme", "J. Smith"},
		{"my name is Bob B. Smith here", "Bob B. Smith"},
		{"my name is Bob B. Sending you pictures", "Bob B"},
		/* surnames that begin a sentence elsewhere */
		{"My name is Dr. Do and I need help", "Dr. Do"},
		{"my name is Ms. Do", "Ms. Do"},
		{"my name is Mrs. Call, the nurse", "Mrs. Call"},
		{"my name is Dr. Call me back", ""},
		{"my name is Ed M. Do you deliver?", "Ed M"},
		{"my name is Dr. who", ""},
		{"my name is on the door", ""},
		{"The company name is Acme", ""},
		{"Company name: Acme", ""},
		{"Her dog's name is Rex", ""},
		{"Project name: Falcon Heavy", ""},
		{"my name is", ""},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct lg_slice name = message_name(slice_from(texts[i].text));
		if (!slice_equal(name, slice_from(texts[i].name)))
			fail_msg("\"%s\": %.*s", texts[i].text, SLICE_ARGS(name));
	}
}

static void test_emails(void **state)
{
	static const struct {
		const char *text, *email;
	} texts[] = {
		{"write to <ada@example.com>, please", "ada@example.com"},
		{"mailto:ada@example.com.", "ada@example.com"},
		{"a@example.com A@EXAMPLE.COM", "A@EXAMPLE.COM"},
		{"a@example.com or b@example.com", ""},
		{"@here a@b a@.com a@b. x@@y.com", ""},
		{"a@b@c.com", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct lg_slice email = message_email(slice_from(texts[i].text));
		if (!slice_equal(email, slice_from(texts[i].email)))
			fail_msg("\"%s\": %.*s", texts[i].text, SLICE_ARGS(email));
	}
}

static const char *check(void)
{
	static char text[256];

	text[0] = '\0';
	plugin_twilio.source->check(desk.settings, (struct lg_text){text, sizeof(text)});
	return text;
}

static void test_check(void **state)
{
	static const struct lg_pair bad[] = {{{"QUOTE", 5}, {"quotes", 6}},
					     {{"QUOTE", 5}, {"", 0}},
					     {{"A QUOTE", 7}, {"quote", 5}},
					     {{"", 0}, {"quote", 5}}};

	(void)state;
	assert_string_equal(check(), "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct lg_map map = {&bad[i], 1};
		set_setting("keywords", &map, sizeof(map));
		HAS(check(), "each of keywords must");
	}
	set_text("public_url", "sms.example/in/sms");
	HAS(check(), "public_url must begin");
	set_text("auth_token", " ");
	HAS(check(), "auth_token must not be empty");
}

static void prepare(void)
{
	desk_fini(NULL);
	twilio_init(NULL);
	set_text("answer", "Thanks <& more");
	header("X-Twilio-Signature", SIGNATURE);
	desk.body = LG_SLICE(MESSAGE);
	desk.result = (struct lg_result){.verdict = LG_ACCEPTED};
}

static void run_receive(void)
{
	receive(FORM, NULL);
}

static void test_memory(void **state)
{
	sweep(state, prepare, run_receive);
	/* An answer always comes; without memory it says nothing to the person. */
	for (size_t n = 1; n < 8; n++) {
		prepare();
		desk.fail_at = n;
		header("Content-Type", FORM);
		plugin_twilio.source->reply(desk.settings, &desk.request, &desk.reply);
		HAS(story(), "status 200\ntext/xml; charset=utf-8: ");
		if (desk.calls < n)
			HAS(desk.story.data, "<Message>Thanks &lt;&amp; more</Message>");
	}
}

int main(void)
{
#define AT_A_DESK(test) cmocka_unit_test_setup_teardown(test, twilio_init, desk_fini)
	const struct CMUnitTest tests[] = {
		AT_A_DESK(test_signatures), AT_A_DESK(test_public_url), AT_A_DESK(test_wishes),
		AT_A_DESK(test_names),	    AT_A_DESK(test_emails),	AT_A_DESK(test_check),
		AT_A_DESK(test_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("twilio", tests, NULL, NULL);
}
