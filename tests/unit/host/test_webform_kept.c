/* That the webform plugin keeps what arrives, whatever field it was meant for. */
#include "webform_desk.h"

#include "lead/field.h"

static int group_init(void **state)
{
	(void)state;
	field_setup();
	return 0;
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

int main(void)
{
#define AT_A_DESK(test) cmocka_unit_test_setup_teardown(test, webform_init, desk_fini)
	const struct CMUnitTest tests[] = {
		AT_A_DESK(test_two_values_in_json),
		AT_A_DESK(test_json_profiles_with_more),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("webform_kept", tests, group_init, NULL);
}
