/* Instances from a configuration: options, the plugin's own check, opening, and
 * the rule about `auth: none`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/instance.h"
#include "host/services.h"

struct settings {
	struct lg_slice word;
	struct lg_slice secret;
	int64_t number;
};

static const struct lg_option rows[] = {
	{.name = "word",
	 .type = LG_STRING,
	 .flags = LG_REQUIRED,
	 .offset = offsetof(struct settings, word),
	 .help = "a word"},
	{.name = "secret",
	 .type = LG_SECRET,
	 .offset = offsetof(struct settings, secret),
	 .help = "a secret"},
	{.name = "number",
	 .type = LG_INTEGER,
	 .offset = offsetof(struct settings, number),
	 .fallback = "7",
	 .min = 1,
	 .max = 9,
	 .help = "a number"},
};

static int closed;

static int32_t check(const void *memory, struct lg_text problem)
{
	const struct settings *settings = memory;

	if (!slice_is(settings->word, "bad"))
		return LG_OK;
	snprintf(problem.data, problem.capacity, "word must not be bad");
	return LG_FAIL;
}

static int32_t open_it(struct lg_host *host, const void *memory, void **instance,
		       struct lg_text problem)
{
	const struct settings *settings = memory;

	(void)host;
	if (slice_is(settings->word, "closed")) {
		snprintf(problem.data, problem.capacity, "the door is closed");
		return LG_FAIL;
	}
	if (slice_is(settings->word, "dumb"))
		return LG_FAIL;
	*instance = &closed;
	return LG_OK;
}

static void close_it(void *instance)
{
	*(int *)instance += 1;
}

static int32_t receive(void *instance, struct lg_request *request)
{
	(void)instance;
	(void)request;
	return LG_OK;
}

static const struct lg_source_operations operations = {
	.size = sizeof(operations),
	.check = check,
	.open = open_it,
	.close = close_it,
	.receive = receive,
};
static const struct lg_plugin open_door = {LG_PLUGIN_HEAD(0, 1, "open-door"), .kind = LG_SOURCE,
					   .source = &operations,
					   LG_OPTIONS(rows, struct settings)};
static const struct lg_plugin guarded = {LG_PLUGIN_HEAD(0, 1, "guarded"), .kind = LG_SOURCE,
					 .flags = LG_HAS_AUTH, .source = &operations,
					 LG_OPTIONS(rows, struct settings)};

/* A configuration in a file, and what reading it said. */
struct fixture {
	char path[64];
	struct document *document;
	struct buffer errors;
	struct lg_services services;
};

static void fixture_init(struct fixture *fixture, const char *text)
{
	int fd;

	snprintf(fixture->path, sizeof(fixture->path), "/tmp/test_instance-XXXXXX");
	fd = mkstemp(fixture->path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	buffer_init(&fixture->errors, SIZE_MAX);
	services_init(&fixture->services);
	fixture->document = document_open(fixture->path, &fixture->errors);
	assert_non_null(fixture->document);
}

static void fixture_fini(struct fixture *fixture)
{
	document_free(&fixture->document);
	buffer_fini(&fixture->errors);
	unlink(fixture->path);
}

static struct instance *make(struct fixture *fixture, const struct lg_plugin *plugin)
{
	static const char *const others[] = {"path", NULL};
	static const struct bind_hooks hooks;
	struct error error = {""};
	const struct library *library;

	if (!library_add_static(plugin, &error))
		fail_msg("%s", error.text);
	library = library_load(slice_from(plugin->name), &error);
	assert_non_null(library);
	return instance_new(fixture->document, document_root(fixture->document), LG_SLICE("door"),
			    library, others, &hooks, &fixture->services);
}

static void test_settings_are_filled(void **state)
{
	struct fixture f;
	struct instance *instance;
	const struct settings *settings;
	struct error error = {""};

	(void)state;
	fixture_init(&f, "path: /x\nword: hello\n");
	instance = make(&f, &open_door);
	assert_non_null(instance);
	settings = instance->settings;
	assert_true(slice_is(settings->word, "hello"));
	assert_int_equal(settings->number, 7);
	assert_true(slice_is(instance->name, "door"));
	assert_string_equal(instance->description.data, "source door");
	assert_null(instance->source.reply);
	closed = 0;
	assert_true(instance_open(instance, &error));
	assert_true(instance->opened);
	instance_close(instance);
	instance_close(instance); /* the second time nothing is open */
	assert_int_equal(closed, 1);
	fixture_fini(&f);
}

static void wrong(const char *text, const char *word)
{
	struct fixture f;

	fixture_init(&f, text);
	assert_null(make(&f, &open_door));
	buffer_add_byte(&f.errors, '\0');
	if (!strstr(f.errors.data, word))
		fail_msg("\"%s\" does not say \"%s\"", f.errors.data, word);
	fixture_fini(&f);
}

static void test_mistakes_go_to_the_document(void **state)
{
	(void)state;
	wrong("number: 3\n", "word");
	wrong("word: x\nnumber: 10\n", ":2:");
	wrong("word: x\nnumbr: 3\n", "did you mean \"number\"");
	wrong("word: bad\n", "source door: word must not be bad");
}

static void test_open_says_why_not(void **state)
{
	struct fixture f;
	struct instance *instance;
	struct error error = {""};

	(void)state;
	fixture_init(&f, "word: closed\n");
	instance = make(&f, &open_door);
	assert_non_null(instance);
	assert_false(instance_open(instance, &error));
	assert_string_equal(error.text, "source door: the door is closed");
	assert_false(instance->opened);
	fixture_fini(&f);
	fixture_init(&f, "word: dumb\n");
	instance = make(&f, &open_door);
	assert_false(instance_open(instance, &error));
	assert_non_null(strstr(error.text, "says no reason"));
	fixture_fini(&f);
}

static void test_auth(void **state)
{
	static const struct {
		const struct lg_plugin *plugin;
		const char *text;
		bool none;
		const char *refusal;
	} rules[] = {
		{&open_door, "word: x\n", false, "plugin open-door cannot prove who sends"},
		{&open_door, "word: x\nsecret: s\n", false, "cannot prove who sends"},
		{&open_door, "word: x\n", true, NULL},
		{&guarded, "word: x\n", false, "no secret is set"},
		{&guarded, "word: x\n", true, NULL},
		{&guarded, "word: x\nsecret: s\n", false, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct fixture f;
		struct error error = {""};
		struct instance *instance;
		fixture_init(&f, rules[i].text);
		instance = make(&f, rules[i].plugin);
		assert_non_null(instance);
		assert_int_equal(instance_auth_check(instance, rules[i].none, &error),
				 !rules[i].refusal);
		if (rules[i].refusal) {
			assert_non_null(strstr(error.text, rules[i].refusal));
			assert_non_null(strstr(error.text, "auth: none"));
		}
		fixture_fini(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings_are_filled),
		cmocka_unit_test(test_mistakes_go_to_the_document),
		cmocka_unit_test(test_open_says_why_not),
		cmocka_unit_test(test_auth),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("instance", tests, NULL, NULL);
}
