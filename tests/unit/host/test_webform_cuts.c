/* The bodies of tests/golden/webform, cut at every byte, at the desk of the plugin. What comes
 * of a cut body is an error, or what comes of the whole one, or, where nothing in the type
 * says that there was more, what comes of its first fields. Long repetitions are shortened,
 * for a cut among a thousand equal bytes says no more than one among forty. */
#include "webform_desk.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "codec/json.h"
#include "lead/field.h"

#define REPEATED_MAX 40
#define BODY_MAX 4096
#define LAST "inquiry.kind=contact\n"

static size_t cuts, errors, same, shorter;

/* ---- the corpus ------------------------------------------------------------------- */

/* Text up to U+00FF as bytes. */
static void add_bytes(struct buffer *out, struct lg_slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (c < 0x80) {
			buffer_add_byte(out, (char)c);
			continue;
		}
		assert_in_range(c, 0xc2, 0xc3);
		buffer_add_byte(out, (char)((c << 6) | (text.data[++i] & 0x3f)));
	}
}

/* "{word*1024}" as many times; returns how many bytes of the text that took, 0: it is
 * nothing of the kind. */
static size_t add_repeated(struct buffer *out, struct lg_slice text)
{
	size_t end = 1, star = 0;
	long count;

	while (end < text.length && text.data[end] != '}' && text.data[end] != '{') {
		if (text.data[end] == '*')
			star = end;
		end++;
	}
	if (end == text.length || text.data[end] != '}' || star < 2)
		return 0;
	count = strtol(text.data + star + 1, NULL, 10);
	for (long i = 0; i < count && i < REPEATED_MAX; i++)
		add_bytes(out, slice_of(text.data + 1, star - 1));
	return end + 1;
}

static void expand(struct buffer *out, struct lg_slice text)
{
	static const char email[] = "{email}";

	for (size_t i = 0; i < text.length; i++) {
		struct lg_slice rest = slice_of(text.data + i, text.length - i);
		size_t taken = 0;

		if (rest.length >= strlen(email) && memcmp(rest.data, email, strlen(email)) == 0) {
			buffer_add_literal(out, "cut@example.com");
			taken = strlen(email);
		} else if (rest.data[0] == '{') {
			taken = add_repeated(out, rest);
		}
		if (!taken) {
			taken = (unsigned char)rest.data[0] < 0x80 ? 1 : 2;
			add_bytes(out, slice_cut(rest, 0, taken));
		}
		i += taken - 1;
	}
}

/* ---- cuts ---------------------------------------------------------------------------- */

/* What the plugin makes of the first bytes of a body; to be freed. */
static char *story_of(void **state, const char *type, struct lg_slice body, size_t length)
{
	char *copy = malloc(length + 1), *told; /* so that a byte too far is seen */

	webform_again(state);
	set_number("max_name", 512);
	memcpy(copy, body.data, length);
	desk.body = slice_of(copy, length);
	told = strdup(receive(type, NULL));
	free(copy);
	assert_non_null(told);
	return told;
}

static bool is_error(const char *told)
{
	return strstr(told, "refuse ") != NULL;
}

/* Whether all lines of `few` are among `many`, in their order. */
static bool has_lines(const char *many, const char *few)
{
	while (*few) {
		size_t length = strcspn(few, "\n") + 1;
		const char *line = many;

		while (*line && strncmp(line, few, length) != 0)
			line += strcspn(line, "\n") + 1;
		if (!*line)
			return false;
		many = line + length;
		few += length;
	}
	return true;
}

/* Takes off the kind that a form without one has: a field may say it. */
static char *without_kind(char *told)
{
	size_t length = strlen(told), last = strlen(LAST);

	if (length >= last && strcmp(told + length - last, LAST) == 0)
		told[length - last] = '\0';
	return told;
}

/* Fields before the one that is cut are what they are without it. */
static bool keeps_pairs(void **state, const char *type, struct lg_slice body, size_t n,
			const char *told)
{
	size_t whole = n;
	char *before;
	bool kept;

	while (whole > 0 && body.data[whole - 1] != '&')
		whole--;
	before = story_of(state, type, body, whole ? whole - 1 : 0);
	kept = !is_error(before) && has_lines(told, without_kind(before));
	free(before);
	return kept;
}

/* A form of lines is cut behind one of them: its fields are the first of the whole ones, and
 * the last may go on. A whole one that was cut itself says nothing. */
static bool is_beginning(char *told, const char *whole)
{
	size_t length = strlen(without_kind(told));

	return is_error(whole) || strncmp(told, whole, length ? length - 1 : 0) == 0;
}

static bool is_form(const char *type)
{
	return strncasecmp(type, "application/x-www-form-urlencoded", 33) == 0;
}

static void check_cut(void **state, const char *name, const char *type, struct lg_slice body,
		      size_t n, const char *whole)
{
	char *told = story_of(state, type, body, n);
	bool text = strncasecmp(type, "text/plain", 10) == 0, fine = true;

	cuts++;
	if (is_error(told))
		errors++;
	else if (strcmp(told, whole) == 0)
		same++;
	else if (text && n > 0 && body.data[n - 1] == '\n')
		fine = is_beginning(told, whole), shorter++;
	else if (text || is_form(type))
		fine = keeps_pairs(state, type, body, n, told), shorter++;
	else /* one value of JSON, behind which there is something wrong */
		fine = is_error(whole) && strncasecmp(type, "application/json", 16) == 0;
	if (!fine)
		fail_msg("%s: its first %zu bytes give:\n%s\nand the whole:\n%s", name, n, told,
			 whole);
	free(told);
}

static void check_case(void **state, struct lg_slice line)
{
	struct arena arena;
	struct buffer body;
	struct error error;
	struct json *root;
	char name[200], type[300], *whole;
	struct lg_slice bytes;

	arena_init(&arena, 4096, 0);
	buffer_init(&body, SIZE_MAX);
	root = json_parse(&arena, line, &error);
	assert_non_null(root);
	slice_to_text(json_member_text(root, "name"), name, sizeof(name));
	slice_to_text(json_member_text(root, "type"), type, sizeof(type));
	expand(&body, json_member_text(root, "body"));
	bytes = buffer_slice(&body);
	if (bytes.length <= BODY_MAX) {
		whole = story_of(state, type, bytes, bytes.length);
		for (size_t n = 0; n < bytes.length; n++)
			check_cut(state, name, type, bytes, n, whole);
		free(whole);
	}
	buffer_fini(&body);
	arena_fini(&arena);
}

static void check_file(void **state, const char *path)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	while ((length = getline(&line, &room, file)) > 0)
		check_case(state, slice_of(line, (size_t)length));
	free(line);
	fclose(file);
}

static void test_cuts(void **state)
{
	const char *source = getenv("LG_SRCDIR");
	char pattern[4096];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/tests/golden/webform/*.jsonl",
		 source ? source : ".");
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	assert_true(found.gl_pathc >= 8);
	for (size_t i = 0; i < found.gl_pathc; i++)
		check_file(state, found.gl_pathv[i]);
	globfree(&found);
	print_message("# %zu cuts: %zu errors, %zu as the whole, %zu with the first fields\n", cuts,
		      errors, same, shorter);
	assert_true(cuts > 10000 && errors > 1000 && same > 100 && shorter > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cuts, webform_init, desk_fini),
	};

	field_setup();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("webform_cuts", tests, NULL, NULL);
}
