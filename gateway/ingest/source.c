#include "ingest/source.h"

#include "base/log.h"

#include <stdio.h>

#define OPTION(member, label, kind, ...)                                        \
	{                                                                       \
		.name = (label), .type = (kind),                                \
		.offset = offsetof(struct source_settings, member), __VA_ARGS__ \
	}

const struct lg_option source_options[] = {
	OPTION(plugin, "plugin", LG_STRING, .flags = LG_REQUIRED,
	       .help = "name of the source plugin"),
	OPTION(path, "path", LG_STRING, .flags = LG_REQUIRED,
	       .help = "path at which requests arrive, such as /f/contact"),
	OPTION(auth, "auth", LG_ENUM, .fallback = "plugin", .choices = "none|plugin",
	       .help = "who proves the sender: the plugin, or nobody; a source without a secret "
		       "must say none"),
	OPTION(merge, "merge", LG_ENUM, .fallback = "fill", .choices = "fill|latest|link",
	       .help = "what a known person's new lead does: fill blanks, overwrite, or only be "
		       "linked"),
	OPTION(body_bytes, "max_body", LG_SIZE, .fallback = "0", .min = 0, .max = INT64_C(1) << 30,
	       .help = "largest request; 0 takes http.max_body"),
	OPTION(items, "max_items", LG_INTEGER, .fallback = "100", .min = 1, .max = 10000,
	       .help = "most leads of one request"),
	OPTION(form_fields, "max_form_fields", LG_INTEGER, .fallback = "500", .min = 1,
	       .max = 100000, .help = "most fields of one form"),
	OPTION(region, "region", LG_STRING,
	       .help = "region in which phone numbers without a country are read, such as US; "
		       "otherwise defaults.region"),
	OPTION(is_test, "is_test", LG_BOOL, .fallback = "false",
	       .help = "marks every lead as a test: only sinks that ask for tests get it"),
};
const size_t source_option_count = sizeof(source_options) / sizeof(source_options[0]);

#define ITEMS "leadgate_items_total"
#define ITEMS_HELP "leads by how they ended"
#define REQUESTS "leadgate_source_requests_total"
#define REQUESTS_HELP "requests to sources by their answer"

/* clang-format off */
static const struct {
	const char *name, *label, *value, *help;
} rows[SOURCE_COUNTERS] = {
	[SOURCE_CREATED] = {ITEMS, "verdict", "created", ITEMS_HELP},
	[SOURCE_TOUCHED] = {ITEMS, "verdict", "touched", ITEMS_HELP},
	[SOURCE_REPEATED] = {ITEMS, "verdict", "repeated", ITEMS_HELP},
	[SOURCE_CONFLICT] = {ITEMS, "verdict", "conflict", ITEMS_HELP},
	[SOURCE_UNREACHABLE] = {ITEMS, "verdict", "unreachable", ITEMS_HELP},
	[SOURCE_TOO_LARGE] = {ITEMS, "verdict", "too-large", ITEMS_HELP},
	[SOURCE_IGNORED] = {ITEMS, "verdict", "ignored", ITEMS_HELP},
	[SOURCE_TRAPPED] = {"leadgate_traps_total", NULL, NULL,
			    "stored leads that sprang a trap and are delivered to nobody"},
	[SOURCE_STORED] = {REQUESTS, "answer", "stored", REQUESTS_HELP},
	[SOURCE_REFUSED] = {REQUESTS, "answer", "refused", REQUESTS_HELP},
	[SOURCE_BUSY] = {REQUESTS, "answer", "busy", REQUESTS_HELP},
	[SOURCE_FAILED] = {REQUESTS, "answer", "failed", REQUESTS_HELP},
	[SOURCE_SLOW] = {"leadgate_slow_calls_total", NULL, NULL,
			 "calls of a source plugin that took longer than core.slow_call"},
};
/* clang-format on */

void source_register(struct source *source)
{
	char labels[COUNTER_LABEL_BYTES];

	pthread_mutex_init(&source->serial, NULL);
	for (int i = 0; i < SOURCE_COUNTERS; i++) {
		int length = snprintf(labels, sizeof(labels), "source=\"%.*s\"",
				      SLICE_ARGS(source->instance->name));
		if (rows[i].label)
			snprintf(labels + length, sizeof(labels) - (size_t)length, ",%s=\"%s\"",
				 rows[i].label, rows[i].value);
		source->counters[i] = counter_register(COUNTER_COUNTER, rows[i].name, labels,
						       rows[i].help);
		if (source->counters[i] == COUNTER_NONE)
			log_warning("counter.full", LOG_TEXT("name", rows[i].name),
				    LOG_SLICE("source", source->instance->name));
	}
}

static bool is_serial(const struct source *source)
{
	return source->instance->library->plugin.flags & LG_SERIAL;
}

void source_enter(struct source *source)
{
	if (is_serial(source))
		pthread_mutex_lock(&source->serial);
}

void source_leave(struct source *source)
{
	if (is_serial(source))
		pthread_mutex_unlock(&source->serial);
}

bool source_takes(const struct source *source, struct lg_slice method)
{
	struct lg_slice rest = slice_from(source->instance->library->plugin.methods), word;

	while (slice_split(&rest, ' ', &word))
		if (slice_equal(word, method))
			return true;
	return false;
}
