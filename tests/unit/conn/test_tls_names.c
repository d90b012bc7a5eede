#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/slice.h"
#include "conn/tls_names.h"

static void fill(struct tls_names *names)
{
	static const struct {
		const char *name;
		size_t number;
	} rows[] = {
		{"a.example", 0},     {"*.b.example", 1}, {"b.example", 1},    {"x.b.example", 2},
		{"*.a.b.example", 3}, {"A.EXAMPLE", 4},	  {"Shop.Example", 5}, {"dot.example.", 6},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_true(tls_names_add(names, slice_from(rows[i].name), rows[i].number));
	tls_names_sort(names);
}

static void finds_names_and_wildcards(void **state)
{
	static const struct {
		const char *host;
		size_t number;
	} rows[] = {
		{"a.example", 0},
		{"A.Example", 0},
		{"a.example.", 0},
		{"b.example", 1},
		{"y.b.example", 1},
		{"x.b.example", 2},
		{"q.a.b.example", 3},
		{"a.b.example", 1},
		{"SHOP.example", 5},
		{"dot.example", 6},
		{"x.y.b.example", TLS_NAME_NONE},
		{"example", TLS_NAME_NONE},
		{"", TLS_NAME_NONE},
		{".", TLS_NAME_NONE},
		{".b.example", TLS_NAME_NONE},
		{"*.b.example", TLS_NAME_NONE},
		{"xb.example", TLS_NAME_NONE},
		{"127.0.0.1", TLS_NAME_NONE},
		{"a example", TLS_NAME_NONE},
	};
	struct tls_names names = {0};

	(void)state;
	fill(&names);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (tls_names_find(&names, slice_from(rows[i].host)) != rows[i].number)
			fail_msg("%s", rows[i].host);
	tls_names_fini(&names);
}

/* No client can ask for these, or they would be everybody's. */
static void passes_over_what_is_no_name(void **state)
{
	static const char *const none[] = {
		"",	 "*",		"*.com", "*.com.",     "a.*.example",  "*a.b.c",
		"x@b.c", "b\xc3\xbc.d", "*.",	 "*..example", "a*.b.example", "*.*.example"};
	char huge[400];
	struct tls_names names = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_true(tls_names_add(&names, slice_from(none[i]), i));
	memset(huge, 'a', sizeof(huge));
	assert_true(tls_names_add(&names, slice_of(huge, sizeof(huge)), 0));
	assert_true(tls_names_add(&names, slice_of("a\0.example", 10), 0));
	assert_int_equal(names.count, 0);
	tls_names_sort(&names);
	assert_int_equal(tls_names_find(&names, LG_SLICE("a.example")), TLS_NAME_NONE);
	assert_int_equal(tls_names_find(&names, slice_of(huge, sizeof(huge))), TLS_NAME_NONE);
	tls_names_fini(&names);
}

static void survives_without_memory(void **state)
{
	struct tls_names names = {0};

	(void)state;
	alloc_fail_at(1);
	assert_false(tls_names_add(&names, LG_SLICE("a.example"), 0));
	alloc_fail_at(0);
	assert_int_equal(names.count, 0);
	tls_names_fini(&names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_names_and_wildcards),
		cmocka_unit_test(passes_over_what_is_no_name),
		cmocka_unit_test(survives_without_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
