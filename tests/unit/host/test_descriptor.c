/* Every way in which a descriptor can be wrong has its own refusal; what is
 * only older or newer in the promised way loads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <leadgate/sink.h>
#include <leadgate/source.h>

#include "host/library.h"

struct settings {
	struct lg_slice word;
	int64_t number;
	int32_t choice;
};

static const struct lg_option rows[] = {
	{.name = "word", .type = LG_STRING, .offset = offsetof(struct settings, word), .help = "w"},
	{.name = "number", .type = LG_INTEGER, .offset = offsetof(struct settings, number)},
	{.name = "choice",
	 .type = LG_ENUM,
	 .offset = offsetof(struct settings, choice),
	 .choices = "a|b"},
};

static int32_t receive(void *instance, struct lg_request *request)
{
	(void)instance;
	(void)request;
	return LG_OK;
}

static int32_t read_open(void *instance, struct lg_request *request, const struct lg_file *file,
			 struct lg_reading *reading, struct lg_text problem)
{
	(void)instance;
	(void)request;
	(void)file;
	(void)reading;
	(void)problem;
	return LG_OK;
}

static int32_t read_chunk(void *instance, struct lg_request *request, void *state,
			  const struct lg_chunk *chunk, struct lg_taken *taken)
{
	(void)instance;
	(void)request;
	(void)state;
	(void)chunk;
	(void)taken;
	return LG_OK;
}

static int32_t deliver(void *instance, struct lg_batch *batch, int64_t deadline)
{
	(void)instance;
	(void)batch;
	(void)deadline;
	return LG_OK;
}

static const struct lg_source_operations source_operations = {
	.size = sizeof(source_operations),
	.receive = receive,
};
static const struct lg_sink_operations sink_operations = {
	.size = sizeof(sink_operations),
	.deliver = deliver,
};

/* A descriptor without a mistake, with everything it points at. */
struct sample {
	struct lg_plugin plugin;
	struct lg_option rows[3];
	struct lg_source_operations source;
	struct lg_sink_operations sink;
};

static void sample_init(struct sample *sample)
{
	memset(sample, 0, sizeof(*sample));
	memcpy(sample->rows, rows, sizeof(rows));
	sample->source = source_operations;
	sample->sink = sink_operations;
	sample->plugin = (struct lg_plugin){
		LG_PLUGIN_HEAD(0, 1, "sample"), .kind = LG_SOURCE,
		.methods = "GET POST",		.source = &sample->source,
		.sink = &sample->sink,		LG_OPTIONS(sample->rows, struct settings),
	};
}

static void break_magic(struct sample *s)
{
	s->plugin.magic = 0x12345678;
}
static void break_major(struct sample *s)
{
	s->plugin.abi_major = 7;
}
static void break_minor(struct sample *s)
{
	s->plugin.abi_minor = LG_ABI_MINOR + 1;
}
static void break_size(struct sample *s)
{
	s->plugin.size = 40;
}
static void break_no_name(struct sample *s)
{
	s->plugin.name = NULL;
}
static void break_name(struct sample *s)
{
	s->plugin.name = "Sam/ple";
}
static void break_kind(struct sample *s)
{
	s->plugin.kind = 3;
}
static void break_no_operations(struct sample *s)
{
	s->plugin.source = NULL;
}
static void break_operations_size(struct sample *s)
{
	s->source.size = 16;
}
static void break_receive(struct sample *s)
{
	s->source.receive = NULL;
}
static void break_reading(struct sample *s)
{
	s->plugin.flags = LG_READS_FILES;
	s->source.receive = NULL;
}
static void break_reading_flag(struct sample *s)
{
	s->source.read_open = read_open;
	s->source.read = read_chunk;
}
static void break_deliver(struct sample *s)
{
	s->plugin.kind = LG_SINK;
	s->sink.deliver = NULL;
}
static void break_sink_size(struct sample *s)
{
	s->plugin.kind = LG_SINK;
	s->sink.size = offsetof(struct lg_sink_operations, limits) - 1;
}
static void break_rows(struct sample *s)
{
	s->plugin.options = NULL;
}
static void break_row_count(struct sample *s)
{
	s->plugin.option_count = 5000;
}
static void break_row_size(struct sample *s)
{
	s->plugin.option_size = 8;
}
static void break_row_name(struct sample *s)
{
	s->rows[1].name = "Number";
}
static void break_row_type(struct sample *s)
{
	s->rows[1].type = 99;
}
static void break_row_offset(struct sample *s)
{
	s->rows[1].offset = sizeof(struct settings) - 4;
}
static void break_row_alignment(struct sample *s)
{
	s->rows[1].offset = 1;
}
static void break_row_far_offset(struct sample *s)
{
	s->rows[1].offset = SIZE_MAX;
}
static void break_fallback(struct sample *s)
{
	s->rows[1].fallback = "ten";
}
static void break_fallback_range(struct sample *s)
{
	s->rows[1].fallback = "10";
	s->rows[1].max = 9;
}
static void break_fallback_choice(struct sample *s)
{
	s->rows[2].fallback = "c";
}
/* The default of the first row, as one of a type. */
static void break_slice(struct sample *s, int32_t type, const char *fallback)
{
	s->rows[0].type = type;
	s->rows[0].fallback = fallback;
}
static void break_url(struct sample *s)
{
	break_slice(s, LG_URL, "http://");
}
static void break_secret(struct sample *s)
{
	break_slice(s, LG_SECRET, "");
}
static void break_path(struct sample *s)
{
	break_slice(s, LG_PATH, "");
}
static void break_list(struct sample *s)
{
	break_slice(s, LG_LIST, "[a,,b]");
}
static void break_required(struct sample *s)
{
	s->rows[0].flags = LG_REQUIRED;
	s->rows[0].fallback = "x";
}
static void break_row_range(struct sample *s)
{
	s->rows[1].min = 2;
	s->rows[1].max = 1;
}
static void break_choices(struct sample *s)
{
	s->rows[2].choices = NULL;
}
static void break_twice(struct sample *s)
{
	s->rows[2].name = "word";
}
static void break_same_place(struct sample *s)
{
	s->rows[1].offset = s->rows[0].offset;
}
/* The second half of a slice. */
static void break_overlap(struct sample *s)
{
	s->rows[2].offset = sizeof(struct lg_slice) - sizeof(int32_t);
}
static void break_settings(struct sample *s)
{
	s->plugin.settings_size = SIZE_MAX;
}
static void break_methods(struct sample *s)
{
	s->plugin.methods = "GET  post";
}

static const struct refusal {
	const char *name;
	void (*break_it)(struct sample *);
	const char *words[4]; /* all of them must be said */
} refusals[] = {
	{"magic", break_magic, {"x.so", "0x12345678", "0x4c474154"}},
	{"major", break_major, {"x.so", "sample", "7.1", "0.4"}},
	{"minor", break_minor, {"x.so", "sample", "0.5", "0.4"}},
	{"size", break_size, {"x.so", "sample", "40 bytes", "build it again"}},
	{"no name", break_no_name, {"x.so", "name"}},
	{"name", break_name, {"x.so", "name"}},
	{"kind", break_kind, {"x.so", "sample", "kind 3"}},
	{"no operations", break_no_operations, {"x.so", "sample", ".source"}},
	{"operations' size", break_operations_size, {"x.so", "sample", "16 bytes", ".size"}},
	{"receive", break_receive, {"x.so", "sample", "receive"}},
	{"no reading", break_reading, {"x.so", "sample", "LG_READS_FILES", "read_open"}},
	{"no flag", break_reading_flag, {"x.so", "sample", "LG_READS_FILES", "read_open"}},
	{"deliver", break_deliver, {"x.so", "sample", "deliver"}},
	{"sink's size", break_sink_size, {"x.so", "sample", ".size"}},
	{"rows", break_rows, {"x.so", "sample", "3 options"}},
	{"row count", break_row_count, {"x.so", "sample", "5000 options"}},
	{"row size", break_row_size, {"x.so", "sample", "8 bytes", ".option_size"}},
	{"row name", break_row_name, {"x.so", "sample", "option 1"}},
	{"row type", break_row_type, {"x.so", "sample", "number", "type 99"}},
	{"row offset", break_row_offset, {"x.so", "sample", "number", "do not fit"}},
	{"row alignment", break_row_alignment, {"x.so", "sample", "number", "do not fit"}},
	{"far offset", break_row_far_offset, {"x.so", "sample", "number", "do not fit"}},
	{"fallback", break_fallback, {"x.so", "sample", "number", "default \"ten\""}},
	{"fallback's range", break_fallback_range, {"x.so", "sample", "number", "\"10\""}},
	{"fallback's choice", break_fallback_choice, {"x.so", "sample", "choice", "\"c\""}},
	{"URL without a host", break_url, {"x.so", "sample", "word", "default \"http://\""}},
	{"empty secret", break_secret, {"x.so", "sample", "word", "default \"\""}},
	{"empty path", break_path, {"x.so", "sample", "word", "default \"\""}},
	{"list with an empty word", break_list, {"x.so", "sample", "word", "\"[a,,b]\""}},
	{"required with default", break_required, {"x.so", "sample", "word", "\"x\""}},
	{"row range", break_row_range, {"x.so", "sample", "number", "range"}},
	{"choices", break_choices, {"x.so", "sample", "choice", "enum"}},
	{"same name twice", break_twice, {"x.so", "sample", "two options word"}},
	{"same place twice", break_same_place, {"x.so", "sample", "word and number overlap"}},
	{"overlap", break_overlap, {"x.so", "sample", "word and choice overlap"}},
	{"settings", break_settings, {"x.so", "sample", "settings"}},
	{"methods", break_methods, {"x.so", "sample", "GET  post", "GET POST"}},
};

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct sample sample;
		struct library library;
		struct error error = {""};
		sample_init(&sample);
		refusals[i].break_it(&sample);
		if (descriptor_read(&sample.plugin, "x.so", &library, &error))
			fail_msg("%s: was taken", refusals[i].name);
		for (size_t w = 0; w < 4 && refusals[i].words[w]; w++)
			if (!strstr(error.text, refusals[i].words[w]))
				fail_msg("%s: \"%s\" does not say \"%s\"", refusals[i].name,
					 error.text, refusals[i].words[w]);
	}
}

/* A plugin of another ABI may have anything behind the head. */
static void test_only_the_head_is_read_of_another_major(void **state)
{
	struct head {
		uint32_t magic, abi_major, abi_minor, size;
		const char *name;
	} *head = malloc(sizeof(*head)); /* so that ASan sees a read beyond it */
	const struct lg_plugin *theirs = (const struct lg_plugin *)(void *)head;
	struct library library;
	struct error error = {""};

	(void)state;
	assert_non_null(head);
	*head = (struct head){LG_MAGIC, 9, LG_ABI_MINOR + 1, 4096, "future"};
	assert_false(descriptor_read(theirs, "future.so", &library, &error));
	assert_non_null(strstr(error.text, " 9."));
	head->abi_major = LG_ABI_MAJOR;
	assert_false(descriptor_read(theirs, "future.so", &library, &error));
	head->abi_minor = LG_ABI_MINOR;
	head->size = sizeof(*head);
	assert_false(descriptor_read(theirs, "future.so", &library, &error));
	assert_non_null(strstr(error.text, "24 bytes"));
	free(head);
}

static void test_good_one_is_copied(void **state)
{
	struct sample sample;
	struct library library;
	struct error error = {""};

	(void)state;
	sample_init(&sample);
	if (!descriptor_read(&sample.plugin, "x.so", &library, &error))
		fail_msg("%s", error.text);
	assert_string_equal(library.plugin.name, "sample");
	assert_string_equal(library.path, "x.so");
	assert_int_equal(library.options.count, 3);
	assert_string_equal(option_at(&library.options, 2).choices, "a|b");
	assert_string_equal(library.plugin.version, "");
	assert_string_equal(library.plugin.channel, "other");
}

/* A plugin of the same minor that knows more members: what we do not know is
 * left out, and its rows have a wider stride. */
static void test_larger_structs_are_cut(void **state)
{
	struct {
		struct lg_plugin plugin;
		char later[64];
	} wide;
	struct wide_row {
		struct lg_option row;
		const char *later;
	} wide_rows[3];
	struct sample sample;
	struct library library;
	struct error error = {""};

	(void)state;
	sample_init(&sample);
	memset(&wide, 0xff, sizeof(wide));
	wide.plugin = sample.plugin;
	wide.plugin.size = sizeof(wide);
	for (size_t i = 0; i < 3; i++)
		wide_rows[i] = (struct wide_row){sample.rows[i], "later"};
	wide.plugin.options = &wide_rows[0].row;
	wide.plugin.option_size = sizeof(wide_rows[0]);
	if (!descriptor_read(&wide.plugin, "x.so", &library, &error))
		fail_msg("%s", error.text);
	assert_string_equal(option_at(&library.options, 1).name, "number");
	assert_string_equal(option_at(&library.options, 2).name, "choice");
}

static void test_methods_have_a_default(void **state)
{
	struct sample sample;
	struct library library;
	struct error error = {""};

	(void)state;
	sample_init(&sample);
	sample.plugin.methods = NULL;
	assert_true(descriptor_read(&sample.plugin, "x.so", &library, &error));
	assert_string_equal(library.plugin.methods, "POST");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_only_the_head_is_read_of_another_major),
		cmocka_unit_test(test_good_one_is_copied),
		cmocka_unit_test(test_larger_structs_are_cut),
		cmocka_unit_test(test_methods_have_a_default),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("descriptor", tests, NULL, NULL);
}
