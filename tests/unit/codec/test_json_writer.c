#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec/json_writer.h"

static void expect(struct buffer *out, const char *text)
{
	assert_false(out->failed);
	buffer_add_byte(out, '\0');
	assert_string_equal(out->data + out->start, text);
	buffer_clear(out);
}

static void puts_the_commas(void **state)
{
	struct json_writer writer;
	struct buffer out;

	(void)state;
	buffer_init(&out, 1 << 16);
	json_writer_init(&writer, &out);
	json_write_open(&writer, '{');
	json_write_name(&writer, LG_SLICE("a\""));
	json_write_open(&writer, '[');
	json_write_int(&writer, INT64_MIN);
	json_write_int(&writer, INT64_MAX);
	json_write_open(&writer, '[');
	json_write_close(&writer, ']');
	json_write_open(&writer, '{');
	json_write_close(&writer, '}');
	json_write_close(&writer, ']');
	json_write_name(&writer, LG_SLICE("b"));
	json_write_text(&writer, LG_SLICE("x"));
	json_write_name(&writer, LG_SLICE("c"));
	json_write_bool(&writer, true);
	json_write_name(&writer, LG_SLICE("d"));
	json_write_null(&writer);
	json_write_name(&writer, LG_SLICE("e"));
	json_write_raw(&writer, LG_SLICE("{\"raw\":1.10}"));
	json_write_name(&writer, LG_SLICE("f"));
	json_write_bool(&writer, false);
	json_write_close(&writer, '}');
	expect(&out, "{\"a\\\"\":[-9223372036854775808,9223372036854775807,[],{}],\"b\":\"x\","
		     "\"c\":true,\"d\":null,\"e\":{\"raw\":1.10},\"f\":false}");
	buffer_fini(&out);
}

/* Parsed and written again it is the same. */
static void writes_what_was_read(void **state)
{
	static const char text[] =
		"{\"a\":[1.10,12345678901234567890,-0.5e3,\"\\u0001\\\"\"],"
		"\"b\\n\":{\"c\":null,\"d\":true,\"e\":false},\"f\":[],\"g\":{}}";
	struct json_writer writer;
	struct arena arena;
	struct buffer out;
	struct error error;

	(void)state;
	arena_init(&arena, 4096, 0);
	buffer_init(&out, 1 << 16);
	json_writer_init(&writer, &out);
	json_write_value(&writer, json_parse(&arena, slice_from(text), &error));
	expect(&out, text);
	buffer_fini(&out);
	arena_fini(&arena);
}

static void numbers_come_back(void **state)
{
	static const struct {
		double number;
		const char *text;
	} table[] = {
		{0.1, "0.1"},	   {1.0 / 3, "0.3333333333333333"},
		{50, "50"},	   {-2.5, "-2.5"},
		{1e300, "1e+300"}, {0.1 + 0.2, "0.30000000000000004"},
		{1e-7, "1e-07"},
	};
	struct json_writer writer;
	struct buffer out;

	(void)state;
	buffer_init(&out, 1 << 16);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		json_writer_init(&writer, &out);
		json_write_number(&writer, table[i].number);
		expect(&out, table[i].text);
	}
	buffer_fini(&out);
}

static void escapes(void **state)
{
	struct buffer out;

	(void)state;
	buffer_init(&out, 1 << 16);
	json_escape(&out, LG_SLICE("plain \"\\/ \b\f\n\r\t\x01\x1f\x7f \xc3\xa9 \xf0\x9f\x98\x80"));
	expect(&out, "plain \\\"\\\\/ \\b\\f\\n\\r\\t\\u0001\\u001f\x7f \xc3\xa9 \xf0\x9f\x98\x80");
	json_escape(&out, LG_SLICE("a\xe2\x80\xa8"
				   "b\xe2\x80\xa9"));
	expect(&out, "a\\u2028b\\u2029");
	json_escape(&out, LG_SLICE("\xff"
				   "a\xc3"));
	expect(&out, "\xef\xbf\xbd"
		     "a\xef\xbf\xbd");
	json_escape(&out, LG_SLICE("a\0b"));
	expect(&out, "a\\u0000b");
	json_escape(&out, (struct lg_slice){NULL, 0});
	expect(&out, "");
	buffer_fini(&out);
}

static void leaves_failure_to_the_buffer(void **state)
{
	struct json_writer writer;
	struct buffer out;

	(void)state;
	buffer_init(&out, 8);
	json_writer_init(&writer, &out);
	json_write_text(&writer, LG_SLICE("longer than eight"));
	assert_true(out.failed);
	buffer_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(puts_the_commas),
		cmocka_unit_test(writes_what_was_read),
		cmocka_unit_test(numbers_come_back),
		cmocka_unit_test(escapes),
		cmocka_unit_test(leaves_failure_to_the_buffer),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
