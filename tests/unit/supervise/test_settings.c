/* A configuration read into structs: what is written, what is the default, and
 * what goes to the plugin. Mistakes are tests/system/03-bad-config.t's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <leadgate/sink.h>
#include <leadgate/source.h>

#include "supervise/settings.h"

struct form_settings {
	struct lg_slice title;
	struct lg_slice secret;
	struct lg_slice when;
};

static const struct lg_option form_options[] = {
	{.name = "title", .type = LG_STRING, .offset = offsetof(struct form_settings, title)},
	{.name = "secret", .type = LG_SECRET, .offset = offsetof(struct form_settings, secret)},
	{.name = "when", .type = LG_EXPRESSION, .offset = offsetof(struct form_settings, when)},
};

static int32_t receive(void *instance, struct lg_request *request)
{
	(void)instance;
	(void)request;
	return LG_OK;
}

static const struct lg_source_operations form_operations = {.size = sizeof(form_operations),
							    .receive = receive};

static const struct lg_plugin form = {
	LG_PLUGIN_HEAD(0, 1, "form"),
	.kind = LG_SOURCE,
	.flags = LG_HAS_AUTH,
	.methods = "POST",
	.channel = "web",
	.source = &form_operations,
	LG_OPTIONS(form_options, struct form_settings),
};

static int32_t deliver(void *instance, struct lg_batch *batch, int64_t deadline)
{
	(void)instance;
	(void)batch;
	(void)deadline;
	return LG_OK;
}

static const struct lg_sink_operations mute_operations = {
	.size = sizeof(mute_operations),
	.deliver = deliver,
	.events = " ",
};

static const struct lg_plugin mute = {
	LG_PLUGIN_HEAD(0, 4, "mute"),
	.kind = LG_SINK,
	.sink = &mute_operations,
};

/* `when` is an option of every sink. */
static const struct lg_option twin_options[] = {
	{.name = "title", .type = LG_STRING, .offset = offsetof(struct form_settings, title)},
	{.name = "when", .type = LG_STRING, .offset = offsetof(struct form_settings, when)},
};

static const struct lg_sink_operations twin_operations = {
	.size = sizeof(twin_operations),
	.deliver = deliver,
};

static const struct lg_plugin twin = {
	LG_PLUGIN_HEAD(0, 4, "twin"),
	.kind = LG_SINK,
	.sink = &twin_operations,
	LG_OPTIONS(twin_options, struct form_settings),
};

static char path[64];
static struct buffer errors;

/* The settings of a text; NULL when it has mistakes. */
static struct settings *load(const char *text)
{
	FILE *file;
	int fd;

	snprintf(path, sizeof(path), "/tmp/leadgate-test.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	buffer_clear(&errors);
	return settings_load(path, &errors);
}

static void done(struct settings **settings)
{
	settings_free(settings);
	unlink(path);
}

#define LEAST                                  \
	"listen: { address: '127.0.0.1:0' }\n" \
	"store: { path: s.db }\n"

static bool said(const char *words)
{
	return errors.data && memmem(errors.data, errors.end, words, strlen(words)) != NULL;
}

static void test_defaults_are_there(void **state)
{
	struct settings *settings = load(LEAST);

	(void)state;
	assert_non_null(settings);
	assert_int_equal(settings->core.loops, 0);
	assert_int_equal(settings->core.shutdown_ms, 30000);
	assert_int_equal(settings->core.slow_ms, 50);
	assert_int_equal(settings->core.log_level, LG_LOG_INFO);
	assert_int_equal(settings->listen_count, 1);
	assert_null(settings->admin.address.data);
	assert_true(slice_is(settings->defaults.region, "US"));
	assert_true(settings->http.head_bytes > 0);
	assert_true(settings->lead.record_bytes > 0);
	assert_int_equal(settings->source_count, 0);
	done(&settings);
}

static void test_source_takes_both_kinds_of_options(void **state)
{
	struct settings *settings = load(
		LEAST "sources:\n"
		      "  a: { plugin: form, path: /a, secret: s, title: hello, merge: latest,"
		      " region: DE, max_items: 7, max_body: 5KiB }\n"
		      "  b: { plugin: form, path: /b, secret: s }\n"
		      "defaults: { region: FR }\n");
	const struct form_settings *a;

	(void)state;
	assert_non_null(settings);
	assert_int_equal(settings->source_count, 2);
	a = settings->sources[0].instance->settings;
	assert_true(slice_is(a->title, "hello"));
	assert_int_equal(settings->sources[0].settings.merge, MERGE_LATEST);
	assert_int_equal(settings->sources[0].settings.items, 7);
	assert_int_equal(settings->sources[0].settings.body_bytes, 5120);
	assert_string_equal(settings->sources[0].normalize.region, "DE");
	assert_string_equal(settings->sources[1].normalize.region, "FR");
	assert_int_equal(settings->sources[1].settings.body_bytes, settings->http.body_bytes);
	assert_int_equal(settings->sources[1].settings.auth, SOURCE_AUTH_PLUGIN);
	assert_true(source_takes(&settings->sources[0], LG_SLICE("POST")));
	assert_false(source_takes(&settings->sources[0], LG_SLICE("GET")));
	assert_false(source_takes(&settings->sources[0], LG_SLICE("POS")));
	done(&settings);
}

static void test_secret_is_asked_for(void **state)
{
	struct settings *settings = load(LEAST "sources: { a: { plugin: form, path: /a } }\n");

	(void)state;
	assert_null(settings);
	assert_true(said("secret"));
	unlink(path);
	settings = load(LEAST "sources: { a: { plugin: form, path: /a, auth: none } }\n");
	assert_non_null(settings);
	done(&settings);
}

static void test_expression_is_checked_when_it_is_read(void **state)
{
	struct settings *settings = load(LEAST "sources: { a: { plugin: form, path: /a, auth: none,"
					       " when: \"person.country == 'US'\" } }\n");

	(void)state;
	assert_non_null(settings);
	done(&settings);
	assert_null(load(LEAST "sources: { a: { plugin: form, path: /a, auth: none,"
			       " when: \"person.country ==\" } }\n"));
	assert_true(said(":3:"));
	unlink(path);
}

static void test_plugin_that_asks_for_no_events_must_be_given_some(void **state)
{
	struct settings *settings = load(LEAST "sinks: { a: { plugin: mute } }\n");

	(void)state;
	assert_null(settings);
	assert_true(said(":3:23: error: plugin mute asks for no events"));
	unlink(path);
	settings = load(LEAST "sinks: { a: { plugin: mute, events: [lead.created] } }\n");
	assert_non_null(settings);
	done(&settings);
}

/* The gateway of a later version may have a name that a plugin has today. */
static void test_option_of_the_gateways_name_is_read_by_both(void **state)
{
	struct settings *settings = load(LEAST "sinks: { a: { plugin: twin, when: status.stage "
					       "== 'new' } }\n");
	const struct form_settings *twins;

	(void)state;
	assert_non_null(settings);
	twins = settings->sinks[0].instance->settings;
	assert_true(slice_is(twins->when, "status.stage == 'new'"));
	done(&settings);
}

static void test_several_listeners(void **state)
{
	struct settings *settings = load("listen:\n"
					 "  - { address: '127.0.0.1:1', probe_path: /up }\n"
					 "  - { address: '[::1]:2' }\n"
					 "store: { path: s.db }\n");

	(void)state;
	assert_non_null(settings);
	assert_int_equal(settings->listen_count, 2);
	assert_true(slice_is(settings->listens[0].probe_path, "/up"));
	assert_true(slice_is(settings->listens[1].address, "[::1]:2"));
	done(&settings);
}

static void test_late_error_has_a_place(void **state)
{
	struct settings *settings = load(LEAST);

	(void)state;
	assert_non_null(settings);
	settings_error(settings, "store", "the disk is on fire");
	assert_true(said(":2:1: error: the disk is on fire"));
	settings_error(settings, "sinks", "there are none");
	assert_true(said("error: there are none"));
	done(&settings);
}

static void test_every_section_has_its_rows(void **state)
{
	struct settings_section section;
	size_t count = 0;

	(void)state;
	for (; settings_section_at(count, &section); count++) {
		assert_true(section.table.count > 0);
		for (size_t i = 0; i < section.table.count; i++)
			assert_non_null(option_at(&section.table, i).help);
	}
	assert_int_equal(count, 13);
}

static int set_up(void **state)
{
	struct error error = {0};

	(void)state;
	field_setup();
	buffer_init(&errors, SIZE_MAX);
	if (!normalize_setup(&error) || !library_add_static(&form, &error) ||
	    !library_add_static(&mute, &error) || !library_add_static(&twin, &error))
		fail_msg("%s", error.text);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	buffer_fini(&errors);
	normalize_teardown();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults_are_there),
		cmocka_unit_test(test_source_takes_both_kinds_of_options),
		cmocka_unit_test(test_secret_is_asked_for),
		cmocka_unit_test(test_expression_is_checked_when_it_is_read),
		cmocka_unit_test(test_plugin_that_asks_for_no_events_must_be_given_some),
		cmocka_unit_test(test_option_of_the_gateways_name_is_read_by_both),
		cmocka_unit_test(test_several_listeners),
		cmocka_unit_test(test_late_error_has_a_place),
		cmocka_unit_test(test_every_section_has_its_rows),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
