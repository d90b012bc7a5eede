#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/document.h"

struct fixture {
	char path[32];
	struct buffer errors;
	struct document *document;
};

static int setup(void **state)
{
	static struct fixture f;

	strcpy(f.path, "/tmp/test_document.XXXXXX");
	close(mkstemp(f.path));
	f.document = NULL;
	buffer_init(&f.errors, 1 << 20);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	document_free(&f->document);
	buffer_fini(&f->errors);
	return unlink(f->path);
}

static bool open_bytes(struct fixture *f, struct lg_slice bytes)
{
	FILE *file = fopen(f->path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes.data, 1, bytes.length, file), bytes.length);
	fclose(file);
	document_free(&f->document);
	buffer_clear(&f->errors);
	f->document = document_open(f->path, &f->errors);
	return f->document != NULL;
}

/* The errors, whose lines begin with the path in place of `@`. */
static void expect_errors(struct fixture *f, const char *expected)
{
	struct buffer wanted;

	buffer_init(&wanted, 1 << 20);
	for (; *expected; expected++) {
		if (*expected == '@')
			buffer_add_slice(&wanted, slice_from(f->path));
		else
			buffer_add_byte(&wanted, *expected);
	}
	buffer_add_byte(&wanted, '\0');
	buffer_add_byte(&f->errors, '\0');
	assert_string_equal(f->errors.data + f->errors.start, wanted.data + wanted.start);
	buffer_fini(&wanted);
}

static void walks_what_was_read(void **state)
{
	struct fixture *f = *state;
	struct fy_node *root, *key_node, *value;
	struct lg_slice key;
	void *cursor = NULL;

	assert_true(open_bytes(f, LG_SLICE("a: 1\nb: [x, 'y']\nc:\n  d: |\n    two\n    lines\n")));
	root = document_root(f->document);
	assert_true(document_is_map(root));
	assert_true(slice_is(document_text(f->document, document_member(root, "a")), "1"));
	assert_null(document_member(root, "nope"));
	assert_null(document_member(document_member(root, "a"), "x"));
	assert_null(document_member(NULL, "x"));
	value = document_member(root, "c");
	assert_int_equal(document_line(value), 3);
	assert_int_equal(document_line(document_member(value, "d")), 4);
	assert_true(
		slice_is(document_text(f->document, document_member(value, "d")), "two\nlines\n"));
	assert_false(slice_present(document_text(f->document, value)));

	value = document_member(root, "b");
	assert_true(document_is_list(value));
	assert_true(document_each(f->document, value, &cursor, &key, &key_node, &root));
	assert_false(slice_present(key));
	assert_true(slice_is(document_text(f->document, root), "x"));
	assert_true(document_each(f->document, value, &cursor, &key, &key_node, &root));
	assert_true(slice_is(document_text(f->document, root), "y"));
	assert_false(document_each(f->document, value, &cursor, &key, &key_node, &root));
}

static void tells_nothing_from_empty(void **state)
{
	struct fixture *f = *state;
	struct fy_node *root;

	assert_true(open_bytes(f, LG_SLICE("none:\nempty: ''\nquoted: \"\"\n")));
	root = document_root(f->document);
	assert_false(slice_present(document_text(f->document, document_member(root, "none"))));
	assert_true(slice_present(document_text(f->document, document_member(root, "empty"))));
	assert_true(slice_present(document_text(f->document, document_member(root, "quoted"))));
	assert_true(open_bytes(f, LG_SLICE("")));
	assert_null(document_root(f->document));
	assert_true(open_bytes(f, LG_SLICE("# only a comment\n")));
}

/* What libfyaml 0.7.12 gives for some of these is another text. */
static void reads_single_quotes(void **state)
{
	static const struct {
		const char *written, *expected;
	} texts[] = {
		{"''", ""},
		{"'a b'", "a b"},
		{"''''", "'"},
		{"'it''s'", "it's"},
		{"'source != '''''", "source != ''"},
		{"'a''''b'", "a''b"},
		{"''''''''''''''''''''''''", "'''''''''''"},
		{"'\\ \" ${A} # : \t'", "\\ \" ${A} # : \t"},
		{"'one  \n   two'", "one two"},
		{"'one\r\n two\r three'", "one two three"},
		{"'one\n\n  \t\n two'", "one\n\ntwo"},
		{"' \n  a''''\n  '", " a'' "},
		{"  '  kept at both ends '  # a comment", "  kept at both ends "},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		char file[128];
		struct lg_slice text;

		snprintf(file, sizeof(file), "\"first\": x\n'second': %s\n", texts[i].written);
		assert_true(open_bytes(f, slice_from(file)));
		text = document_text(f->document,
				     document_member(document_root(f->document), "second"));
		assert_int_equal(text.length, strlen(texts[i].expected));
		assert_memory_equal(text.data, texts[i].expected, text.length);
	}
}

static void refuses_what_would_be_misread(void **state)
{
	struct fixture *f = *state;

	assert_false(open_bytes(f, LG_SLICE("a: 'x'\n'''''''''''''''': 1\n")));
	expect_errors(f, "@:2:2: error: this key would be misread; write it in one line, "
			 "in double quotes\n"
			 "  '''''''''''''''': *\n"
			 "   ^\n");
	assert_false(open_bytes(f, LG_SLICE("a: >\n  x\n\n   y\nb: \"x\\ \n  y\"\n")));
	expect_errors(f, "@:1:1: error: this text would be misread; write it in one line, "
			 "or below a \"|\"\n"
			 "  a: *\n"
			 "  ^\n"
			 "@:5:5: error: this text would be misread; write it in one line, "
			 "or below a \"|\"\n"
			 "  b: \"** \n"
			 "      ^\n");
	assert_false(open_bytes(f, LG_SLICE("a: x\r\nb: \"bb\r\n      \"\r\n")));
	expect_errors(f, "@:2:5: error: this text would be misread; write it in one line, "
			 "or below a \"|\"\n"
			 "  b: \"**\n"
			 "      ^\n");
	assert_false(open_bytes(f, LG_SLICE("? \"bb\r\n  cc\"\r\n: x\r\n")));
	expect_errors(f, "@:1:4: error: this key would be misread; write it in one line, "
			 "in double quotes\n"
			 "  ? \"**\n"
			 "     ^\n");
	assert_true(open_bytes(f, LG_SLICE("a: \"b\\r\\n\"\r\nb: 'c\r\n  d'\r\nc: |\r\n  e\r\n")));
	assert_true(open_bytes(f, LG_SLICE("a: |\n  x\n\n   y\nb: \"x\\\\\"\nc: >\n  x\n\n  y\n")));
}

static void resolves_aliases_and_merge_keys(void **state)
{
	struct fixture *f = *state;
	struct fy_node *root, *b;

	assert_true(open_bytes(f, LG_SLICE("base: &base {x: 1, y: 2}\n"
					   "b: {<<: *base, y: 3}\nc: *base\n")));
	root = document_root(f->document);
	b = document_member(root, "b");
	assert_true(slice_is(document_text(f->document, document_member(b, "x")), "1"));
	assert_true(slice_is(document_text(f->document, document_member(b, "y")), "3"));
	assert_true(document_is_map(document_member(root, "c")));
	assert_int_equal(document_error_count(f->document), 0);
}

static void bounds_what_aliases_stand_for(void **state)
{
	struct fixture *f = *state;
	struct buffer bomb;

	buffer_init(&bomb, 1 << 16);
	buffer_add_literal(&bomb, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 20; i++)
		buffer_printf(&bomb, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i,
			      i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	assert_false(open_bytes(f, buffer_slice(&bomb)));
	buffer_fini(&bomb);
	assert_non_null(strstr(f->errors.data, "more than 100000 values, counted with those that "
					       "aliases stand for"));
	assert_false(open_bytes(f, LG_SLICE("x:\n  - &a\n    - *a\n")));
	expect_errors(f, "@:3:8: error: nested deeper than 64 levels, or an alias within what it "
			 "stands for\n"
			 "      - **\n"
			 "         ^\n");
}

static void reports_what_is_no_yaml(void **state)
{
	static const struct {
		const char *text, *errors;
	} cases[] = {
		{"a: [1, 2\nb: 3\n", "@:3:1: error: flow sequence without a closing bracket\n"
				     "  \n"
				     "  ^\n"},
		{"a: \"x\n", "@:1:5: error: double-quoted scalar without closing quote\n"
			     "  a: **\n"
			     "      ^\n"},
		{"a: b: c\n", "@:1:5: error: invalid nested block mapping on the same line\n"
			      "  a: *: *\n"
			      "      ^\n"},
		{"a: *x\n", "@:1:5: error: invalid alias\n"
			    "  a: **\n"
			    "      ^\n"},
		{"---\na: 1\n---\nb: 1\n",
		 "@:4:1: error: a second document begins here; the file must have one\n"
		 "  b: *\n"
		 "  ^\n"},
		{"a: 1\nb: \xff\n", "@:2:4: error: this byte is not UTF-8\n"
				    "  b: *\n"
				    "     ^\n"},
		{"a: x\x1b[0m\n", "@:1:5: error: a control character; write it as an escape in "
				  "double quotes\n"
				  "  a: *?***\n"
				  "      ^\n"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_false(open_bytes(f, slice_from(cases[i].text)));
		expect_errors(f, cases[i].errors);
	}
}

static void reports_all_that_is_wrong_with_keys_and_variables(void **state)
{
	struct fixture *f = *state;

	unsetenv("TEST_DOCUMENT_UNSET");
	assert_true(open_bytes(f, LG_SLICE("a: 1\n"
					   "b: {c: 1, d: 2, c: 3}\n"
					   "a: \"${TEST_DOCUMENT_UNSET}\"\n"
					   "e: \"${no name}\"\n"
					   "a: \"${\"\n"
					   "? [x]\n"
					   ": y\n"
					   "'${PLAIN}': '${SINGLE}'\n")));
	assert_int_equal(document_error_count(f->document), 7);
	expect_errors(f,
		      "@:6:4: error: a key must be a word\n"
		      "  ? [*]\n"
		      "     ^\n"
		      "@:3:1: error: \"a\" was there before, in line 1; each key may stand once\n"
		      "  a: \"**********************\"\n"
		      "  ^\n"
		      "@:5:1: error: \"a\" was there before, in line 1; each key may stand once\n"
		      "  a: \"**\"\n"
		      "  ^\n"
		      "@:2:17: error: \"c\" was there before, in line 2; each key may stand once\n"
		      "  b: {c: *, d: *, c: *}\n"
		      "                  ^\n"
		      "@:3:5: error: the environment variable TEST_DOCUMENT_UNSET is not set\n"
		      "  a: \"**********************\"\n"
		      "      ^\n"
		      "@:4:5: error: \"${…}\" does not hold the name of an environment variable; "
		      "write \"$$\" for a dollar\n"
		      "  e: \"**** *****\"\n"
		      "      ^\n"
		      "@:5:5: error: \"${\" without a closing brace; write \"$$\" for a dollar\n"
		      "  a: \"**\"\n"
		      "      ^\n");
}

static void shows_a_part_of_a_long_line(void **state)
{
	struct fixture *f = *state;
	struct buffer text, expected;

	buffer_init(&text, 1 << 16);
	buffer_init(&expected, 1 << 16);
	buffer_add_literal(&text, "{\ta: 1, b: '");
	for (int i = 0; i < 100; i++)
		buffer_add_literal(&text, "\xc3\xa9");
	buffer_add_literal(&text, "', a: '");
	for (int i = 0; i < 200; i++)
		buffer_add_byte(&text, 'z');
	buffer_add_literal(&text, "'}\n");
	assert_true(open_bytes(f, buffer_slice(&text)));
	buffer_add_literal(&expected, "@:1:116: error: \"a\" was there before, in line 1; each key "
				      "may stand once\n  ...");
	for (int i = 0; i < 34; i++)
		buffer_add_byte(&expected, '*');
	buffer_add_literal(&expected, "', a: '");
	for (int i = 0; i < 45; i++)
		buffer_add_byte(&expected, '*');
	buffer_printf(&expected, "...\n     %37s^\n%c", "", '\0');
	expect_errors(f, expected.data + expected.start);
	buffer_fini(&text);
	buffer_fini(&expected);
}

static void hides_values_in_excerpts(void **state)
{
	static const struct {
		const char *line, *shown;
	} cases[] = {
		{"{a: 1, secret: hunter2, a: 2}", "{a: *, secret: *******, a: *}"},
		{"{a: 1, api_key: 'h\xc3\xbcnter', a: 2}", "{a: *, api_key: '******', a: *}"},
		{"{a: 1, \"token\": \"x y\", a: 2}", "{a: *, \"token\": \"* *\", a: *}"},
		{"{a: 1, password: [x, {y: z}], a: 2}", "{a: *, password: [*, {y: *}], a: *}"},
		{"{a: 1, a: 2, lone, b:c}", "{a: *, a: *, ****, ***}"},
		{"{a: 1, a: 2} # note", "{a: *, a: *} * ****"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lg_slice rest, line;

		assert_true(open_bytes(f, slice_from(cases[i].line)));
		rest = buffer_slice(&f->errors);
		assert_true(slice_split(&rest, '\n', &line) && slice_split(&rest, '\n', &line));
		assert_true(slice_is(slice_trim(line), cases[i].shown));
	}
}

/* What was found to be harmless is shown by later errors. */
static void shows_what_it_is_told_to(void **state)
{
	struct fixture *f = *state;
	struct fy_node *root;

	assert_true(open_bytes(f, LG_SLICE("{a: 'b c', d: \"e\n  f\", g: h}\n")));
	root = document_root(f->document);
	assert_true(document_show(f->document, document_member(root, "a")));
	assert_false(document_show(f->document, document_member(root, "d")));
	assert_false(document_show(f->document, root));
	document_error(f->document, document_member(root, "a"), "no");
	expect_errors(f, "@:1:6: error: no\n"
			 "  {a: 'b c', d: \"*\n"
			 "       ^\n");

	assert_true(open_bytes(f, LG_SLICE("{a: &x b, c: *x}\n")));
	root = document_root(f->document);
	assert_false(document_show(f->document, document_member(root, "c")));
	document_error(f->document, document_member(root, "a"), "no");
	expect_errors(f, "@:1:8: error: no\n"
			 "  {a: ** *, c: **}\n"
			 "         ^\n");
}

static void reports_what_cannot_be_read(void **state)
{
	struct fixture *f = *state;
	static char large[1024 * 1024 + 1];

	buffer_clear(&f->errors);
	assert_null(document_open("/nonexistent/x.yaml", &f->errors));
	expect_errors(f, "/nonexistent/x.yaml: error: cannot be read: No such file or directory\n");
	buffer_clear(&f->errors);
	assert_null(document_open("/tmp", &f->errors));
	expect_errors(f, "/tmp: error: cannot be read: Is a directory\n");
	memset(large, '#', sizeof(large));
	assert_false(open_bytes(f, slice_of(large, sizeof(large))));
	expect_errors(f, "@: error: is larger than 1048576 bytes\n");
	assert_true(open_bytes(f, slice_of(large, sizeof(large) - 1)));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(walks_what_was_read),
		TEST(tells_nothing_from_empty),
		TEST(reads_single_quotes),
		TEST(refuses_what_would_be_misread),
		TEST(resolves_aliases_and_merge_keys),
		TEST(bounds_what_aliases_stand_for),
		TEST(reports_what_is_no_yaml),
		TEST(reports_all_that_is_wrong_with_keys_and_variables),
		TEST(shows_a_part_of_a_long_line),
		TEST(hides_values_in_excerpts),
		TEST(shows_what_it_is_told_to),
		TEST(reports_what_cannot_be_read),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
