/* Whose bytes a plugin holds after the request has read something for it. The plugin is
 * the test: each runs inside `receive` of one request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <leadgate/source.h>

#include "fixture.h"

static void (*inside)(struct lg_request *request);

static int32_t receive(void *instance, struct lg_request *request)
{
	(void)instance;
	inside(request);
	return lg_ignore(request, LG_SLICE("it was a test"));
}

static void run(void (*test)(struct lg_request *))
{
	struct fixture fixture;

	inside = test;
	fixture_init(&fixture, receive, NULL);
	assert_int_equal(fixture_post(&fixture, "a=1&b=two")->status, 202);
	fixture_fini(&fixture);
}

/* What a plugin decodes and uses again for the next text. */
static struct lg_slice fill(char *buffer, size_t size, const char *text)
{
	memset(buffer, '#', size);
	memcpy(buffer, text, strlen(text));
	return slice_of(buffer, strlen(text));
}

static void use_buffers_again(struct lg_request *request)
{
	static const char body[] = "--b\r\nContent-Disposition: form-data; name=\"n\"; "
				   "filename=\"f\"\r\nContent-Type: t/p\r\n\r\nv\r\n--b--";
	char b[200], t[200], problem[200];
	struct lg_text told = {problem, sizeof(problem)};
	struct lg_slice utf8, latin, type, json;
	struct lg_form *form, *form_in, *parts;
	const struct lg_json *root;
	struct lg_part part;
	struct lg_pair pair;

	lg_form(request, fill(b, sizeof(b), "name=plain&x=%41bc"), &form);
	lg_form_in(request, fill(b, sizeof(b), "name=plain"), LG_SLICE("latin1"), &form_in);
	lg_to_utf8(request, LG_SLICE("utf-8"), fill(b, sizeof(b), "plain text"), &utf8);
	lg_to_utf8(request, LG_SLICE("latin1"), fill(b, sizeof(b), "other text"), &latin);
	type = fill(t, sizeof(t), "multipart/form-data; boundary=b");
	lg_multipart(request, type, fill(b, sizeof(b), body), &parts, told);
	json = fill(b, sizeof(b), "[\"in JSON\"]");
	lg_json(request, json, &root, told);
	memset(b, '#', sizeof(b));
	memset(t, '#', sizeof(t));

	lg_form_pair(request, form, 0, &pair);
	assert_true(slice_is(pair.name, "name") && slice_is(pair.value, "plain"));
	lg_form_pair(request, form_in, 0, &pair);
	assert_true(slice_is(pair.name, "name") && slice_is(pair.value, "plain"));
	assert_true(slice_is(utf8, "plain text") && slice_is(latin, "other text"));
	lg_part(request, parts, 0, &part);
	assert_true(slice_is(part.name, "n") && slice_is(part.value, "v"));
	assert_true(slice_is(part.filename, "f") && slice_is(part.type, "t/p"));
	assert_true(slice_is(lg_json_text(request, lg_json_first(request, root)), "in JSON"));
}

static bool lies_in(struct lg_slice piece, struct lg_slice whole)
{
	return piece.data >= whole.data && piece.data + piece.length <= whole.data + whole.length;
}

/* What lives as long as the request anyway is copied by nobody. */
static void read_own_bytes(struct lg_request *request)
{
	struct lg_request_info info;
	struct lg_form *form;
	struct lg_slice text;
	struct lg_pair pair;

	lg_request_info(request, &info);
	lg_form(request, info.body, &form);
	lg_form_pair(request, form, 1, &pair);
	assert_true(slice_is(pair.value, "two") && lies_in(pair.value, info.body));
	lg_form(request, info.query, &form);
	lg_form_pair(request, form, 0, &pair);
	assert_true(slice_is(pair.value, "b") && lies_in(pair.value, info.query));
	lg_to_utf8(request, LG_SLICE("utf-8"), slice_cut(info.body, 4, 5), &text);
	assert_true(slice_is(text, "b=two") && lies_in(text, info.body));
}

static void test_what_was_read_outlives_the_plugins_buffers(void **state)
{
	(void)state;
	run(use_buffers_again);
}

static void test_bytes_of_the_request_are_not_copied(void **state)
{
	(void)state;
	run(read_own_bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_read_outlives_the_plugins_buffers),
		cmocka_unit_test(test_bytes_of_the_request_are_not_copied),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
