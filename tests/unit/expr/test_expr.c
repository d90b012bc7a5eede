#include "unit.h"

#include <stdio.h>

#include "base/alloc.h"
#include "record.h"

static const struct node person[] = {
	TEXT("email", "ada@example.com"),
	TEXT("country", "US"),
	TEXT("full_name", "ÄDA Löwe"),
	TEXT("empty", ""),
	END,
};
static const struct node organization[] = {TEXT("name", "Acme"), INTEGER("employees", 120), END};
static const struct node products[] = {TEXT(NULL, "pump"), TEXT(NULL, "valve"), END};
static const struct node inquiry[] = {NODE("products", products), TEXT("kind", "quote"), END};
static const struct node grant[] = {TEXT("purpose", "marketing"), TEXT("state", "granted"), END};
static const struct node denial[] = {TEXT("purpose", "phone"), TEXT("state", "denied"), END};
static const struct node consent[] = {NODE(NULL, grant), NODE(NULL, denial), END};
static const struct node extra[] = {TEXT("odd name", "7"), TEXT("digits", "10"), END};
static const struct node root_members[] = {
	NODE("person", person),	  NODE("organization", organization),
	NODE("inquiry", inquiry), NODE("consent", consent),
	NODE("extra", extra),	  BOOL("is_test", false),
	NUMBER("ratio", 2.5),	  END,
};
static const struct node root = {.children = root_members};

static const struct expr_limits limits = {.memory_bytes = 1 << 20, .steps = 20000};
static struct expr_state *state;
static struct arena arena;
static struct error error;

static int open_state(void **unused)
{
	(void)unused;
	arena_init(&arena, 4096, 0);
	error.text[0] = 0;
	state = expr_state_new(&limits);
	return state ? 0 : -1;
}

static int close_state(void **unused)
{
	(void)unused;
	expr_state_free(&state);
	arena_fini(&arena);
	return state ? -1 : 0;
}

static bool evaluate(const char *text, struct expr_value *value)
{
	struct expr_reader reader = record_reader(&root);
	struct expr *expr = expr_new(state, slice_from(text), &error);
	bool done;

	if (!expr)
		return false;
	done = expr_evaluate(expr, &reader, &arena, value, &error);
	expr_free(&expr);
	return done;
}

static void assert_yes_no(const char *text, bool wanted)
{
	struct expr_value value;

	if (!evaluate(text, &value))
		fail_msg("%s: %s", text, error.text);
	if (value.kind != EXPR_BOOL || value.truth != wanted)
		fail_msg("%s: not %s", text, wanted ? "true" : "false");
}

static void assert_text(const char *text, const char *wanted)
{
	struct expr_value value;

	if (!evaluate(text, &value))
		fail_msg("%s: %s", text, error.text);
	assert_int_equal(value.kind, EXPR_TEXT);
	if (!slice_is(value.text, wanted))
		fail_msg("%s: '%.*s', not '%s'", text, SLICE_ARGS(value.text), wanted);
}

static void assert_integer(const char *text, int64_t wanted)
{
	struct expr_value value;

	if (!evaluate(text, &value))
		fail_msg("%s: %s", text, error.text);
	assert_int_equal(value.kind, EXPR_INTEGER);
	assert_int_equal(value.integer, wanted);
}

static void assert_nil(const char *text)
{
	struct expr_value value;

	if (!evaluate(text, &value))
		fail_msg("%s: %s", text, error.text);
	assert_int_equal(value.kind, EXPR_NIL);
}

static void assert_fails(const char *text, const char *wanted)
{
	struct expr_value value;

	if (evaluate(text, &value))
		fail_msg("%s: no error", text);
	if (!strstr(error.text, wanted))
		fail_msg("%s: '%s', not '%s'", text, error.text, wanted);
}

static void reads_the_record(void **unused)
{
	(void)unused;
	assert_yes_no("person.country == 'US' and (organization.employees or 0) >= 50", true);
	assert_yes_no("person.country == 'DE' or is_test", false);
	assert_text("person.email", "ada@example.com");
	assert_text("person['email']", "ada@example.com");
	assert_text("extra['odd name'] .. '!'", "7!");
	assert_text("inquiry.products[2]", "valve");
	assert_text("consent[1].purpose", "marketing");
	assert_text("person.empty", "");
	assert_yes_no("ratio > 2 and ratio < 3", true);
	assert_integer("#inquiry.products", 2);
}

static void what_is_absent_is_nil_all_the_way_down(void **unused)
{
	(void)unused;
	assert_nil("nobody");
	assert_nil("nobody.at.home");
	assert_nil("nobody['at'][1].home");
	assert_nil("person.phone");
	assert_nil("inquiry.products[3]");
	assert_nil("inquiry.products[0]");
	assert_nil("inquiry.products[-1]");
	assert_nil("inquiry.products[1.5]");
	assert_nil("person[1]");
	assert_integer("nobody.size or 0", 0);
	assert_integer("#nobody.list", 0);
	assert_yes_no("organization.name ~= nil and nobody.name == nil", true);
}

static void text_and_numbers_stay_apart(void **unused)
{
	(void)unused;
	assert_yes_no("extra.digits == 10", false);
	assert_fails("extra.digits > 9", "attempt to compare a number with text");
	assert_fails("extra.digits + 1", "attempt to perform arithmetic on text (field 'digits')");
	assert_yes_no("number(extra.digits) > 9", true);
	assert_nil("number('ten')");
	assert_nil("number(nobody)");
	assert_text("1 .. 'st'", "1st");
	assert_yes_no("1 == 1.0 and 3 // 2 == 1 and 3 / 2 == 1.5 and 7 % 4 == 3 and 2 ^ 3 == 8",
		      true);
}

static void functions_take_text(void **unused)
{
	(void)unused;
	assert_text("lower(person.full_name)", "äda löwe");
	assert_text("upper(person.full_name)", "ÄDA LÖWE");
	assert_text("trim('  a b\\t')", "a b");
	assert_nil("lower(person.phone)");
	assert_integer("length(person.full_name)", 8);
	assert_integer("length(nobody)", 0);
	assert_yes_no("starts_with(person.email, 'ada@') and ends_with(person.email, '.com')",
		      true);
	assert_yes_no("starts_with('a', 'ab') or ends_with('b', 'ab') or ends_with(nil, 'b')",
		      false);
	assert_yes_no("contains(person.email, '@ex') and not contains(person.email, 'x@')", true);
	assert_yes_no("contains('a.c', 'abc') or contains('abc', 'a.c')", false);
	assert_yes_no("contains(person.phone, '1')", false);
	assert_fails("lower(5)", "lower() takes text, not a number");
	assert_fails("lower()", "lower() takes 1 value, not 0");
	assert_fails("contains(person, 'x', 1)", "contains() takes 2 values, not 3");
}

static void functions_take_lists(void **unused)
{
	(void)unused;
	assert_integer("length(inquiry.products)", 2);
	assert_integer("length({1, nil, 2})", 2);
	assert_yes_no("contains(inquiry.products, 'valve')", true);
	assert_yes_no("contains(inquiry.products, 'valv')", false);
	assert_yes_no("contains({person.phone, 'x'}, 'x')", true);
	assert_yes_no("matches_any(person.country, {'CA', 'US'})", true);
	assert_yes_no("matches_any(person.country, {'CA', 'MX'})", false);
	assert_yes_no("matches_any(person.phone, {'CA'})", false);
	assert_yes_no("matches_any('x', nobody)", false);
	assert_yes_no("matches_any(inquiry.products, {'hose', 'pump'})", true);
	assert_yes_no("matches_any({'hose', 'pump'}, inquiry.products)", true);
	assert_yes_no("any_where(consent, 'purpose', 'marketing', 'state', 'granted')", true);
	assert_yes_no("any_where(consent, 'purpose', 'phone', 'state', 'granted')", false);
	assert_yes_no("any_where(nobody, 'purpose', 'phone')", false);
	assert_text("join(inquiry.products, ', ')", "pump, valve");
	assert_text("join({1, 'b', 2.5}, '')", "1b2.5");
	assert_text("join({}, ',')", "");
	assert_nil("join(nobody, ',')");
	assert_fails("join(consent, ',')", "join() takes a list of text, not of an object or list");
	assert_fails("matches_any(1, 'text')", "matches_any() takes a list, not text");
	assert_fails("any_where(consent, 'purpose')", "names with their values");
}

static void functions_take_numbers(void **unused)
{
	(void)unused;
	assert_integer("min(3, 1, 2)", 1);
	assert_integer("max(3, organization.employees)", 120);
	assert_integer("floor(2.7)", 2);
	assert_integer("floor(-2.5)", -3);
	assert_integer("floor(7)", 7);
	assert_fails("max(1, nobody)", "max() takes numbers, not an absent value");
	assert_fails("floor('1')", "floor() takes a number, not text");
}

static void errors_of_a_run_say_what_is_wrong(void **unused)
{
	(void)unused;
	assert_fails("nobody.size >= 5", "an absent value");
	assert_fails("nobody.size >= 5", "as in (organization.employees or 0)");
	assert_fails("'a' .. person.phone", "an absent value (field 'phone')");
	assert_fails("person.email.domain", "attempt to index text (field 'email')");
	assert_fails("person > 5", "attempt to compare a number with an object or list");
	assert_fails("1\n  // 0", "line 2: attempt to divide by zero");
	assert_null(strstr(error.text, "ada"));
}

static void results_are_copied_to_the_arena(void **unused)
{
	struct expr_value value, more;

	(void)unused;
	assert_true(evaluate("{person.email, {1, true}, consent, 2.5}", &value));
	assert_int_equal(value.kind, EXPR_LIST);
	assert_int_equal(value.count, 4);
	assert_slice_is(value.items[0].text, "ada@example.com");
	assert_int_equal(value.items[1].kind, EXPR_LIST);
	assert_int_equal(value.items[1].items[0].integer, 1);
	assert_true(value.items[1].items[1].truth);
	assert_int_equal(value.items[2].kind, EXPR_NODE);
	assert_ptr_equal(value.items[2].node, &root_members[3]);
	assert_true(value.items[3].number == 2.5);
	assert_true(evaluate("upper('again')", &more));
	assert_slice_is(value.items[0].text, "ada@example.com");
	assert_true(evaluate("{}", &value));
	assert_int_equal(value.kind, EXPR_LIST);
	assert_int_equal(value.count, 0);
}

static void tests_by_truth(void **unused)
{
	struct expr_reader reader = record_reader(&root);
	const char *const yes[] = {"true", "0", "''", "person", "person.email"};
	const char *const no[] = {"false", "nil", "person.phone", "not person"};
	bool answer;

	(void)unused;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		struct expr *expr = expr_new(state, slice_from(yes[i]), &error);
		answer = false;
		assert_true(expr_test(expr, &reader, &answer, &error));
		assert_true(answer);
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		struct expr *expr = expr_new(state, slice_from(no[i]), &error);
		answer = true;
		assert_true(expr_test(expr, &reader, &answer, &error));
		assert_false(answer);
	}
}

static void a_constant_is_no_answer(void **unused)
{
	static const char *const good[] = {"true", "false", "a", "not true", "lower('x') == a"};
	static const char *const bad[] = {"5", " 0x1f ", "'US'", "nil", "\"\""};

	(void)unused;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(expr_check_answer(slice_from(good[i]), NULL, &error));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_true(expr_check(slice_from(bad[i]), NULL, &error));
		assert_false(expr_check_answer(slice_from(bad[i]), NULL, &error));
		assert_non_null(strstr(error.text, "a constant answers the same"));
	}
	assert_false(expr_check_answer(LG_SLICE("5 +"), NULL, &error));
	assert_non_null(strstr(error.text, "1:"));
}

static void one_text_is_compiled_once(void **unused)
{
	struct expr *first = expr_new(state, LG_SLICE("person.email"), &error);
	struct expr *again = expr_new(state, LG_SLICE("person.email"), &error);
	struct expr *other = expr_new(state, LG_SLICE("person.phone"), &error);
	struct expr_reader reader = record_reader(&root);
	bool yes = false;

	(void)unused;
	assert_ptr_equal(first, again);
	assert_ptr_not_equal(first, other);
	expr_free(&first);
	assert_null(first);
	assert_true(expr_test(again, &reader, &yes, &error));
	assert_true(yes);
	expr_free(&again);
	/* `other` is left to the state */
}

static void names_that_lua_knows_are_not_there(void **unused)
{
	static const char *const names[] = {"os",   "io",	"load",	 "require",   "debug",
					    "math", "string",	"table", "coroutine", "package",
					    "type", "tostring", "pcall", "error",     "select"};
	char text[64];

	(void)unused;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_nil(names[i]);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(text, sizeof(text), "%s('x')", names[i]);
		assert_fails(text, "unknown function");
	}
}

static void memory_is_bounded(void **unused)
{
	const struct expr_limits little = {.memory_bytes = 256 << 10, .steps = 200000};
	struct expr_state *small = expr_state_new(&little);
	struct node members[] = {TEXT("text", ""), END};
	const struct node big = {.children = members};
	struct expr_reader reader = record_reader(&big);
	static char large[300000];
	struct expr *expr;
	bool yes;

	(void)unused;
	memset(large, 'x', sizeof(large));
	members[0].value.text = slice_of(large, sizeof(large));
	expr = expr_new(small, LG_SLICE("length(text)"), &error);
	assert_false(expr_test(expr, &reader, &yes, &error));
	assert_non_null(strstr(error.text, "memory"));
	members[0].value.text.length = 50000;
	/* what a run leaves behind is collected by later ones */
	for (int i = 0; i < 50; i++)
		assert_true(expr_test(expr, &reader, &yes, &error));
	expr = expr_new(small, LG_SLICE("text .. text .. text .. text"), &error);
	assert_false(expr_test(expr, &reader, &yes, &error));
	assert_non_null(strstr(error.text, "memory"));
	expr_state_free(&small);
}

static bool endless(const void *context, const void *list, const void **at,
		    struct expr_value *value)
{
	(void)context;
	(void)list;
	*at = list;
	value->kind = EXPR_INTEGER;
	value->integer = 1;
	return true;
}

static void steps_are_bounded(void **unused)
{
	static const char *const texts[] = {
		"length(person)",	    "#person",
		"contains(person, 2)",	    "matches_any(2, person)",
		"matches_any(person, {3})", "any_where(person, 'a', 1)",
		"join(person, '')",	    "person[100000000]",
	};
	struct expr_reader reader = {.context = &root, .member = record_member, .next = endless};
	bool yes;

	(void)unused;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct expr *expr = expr_new(state, slice_from(texts[i]), &error);
		assert_non_null(expr);
		assert_false(expr_test(expr, &reader, &yes, &error));
		if (!strstr(error.text, "takes more than 20000 steps"))
			fail_msg("%s: %s", texts[i], error.text);
	}
}

static void instructions_are_steps(void **unused)
{
	const struct expr_limits few = {.memory_bytes = 1 << 20, .steps = 1000};
	struct expr_reader reader = record_reader(&root);
	struct expr_state *small = expr_state_new(&few);
	char text[EXPR_TEXT_BYTES] = "is_test";
	struct expr *expr;
	bool yes;

	(void)unused;
	for (int i = 0; i < 600; i++)
		strcat(text, " or is_test");
	assert_non_null(small);
	expr = expr_new(small, slice_from(text), &error);
	assert_non_null(expr);
	assert_false(expr_test(expr, &reader, &yes, &error));
	assert_non_null(strstr(error.text, "more than 1000 steps"));
	expr_state_free(&small);
}

static void survives_each_failed_allocation(void **unused)
{
	static const char text[] = "join({upper(person.email), extra.digits .. 'x'}, ',')";
	struct expr_reader reader = record_reader(&root);
	int64_t n = 0, failures = 0;

	(void)unused;
	do {
		struct expr_state *tried;
		struct expr *expr = NULL;
		struct expr_value value;
		struct arena small;
		bool done = false;

		arena_init(&small, 512, 0);
		alloc_fail_at(++n);
		tried = expr_state_new(&limits);
		if (tried)
			expr = expr_new(tried, LG_SLICE(text), &error);
		if (expr)
			done = expr_evaluate(expr, &reader, &small, &value, &error);
		if (done)
			assert_slice_is(value.text, "ADA@EXAMPLE.COM,10x");
		failures += !done;
		alloc_fail_at(alloc_failed() ? 0 : INT64_MAX);
		expr_state_free(&tried);
		arena_fini(&small);
	} while (n < 1000 && failures + 5 > n);
	alloc_fail_at(0);
	assert_true(failures > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, open_state, close_state)
		CASE(reads_the_record),
		CASE(what_is_absent_is_nil_all_the_way_down),
		CASE(text_and_numbers_stay_apart),
		CASE(functions_take_text),
		CASE(functions_take_lists),
		CASE(functions_take_numbers),
		CASE(errors_of_a_run_say_what_is_wrong),
		CASE(results_are_copied_to_the_arena),
		CASE(tests_by_truth),
		CASE(a_constant_is_no_answer),
		CASE(one_text_is_compiled_once),
		CASE(names_that_lua_knows_are_not_there),
		CASE(memory_is_bounded),
		CASE(steps_are_bounded),
		CASE(instructions_are_steps),
		CASE(survives_each_failed_allocation),
	};
	return RUN(tests);
}
