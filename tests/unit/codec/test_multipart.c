#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "codec/multipart.h"

#define TYPE "multipart/form-data; boundary=b"
#define PART(head, value) "--b\r\nContent-Disposition: form-data; " head "\r\n\r\n" value "\r\n"
#define END "--b--\r\n"

static struct arena arena;
static struct multipart parts;
static struct error error;
static struct multipart_limits limits = {10, 200};

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 4096, 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_fini(&arena);
	return 0;
}

static bool parse(const char *type, struct lg_slice bytes)
{
	error.text[0] = '\0';
	return multipart_parse(&arena, slice_from(type), bytes, &limits, &parts, &error);
}

static void is_part(size_t index, const char *name, const char *value, const char *filename,
		    const char *type)
{
	const struct multipart_part *part = &parts.parts[index];

	assert_true(index < parts.count);
	assert_true(slice_is(part->name, name));
	assert_true(slice_is(part->value, value));
	assert_true(filename ? slice_is(part->filename, filename) : !part->filename.data);
	assert_true(type ? slice_is(part->type, type) : !part->type.data);
}

static void reads_parts_in_order(void **state)
{
	(void)state;
	assert_true(
		parse(TYPE, LG_SLICE("preamble\r\n" PART("name=\"a\"", "1") PART(
				    "name=\"f\"; filename=\"x.txt\"\r\nContent-Type: text/plain",
				    "two\r\n") PART("name=a", "") END "epilogue")));
	assert_int_equal(parts.count, 3);
	is_part(0, "a", "1", NULL, NULL);
	is_part(1, "f", "two\r\n", "x.txt", "text/plain");
	is_part(2, "a", "", NULL, NULL);
	assert_true(parse(TYPE, LG_SLICE("--b--")));
	assert_int_equal(parts.count, 0);
}

static void reads_names(void **state)
{
	static const struct {
		const char *head, *name, *filename;
	} rows[] = {
		{"name=\"a%22b%0d%0D%0A\"", "a\"b%0d\r\n", NULL},
		{"name=\"a\\\"b\"", "a\"b", NULL},
		{"name=\"a\\\"; filename=\"c:\\x\\\"", "a\\", "c:\\x\\"},
		{"name=\"a\"; filename=\"\"", "a", ""},
		{"name=\"a\"; filename*=UTF-8''x", "a", "UTF-8''x"},
		{"name=\"a\"; filename*=UTF-8''x; filename=y", "a", "y"},
		{"NAME = a ; other=\"x;y\"", "a", NULL},
		{"name=\"\"", "", NULL},
		{"name=", "", NULL},
	};
	char body[300];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int length = snprintf(body, sizeof(body), PART("%s", "v") END, rows[i].head);
		if (!parse(TYPE, slice_of(body, (size_t)length)))
			fail_msg("row %zu: %s", i, error.text);
		is_part(0, rows[i].name, "v", rows[i].filename, NULL);
	}
}

static void refuses(void **state)
{
	static const struct {
		const char *type, *body, *says;
	} rows[] = {
		{"multipart/form-data", END, "1 to 70"},
		{"multipart/mixed; boundary=b", END, "1 to 70"},
		{"multipart/form-data; boundary=\"b \"", END, "1 to 70"},
		{"multipart/form-data; boundary=\xc3\xa9", END, "1 to 70"},
		{TYPE, "", "does not have the boundary"},
		{TYPE, "x--b--", "does not have the boundary"},
		{TYPE, "--c--", "does not have the boundary"},
		{TYPE, "--b\n", "does not have the boundary"},
		{TYPE, PART("name=a", "1"), "before its last boundary"},
		{TYPE, PART("name=a", "1") "--b-", "before its last boundary"},
		{TYPE, "--b\r\n\r\nv\r\n" END, "has no name"},
		{TYPE, PART("x=a", "1") END, "has no name"},
		{TYPE, "--b\r\nContent-Disposition: form-data; name=a\r\n" END, "no blank line"},
		{TYPE, "--b\r\n" END, "before its last boundary"},
		{TYPE, PART("name=\"a", "1") END, "cannot be read"},
		{TYPE, PART("name=\"a\"b", "1") END, "cannot be read"},
		{TYPE, PART("name", "1") END, "cannot be read"},
		{TYPE, PART("name=a\r\nx", "1") END, "header line"},
		{TYPE, PART("name=a\r\n: x", "1") END, "header line"},
		{TYPE, PART("name=a\r\n folded: x", "1") END, "header line"},
		{TYPE, PART("name=a\r\nContent-Disposition: form-data; name=b", "1") END, "two"},
		{TYPE, PART("name=a\r\nContent-Transfer-Encoding: quoted-printable", "1") END,
		 "Encoding"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_false(parse(rows[i].type, slice_from(rows[i].body)));
		if (!strstr(error.text, rows[i].says))
			fail_msg("row %zu: %s", i, error.text);
	}
}

static void bounds_parts_and_heads(void **state)
{
	char body[2000] = "", head[300];

	(void)state;
	for (int i = 0; i < 10; i++)
		strcat(body, PART("name=a", "1"));
	strcat(body, END);
	assert_true(parse(TYPE, slice_from(body)));
	assert_int_equal(parts.count, 10);
	body[strlen(body) - strlen(END)] = '\0';
	strcat(body, PART("name=a", "1") END);
	assert_false(parse(TYPE, slice_from(body)));
	assert_string_equal(error.text, "the multipart body has more than 10 parts");
	/* The limit is of all header lines with their ends. */
	for (int extra = -1; extra <= 1; extra++) {
		memset(head, 'n', sizeof(head));
		head[200 - 4 - (int)strlen("Content-Disposition: form-data; name=") + extra] = '\0';
		snprintf(body, sizeof(body), PART("name=%s", "v") END, head);
		assert_int_equal(parse(TYPE, slice_from(body)), extra <= 0);
	}
}

/* A body that is cut anywhere is refused, or says the same as the whole. */
static void every_truncation_is_refused_or_the_same(void **state)
{
	static const char whole[] = PART("name=\"a\"", "1")
		PART("name=\"b\"; filename=\"c\"", "y--b\r\n--bx") END "end";
	size_t refused = 0;

	(void)state;
	for (size_t length = 0; length < sizeof(whole); length++) {
		char *copy = alloc_malloc(length + 1); /* its end is seen by ASan */
		memcpy(copy, whole, length);
		if (!parse(TYPE, slice_of(copy, length))) {
			refused++;
		} else {
			assert_int_equal(parts.count, 2);
			is_part(0, "a", "1", NULL, NULL);
			is_part(1, "b", "y--b\r\n--bx", "c", NULL);
		}
		alloc_free(copy);
	}
	/* Only without the last boundary. */
	assert_int_equal(refused, sizeof(whole) - 1 - strlen("\r\nend"));
}

static void says_when_memory_runs_out(void **state)
{
	long n = 0;
	bool failed, parsed;

	(void)state;
	do {
		tear_down(NULL);
		alloc_fail_at(++n);
		arena_init(&arena, 64, 0);
		parsed = parse(TYPE, LG_SLICE(PART("name=a", "1") PART("name=b", "2") END));
		failed = alloc_failed();
		alloc_fail_at(0);
		assert_int_equal(parsed, !failed);
		assert_int_equal(arena.failed, failed);
	} while (failed);
	assert_true(n > 1);
}

int main(void)
{
#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WITH_ARENA(reads_parts_in_order),
		WITH_ARENA(reads_names),
		WITH_ARENA(refuses),
		WITH_ARENA(bounds_parts_and_heads),
		WITH_ARENA(every_truncation_is_refused_or_the_same),
		WITH_ARENA(says_when_memory_runs_out),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
