/* What a reload would do, item by item, of two configurations that were read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "supervise/difference.h"

struct sink_options {
	struct lg_slice secret;
};

static const struct lg_option sink_rows[] = {
	{.name = "secret", .type = LG_SECRET, .offset = offsetof(struct sink_options, secret)},
};

static int32_t deliver(void *instance, struct lg_batch *batch, int64_t deadline)
{
	(void)instance;
	(void)batch;
	(void)deadline;
	return LG_OK;
}

static int32_t receive(void *instance, struct lg_request *request)
{
	(void)instance;
	(void)request;
	return LG_OK;
}

static const struct lg_sink_operations sink_operations = {.size = sizeof(sink_operations),
							  .deliver = deliver};
static const struct lg_source_operations source_operations = {.size = sizeof(source_operations),
							      .receive = receive};

static const struct lg_plugin drain = {
	LG_PLUGIN_HEAD(0, 1, "drain"),
	.kind = LG_SINK,
	.sink = &sink_operations,
	LG_OPTIONS(sink_rows, struct sink_options),
};
static const struct lg_plugin form = {
	LG_PLUGIN_HEAD(0, 1, "form"), .kind = LG_SOURCE, .methods = "POST", .channel = "web",
	.source = &source_operations,
};

#define STORE "store: { path: s.db }\n"
#define LISTEN "listen: { address: '127.0.0.1:1' }\n"
#define LEAST LISTEN STORE

static struct settings *load(const char *text)
{
	static struct buffer errors;
	struct settings *settings;
	char path[64] = "/tmp/leadgate-test.XXXXXX";
	int fd = mkstemp(path);
	FILE *file;

	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	buffer_init(&errors, SIZE_MAX);
	settings = settings_load(path, &errors);
	unlink(path);
	if (!settings)
		fail_msg("%.*s", (int)buffer_length(&errors), errors.data);
	buffer_fini(&errors);
	return settings;
}

/* The plan as one text: "kept sink a; changed option core.shutdown; ". */
static void expect(const char *running, const char *next, const char *plan)
{
	struct settings *a = load(running), *b = load(next);
	struct difference difference;
	struct arena arena;
	struct buffer text;

	arena_init(&arena, 1024, 0);
	buffer_init(&text, SIZE_MAX);
	assert_true(difference_make(&arena, a, b, &difference));
	for (size_t i = 0; i < difference.count; i++)
		buffer_printf(&text, "%s %s %.*s; ", difference_word(difference.items[i].change),
			      difference.items[i].kind, SLICE_ARGS(difference.items[i].name));
	buffer_add_byte(&text, '\0');
	assert_string_equal(buffer_slice(&text).data, plan);
	buffer_fini(&text);
	arena_fini(&arena);
	settings_free(&a);
	settings_free(&b);
}

static void nothing_differs(void **state)
{
	(void)state;
	expect(LEAST "sinks: { a: { plugin: drain } }\n",
	       LEAST "# the same\nsinks:\n  a:\n    plugin: drain\n",
	       "kept listener 127.0.0.1:1; kept sink a; ");
}

static void sources_and_sinks_go_by_name(void **state)
{
	(void)state;
	expect(LEAST "sinks: { a: { plugin: drain }, b: { plugin: drain }, c: { plugin: drain } }\n"
		     "sources: { f: { plugin: form, path: /f, auth: none } }\n",
	       LEAST "sinks: { d: { plugin: drain }, c: { plugin: drain },"
		     " a: { plugin: drain, timeout: 1s } }\n"
		     "sources: { f: { plugin: form, path: /g, auth: none } }\n",
	       "kept listener 127.0.0.1:1; changed source f; new sink d; kept sink c; "
	       "changed sink a; removed sink b; ");
}

/* What an option means counts, not how it is written. */
static void secrets_are_compared_resolved(void **state)
{
	const char *text = LEAST "sinks: { a: { plugin: drain, secret: \"${LG_TEST_SECRET}\" } }\n";

	(void)state;
	setenv("LG_TEST_SECRET", "one", 1);
	expect(text, LEAST "sinks: { a: { plugin: drain, secret: one } }\n",
	       "kept listener 127.0.0.1:1; kept sink a; ");
	expect(text, LEAST "sinks: { a: { plugin: drain, secret: two } }\n",
	       "kept listener 127.0.0.1:1; changed sink a; ");
	unsetenv("LG_TEST_SECRET");
}

static void what_is_shared_reaches_who_uses_it(void **state)
{
	(void)state;
	expect(LEAST "sources: { f: { plugin: form, path: /f, auth: none } }\n",
	       LEAST "sources: { f: { plugin: form, path: /f, auth: none } }\n"
		     "defaults: { region: DE }\n",
	       "changed option defaults.region; kept listener 127.0.0.1:1; changed source f; ");
}

static void some_options_need_a_restart(void **state)
{
	(void)state;
	expect(LEAST "core: { loops: 1 }\n",
	       LISTEN "store: { path: t.db }\ncore: { loops: 2, shutdown: 1s }\n",
	       "needs a restart option core.loops; changed option core.shutdown; "
	       "needs a restart option store.path; kept listener 127.0.0.1:1; ");
}

static void what_needs_a_restart_is_kept(void **state)
{
	struct settings *running = load(LEAST "core: { loops: 1 }\n");
	struct settings *next = load(LISTEN "store: { path: t.db }\n"
					    "core: { loops: 2, shutdown: 1s }\n");

	(void)state;
	settings_keep_fixed(next, running);
	assert_int_equal(next->core.loops, 1);
	assert_int_equal(next->core.shutdown_ms, 1000);
	assert_ptr_equal(next->store.path.data, running->store.path.data);
	settings_free(&next);
	settings_free(&running);
}

/* Port 0 may stand there twice. */
static void listeners_go_by_address(void **state)
{
	(void)state;
	expect("listen: [{ address: '127.0.0.1:1' }, { address: '127.0.0.1:0' }]\n" STORE,
	       "listen: [{ address: '127.0.0.1:0' }, { address: '127.0.0.1:1', backlog: 7 },"
	       " { address: '127.0.0.1:0' }]\n" STORE,
	       "kept listener 127.0.0.1:0; changed listener 127.0.0.1:1; "
	       "new listener 127.0.0.1:0; ");
}

static int set_up(void **state)
{
	struct error error = {0};

	(void)state;
	field_setup();
	if (!normalize_setup(&error) || !library_add_static(&drain, &error) ||
	    !library_add_static(&form, &error))
		fail_msg("%s", error.text);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	normalize_teardown();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_differs),
		cmocka_unit_test(sources_and_sinks_go_by_name),
		cmocka_unit_test(secrets_are_compared_resolved),
		cmocka_unit_test(what_is_shared_reaches_who_uses_it),
		cmocka_unit_test(some_options_need_a_restart),
		cmocka_unit_test(what_needs_a_restart_is_kept),
		cmocka_unit_test(listeners_go_by_address),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
