/* The meta plugin at a desk: webhook, verdicts on what Graph answers, leads. Signatures are
 * openssl's. */
#include "source_desk.h"

#include <stdio.h>

#include "lead/field.h"

extern const struct lg_plugin plugin_meta;
const struct lg_plugin *const desk_plugin = &plugin_meta;

#define EVENTS                                                                             \
	"{\"object\":\"page\",\"entry\":[{\"id\":\"9\",\"time\":1,\"changes\":[{"          \
	"\"field\":\"leadgen\",\"value\":{\"leadgen_id\":\"700100\",\"form_id\":800100}}," \
	"{\"field\":\"feed\",\"value\":{}}]},{\"id\":\"10\",\"changes\":[{\"field\":"      \
	"\"leadgen\",\"value\":{\"leadgen_id\":9007199254740993}},{\"field\":\"leadgen\"," \
	"\"value\":{\"leadgen_id\":\"7/../x\"}}]}]}"
#define EVENTS_MAC "3025b3283a1ef93ca0ff55e057d1887e98789052bcbcf965fc6f19cbf72b1090"
#define PROOF "26dfa1b00283b16e5411e670c66da09c10b341ab873b532830dac91829418694"
#define CALL(path)                                                      \
	"call https://graph.example/v1/" path "&appsecret_proof=" PROOF \
	"\nAuthorization: Bearer the"                                   \
	" token\nmore: \n"
#define FIELDS                                                               \
	"?fields=id,created_time,form_id,ad_id,ad_name,adset_id,adset_name," \
	"campaign_id,campaign_name,is_organic,platform,field_data,"          \
	"custom_disclaimer_responses,partner_name,retailer_item_id"
#define PAGE                                                                      \
	"&limit=50&filtering=%5B%7B%22field%22%3A%22time_created%22%2C%22"        \
	"operator%22%3A%22GREATER_THAN_OR_EQUAL%22%2C%22value%22%3A1714557600%7D" \
	"%5D"

static int meta_init(void **state)
{
	static const struct lg_slice forms[] = {{"800100", 6}, {"800200", 6}};
	struct lg_list list = {forms, 2};

	field_setup();
	desk_init(state);
	set_text("app_secret", "app secret");
	set_text("verify_token", "let me in");
	set_text("access_token", "the token");
	set_text("graph_url", "https://graph.example/v1/");
	set_setting("forms", &list, sizeof(list));
	set_number("rate_pause", 300000);
	set_number("max_pages", 20000);
	desk.errand.key = LG_SLICE("700100");
	desk.errand.blob = LG_SLICE("800100");
	desk.errand.since = 1714557600999;
	return 0;
}

static void meta_again(void **state)
{
	desk_fini(state);
	meta_init(state);
}

/* ---- the webhook ------------------------------------------------------------------- */

static void test_handshake(void **state)
{
	static const struct {
		const char *query, *story;
	} asked[] = {
		{"hub.mode=subscribe&hub.verify_token=let%20me%20in&hub.challenge=115", ""},
		{"hub.mode=subscribe&hub.verify_token=let+me&hub.challenge=115", "refuse 403"},
		{"hub.mode=subscribe&hub.verify_token=&hub.challenge=115", "refuse 403"},
		{"hub.mode=x&hub.verify_token=let+me+in&hub.challenge=115", "refuse 403"},
		{"hub.mode=subscribe&hub.verify_token=let+me+in&hub.challenge=%3Cb%3E",
		 "refuse 403"},
		{"hub.mode=subscribe&hub.verify_token=let+me+in", "refuse 403"},
		{NULL, "refuse 403"},
	};

	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		desk.method = "GET";
		desk.query = asked[i].query;
		HAS(receive(NULL, ""), asked[i].story);
		assert_int_equal(desk.outcome, *asked[i].story ? LG_FAIL : LG_OK);
		meta_again(state);
	}
	desk.method = "GET";
	desk.query = asked[0].query;
	plugin_meta.source->reply(desk.settings, &desk.request, &desk.reply);
	assert_string_equal(story(), "status 200\ntext/plain: 115\n");
}

static void test_signatures(void **state)
{
	static const struct {
		const char *name, *value, *story;
	} signers[] = {
		{"X-Hub-Signature-256", "sha256=" EVENTS_MAC, "claim 700100"},
		{"x-hub-signature-256",
		 "sha256=3025B3283A1EF93CA0FF55E057D1887E98789052BCBCF965FC6F19CBF72B1090",
		 "claim 700100"},
		{"X-Hub-Signature-256", EVENTS_MAC, "refuse 403"},
		{"X-Hub-Signature-256", "sha1=" EVENTS_MAC, "refuse 403"},
		{"X-Hub-Signature-256", "sha256=" EVENTS_MAC "0", "refuse 403"},
		{"X-Hub-Signature-256",
		 "sha256=d39ceb479e88d986476f6edd8a842d79a5a79cf997849ba911875b7662859650",
		 "refuse 403"},
		{"X-Hub-Signature", "sha256=" EVENTS_MAC, "refuse 403"},
		{"X-Hub-Signature-256", "", "refuse 403"},
	};

	for (size_t i = 0; i < sizeof(signers) / sizeof(signers[0]); i++) {
		header(signers[i].name, signers[i].value);
		HAS(receive(NULL, EVENTS), signers[i].story);
		meta_again(state);
	}
	header("X-Hub-Signature-256", "sha256=" EVENTS_MAC);
	header("X-Hub-Signature-256", "sha256=" EVENTS_MAC);
	HAS(receive(NULL, EVENTS), "refuse 403"); /* which of them? */
}

static void test_events(void **state)
{
	header("X-Hub-Signature-256", "sha256=" EVENTS_MAC);
	assert_string_equal(receive(NULL, EVENTS), "claim 700100 (800100)\n"
						   "ignore an event that is of no lead\n"
						   "claim 9007199254740993 ()\n"
						   "ignore an event of a lead without its id\n");
	meta_again(state);
	header("X-Hub-Signature-256",
	       "sha256=3464ccfa8ca3b042a12b791fbe76090b60fe5b2b44761dbad6245fc62e731ca0");
	assert_string_equal(receive(NULL, "{\"object\":\"instagram\"}"),
			    "ignore an event of another product\n");
	meta_again(state);
	header("X-Hub-Signature-256",
	       "sha256=081553a60eea00f25933c9a31a9767df74d276c6df6dd2506c1ebad1f5129619");
	assert_string_equal(receive(NULL, "{\"object\":\"page\",\"entry\":{\"a\":1}}"), "");
	meta_again(state);
	header("X-Hub-Signature-256",
	       "sha256=e7eae3a737788c98ffa4c9c5028453c5306198881231d6b73d74396d5f00c7ec");
	HAS(receive(NULL, "[]"), "refuse 400");
}

/* ---- one lead ------------------------------------------------------------------------ */

#define LEAD                                                                \
	"{\"id\":\"700100\",\"created_time\":\"2024-05-01T10:00:00+0000\"," \
	"\"field_data\":[{\"name\":\"email\",\"values\":[\"a@b.c\"]}]}"

static void test_the_first_call(void **state)
{
	(void)state;
	assert_string_equal(run_errand(plugin_meta.source->claim, LG_CAUSE_DUE, 0, ""),
			    CALL("700100" FIELDS));
}

/* What becomes of a claim whose lead, and whose form where that is asked, is answered so. */
static void test_verdicts(void **state)
{
	static const struct {
		int32_t status;
		const char *lead, *form, *story;
	} answers[] = {
		{400, "{\"error\":{\"code\":80005}}", NULL,
		 "retry: Meta was asked too often (code 80005, subcode 0)\npause 300000"},
		{400, "{\"error\":{\"code\":\"4\"}}", NULL, "retry: Meta was asked too often"},
		{400, "{\"error\":{\"code\":190,\"error_subcode\":463}}", NULL,
		 "park: the access_token is not valid any more (code 190, subcode 463)"},
		{403, "{\"error\":{\"code\":200}}", NULL, "park: the access_token lacks"},
		{400, "{\"error\":{\"code\":190,\"is_transient\":true}}", NULL,
		 "retry: the Graph API gave an error (code 190"},
		{500, "{\"error\":{\"code\":2}}", NULL, "retry: the Graph API gave an error"},
		{200, "{\"error\":{}}", NULL, "retry: the Graph API gave an error (code 0"},
		{400, "{\"error\":{\"code\":99999999999999999999}}", NULL,
		 "retry: the Graph API gave an error (code 0"},
		{502, "<html>", NULL, "retry: the Graph API's answer is no JSON"},
		{200, "[]", NULL, "retry: the Graph API's answer is no JSON"},
		{200, "", NULL, "retry: the Graph API's answer is no JSON"},
		{200, "{\"id\":\"700100\"}", NULL, "park: the lead came without its answers"},
		{200, "{\"id\":\"1\",\"field_data\":[]}", NULL,
		 "retry: the answer is of another lead"},
		/* "Tried accessing nonexisting field": the lead may well be there */
		{400, "{\"error\":{\"code\":100,\"type\":\"OAuthException\"}}", NULL,
		 "park: the Graph API does not understand the question"},
		{400, "{\"error\":{\"code\":100,\"error_subcode\":33}}", "{\"data\":[]}",
		 "dead: Meta has no such lead"},
		{400, "{\"error\":{\"code\":100,\"type\":\"GraphMethodException\"}}",
		 "{\"data\":[{\"id\":\"1\"}]}", "dead: Meta has no such lead"},
		{400, "{\"error\":{\"code\":100,\"error_subcode\":33}}",
		 "{\"error\":{\"code\":100,\"error_subcode\":33}}",
		 "park: neither the lead nor its form can be read"},
		{400, "{\"error\":{\"code\":100,\"error_subcode\":33}}", "{}",
		 "retry: the Graph API's answer lacks its data"},
		{400, "{\"error\":{\"code\":100,\"error_subcode\":33}}", "{\"data\":null}",
		 "retry: the Graph API's answer lacks its data"},
	};

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		desk.errand.calls = 1;
		HAS(run_errand(plugin_meta.source->claim, LG_CAUSE_RESPONSE, answers[i].status,
			       answers[i].lead),
		    answers[i].form ? CALL("800100/leads?fields=id&limit=1") : answers[i].story);
		meta_again(state);
		if (!answers[i].form)
			continue;
		desk.errand.calls = 2;
		HAS(run_errand(plugin_meta.source->claim, LG_CAUSE_RESPONSE,
			       strstr(answers[i].form, "error") ? 400 : 200, answers[i].form),
		    answers[i].story);
		meta_again(state);
	}
}

#define GONE "{\"error\":{\"code\":100,\"error_subcode\":33}}"

static void test_what_is_not_there(void **state)
{
	desk.errand.calls = 1;
	desk.errand.key = LG_SLICE("444444444444");
	HAS(run_errand(plugin_meta.source->claim, LG_CAUSE_RESPONSE, 400, GONE),
	    "dead: the id is one that Meta's test button makes up");
	meta_again(state);
	desk.errand.calls = 1;
	desk.errand.blob = (struct lg_slice){NULL, 0};
	HAS(run_errand(plugin_meta.source->claim, LG_CAUSE_RESPONSE, 400, GONE),
	    "park: the lead cannot be read, and its form is not known");
}

static void test_answers(void **state)
{
	static const char lead[] =
		"{\"id\":\"700100\",\"created_time\":\"2024-05-01T10:00:00+0000\","
		"\"field_data\":[{\"name\":\"email\",\"values\":[\"\",\" \"]},"
		"{\"name\":\"email\",\"values\":[\"a@b.c\"]},"
		"{\"name\":\"which_size?\",\"values\":[\"\"]},"
		"{\"name\":\"work_email\",\"values\":[\"a@work.example\"]},"
		"{\"name\":\"state\",\"values\":[\"Ohio\"]},"
		"{\"name\":\"province\",\"values\":[\"Quebec\"]},"
		"{\"name\":\"which_colour?\",\"values\":[\"red\",\"blue\"]},"
		"{\"name\":\"city\",\"values\":[\"Rome\",\"Paris\"]},"
		"{\"name\":\"products\",\"values\":[\"x\",\"y\"]},"
		"{\"name\":\"\",\"values\":[\"nameless\"]},"
		"{\"name\":\"source.name\",\"values\":[\"mine\"]}]}";

	(void)state;
	desk.errand.calls = 1;
	assert_string_equal(run_errand(plugin_meta.source->claim, LG_CAUSE_RESPONSE, 200, lead),
			    "key 1 700100\n"
			    "source.external_id=700100\n"
			    "occurred_at=2024-05-01T10:00:00.000Z\n"
			    "person.email=a@b.c\n"
			    "person.other_emails+=a@work.example\n"
			    "person.region=Ohio\n"
			    "extra province=Quebec\n"
			    "extra which_colour?=red\n"
			    "extra which_colour?=blue\n"
			    "person.locality=Rome\n"
			    "extra city=Paris\n"
			    "inquiry.products+=x\n"
			    "inquiry.products+=y\n"
			    "extra source.name=mine\n"
			    "attribution.last.utm_source=facebook\n"
			    "done: \n");
}

/* What a form's tracking parameters say is more exact than the advertisement's names. */
static void test_answers_of_attribution(void **state)
{
	static const char lead[] =
		"{\"id\":\"700100\",\"ad_id\":\"1\",\"ad_name\":\"Blue\",\"campaign_name\":"
		"\"Spring\","
		"\"field_data\":[{\"name\":\"email\",\"values\":[\"a@b.c\"]},"
		"{\"name\":\"utm_source\",\"values\":[\"fb-feed\"]},"
		"{\"name\":\"utm_medium\",\"values\":[\"\"]},"
		"{\"name\":\"utm_content\",\"values\":[\"video-7\",\"video-8\"]}]}";

	(void)state;
	desk.errand.calls = 1;
	assert_string_equal(run_errand(plugin_meta.source->claim, LG_CAUSE_RESPONSE, 200, lead),
			    "key 1 700100\n"
			    "source.external_id=700100\n"
			    "person.email=a@b.c\n"
			    "attribution.last.utm_source=fb-feed\n"
			    "attribution.last.utm_content=video-7\n"
			    "extra utm_content=video-8\n"
			    "extra ad_id=1\n"
			    "extra ad_name=Blue\n"
			    "extra campaign_name=Spring\n"
			    "attribution.last.utm_medium=paid_social\n"
			    "attribution.last.utm_campaign=Spring\n"
			    "done: \n");
}

/* Whatever Meta calls a box, what somebody said at it is kept. */
static void test_boxes(void **state)
{
	static const char head[] =
		"{\"id\":\"700100\",\"field_data\":[],\"custom_disclaimer_responses\":["
		"{\"checkbox_key\":\"calls\",\"is_checked\":\"\"},"
		"{\"checkbox_key\":\"";
	char text[1024], key[LG_CONSENT_WORD_MAX + 2];

	(void)state;
	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	desk.errand.calls = 1;
	snprintf(text, sizeof(text), "%s%s\",\"is_checked\":\"1\"}]}", head, key);
	const char *told = run_errand(plugin_meta.source->claim, LG_CAUSE_RESPONSE, 200, text);
	HAS(told, "consent 2 calls by ");
	LACKS(told, "consent 1");
	snprintf(text, sizeof(text), "extra checkbox_key=%s\nextra is_checked=1\n", key);
	HAS(told, text);
}

/* ---- back-fill ------------------------------------------------------------------------ */

#define LEADS_TO(cursor) \
	"{\"data\":[],\"paging\":{\"cursors\":{\"after\":\"" cursor "\"},\"next\":\"u\"}}"
#define CIRCLE "park: the Graph API leads from a page to one that was read before\n"

static void test_pages(void **state)
{
	static const struct {
		const char *blob, *answer, *story;
	} pages[] = {
		{"", "", CALL("800100/leads" FIELDS PAGE)},
		{"800200 3 1 AQVFI==", "", CALL("800200/leads" FIELDS PAGE "&after=QVFI%3D%3D")},
		{"gone 3 1 AQVFI==", "", CALL("800100/leads" FIELDS PAGE)},
		{"800200 3 4 A B C D", "", CALL("800200/leads" FIELDS PAGE "&after=C%20D")},
		{"800200 3 99 AB", "", CALL("800200/leads" FIELDS PAGE)},
		{"800200 QVFI==", "", CALL("800200/leads" FIELDS PAGE)},
		{"800200 x 1 AB", "", CALL("800200/leads" FIELDS PAGE)},
		{"800100 1 0 ", LEADS_TO("A"),
		 CALL("800100/leads" FIELDS PAGE "&after=A") "blob 800100 2 1 AA\n"},
		{"800100 2 1 AA", LEADS_TO("B"),
		 CALL("800100/leads" FIELDS PAGE "&after=B") "blob 800100 3 1 AB\n"},
		{"800100 2 1 AA", "{\"data\":[],\"paging\":{\"cursors\":{\"after\":\"B\"}}}",
		 CALL("800200/leads" FIELDS PAGE) "blob 800200 1 0 \n"},
		{"800200 2 1 AA", "{\"data\":[]}", "done: \n"},
		{"800200 2 1 AA", "{\"data\":[{\"id\":\"x\"},{},7]}",
		 "ignore a lead without its id\nignore a lead without its id\n"
		 "ignore a lead without its id\ndone: \n"},
		/* no data is not the end */
		{"800200 2 1 AA", "{}", "retry: the Graph API's answer lacks its data\n"},
		{"800200 2 1 AA", "{\"data\":{}}",
		 "retry: the Graph API's answer lacks its data\n"},
		/* to itself, and to one that was read before */
		{"800100 3 1 AB", LEADS_TO("B"), CIRCLE},
		{"800100 3 1 AB", LEADS_TO("A"), CIRCLE},
		{"800100 19999 1 AB", LEADS_TO("C"),
		 CALL("800100/leads" FIELDS PAGE "&after=C") "blob 800100 20000 1 AC\n"},
		{"800100 20000 1 AB", LEADS_TO("C"),
		 "park: a form has more pages of leads than max_pages\n"},
		{"800100 20000 1 AB", "{\"data\":[]}",
		 CALL("800200/leads" FIELDS PAGE) "blob 800200 1 0 \n"},
	};

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		desk.errand.blob = slice_from(pages[i].blob);
		assert_string_equal(run_errand(plugin_meta.source->backfill,
					       *pages[i].answer ? LG_CAUSE_RESPONSE : LG_CAUSE_DUE,
					       200, pages[i].answer),
				    pages[i].story);
		meta_again(state);
	}
	set_setting("forms", &(struct lg_list){NULL, 0}, sizeof(struct lg_list));
	HAS(run_errand(plugin_meta.source->backfill, LG_CAUSE_DUE, 0, ""),
	    "dead: the option forms");
}

/* A walk over pages of which the last leads back to one of the first: how many it reads
 * until it is parked. */
static int walk(void **state, int straight, int around)
{
	char blob[200] = "800200 1 0 ", answer[200];
	int page = 0, read = 0;

	for (;;) {
		const char *told;
		page = page + 1 < straight + around ? page + 1 : straight;
		snprintf(answer, sizeof(answer), LEADS_TO("c%d"), page);
		desk.errand.blob = slice_from(blob);
		told = run_errand(plugin_meta.source->backfill, LG_CAUSE_RESPONSE, 200, answer);
		read++;
		if (strcmp(told, CIRCLE) == 0)
			return read;
		told = strstr(told, "blob ");
		assert_non_null(told);
		snprintf(blob, sizeof(blob), "%.*s", (int)strcspn(told + 5, "\n"), told + 5);
		meta_again(state);
		assert_true(read < 1000);
	}
}

/* Every circle ends, whatever its length and however far behind the first page it begins,
 * after few rounds. */
static void test_circles(void **state)
{
	for (int straight = 1; straight < 20; straight++)
		for (int around = 1; around < 20; around++) {
			int read = walk(state, straight, around);
			assert_true(read >= straight + around);
			assert_true(read <= 3 * (straight + around));
			meta_again(state);
		}
}

/* However much of an answer is there: until it is whole it neither ends a claim nor a walk. */
static void test_cut_answers(void **state)
{
	static const char lead[] = LEAD;
	static const char page[] = "{\"data\":[" LEAD "]}";
	char text[sizeof(lead) + sizeof(page)];

	for (size_t n = 0; n < sizeof(lead) - 1; n++) {
		slice_to_text(slice_of(lead, n), text, sizeof(text));
		desk.errand.calls = 1;
		HAS(run_errand(plugin_meta.source->claim, LG_CAUSE_RESPONSE, 200, text),
		    "retry: the Graph API's answer is no JSON");
		LACKS(desk.story.data, "key");
		meta_again(state);
	}
	for (size_t n = 0; n < sizeof(page) - 1; n++) {
		slice_to_text(slice_of(page, n), text, sizeof(text));
		desk.errand.blob = LG_SLICE("800200 2 1 AA");
		HAS(run_errand(plugin_meta.source->backfill, LG_CAUSE_RESPONSE, 200, text),
		    "retry: the Graph API's answer is no JSON");
		meta_again(state);
	}
}

/* ---- settings, memory ------------------------------------------------------------------ */

static const char *check(void)
{
	static char text[256];

	text[0] = '\0';
	plugin_meta.source->check(desk.settings, (struct lg_text){text, sizeof(text)});
	return text;
}

/* What would be cut off of a consent is said before there is one. */
static void check_purposes(void)
{
	static char purpose[LG_CONSENT_WORD_MAX + 1];
	static struct lg_pair box = {{"calls", 5}, {purpose, sizeof(purpose) - 1}};
	const struct lg_map consents = {&box, 1};

	memset(purpose, 'x', sizeof(purpose));
	set_setting("consents", &consents, sizeof(consents));
	assert_string_equal(check(), "");
	box.value.length++;
	HAS(check(), "the purpose of calls has 256 bytes; a consent has room for 255");
}

static void test_check(void **state)
{
	static const char *const secrets[] = {"app_secret", "verify_token", "access_token"};

	assert_string_equal(check(), "");
	for (size_t i = 0; i < 3; i++) {
		set_text(secrets[i], "");
		HAS(check(), "must not be empty");
		meta_again(state);
		set_text(secrets[i], " \n");
		HAS(check(), "must not be empty");
		meta_again(state);
	}
	set_setting("forms", &(struct lg_list){&(struct lg_slice){"12x", 3}, 1},
		    sizeof(struct lg_list));
	HAS(check(), "has digits alone");
	meta_again(state);
	check_purposes();
}

static void prepare_events(void)
{
	desk_fini(NULL);
	meta_init(NULL);
	header("X-Hub-Signature-256", "sha256=" EVENTS_MAC);
	desk.body = LG_SLICE(EVENTS);
}

static void run_events(void)
{
	receive(NULL, NULL);
}

static void prepare_errand(void)
{
	desk_fini(NULL);
	meta_init(NULL);
	desk.errand.calls = 1;
}

static void run_due(void)
{
	run_errand(plugin_meta.source->claim, LG_CAUSE_DUE, 0, "");
}

static void run_answer(void)
{
	run_errand(plugin_meta.source->claim, LG_CAUSE_RESPONSE, 200, LEAD);
}

static void run_form(void)
{
	run_errand(plugin_meta.source->claim, LG_CAUSE_RESPONSE, 400, GONE);
}

static void run_page(void)
{
	desk.errand.blob = LG_SLICE("800100 2 1 AA");
	run_errand(plugin_meta.source->backfill, LG_CAUSE_RESPONSE, 200,
		   "{\"data\":[" LEAD
		   ",{}],\"paging\":{\"cursors\":{\"after\":\"B\"},\"next\":\"u\"}}");
}

static void test_memory(void **state)
{
	sweep(state, prepare_events, run_events);
	sweep(state, prepare_errand, run_due);
	sweep(state, prepare_errand, run_answer);
	sweep(state, prepare_errand, run_form);
	sweep(state, prepare_errand, run_page);
}

int main(void)
{
#define AT_A_DESK(test) cmocka_unit_test_setup_teardown(test, meta_init, desk_fini)
	const struct CMUnitTest tests[] = {
		AT_A_DESK(test_handshake),   AT_A_DESK(test_signatures),
		AT_A_DESK(test_events),	     AT_A_DESK(test_the_first_call),
		AT_A_DESK(test_verdicts),    AT_A_DESK(test_what_is_not_there),
		AT_A_DESK(test_answers),     AT_A_DESK(test_answers_of_attribution),
		AT_A_DESK(test_boxes),	     AT_A_DESK(test_pages),
		AT_A_DESK(test_cut_answers), AT_A_DESK(test_check),
		AT_A_DESK(test_circles),     AT_A_DESK(test_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("meta", tests, NULL, NULL);
}
