#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/outline.h"
#include "config/bind.h"

struct settings {
	struct lg_slice name, secret, url, when, path;
	int64_t count, wait_ms, size_bytes, free_ms;
	int32_t on, level;
	struct lg_list list;
	struct lg_map map;
	struct lg_field_map fields;
	struct outline outline;
};

#define ROW(n, t, member) .name = (n), .type = (t), .offset = offsetof(struct settings, member)

static const struct lg_option rows[] = {
	{ROW("name", LG_STRING, name), .flags = LG_REQUIRED, .help = "what it is called"},
	{ROW("secret", LG_SECRET, secret), .help = "what both sides know"},
	{ROW("enabled", LG_BOOL, on), .fallback = "true", .help = "whether it works"},
	{ROW("count", LG_INTEGER, count), .fallback = "-3", .min = -5, .max = 64,
	 .help = "how many"},
	{ROW("wait", LG_DURATION, wait_ms), .fallback = "90s", .min = 1000, .max = 600000,
	 .help = "how long"},
	{ROW("size", LG_SIZE, size_bytes), .fallback = "64KiB", .min = 4096, .max = 1 << 30,
	 .help = "how large"},
	{ROW("free", LG_DURATION, free_ms), .help = "without a range"},
	{ROW("level", LG_ENUM, level), .fallback = "info", .choices = "error|info|debug",
	 .help = ".how loud\\-"},
	{ROW("list", LG_LIST, list), .fallback = "[email, phone]", .help = "some"},
	{ROW("map", LG_MAP, map), .fallback = "{}", .help = "pairs"},
	{ROW("url", LG_URL, url), .help = "where to"},
	{ROW("when", LG_EXPRESSION, when), .help = "whether"},
	{ROW("fields", LG_FIELD_MAP, fields), .help = "which"},
	{ROW("mapping", OUTLINE_OPTION, outline), .help = "what it becomes"},
	{ROW("path", LG_PATH, path), .fallback = "var/x", .help = "file"},
};
static const struct option_table table = OPTION_TABLE(rows);

static bool check_expression(struct lg_slice text, struct error *error)
{
	return slice_is(text, "good") || error_set(error, "1: unexpected symbol near '+'");
}

static int find_field(struct lg_slice name)
{
	return slice_is(name, "person.email") ? 7 : -1;
}

static const char *const field_names[] = {"person.email", "person.phone", NULL};
static const struct bind_hooks hooks = {
	.expression = check_expression,
	.mapped = check_expression,
	.field = find_field,
	.field_names = field_names,
};

struct fixture {
	char folder[32], path[64];
	struct buffer errors;
	struct document *document;
	struct settings settings;
};

static int setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	strcpy(f.folder, "/tmp/test_bind.XXXXXX");
	assert_non_null(mkdtemp(f.folder));
	snprintf(f.path, sizeof(f.path), "%s/c.yaml", f.folder);
	buffer_init(&f.errors, 1 << 20);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[64];

	document_free(&f->document);
	buffer_fini(&f->errors);
	snprintf(command, sizeof(command), "rm -r %s", f->folder);
	return system(command);
}

static void put_file(struct fixture *f, const char *name, const char *text, mode_t mode)
{
	char path[96];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", f->folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	chmod(path, mode);
}

static bool bind(struct fixture *f, const char *text)
{
	static const char *const others[] = {"plugin", "auth", NULL};

	document_free(&f->document);
	buffer_clear(&f->errors);
	put_file(f, "c.yaml", text, 0600);
	memset(&f->settings, 0, sizeof(f->settings));
	f->document = document_open(f->path, &f->errors);
	return f->document && bind_options(f->document, document_root(f->document), "source \"a\"",
					   &table, others, &hooks, &f->settings);
}

/* What was reported, with the folder taken out of it. */
static void expect_errors(struct fixture *f, const char *text, const char *expected)
{
	struct buffer seen;
	struct lg_slice rest, line;
	size_t folder = strlen(f->folder) + 1;

	assert_false(bind(f, text));
	buffer_init(&seen, 1 << 20);
	rest = buffer_slice(&f->errors);
	while (slice_split(&rest, '\n', &line) && slice_present(rest)) {
		if (slice_starts(line, f->folder))
			line = slice_cut(line, folder, line.length);
		buffer_printf(&seen, "%.*s\n", SLICE_ARGS(line));
	}
	buffer_add_byte(&seen, '\0');
	assert_string_equal(seen.data + seen.start, expected);
	buffer_fini(&seen);
}

static void fills_the_struct(void **state)
{
	struct fixture *f = *state;
	struct settings *s = &f->settings;
	char path[96];

	setenv("TEST_BIND_SECRET", "p$a\"ss", 1);
	assert_true(bind(f, "name: \"costs $$5 ${TEST_BIND_SECRET}$\"\n"
			    "secret: \"${TEST_BIND_SECRET}\"\n"
			    "enabled: false\ncount: -5\nwait: 2m\nsize: 1MiB\nfree: 90d\n"
			    "level: debug\nlist: [a, 'b ${X}']\nmap: {k: v, e: ''}\n"
			    "url: https://crm.example:8443/leads?x=1\nwhen: good\n"
			    "fields: {mail: person.email}\npath: /abs\nplugin: webform\n"));
	assert_int_equal(buffer_length(&f->errors), 0);
	assert_true(slice_is(s->name, "costs $5 p$a\"ss$"));
	assert_true(slice_is(s->secret, "p$a\"ss"));
	assert_int_equal(s->on, 0);
	assert_int_equal(s->count, -5);
	assert_int_equal(s->wait_ms, 120000);
	assert_int_equal(s->size_bytes, 1 << 20);
	assert_int_equal(s->free_ms, INT64_C(90) * 86400000);
	assert_int_equal(s->level, 2);
	assert_int_equal(s->list.count, 2);
	assert_true(slice_is(s->list.items[1], "b ${X}"));
	assert_int_equal(s->map.count, 2);
	assert_true(slice_is(s->map.pairs[0].name, "k"));
	assert_true(slice_is(s->map.pairs[1].value, ""));
	assert_true(slice_is(s->url, "https://crm.example:8443/leads?x=1"));
	assert_int_equal(s->fields.count, 1);
	assert_int_equal(s->fields.entries[0].field, 7);
	assert_true(slice_is(s->path, "/abs"));

	assert_true(bind(f, "name: x\n# nothing else\n"));
	assert_false(slice_present(s->secret));
	assert_false(slice_present(s->url));
	assert_int_equal(s->on, 1);
	assert_int_equal(s->count, -3);
	assert_int_equal(s->wait_ms, 90000);
	assert_int_equal(s->size_bytes, 64 << 10);
	assert_int_equal(s->free_ms, 0);
	assert_int_equal(s->level, 1);
	assert_int_equal(s->list.count, 2);
	assert_true(slice_is(s->list.items[0], "email"));
	assert_true(slice_is(s->list.items[1], "phone"));
	assert_int_equal(s->map.count, 0);
	snprintf(path, sizeof(path), "%s/var/x", f->folder);
	assert_true(slice_is(s->path, path));

	assert_true(bind(f, "name: x\nlist: one\n"));
	assert_int_equal(s->list.count, 1);
	assert_true(slice_is(s->list.items[0], "one"));
}

static void names_every_mistake_at_once(void **state)
{
	expect_errors(
		*state,
		"nme: x\n"
		"secret: {a: b}\n"
		"enabled: yes\n"
		"count: 65\n"
		"wait: 5 sec\n"
		"size: 1KB\n"
		"level: debgu\n"
		"list: {a: b}\n"
		"map: [x]\n"
		"url: ftp://x\n"
		"when: \"+\"\n"
		"fields: {mail: person.emial, x: [1], y:}\n"
		"path:\n",
		"c.yaml:1:1: error: unknown option \"nme\" in source \"a\"; did you mean "
		"\"name\"?\n"
		"  nme: *\n"
		"  ^\n"
		"c.yaml:2:1: error: \"secret\": expected a secret, a string such as "
		"\"${NAME}\", found a mapping\n"
		"  secret: {a: *}\n"
		"  ^\n"
		"c.yaml:3:10: error: \"enabled\": expected true or false, found \"yes\"\n"
		"  enabled: yes\n"
		"           ^\n"
		"c.yaml:4:8: error: \"count\": expected a whole number from -5 to 64, found "
		"\"65\"\n"
		"  count: 65\n"
		"         ^\n"
		"c.yaml:5:7: error: \"wait\": expected a duration such as 500ms, 5s, 2m or "
		"90d, found \"5 sec\"\n"
		"  wait: 5 sec\n"
		"        ^\n"
		"c.yaml:6:7: error: \"size\": expected a size such as 4096, 64KiB or 20GiB, "
		"found \"1KB\"\n"
		"  size: 1KB\n"
		"        ^\n"
		"c.yaml:7:8: error: \"level\": expected one of \"error\", \"info\", "
		"\"debug\", found \"debgu\"\n"
		"  level: debgu\n"
		"         ^\n"
		"c.yaml:8:1: error: \"list\": expected a list of strings such as [one, two], "
		"found a mapping\n"
		"  list: {a: *}\n"
		"  ^\n"
		"c.yaml:9:1: error: \"map\": expected a mapping of strings such as { name: "
		"value }, found a list\n"
		"  map: [*]\n"
		"  ^\n"
		"c.yaml:10:6: error: \"url\": expected an absolute URL such as "
		"https://crm.example/leads, found something else\n"
		"  url: *******\n"
		"       ^\n"
		"c.yaml:11:8: error: \"when\": 1: unexpected symbol near '+'\n"
		"  when: \"+\"\n"
		"         ^\n"
		"c.yaml:12:16: error: \"fields\": unknown field \"person.emial\"; did you "
		"mean \"person.email\"?\n"
		"  fields: {mail: person.emial, x: [*], y:}\n"
		"                 ^\n"
		"c.yaml:12:30: error: \"fields\": expected a field's path such as "
		"person.email, found a list\n"
		"  fields: {mail: person.emial, x: [*], y:}\n"
		"                               ^\n"
		"c.yaml:12:38: error: \"fields\": expected a field's path such as "
		"person.email, found nothing\n"
		"  fields: {mail: person.emial, x: [*], y:}\n"
		"                                       ^\n"
		"c.yaml:13:1: error: \"path\": expected a path such as folder/name, "
		"found nothing\n"
		"  path:\n"
		"  ^\n"
		"c.yaml:1:1: error: source \"a\" lacks the option \"name\": expected a string "
		"such as \"text\"\n"
		"  nme: *\n"
		"  ^\n");
}

static void reads_an_outline(void **state)
{
	struct fixture *f = *state;
	const struct outline *root = &f->settings.outline, *inner;

	assert_true(bind(f, "name: x\nmapping: {a: good, b: {c: [good, {d: good}]}, e: {}}\n"));
	assert_int_equal(root->kind, OUTLINE_MAP);
	assert_int_equal(root->count, 3);
	assert_int_equal(root->items[0].kind, OUTLINE_VALUE);
	assert_true(slice_is(root->items[0].name, "a"));
	assert_true(slice_is(root->items[0].text, "good"));
	inner = &root->items[1].items[0];
	assert_int_equal(inner->kind, OUTLINE_LIST);
	assert_int_equal(inner->count, 2);
	assert_true(slice_is(inner->items[1].items[0].name, "d"));
	assert_int_equal(root->items[2].kind, OUTLINE_MAP);
	assert_int_equal(root->items[2].count, 0);
	assert_true(bind(f, "name: x\n"));
	assert_int_equal(root->kind, OUTLINE_ABSENT);

	expect_errors(f, "name: x\nmapping:\n  a: {b: [good, +]}\n  c: bad\n  d:\n",
		      "c.yaml:3:17: error: \"mapping.a.b[2]\": 1: unexpected symbol near '+'\n"
		      "    a: {b: [good, +]}\n"
		      "                  ^\n"
		      "c.yaml:4:6: error: \"mapping.c\": 1: unexpected symbol near '+'\n"
		      "    c: bad\n"
		      "       ^\n"
		      "c.yaml:5:3: error: \"mapping\": expected an expression such as "
		      "person.email, found nothing\n"
		      "    d:\n"
		      "    ^\n");
	expect_errors(f, "name: x\nmapping: good\n",
		      "c.yaml:2:10: error: \"mapping\": expected a mapping of expressions such as "
		      "{ email: person.email }, found \"good\"\n"
		      "  mapping: good\n"
		      "           ^\n");
	assert_false(bind(f, "name: x\nmapping: {}\n"));
	assert_false(bind(f, "name: x\nmapping: {a: [[[[[[[[[[[[[[[[good]]]]]]]]]]]]]]]]}\n"));
	buffer_add_byte(&f->errors, '\0');
	assert_non_null(strstr(f->errors.data, "more than 16 mappings and lists"));
}

static void refuses_values_out_of_form(void **state)
{
	static const struct {
		const char *text, *errors;
	} cases[] = {
		{"name: \"\"\n", "c.yaml:1:1: error: \"name\" must not be empty\n"
				 "  name: \"\"\n"
				 "  ^\n"},
		{"name: x\nsecret: \"\"\n", "c.yaml:2:1: error: \"secret\" must not be empty\n"
					    "  secret: \"\"\n"
					    "  ^\n"},
		{"name: x\nwait: 11m\n",
		 "c.yaml:2:7: error: \"wait\": expected a duration from 1s to 10m, found \"11m\"\n"
		 "  wait: 11m\n"
		 "        ^\n"},
		{"name: x\nsize: 1\n",
		 "c.yaml:2:7: error: \"size\": expected a size from 4KiB to 1GiB, found \"1\"\n"
		 "  size: 1\n"
		 "        ^\n"},
		{"name: x\ncount: 99999999999999999999\n",
		 "c.yaml:2:8: error: \"count\": expected a whole number such as 10, found "
		 "\"99999999999999999999\"\n"
		 "  count: 99999999999999999999\n"
		 "         ^\n"},
		{"name: x\nlist: [a, {b: c}, d]\n",
		 "c.yaml:2:12: error: \"list\": expected a string in this list, found a mapping\n"
		 "  list: [a, {b: *}, *]\n"
		 "             ^\n"},
		{"name: x\nmap:\n  a: [b]\n",
		 "c.yaml:3:3: error: \"map\": expected a string in this mapping, found a list\n"
		 "    a: [*]\n"
		 "    ^\n"},
		{"{name}\n",
		 "c.yaml:1:2: error: \"name\": expected a string such as \"text\", found "
		 "nothing\n"
		 "  {name}\n"
		 "   ^\n"},
		{"? name\n",
		 "c.yaml:1:3: error: \"name\": expected a string such as \"text\", found "
		 "nothing\n"
		 "  ? name\n"
		 "    ^\n"},
		{"name: x\nlevel: \"\\e[1m\"\n", "c.yaml:2:9: error: \"level\": expected one of "
						 "\"error\", \"info\", \"debug\", found "
						 "\"?[1m\"\n"
						 "  level: \"\\e[1m\"\n"
						 "          ^\n"},
		{"name: x\nurl: http://\n",
		 "c.yaml:2:6: error: \"url\": expected an absolute URL such as "
		 "https://crm.example/leads, found something else\n"
		 "  url: *******\n"
		 "       ^\n"},
		{"- a\n", "c.yaml:1:3: error: source \"a\": expected a mapping of options such as "
			  "{ name: value }, found a list\n"
			  "  - *\n"
			  "    ^\n"},
		{"word\n", "c.yaml:1:1: error: source \"a\": expected a mapping of options such as "
			   "{ name: value }, found a single value\n"
			   "  ****\n"
			   "  ^\n"},
		{"", "c.yaml: error: source \"a\" lacks the option \"name\": expected a string "
		     "such as \"text\"\n"},
		{"name: x\nquite_another: 1\n",
		 "c.yaml:2:1: error: unknown option \"quite_another\" in source \"a\"\n"
		 "  quite_another: *\n"
		 "  ^\n"},
		{"name: x\npluginn: y\n",
		 "c.yaml:2:1: error: unknown option \"pluginn\" in source \"a\"; did you mean "
		 "\"plugin\"?\n"
		 "  pluginn: *\n"
		 "  ^\n"},
		{"name: x\nwait: \"${TEST_BIND_UNSET}\"\n",
		 "c.yaml:2:8: error: the environment variable TEST_BIND_UNSET is not set\n"
		 "  wait: \"******************\"\n"
		 "         ^\n"},
	};

	unsetenv("TEST_BIND_UNSET");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_errors(*state, cases[i].text, cases[i].errors);
}

/* Whatever is wrong around it, and in whatever way it is written. */
static void shows_no_credential(void **state)
{
	static const char *const texts[] = {
		"secrte: hunter2\n",
		"{nmae: x, secret: hunter2, usr: y}\n",
		"{secrte: hunter2, wait: 5}\n",
		"{secret: [hunter2], wait: 5}\n",
		"secret: [hunter2]\n",
		"{secret: hun}ter2\n",
		"secret: hun}ter2, hunter2\nwait: hunter\n",
		"{wait: 5, secret: \"x}, hunter2\"}\n",
		"{wait: 5, secret: 'x'', y: hunter2'}\n",
		"{wait: 5, map: {Authorization: Bearer hunter2}}\n",
		"map: {Authorization: [Bearer hunter2]}\n",
		"{wait: 5, others: [{token: hunter2}]}\n",
		"{bearer:hunter2, wait: 5}\n",
		"{bearer hunter2, wait: 5}\n",
		"{\"bearer\" :hunter2, wait: 5}\n",
		"{wait: 5, secret: \"x\n  hunter2\", usr: 5}\n",
		"{secret: \"x\n  hunter2\", usr: 5}\n",
		"wait: 5\n secret:hunter2\n",
		"{wait: 5\n secret:hunter2}\n",
		"wait: 5 # secret: hunter2\n",
		"secret: hunter2: x\n",
		"secret: x: hunter2\n",
		"secret: \"hunter2\n",
		"secret: |\n  hunter2\n wait: 5\n",
		"secret: !hunter2 x\nwait: 5\n",
		"secret: *hunter2\n",
		"secret: @hunter2\n",
		"secret: %hunter2\n",
		"secret: `hunter2\n",
		"secret: \"x${hunter2 }\"\n",
		"secret: \"${hunter2\"\n",
		"secret: \"\\qhunter2\"\n",
		"{secret: &a hunter2, level: *a}\n",
		"secret: hunter2\x1b[0m\n",
		"secret: hunter2\xff\n",
		"- hunter2\n",
		"hunter2\n",
		"url: https//ada:hunter2@crm.example/\n",
		"{url: https://crm.example/?key=hunter2, wait: 5}\n",
		"\tsecret: hunter2\n",
		"name: x\n  secret: hunter2\n",
		"{? secret : hunter2, wait: 5}\n",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_false(bind(f, texts[i]));
		buffer_add_byte(&f->errors, '\0');
		assert_non_null(strstr(f->errors.data + f->errors.start, "error: "));
		if (strstr(f->errors.data + f->errors.start, "hunter2"))
			fail_msg("%s is answered by %s", texts[i],
				 f->errors.data + f->errors.start);
	}
}

static void shows_what_is_known_to_be_harmless(void **state)
{
	expect_errors(
		*state,
		"{name: 'a b', list: [c, d], fields: {m: person.email}, plugin: e, wait: 5, "
		"secret: f}\n",
		"c.yaml:1:73: error: \"wait\": expected a duration such as 500ms, 5s, 2m or "
		"90d, found \"5\"\n"
		"  {name: 'a b', list: [c, d], fields: {m: person.email}, plugin: *, wait: 5, "
		"secret: *}\n"
		"                                                                          ^\n");
}

static void reads_secrets_from_files(void **state)
{
	struct fixture *f = *state;
	char expected[256];

	put_file(f, "key", "\n hunter2 \n", 0600);
	assert_true(bind(f, "name: x\nsecret_file: key\n"));
	assert_true(slice_is(f->settings.secret, "hunter2"));

	snprintf(expected, sizeof(expected),
		 "c.yaml:2:14: error: \"secret_file\": %s/none cannot be read: No such file or "
		 "directory\n"
		 "  secret_file: none\n"
		 "               ^\n",
		 f->folder);
	expect_errors(f, "name: x\nsecret_file: none\n", expected);

	put_file(f, "open", "x", 0644);
	snprintf(expected, sizeof(expected),
		 "c.yaml:2:14: error: \"secret_file\": %s/open can be read by every user; chmod "
		 "600 it\n"
		 "  secret_file: open\n"
		 "               ^\n",
		 f->folder);
	expect_errors(f, "name: x\nsecret_file: open\n", expected);

	put_file(f, "empty", " \n", 0600);
	snprintf(expected, sizeof(expected),
		 "c.yaml:2:14: error: \"secret_file\": %s/empty is empty\n"
		 "  secret_file: empty\n"
		 "               ^\n",
		 f->folder);
	expect_errors(f, "name: x\nsecret_file: empty\n", expected);

	expect_errors(f, "name: x\nsecret: y\nsecret_file: key\n",
		      "c.yaml:3:1: error: \"secret\" and \"secret_file\" cannot both be given\n"
		      "  secret_file: ***\n"
		      "  ^\n");
	expect_errors(f, "name: x\nsecret_file: [key]\n",
		      "c.yaml:2:1: error: \"secret_file\": expected a path such as "
		      "folder/name\n"
		      "  secret_file: [***]\n"
		      "  ^\n");
}

/* A plugin built before `help` was added to the row, and one built after the
 * row grew: each is read as far as both sides know it. */
static void reads_rows_of_any_stride(void **state)
{
	struct fixture *f = *state;
	struct old_row {
		const char *name;
		int32_t type;
		uint32_t flags;
		size_t offset;
		const char *fallback;
	} old[] = {{"one", LG_INTEGER, 0, 0, "1"}, {"two", LG_INTEGER, 0, 8, "2"}};
	struct new_row {
		struct lg_option row;
		char more[24];
	} new[] = {{{.name = "one", .type = LG_INTEGER, .offset = 0, .fallback = "1"}, "????"},
		   {{.name = "two", .type = LG_INTEGER, .offset = 8, .fallback = "2"}, "????"}};
	const struct option_table tables[] = {{(const void *)old, 2, sizeof(old[0])},
					      {(const void *)new, 2, sizeof(new[0])}};

	bind(f, "name: x\n");
	for (int i = 0; i < 2; i++) {
		int64_t numbers[2] = {0, 0};

		assert_true(bind_options(f->document, NULL, "x", &tables[i], NULL, NULL, numbers));
		assert_int_equal(numbers[0], 1);
		assert_int_equal(numbers[1], 2);
		assert_null(option_at(&tables[i], 1).help);
		assert_string_equal(option_at(&tables[i], 1).name, "two");
	}
}

/* A plugin's row may have a default that nobody could configure: an error, and the
 * process goes on. */
static void reports_wrong_defaults(void **state)
{
	static const struct wrong {
		int32_t type;
		const char *fallback, *said;
	} wrong[] = {
		{LG_EXPRESSION, "((", "its default is wrong: 1: unexpected symbol near '+'"},
		{LG_URL, "http://", "its default is wrong: expected an absolute URL"},
		{LG_SECRET, "", "its default must not be empty"},
		{LG_PATH, "", "its default is wrong: expected a path"},
		{LG_BOOL, "yes", "its default is wrong: expected true or false"},
		{LG_LIST, "[a,,b]", "its default is wrong: expected a list"},
		{LG_LIST, "[a", "its default is wrong: expected a list"},
		{LG_MAP, "x", "its default is wrong: expected a mapping"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const struct lg_option row = {
			.name = "odd", .type = wrong[i].type, .fallback = wrong[i].fallback};
		const struct option_table one = {&row, 1, sizeof(row)};
		char memory[64] = {0};

		bind(f, "name: x\n");
		assert_false(bind_options(f->document, document_root(f->document), "x", &one,
					  (const char *const[]){"name", NULL}, &hooks, memory));
		assert_true(buffer_add_byte(&f->errors, '\0'));
		if (!strstr(buffer_slice(&f->errors).data, wrong[i].said))
			fail_msg("%s does not say %s", buffer_slice(&f->errors).data,
				 wrong[i].said);
	}
}

static void suggests_near_words_only(void **state)
{
	static const char *const names[] = {"address", "trusted_proxies", "tls", "redirect", NULL};

	(void)state;
	assert_string_equal(bind_suggestion(LG_SLICE("adress"), names), "address");
	assert_string_equal(bind_suggestion(LG_SLICE("addrses"), names), "address");
	assert_string_equal(bind_suggestion(LG_SLICE("Trusted-Proxie"), names), "trusted_proxies");
	assert_string_equal(bind_suggestion(LG_SLICE("trustet_proxies"), names), "trusted_proxies");
	assert_string_equal(bind_suggestion(LG_SLICE("TSL"), names), "tls");
	assert_null(bind_suggestion(LG_SLICE("store"), names));
	assert_null(bind_suggestion(LG_SLICE(""), names));
	assert_null(bind_suggestion(LG_SLICE("xyz"), names));
}

static void survives_failed_allocations(void **state)
{
	struct fixture *f = *state;
	int64_t n = 0;

	put_file(f, "key", "s", 0600);
	do {
		alloc_fail_at(++n);
		bind(f, "name: x\nsecret_file: key\nlist: [a, b]\nmap: {a: b}\nlevle: x\n");
	} while (alloc_failed());
	alloc_fail_at(0);
	assert_true(n > 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fills_the_struct),
		TEST(names_every_mistake_at_once),
		TEST(reads_an_outline),
		TEST(refuses_values_out_of_form),
		TEST(shows_no_credential),
		TEST(shows_what_is_known_to_be_harmless),
		TEST(reads_secrets_from_files),
		TEST(reads_rows_of_any_stride),
		TEST(reports_wrong_defaults),
		TEST(suggests_near_words_only),
		TEST(survives_failed_allocations),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
