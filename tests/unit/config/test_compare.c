/* Values of options against each other: each type, equal and not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/outline.h"
#include "config/compare.h"

struct values {
	struct lg_slice text, secret;
	int32_t on, word;
	int64_t number;
	struct lg_list list;
	struct lg_map map;
	struct lg_field_map fields;
	struct outline outline;
};

static const struct lg_option rows[] = {
	{.name = "text", .type = LG_STRING, .offset = offsetof(struct values, text)},
	{.name = "secret", .type = LG_SECRET, .offset = offsetof(struct values, secret)},
	{.name = "on", .type = LG_BOOL, .offset = offsetof(struct values, on)},
	{.name = "word", .type = LG_ENUM, .offset = offsetof(struct values, word)},
	{.name = "number", .type = LG_SIZE, .offset = offsetof(struct values, number)},
	{.name = "list", .type = LG_LIST, .offset = offsetof(struct values, list)},
	{.name = "map", .type = LG_MAP, .offset = offsetof(struct values, map)},
	{.name = "fields", .type = LG_FIELD_MAP, .offset = offsetof(struct values, fields)},
	{.name = "outline", .type = OUTLINE_OPTION, .offset = offsetof(struct values, outline)},
};
static const struct option_table table = OPTION_TABLE(rows);

static const struct lg_slice words[] = {{"one", 3}, {"two", 3}};
static const struct lg_pair pairs[] = {{{"a", 1}, {"b", 1}}};
static const struct outline leaves[] = {
	{.kind = OUTLINE_VALUE, .name = {"a", 1}, .text = {"x", 1}},
	{.kind = OUTLINE_VALUE, .name = {"b", 1}, .text = {"y", 1}},
};
static const struct lg_field_name names[] = {{.name = {"mail", 4}, .field = 3}};

/* Texts at other places, so that no pointer is compared. */
static struct values values(void)
{
	static char text[2][8];
	static int turn;

	turn ^= 1;
	strcpy(text[turn], "hello");
	return (struct values){
		.text = {text[turn], 5},
		.on = 1,
		.word = 2,
		.number = INT64_C(1) << 40,
		.list = {words, 2},
		.map = {pairs, 1},
		.fields = {names, 1},
		.outline = {.kind = OUTLINE_MAP, .items = leaves, .count = 2},
	};
}

static void equal_values_are_equal(void **state)
{
	struct values a = values(), b = values();

	(void)state;
	assert_ptr_not_equal(a.text.data, b.text.data);
	assert_true(compare_options(&table, &a, &b));
}

/* Each of them alone makes the difference. */
static void every_type_can_differ(void **state)
{
	static const struct lg_slice others[] = {{"one", 3}, {"tow", 3}};
	static const struct lg_pair other_pairs[] = {{{"a", 1}, {"c", 1}}};
	static const struct lg_field_name other_names[] = {{.name = {"mail", 4}, .field = 4}};
	static const struct outline other_leaves[] = {
		{.kind = OUTLINE_VALUE, .name = {"a", 1}, .text = {"x", 1}},
		{.kind = OUTLINE_VALUE, .name = {"b", 1}, .text = {"z", 1}},
	};
	struct values a = values(), b[12];

	(void)state;
	for (size_t i = 0; i < 12; i++)
		b[i] = values();
	b[0].text = LG_SLICE("hello!");
	b[1].secret = LG_SLICE(""); /* absent is not empty */
	b[2].on = 0;
	b[3].word = 1;
	b[4].number++;
	b[5].list.items = others;
	b[6].list.count = 1;
	b[7].map.pairs = other_pairs;
	b[8].fields.entries = other_names;
	b[9].map.count = 0;
	b[10].outline.items = other_leaves;
	b[11].outline.kind = OUTLINE_LIST;
	for (size_t i = 0; i < 12; i++)
		assert_false(compare_options(&table, &a, &b[i]));
}

static void a_copy_is_equal(void **state)
{
	struct values a = values(), b = {.number = 1};

	(void)state;
	for (size_t i = 0; i < table.count; i++)
		compare_copy(&rows[i], &b, &a);
	assert_memory_equal(&a, &b, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_values_are_equal),
		cmocka_unit_test(every_type_can_differ),
		cmocka_unit_test(a_copy_is_equal),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
