/* Bodies that are made of events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "sink/mapping.h"

#define BODY                                                                                   \
	"{\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"type\":\"lead.touched\",\"at\":"   \
	"\"2026-01-02T03:04:05.678Z\",\"lead\":{\"id\":\"L1\",\"person\":{\"email\":"          \
	"\"a@example.com\",\"full_name\":\"\\u0001 \\\"\xc3\xa9\\\\\",\"profiles\":[{\"id\":"  \
	"\"p\"}],\"other_emails\":[]},\"organization\":{\"employees\":50},\"inquiry\":{"       \
	"\"products\":[\"x\",\"y z\"]},\"extra\":{\"no\":12345678901234567890,\"big\":1.10}}," \
	"\"changes\":{\"filled\":{\"person.phone\":\"+1\"}}}"

static const struct expr_limits limits = {.memory_bytes = 4 << 20, .steps = 200000};

#define V(member, expression)                                                            \
	{                                                                                \
		.kind = OUTLINE_VALUE, .name = {(member), sizeof(member) - 1}, .text = { \
			(expression),                                                    \
			sizeof(expression) - 1                                           \
		}                                                                        \
	}
#define IN(outline_kind, member, array)                                                         \
	{                                                                                       \
		.kind = (outline_kind), .name = {(member), sizeof(member) - 1}, .items = array, \
		.count = sizeof(array) / sizeof((array)[0])                                     \
	}
#define ROOT(array) (struct outline) IN(OUTLINE_MAP, "", array)

/* What becomes of the event; NULL with the reason in `error`. */
static char *make(const struct outline *outline, enum mapping_form form, int64_t max_bytes,
		  struct error *error)
{
	struct mapping *mapping = mapping_new(outline, form, max_bytes, &limits, error);
	struct event_binding event = {
		.seq = 17,
		.body = LG_SLICE(BODY),
		.type = LG_SLICE("lead.touched"),
		.external_id = LG_SLICE("x-1"),
	};
	struct lg_slice body;
	struct arena arena;
	char *made = NULL;

	if (!mapping)
		return NULL;
	arena_init(&arena, 4096, 0);
	/* Again and again: nothing is left of the time before. */
	for (int again = 0; again < 3; again++) {
		free(made);
		made = NULL;
		if (mapping_make(mapping, &event, &arena, &body, error))
			made = strndup(body.data, body.length);
	}
	arena_fini(&arena);
	mapping_free(&mapping);
	assert_null(mapping);
	return made;
}

static void expect(const struct outline *outline, enum mapping_form form, const char *wanted)
{
	struct error error = {""};
	char *made = make(outline, form, 1 << 20, &error);

	if (!made)
		fail_msg("%s", error.text);
	assert_string_equal(made, wanted);
	free(made);
}

static void expect_failure(const struct outline *outline, enum mapping_form form, int64_t max_bytes,
			   const char *wanted)
{
	struct error error = {""};

	assert_null(make(outline, form, max_bytes, &error));
	assert_string_equal(error.text, wanted);
}

static void test_values_keep_their_type(void **state)
{
	static const struct outline fields[] = {
		V("email", "person.email"),
		V("name", "person.full_name"),
		V("size", "organization.employees"),
		V("half", "organization.employees / 4"),
		V("large", "organization.employees >= 50"),
		V("constant", "'website'"),
		V("one", "1"),
		V("none", "person.phone"),
		V("products", "inquiry.products"),
		V("profiles", "person.profiles"),
		V("empty", "person.other_emails"),
		V("number", "extra.no"),
		V("list", "{person.email, 2, false}"),
		V("odd \"name\"", "lower('ABC')"),
	};

	(void)state;
	expect(&ROOT(fields), MAPPING_JSON,
	       "{\"email\":\"a@example.com\",\"name\":\"\\u0001 \\\"\xc3\xa9\\\\\",\"size\":50,"
	       "\"half\":12.5,\"large\":true,\"constant\":\"website\",\"one\":1,"
	       "\"products\":[\"x\",\"y z\"],\"profiles\":[{\"id\":\"p\"}],\"empty\":[],"
	       "\"number\":\"12345678901234567890\",\"list\":[\"a@example.com\",2,false],"
	       "\"odd \\\"name\\\"\":\"abc\"}");
}

static void test_nested(void **state)
{
	static const struct outline absent[] = {V("a", "person.phone"), V("b", "nil")};
	static const struct outline deep[] = {IN(OUTLINE_MAP, "gone", absent)};
	static const struct outline tags[] = {V("", "'a'"), V("", "person.phone"), V("", "3"),
					      IN(OUTLINE_MAP, "", absent)};
	static const struct outline inner[] = {V("mail", "person.email"),
					       IN(OUTLINE_LIST, "tags", tags)};
	static const struct outline fields[] = {IN(OUTLINE_MAP, "deep", deep),
						IN(OUTLINE_MAP, "properties", inner),
						IN(OUTLINE_LIST, "left", absent)};
	static const struct outline nothing[] = {V("a", "person.phone")};

	(void)state;
	expect(&ROOT(fields), MAPPING_JSON,
	       "{\"properties\":{\"mail\":\"a@example.com\",\"tags\":[\"a\",3]}}");
	expect(&ROOT(nothing), MAPPING_JSON, "{}");
}

static void test_the_event(void **state)
{
	static const struct outline fields[] = {
		V("type", "event.type"),
		V("id", "event.id"),
		V("lead", "id"),
		V("seq", "event.seq + 1"),
		V("at", "event.at"),
		V("known_as", "event.external_id"),
		V("phone", "event.changes.filled['person.phone']"),
		V("changes", "event.changes"),
		V("alert", "event.alert.kind"),
	};
	struct error error = {""};

	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (!event_binding_check(fields[i].text, &error))
			fail_msg("%s", error.text);
	assert_false(event_binding_check(LG_SLICE("event.tpye"), &error));
	assert_string_equal(error.text, "1:7: unknown name 'event.tpye'; did you mean "
					"'event.type'?");
	assert_false(event_binding_check(LG_SLICE("person.emial"), &error));
	assert_true(event_binding_check(LG_SLICE("'constant'"), &error));
	expect(&ROOT(fields), MAPPING_JSON,
	       "{\"type\":\"lead.touched\",\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\","
	       "\"lead\":\"L1\",\"seq\":18,\"at\":\"2026-01-02T03:04:05.678Z\","
	       "\"known_as\":\"x-1\",\"phone\":\"+1\","
	       "\"changes\":{\"filled\":{\"person.phone\":\"+1\"}}}");
}

static void test_forms(void **state)
{
	static const struct outline tags[] = {V("", "'a&b'"), V("", "person.phone")};
	static const struct outline fields[] = {
		V("first name", "person.full_name"),
		V("size", "organization.employees"),
		V("half", "0.5"),
		V("yes", "true"),
		V("none", "person.phone"),
		V("products", "inquiry.products"),
		V("list", "{1, 'two'}"),
		IN(OUTLINE_LIST, "tags", tags),
	};
	static const struct outline object[] = {V("a", "person.profiles")};
	static const struct outline mapping[] = {IN(OUTLINE_MAP, "a", object)};
	static const struct outline lists[] = {IN(OUTLINE_LIST, "a", mapping)};

	(void)state;
	expect(&ROOT(fields), MAPPING_FORM,
	       "first+name=%01+%22%C3%A9%5C&size=50&half=0.5&yes=true&products=x&products=y+z&"
	       "list=1&list=two&tags=a%26b");
	expect_failure(&ROOT(object), MAPPING_FORM, 1 << 20, "a: a form cannot hold an object");
	expect_failure(&ROOT(mapping), MAPPING_FORM, 1 << 20, "a: a form cannot hold a mapping");
	expect_failure(&ROOT(lists), MAPPING_FORM, 1 << 20,
		       "a: the lists of a form hold single values");
}

/* Reasons name the place in the configuration and nothing of the lead. */
static void test_failures(void **state)
{
	static const struct outline bad[] = {V("ok", "1"), V("", "person.email + 1")};
	static const struct outline inner[] = {IN(OUTLINE_LIST, "tags", bad)};
	static const struct outline outer[] = {IN(OUTLINE_MAP, "properties", inner)};
	static const struct outline infinite[] = {V("n", "1 / 0")};
	static const struct outline event[] = {V("e", "{event}")};
	static const struct outline mail[] = {V("e", "person.email")};
	static const struct outline broken[] = {V("e", "person.")};
	struct error error = {""};
	char *made;

	(void)state;
	expect_failure(&ROOT(outer), MAPPING_JSON, 1 << 20,
		       "properties.tags[2]: attempt to perform arithmetic on text (field 'email')");
	expect_failure(&ROOT(infinite), MAPPING_JSON, 1 << 20, "n: the result is no finite number");
	expect_failure(&ROOT(event), MAPPING_JSON, 1 << 20,
		       "e: 'event' alone is no value; name one of its members");
	expect_failure(&ROOT(mail), MAPPING_JSON, 20,
		       "there is no room for the body: max_body is 20 bytes");
	made = make(&ROOT(mail), MAPPING_JSON, 21, &error);
	assert_non_null(made);
	free(made);
	assert_null(make(&ROOT(broken), MAPPING_JSON, 21, &error));
	assert_memory_equal(error.text, "e: 1:", 5);
}

/* One that fails leaves the next one alone; an event that is none fails. */
static void test_one_lead_after_the_other(void **state)
{
	static const struct outline fields[] = {V("n", "organization.employees + 1")};
	struct error error = {""};
	struct mapping *mapping = mapping_new(&ROOT(fields), MAPPING_JSON, 1000, &limits, &error);
	struct event_binding good = {.body = LG_SLICE(BODY)}, bad = {.body = LG_SLICE("{}")},
			     none = {.body = LG_SLICE("{\"id\":")};
	struct lg_slice body;
	struct arena arena;

	(void)state;
	arena_init(&arena, 4096, 0);
	for (int again = 0; again < 2; again++) {
		assert_false(mapping_make(mapping, &bad, &arena, &body, &error));
		assert_false(mapping_make(mapping, &none, &arena, &body, &error));
		assert_true(mapping_make(mapping, &good, &arena, &body, &error));
		assert_true(slice_is(body, "{\"n\":51}"));
	}
	arena_fini(&arena);
	mapping_free(&mapping);
}

/* Every allocation fails once. */
static void test_no_memory(void **state)
{
	static const struct outline tags[] = {V("", "'a'"), V("", "inquiry.products")};
	static const struct outline fields[] = {V("mail", "person.email"),
						IN(OUTLINE_LIST, "tags", tags)};
	bool failed;
	int64_t n = 0;

	(void)state;
	do {
		struct error error = {""};
		char *made;

		alloc_fail_at(++n);
		made = make(&ROOT(fields), MAPPING_JSON, 1 << 20, &error);
		failed = alloc_failed();
		alloc_fail_at(0);
		if (made)
			assert_string_equal(made, "{\"mail\":\"a@example.com\","
						  "\"tags\":[\"a\",[\"x\",\"y z\"]]}");
		else
			assert_true(failed && error.text[0]);
		free(made);
	} while (failed);
	assert_true(n > 5);
}

/* Not a test: what a mapping of ten fields takes, said on request. */
static void test_speed(void **state)
{
	static const struct outline fields[] = {
		V("email", "person.email"),
		V("name", "person.full_name"),
		V("company", "organization.name"),
		V("size", "organization.employees or 0"),
		V("products", "join(inquiry.products, ';')"),
		V("source", "'website'"),
		V("hot", "status.intent == 'hard'"),
		V("type", "event.type"),
		V("at", "event.at"),
		V("lead", "id"),
	};
	struct event_binding event = {.body = LG_SLICE(BODY), .type = LG_SLICE("lead.created")};
	const char *said = getenv("LG_ROUNDS");
	long rounds = said ? strtol(said, NULL, 10) : 1;
	int64_t begin_us = clock_monotonic_us();
	struct error error = {""};
	struct mapping *mapping = mapping_new(&ROOT(fields), MAPPING_JSON, 1000, &limits, &error);
	struct lg_slice body;
	struct arena arena;

	(void)state;
	arena_init(&arena, 4096, 0);
	for (long i = 0; i < rounds; i++) {
		arena_reset(&arena);
		assert_true(mapping_make(mapping, &event, &arena, &body, &error));
	}
	if (said)
		print_message("# %.2f us a body\n",
			      (double)(clock_monotonic_us() - begin_us) / (double)rounds);
	arena_fini(&arena);
	mapping_free(&mapping);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_keep_their_type),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_the_event),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_one_lead_after_the_other),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_speed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("mapping", tests, NULL, NULL);
}
