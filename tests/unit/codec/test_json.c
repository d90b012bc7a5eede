#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "codec/json.h"
#include "codec/json_problem.h"

#define BOM "\xef\xbb\xbf"

struct fixture {
	struct arena arena;
	struct buffer out;
	struct error error;
};

static int setup(void **state)
{
	static struct fixture fixture;

	arena_init(&fixture.arena, 4096, 64 << 20);
	buffer_init(&fixture.out, 64 << 20);
	fixture.error.text[0] = '\0';
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	arena_fini(&f->arena);
	buffer_fini(&f->out);
	return 0;
}

/* Shows a tree so that kinds, names, texts and order can be compared at once. */
static void show(struct buffer *out, const struct json *value)
{
	static const char *const words[] = {"null", "true", "false"};

	if (value->name.data)
		buffer_printf(out, "%.*s=", SLICE_ARGS(value->name));
	if (value->kind <= JSON_FALSE)
		buffer_printf(out, "%s", words[value->kind]);
	else if (value->kind == JSON_NUMBER)
		buffer_printf(out, "#%.*s", SLICE_ARGS(value->text));
	else if (value->kind == JSON_STRING)
		buffer_printf(out, "'%.*s'", SLICE_ARGS(value->text));
	else
		buffer_add_byte(out, value->kind == JSON_ARRAY ? '[' : '{');
	for (const struct json *child = value->first; child; child = child->next) {
		assert_ptr_equal(child->parent, value);
		show(out, child);
		if (child->next)
			buffer_add_byte(out, ' ');
	}
	if (value->kind >= JSON_ARRAY)
		buffer_add_byte(out, value->kind == JSON_ARRAY ? ']' : '}');
}

static void expect_tree(struct fixture *f, struct lg_slice bytes, const char *tree)
{
	struct json *root = json_parse(&f->arena, bytes, &f->error);
	struct json_problem problem;

	if (!root)
		fail_msg("%.*s: %s", SLICE_ARGS(bytes), f->error.text);
	assert_false(json_problem_find(bytes, &problem));
	buffer_clear(&f->out);
	show(&f->out, root);
	buffer_add_byte(&f->out, '\0');
	assert_string_equal(f->out.data + f->out.start, tree);
}

static void expect_error(struct fixture *f, struct lg_slice bytes, const char *text)
{
	if (json_parse(&f->arena, bytes, &f->error))
		fail_msg("taken: %.*s", SLICE_ARGS(bytes));
	assert_string_equal(f->error.text, text);
}

static void keeps_the_text_of_numbers(void **state)
{
	struct fixture *f = *state;

	expect_tree(f, LG_SLICE("[12345678901234567890, 1.10 ,-0,1e400,0,-1.5E+07]"),
		    "[#12345678901234567890 #1.10 #-0 #1e400 #0 #-1.5E+07]");
	expect_tree(f, LG_SLICE(" 7 "), "#7");
}

static void reads_every_kind(void **state)
{
	struct fixture *f = *state;

	expect_tree(f, LG_SLICE("{\"a\":[true,false,null,{}],\"b\":{\"c\":[]},\"\":\"\"}"),
		    "{a=[true false null {}] b={c=[]} =''}");
	expect_tree(f, LG_SLICE("\"x\""), "'x'");
	expect_tree(f, LG_SLICE("null"), "null");
	expect_tree(f, LG_SLICE("\t[\r\n1 ]\n"), "[#1]");
}

static void decodes_strings(void **state)
{
	struct fixture *f = *state;
	struct json *root;

	expect_tree(f, LG_SLICE("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00 \xc3\xa9\""),
		    "'\"\\/\b\f\n\r\t\xc3\xa9\xf0\x9f\x98\x80 \xc3\xa9'");
	expect_tree(f, LG_SLICE("{\"na\\u006de\":1}"), "{name=#1}");
	root = json_parse(&f->arena, LG_SLICE("\"a\\u0000b\""), &f->error);
	assert_non_null(root);
	assert_true(slice_equal(root->text, LG_SLICE("a\0b")));
}

static void skips_a_byte_order_mark(void **state)
{
	struct fixture *f = *state;

	expect_tree(f, LG_SLICE(BOM "{\"a\":1}"), "{a=#1}");
	expect_error(f, LG_SLICE(BOM "x"),
		     "line 1, column 1: expected a value: an object, an array, a string in double "
		     "quotes, a number, true, false or null");
	expect_error(f, LG_SLICE(BOM BOM "1"),
		     "line 1, column 1: expected a value: an object, an array, a string in double "
		     "quotes, a number, true, false or null");
}

static void names_the_place_of_a_mistake(void **state)
{
	static const struct {
		const char *bytes, *error;
	} cases[] = {
		{"", "line 1, column 1: expected a JSON value, found nothing"},
		{" \n ", "line 2, column 2: expected a JSON value, found nothing"},
		{"{\n  \"a\": 1\n  \"b\": 2\n}",
		 "line 3, column 3: expected a comma or the closing brace }"},
		{"{\"\xc3\xa9\" 1}", "line 1, column 6: expected a colon after the member name"},
		{"{\"a\":1,}", "line 1, column 8: expected a member name in double quotes"},
		{"{a:1}", "line 1, column 2: expected a member name in double quotes"},
		{"[1 2]", "line 1, column 4: expected a comma or the closing bracket ]"},
		{"[1", "line 1, column 3: expected a comma or the closing bracket ]"},
		{"[1] x", "line 1, column 5: expected nothing more after the value"},
		{"1,2", "line 1, column 2: expected nothing more after the value"},
		{"1][2", "line 1, column 2: expected nothing more after the value"},
		{"[\"a]", "line 1, column 5: expected the closing quote of a string"},
		{"[01]", "line 1, column 3: a number does not begin with 0 before other digits"},
		{"[-]", "line 1, column 3: expected a digit"},
		{"[1.]", "line 1, column 4: expected a digit after the decimal point"},
		{"[1e+]", "line 1, column 5: expected a digit in the exponent"},
		{"{\"a\":\"b\":1}", "line 1, column 9: expected a comma or the closing brace }"},
		{"[\"a\":1]", "line 1, column 5: expected a comma or the closing bracket ]"},
		{"[1x]", "line 1, column 3: expected a comma or the closing bracket ]"},
		{"[\"\\x\"]",
		 "line 1, column 4: expected one of \" \\ / b f n r t u after a backslash"},
		{"[\"\\u12g4\"]", "line 1, column 7: expected four hexadecimal digits after \\u"},
		{"[\"\\ud800\"]",
		 "line 1, column 3: a \\u escape of half a surrogate pair stands for no character"},
		{"[\"\\udc00\\ud800\"]",
		 "line 1, column 3: a \\u escape of half a surrogate pair stands for no character"},
		{"[\"a\tb\"]", "line 1, column 4: a control character in a string must be escaped"},
		{"[\"a\xff\"]", "line 1, column 4: this byte is not UTF-8"},
		{"[\"\xed\xa0\x80\"]", "line 1, column 3: this byte is not UTF-8"},
		{"{\"a\":1,\n\"b\":{\"x\":1, \"x\":2}}",
		 "line 2, column 13: the member name \"x\" was there before; each name may stand "
		 "once in an object"},
		{"{\"a\":1,\"\\u0061\":2}",
		 "line 1, column 8: the member name \"a\" was there before; each name may stand "
		 "once in an object"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_error(*state, slice_from(cases[i].bytes), cases[i].error);
}

static void refuses_words_that_are_no_values(void **state)
{
	static const char *const words[] = {"tru",  "trueish", "TRUE", "nul",	   "nulls", "'a'",
					    "+1",   ".5",      "NaN",  "Infinity", "0x10",  "1_0",
					    "[,1]", "[]]",     "}",    "/**/1",	   "[1]\f"};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		assert_null(json_parse(&f->arena, slice_from(words[i]), &f->error));
		assert_non_null(strstr(f->error.text, "line 1, column "));
	}
	assert_null(json_parse(&f->arena, LG_SLICE("1\0"), &f->error));
	assert_null(json_parse(&f->arena, (struct lg_slice){NULL, 0}, &f->error));
}

static void bounds_the_depth(void **state)
{
	struct fixture *f = *state;
	char nested[2 * (JSON_DEPTH_MAX + 1)];

	memset(nested, '[', sizeof(nested) / 2);
	memset(nested + sizeof(nested) / 2, ']', sizeof(nested) / 2);
	assert_non_null(json_parse(&f->arena, slice_of(nested + 1, sizeof(nested) - 2), &f->error));
	expect_error(f, slice_of(nested, sizeof(nested)),
		     "line 1, column 65: nested deeper than 64 levels");
}

/* Beyond 16 members the names are sorted instead of compared in pairs. */
static void finds_repeated_names_among_many(void **state)
{
	struct fixture *f = *state;
	struct buffer text;

	buffer_init(&text, 1 << 20);
	for (int i = 0; i < 5000; i++)
		buffer_printf(&text, "%c\"name%d\":%d", i ? ',' : '{', i, i);
	buffer_add_byte(&text, '}');
	assert_non_null(json_parse(&f->arena, buffer_slice(&text), &f->error));
	text.end--;
	buffer_add_literal(&text, ",\n \"name4000\":0,\"name17\":0}");
	expect_error(f, buffer_slice(&text),
		     "line 2, column 2: the member name \"name4000\" was there before; each name "
		     "may stand once in an object");
	buffer_fini(&text);
}

static void finds_members(void **state)
{
	struct fixture *f = *state;
	struct json *root = json_parse(&f->arena, LG_SLICE("{\"s\":\"t\",\"n\":1.0,\"l\":[]}"),
				       &f->error);

	assert_true(slice_is(json_member_text(root, "s"), "t"));
	assert_true(slice_is(json_member_text(root, "n"), "1.0"));
	assert_false(slice_present(json_member_text(root, "l")));
	assert_false(slice_present(json_member_text(root, "x")));
	assert_int_equal(json_member(root, "l")->kind, JSON_ARRAY);
	assert_null(json_member(json_member(root, "l"), "s"));
	assert_null(json_member(NULL, "s"));
	assert_ptr_equal(json_member_slice(root, LG_SLICE("n")), json_member(root, "n"));
}

static void says_when_memory_runs_out(void **state)
{
	struct fixture *f = *state;
	struct arena small;
	int64_t n = 0;

	arena_init(&small, 1024, 2048);
	assert_null(json_parse(&small,
			       LG_SLICE("[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,"
					"1,2,3,4,5,6,7,8,9,10]"),
			       &f->error));
	assert_string_equal(f->error.text, "the JSON needs more memory than one request may use");
	arena_fini(&small);
	do {
		alloc_fail_at(++n);
		arena_init(&small, 256, 0);
		json_parse(&small, LG_SLICE("{\"a\":[1,2,3],\"b\":\"c\"}"), &f->error);
		arena_fini(&small);
	} while (alloc_failed());
	alloc_fail_at(0);
	assert_true(n > 1);
}

static void reads_large_documents_again_and_again(void **state)
{
	struct fixture *f = *state;
	static char large[300000];

	memset(large, 'a', sizeof(large));
	large[0] = large[sizeof(large) - 1] = '"';
	for (int i = 0; i < 3; i++) {
		struct json *root = json_parse(&f->arena, slice_of(large, sizeof(large)),
					       &f->error);

		assert_non_null(root);
		assert_int_equal(root->text.length, sizeof(large) - 2);
		assert_memory_equal(root->text.data, large + 1, sizeof(large) - 2);
		expect_tree(f, LG_SLICE("[\"small\"]"), "['small']");
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keeps_the_text_of_numbers),
		TEST(reads_every_kind),
		TEST(decodes_strings),
		TEST(skips_a_byte_order_mark),
		TEST(names_the_place_of_a_mistake),
		TEST(refuses_words_that_are_no_values),
		TEST(bounds_the_depth),
		TEST(finds_repeated_names_among_many),
		TEST(finds_members),
		TEST(says_when_memory_runs_out),
		TEST(reads_large_documents_again_and_again),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
