#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec/media_type.h"

static const struct lg_slice absent = {NULL, 0};

static void names_the_type(void **state)
{
	(void)state;
	assert_true(media_type_is(LG_SLICE("application/json"), "application/json"));
	assert_true(
		media_type_is(LG_SLICE(" Application/JSON ; charset=utf-8"), "application/json"));
	assert_false(media_type_is(LG_SLICE("application/json5"), "application/json"));
	assert_false(media_type_is(LG_SLICE("application/jso"), "application/json"));
	assert_false(media_type_is(LG_SLICE(""), "application/json"));
	assert_false(media_type_is(absent, "application/json"));
}

static void finds_parameters(void **state)
{
	const struct lg_slice value = LG_SLICE(
		"multipart/form-data; Boundary=\"a;b\\\"c\"; charset=utf-8; flag; empty=");

	(void)state;
	assert_true(slice_is(media_type_parameter(value, "boundary"), "a;b\\\"c"));
	assert_true(slice_is(media_type_parameter(value, "charset"), "utf-8"));
	assert_true(slice_is(media_type_parameter(value, "empty"), ""));
	assert_false(slice_present(media_type_parameter(value, "flag")));
	assert_false(slice_present(media_type_parameter(value, "none")));
	assert_false(slice_present(media_type_parameter(LG_SLICE("charset=x"), "charset")));
	assert_false(slice_present(media_type_parameter(absent, "charset")));
	assert_true(slice_is(media_type_parameter(LG_SLICE("a/b;x=\""), "x"), "\""));
	assert_true(slice_is(media_type_parameter(LG_SLICE("a/b;x=1;x=2"), "x"), "1"));
}

static void weighs_accept(void **state)
{
	static const struct {
		const char *accept;
		int html, json;
	} cases[] = {
		{"", 1000, 1000},
		{"text/html", 1000, 0},
		{"*/*", 1000, 1000},
		{"text/*;q=0.3, */*;q=0.1", 300, 100},
		{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 1000, 800},
		{"*/*, text/html;q=0", 0, 1000},
		{"text/html;q=0.5, text/html;level=1;q=0.7", 700, 0},
		{"application/json; charset=utf-8", 0, 1000},
		{"application/json;q=0.123 , text/html;Q=1.000", 1000, 123},
		{"application/json;q=1.001, text/html;q=2", 0, 0},
		{"application/json;q=x, */*;q=0.2", 200, 200},
		{"TEXT/HTML;q=0.", 0, 0},
		{"text/html;q=\"0.5\"", 500, 0},
		{",, ,text/html", 1000, 0},
		{"text/*", 1000, 0},
		{"*/json", 0, 0},
	};

	(void)state;
	assert_int_equal(accept_weight(absent, "text/html"), 1000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lg_slice accept = slice_from(cases[i].accept);

		assert_int_equal(accept_weight(accept, "text/html"), cases[i].html);
		assert_int_equal(accept_weight(accept, "application/json"), cases[i].json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_the_type),
		cmocka_unit_test(finds_parameters),
		cmocka_unit_test(weighs_accept),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
