/* The google_ads plugin at a desk. */
#include "source_desk.h"

#include "lead/field.h"

extern const struct lg_plugin plugin_google_ads;
const struct lg_plugin *const desk_plugin = &plugin_google_ads;

static int google_init(void **state)
{
	field_setup();
	desk_init(state);
	set_text("key", "old-key new-key");
	return 0;
}

static void google_again(void **state)
{
	desk_fini(state);
	google_init(state);
}

#define START "key 1 L1\nsource.external_id=L1\ninquiry.kind=contact\n"
#define BODY(columns) \
	"{\"google_key\":\"new-key\",\"lead_id\":\"L1\",\"user_column_data\":[" columns "]}"

static const char *receive_columns(const char *body)
{
	return receive("application/json", body);
}

static void test_keys(void **state)
{
	static const struct {
		const char *body, *story;
	} bodies[] = {
		{BODY(""), START},
		{"{\"google_key\":\"old-key\",\"lead_id\":\"L1\"}", START},
		{"{\"google_key\":\"old-key new-key\",\"lead_id\":\"L1\"}", "refuse 403"},
		{"{\"google_key\":\"\",\"lead_id\":\"L1\"}", "refuse 403"},
		{"{\"google_key\":null,\"lead_id\":\"L1\"}", "refuse 403"},
		{"{\"google_key\":[\"old-key\"],\"lead_id\":\"L1\"}", "refuse 403"},
		{"{\"lead_id\":\"L1\"}", "refuse 403"},
		{"[]", "refuse 403"},
		{"\"old-key\"", "refuse 403"},
		{"", "refuse 400"},
		{"{\"google_key\":\"old-key\"", "refuse 400"},
		{"{\"google_key\":\"old-key\"}", "refuse 422"},
		{"{\"google_key\":\"old-key\",\"lead_id\":\" \"}", "refuse 422"},
		{"{\"google_key\":\"old-key\",\"lead_id\":{}}", "refuse 422"},
		{"{\"google_key\":\"old-key\",\"lead_id\":9007199254740993}",
		 "key 1 9007199254740993\n"},
	};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		HAS(receive_columns(bodies[i].body), bodies[i].story);
		google_again(state);
	}
}

/* The same lead whatever the order; no answer goes lost to another. */
static void test_answers(void **state)
{
	static const struct lg_field_name names[] = {{{"best_number", 11}, LG_PHONE, 0},
						     {{"second_town", 11}, LG_LOCALITY, 0},
						     {{"wants", 5}, LG_PRODUCTS, 0}};
	static const char *const bodies[] = {
		BODY("{\"column_id\":\"PHONE_NUMBER\",\"string_value\":\"1\"},"
		     "{\"column_id\":\"best_number\",\"string_value\":\"2\"},"
		     "{\"column_id\":\"CITY\",\"string_value\":\"Rome\"},"
		     "{\"column_id\":\"second_town\",\"string_value\":\"Paris\"},"
		     "{\"column_id\":\"wants\",\"string_value\":\"x\"},"
		     "{\"column_id\":\"q\",\"string_value\":\"b\"},"
		     "{\"column_id\":\"q\",\"string_value\":\"a\"},"
		     "{\"column_id\":\"EMPTY\",\"string_value\":\" \"},"
		     "{\"column_id\":\"\",\"string_value\":\"v\"},7"),
		BODY("7,{\"string_value\":\"v\"},"
		     "{\"column_id\":\"q\",\"string_value\":\"a\"},"
		     "{\"column_id\":\"q\",\"string_value\":\"b\"},"
		     "{\"column_id\":\"wants\",\"string_value\":\"x\"},"
		     "{\"column_id\":\"second_town\",\"string_value\":\"Paris\"},"
		     "{\"column_id\":\"CITY\",\"string_value\":\"Rome\"},"
		     "{\"column_id\":\"best_number\",\"string_value\":\"2\"},"
		     "{\"column_id\":\"PHONE_NUMBER\",\"string_value\":\"1\"}")};
	struct lg_field_map map = {names, 3};

	for (size_t i = 0; i < 2; i++) {
		set_setting("fields", &map, sizeof(map));
		HAS(receive_columns(bodies[i]), "person.locality=Rome\nperson.phone=1\n"
						"person.other_phones+=2\n"
						"extra q=a\nextra q=b\n"
						"extra second_town=Paris\n"
						"inquiry.products+=x\n");
		google_again(state);
	}
}

static void test_cut_bodies(void **state)
{
	static const char body[] = BODY("{\"column_id\":\"EMAIL\",\"string_value\":\"a@b.c\"}");
	char text[sizeof(body)];

	for (size_t n = 0; n < sizeof(body) - 1; n++) {
		slice_to_text(slice_of(body, n), text, sizeof(text));
		HAS(receive_columns(text), "refuse 400");
		google_again(state);
	}
	HAS(receive_columns(body), "person.email=a@b.c");
}

static void prepare(void)
{
	desk_fini(NULL);
	google_init(NULL);
	desk.body = LG_SLICE(BODY("{\"column_id\":\"EMAIL\",\"string_value\":\"a@b.c\"}"));
}

static void run_receive(void)
{
	receive("application/json", NULL);
}

static void run_refusal(void)
{
	desk.result = (struct lg_result){
		.verdict = LG_REFUSED, .status = 503, .reason = LG_SLICE("no \"room\"\n")};
	desk.outcome = plugin_google_ads.source->reply(desk.settings, &desk.request, &desk.reply);
}

static void test_memory(void **state)
{
	sweep(state, prepare, run_receive);
	sweep(state, prepare, run_refusal);
	prepare();
	run_refusal();
	HAS(story(), "status 503\napplication/json: {\"message\":\"no \\\"room\\\" \"}\n");
}

int main(void)
{
#define AT_A_DESK(test) cmocka_unit_test_setup_teardown(test, google_init, desk_fini)
	const struct CMUnitTest tests[] = {
		AT_A_DESK(test_keys),
		AT_A_DESK(test_answers),
		AT_A_DESK(test_cut_bodies),
		AT_A_DESK(test_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("google_ads", tests, NULL, NULL);
}
