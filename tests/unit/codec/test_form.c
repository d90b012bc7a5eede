#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "codec/form.h"

/* Parses and shows: name=value, one a line. */
static void expect_pairs(const char *text, const char *expected)
{
	struct arena arena;
	struct buffer out;
	struct form form;

	arena_init(&arena, 4096, 0);
	buffer_init(&out, 1 << 20);
	assert_true(form_parse(&arena, slice_from(text), 1000, &form));
	for (size_t i = 0; i < form.count; i++)
		buffer_printf(&out, "%.*s=%.*s\n", SLICE_ARGS(form.pairs[i].name),
			      SLICE_ARGS(form.pairs[i].value));
	buffer_add_byte(&out, '\0');
	assert_string_equal(out.data + out.start, expected);
	buffer_fini(&out);
	arena_fini(&arena);
}

static void reads_pairs_in_order(void **state)
{
	(void)state;
	expect_pairs("a=1&b=2&a=3", "a=1\nb=2\na=3\n");
	expect_pairs("", "");
	expect_pairs("&&a=1&&", "a=1\n");
	expect_pairs("a", "a=\n");
	expect_pairs("a&b=", "a=\nb=\n");
	expect_pairs("=x", "=x\n");
	expect_pairs("=", "=\n");
	expect_pairs("a=b=c", "a=b=c\n");
	expect_pairs("a==&b", "a==\nb=\n");
}

static void decodes_blanks_and_escapes(void **state)
{
	(void)state;
	expect_pairs("full+name=J%C3%BCrgen+O%27Neil", "full name=J\xc3\xbcrgen O'Neil\n");
	expect_pairs("a%3Db=%26%2b", "a=b=&+\n");
	expect_pairs("a=100%&b=%4&c=%zz&d=%%41", "a=100%\nb=%4\nc=%zz\nd=%A\n");
	expect_pairs("a=%2", "a=%2\n");
	expect_pairs("a=%41", "a=A\n");
}

static void replaces_what_is_not_utf8(void **state)
{
	(void)state;
	expect_pairs("a=%ff", "a=\xef\xbf\xbd\n");
	expect_pairs("a=x%C3", "a=x\xef\xbf\xbd\n");
	expect_pairs("a=\xc3\xa9", "a=\xc3\xa9\n");
	expect_pairs("a=\xe9!", "a=\xef\xbf\xbd!\n");
	expect_pairs("%ed%a0%80=1", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd=1\n");
}

/* One pair as text, decoded the plain way. */
static void add_pair(struct buffer *out, const char *text, size_t length)
{
	bool named = false;

	for (size_t i = 0; i < length; i++) {
		char hex[3] = {0};

		if (i + 2 < length)
			memcpy(hex, text + i + 1, 2);
		if (text[i] == '=' && !named) {
			named = true;
			buffer_add_byte(out, '=');
		} else if (text[i] == '%' && strspn(hex, "0123456789ABCDEFabcdef") == 2) {
			buffer_add_byte(out, (char)strtol(hex, NULL, 16));
			i += 2;
		} else {
			buffer_add_byte(out, text[i] == '+' ? ' ' : text[i]);
		}
	}
	if (!named)
		buffer_add_byte(out, '=');
	buffer_add_byte(out, '\n');
}

/* Cut anywhere, a form is the pairs that stand before, and of the one that is cut as much
 * as is there. */
static void reads_what_is_there_of_a_cut_form(void **state)
{
	static const char text[] = "a=1&b+c=d%26e&&%3Df=%3D%2b+&g&h=100%&i=%4&=j&k==&l%zz=%41%";
	char cut[sizeof(text)];

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		struct buffer expected;
		size_t at = 0;

		memcpy(cut, text, n);
		cut[n] = '\0';
		buffer_init(&expected, 1 << 20);
		while (at < n) {
			size_t length = strcspn(cut + at, "&");
			if (length)
				add_pair(&expected, cut + at, length);
			at += length + 1;
		}
		buffer_add_byte(&expected, '\0');
		expect_pairs(cut, expected.data + expected.start);
		buffer_fini(&expected);
	}
}

static void borrows_what_needs_no_decoding(void **state)
{
	static const char text[] = "name=plain&other=with+blank";
	struct arena arena;
	struct form form;

	(void)state;
	arena_init(&arena, 4096, 0);
	assert_true(form_parse(&arena, LG_SLICE(text), 10, &form));
	assert_ptr_equal(form.pairs[0].name.data, text);
	assert_ptr_equal(form.pairs[0].value.data, text + 5);
	assert_ptr_equal(form.pairs[1].name.data, text + 11);
	assert_ptr_not_equal(form.pairs[1].value.data, text + 17);
	assert_true(slice_is(form_value(&form, "other"), "with blank"));
	assert_false(slice_present(form_value(&form, "none")));
	arena_fini(&arena);
}

static void bounds_the_pairs(void **state)
{
	struct arena arena;
	struct buffer text;
	struct form form;

	(void)state;
	arena_init(&arena, 4096, 0);
	buffer_init(&text, 1 << 20);
	for (int i = 0; i < 100; i++)
		buffer_printf(&text, "&n%d=%d", i, i);
	assert_false(form_parse(&arena, buffer_slice(&text), 99, &form));
	assert_true(form_parse(&arena, buffer_slice(&text), 100, &form));
	assert_int_equal(form.count, 100);
	assert_true(slice_is(form_value(&form, "n99"), "99"));
	assert_true(form_parse(&arena, LG_SLICE(""), 0, &form));
	assert_false(form_parse(&arena, LG_SLICE("a"), 0, &form));
	buffer_fini(&text);
	arena_fini(&arena);
}

static void says_when_memory_runs_out(void **state)
{
	struct arena arena;
	struct form form;
	int64_t n = 0;
	bool parsed;

	(void)state;
	do {
		alloc_fail_at(++n);
		arena_init(&arena, 64, 0);
		parsed = form_parse(&arena, LG_SLICE("a=%ff&b=c+d"), 10, &form);
		arena_fini(&arena);
		assert_int_equal(parsed, !alloc_failed());
	} while (alloc_failed());
	alloc_fail_at(0);
	assert_true(n > 1);
}

static void decodes_one_component(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 4096, 0);
	assert_true(slice_is(percent_decode(&arena, LG_SLICE("a+b%20c"), false), "a+b c"));
	assert_true(slice_is(percent_decode(&arena, LG_SLICE("a+b%20c"), true), "a b c"));
	assert_true(slice_is(percent_decode(&arena, LG_SLICE(""), true), ""));
	assert_true(slice_present(percent_decode(&arena, LG_SLICE(""), true)));
	arena_fini(&arena);
}

/* An escape, a blank and a byte beyond ASCII at each place of a long text. */
static void decodes_at_each_place(void **state)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz+,-.";
	static const struct {
		const char *sent, *read;
	} odd[] = {{"%40", "@"}, {"+", " "}, {"%", "%"}, {"%4", "%4"}, {"\xc3\xa9", "\xc3\xa9"}};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		for (int at = 0; at < 26; at++) {
			char sent[64], expected[64];
			struct arena arena;
			arena_init(&arena, 4096, 0);
			snprintf(sent, sizeof(sent), "%.*s%sx%s", at, plain, odd[i].sent,
				 plain + at);
			snprintf(expected, sizeof(expected), "%.*s%sx%s", at, plain, odd[i].read,
				 plain + at);
			expected[strlen(expected) - 4] = ' ';
			assert_true(
				slice_is(percent_decode(&arena, slice_from(sent), true), expected));
			arena_fini(&arena);
		}
	}
}

/* What is encoded is decoded to the same. */
static void encodes(void **state)
{
	char all[256];
	struct lg_slice text = {all, sizeof(all)};
	struct arena arena;
	struct buffer out;

	(void)state;
	arena_init(&arena, 4096, 0);
	buffer_init(&out, 1 << 16);
	form_encode(&out, LG_SLICE("a b&c=d+e%\xc3\xa9*-._~"));
	assert_true(slice_is(buffer_slice(&out), "a+b%26c%3Dd%2Be%25%C3%A9*-._%7E"));
	buffer_clear(&out);
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	form_encode(&out, text);
	assert_true(slice_equal(percent_decode(&arena, buffer_slice(&out), true), text));
	buffer_fini(&out);
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_pairs_in_order),
		cmocka_unit_test(decodes_blanks_and_escapes),
		cmocka_unit_test(replaces_what_is_not_utf8),
		cmocka_unit_test(reads_what_is_there_of_a_cut_form),
		cmocka_unit_test(borrows_what_needs_no_decoding),
		cmocka_unit_test(bounds_the_pairs),
		cmocka_unit_test(says_when_memory_runs_out),
		cmocka_unit_test(decodes_one_component),
		cmocka_unit_test(decodes_at_each_place),
		cmocka_unit_test(encodes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
