/* `when` over the lead of an event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "sink/filter.h"

#define BODY(lead)                                                                           \
	"{\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"type\":\"lead.created\",\"at\":" \
	"\"2026-01-02T03:04:05.678Z\",\"lead\":" lead ",\"changes\":{\"status\":{}}}"

static const struct expr_limits limits = {.memory_bytes = 4 << 20, .steps = 200000};

static const struct {
	const char *when, *body;
	int wanted; /* -1: it fails */
} table[] = {
	{"status.intent == 'hard'", BODY("{\"status\":{\"intent\":\"hard\"}}"), 1},
	{"status.intent == 'hard'", BODY("{\"status\":{\"intent\":\"soft\"}}"), 0},
	{"status.intent == 'hard'", BODY("{}"), 0},
	{"organization.employees >= 50", BODY("{\"organization\":{\"employees\":50}}"), 1},
	{"organization.employees >= 50", BODY("{\"organization\":{}}"), -1},
	{"organization.employees >= 50", "{\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\"}", 1},
	{"person.email", BODY("{\"person\":{\"email\":\"a@example.com\"}}"), 1},
	{"person.email == nil", BODY("{\"person\":}"), -1},
};

static void test_leads(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct error error = {""};
		struct filter *filter = filter_new(slice_from(table[i].when), &limits, &error);
		bool wanted = false, good;

		assert_non_null(filter);
		for (int again = 0; again < 2; again++) {
			good = filter_test(filter, slice_from(table[i].body), &wanted, &error);
			if (good != (table[i].wanted >= 0) || (good && wanted != table[i].wanted))
				fail_msg("row %zu: %d %d %s", i, good, wanted, error.text);
			assert_null(strstr(error.text, "example.com"));
		}
		filter_free(&filter);
		assert_null(filter);
	}
}

static void test_what_is_no_expression(void **state)
{
	struct error error = {""};

	(void)state;
	assert_null(filter_new(LG_SLICE("status.intent = 'hard'"), &limits, &error));
	assert_memory_equal(error.text, "\"when\": 1:", 10);
}

/* Every allocation fails once. */
static void test_no_memory(void **state)
{
	bool failed;
	int64_t n = 0;

	(void)state;
	do {
		struct error error = {""};
		struct filter *filter;
		bool wanted;

		alloc_fail_at(++n);
		filter = filter_new(LG_SLICE("person.email"), &limits, &error);
		if (filter)
			filter_test(filter, slice_from(table[6].body), &wanted, &error);
		failed = alloc_failed();
		alloc_fail_at(0);
		if (filter) {
			assert_true(
				filter_test(filter, slice_from(table[6].body), &wanted, &error));
			assert_true(wanted);
		}
		filter_free(&filter);
	} while (failed);
	assert_true(n > 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leads),
		cmocka_unit_test(test_what_is_no_expression),
		cmocka_unit_test(test_no_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
