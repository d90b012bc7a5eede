#include "ingest/source.h"

#include <leadgate/source.h>

#include "base/log.h"

#define OPTION(member, label, kind, ...)                                        \
	{                                                                       \
		.name = (label), .type = (kind),                                \
		.offset = offsetof(struct source_settings, member), __VA_ARGS__ \
	}

const struct lg_option source_options[] = {
	OPTION(plugin, "plugin", LG_STRING, .flags = LG_REQUIRED,
	       .help = "name of the source plugin"),
	OPTION(path, "path", LG_STRING,
	       .help = "path at which requests arrive, such as /f/contact; every source needs it "
		       "but those that only read files"),
	OPTION(auth, "auth", LG_ENUM, .fallback = "plugin", .choices = "none|plugin",
	       .help = "who proves the sender: the plugin, or nobody; a source without a secret "
		       "must say none"),
	OPTION(merge, "merge", LG_ENUM, .fallback = "fill", .choices = "fill|latest|link",
	       .help = "what a known person's new lead does: fill blanks, overwrite, or only be "
		       "linked"),
	OPTION(body_bytes, "max_body", LG_SIZE, .fallback = "0", .min = 0, .max = INT64_C(1) << 30,
	       .help = "largest request; 0 takes http.max_body"),
	OPTION(items, "max_items", LG_INTEGER, .fallback = "1000", .min = 1, .max = 10000,
	       .help = "most leads and events of one request, and of one page that is fetched"),
	OPTION(form_fields, "max_form_fields", LG_INTEGER, .fallback = "500", .min = 1,
	       .max = 100000, .help = "most fields of one form"),
	OPTION(part_head, "max_part_head", LG_SIZE, .fallback = "4KiB", .min = 256, .max = 65536,
	       .help = "longest header lines of one part of a multipart/form-data body"),
	OPTION(rate, "max_rate", LG_INTEGER, .fallback = "0", .min = 0, .max = INT64_C(1000000000),
	       .help = "most requests a minute, all senders together; beyond it the answer is "
		       "429; 0: no limit"),
	OPTION(burst, "max_burst", LG_INTEGER, .fallback = "100", .min = 1, .max = 1000000,
	       .help = "how many of them may come at once"),
	OPTION(region, "region", LG_STRING,
	       .help = "region in which phone numbers without a country are read, such as US; "
		       "otherwise defaults.region"),
	OPTION(is_test, "is_test", LG_BOOL, .fallback = "false",
	       .help = "marks every lead as a test: only sinks that ask for tests get it; the same "
		       "lead without this is a new one"),
	OPTION(alert_silent_ms, "alert_silent", LG_DURATION, .fallback = "0s", .min = 0,
	       .max = INT64_C(366) * 86400000,
	       .help = "when no lead has come for so long, an alert is raised; 0s: never"),
};
const size_t source_option_count = sizeof(source_options) / sizeof(source_options[0]);

#define LEADS "leadgate_leads_total"
#define LEADS_HELP "Leads by how they ended"
#define REQUESTS "leadgate_source_requests_total"
#define REQUESTS_HELP "Requests to sources by how they were answered"
#define CLAIMS "leadgate_claims_total"
#define CLAIMS_HELP "Claims that requests brought, by whether their key was known"
#define GAUGE_HELP "Claims, polls and back-fills in the journal"
#define ERRANDS "leadgate_errands_total"
#define ERRANDS_HELP "Attempts at claims, polls and back-fills by how they ended"
#define CALLS "leadgate_errand_calls_total"
#define CALLS_HELP "HTTP calls of claims, polls and back-fills"
#define ROWS "leadgate_import_rows_total"
#define ROWS_HELP "Rows of imported files by how they ended"
#define TURNED "leadgate_source_turned_away_total"
#define TURNED_HELP "Requests to sources that were turned away by their heads"

/* clang-format off */
static const struct {
	const char *name, *word, *help;
	const char *label; /* of the word; NULL: result */
} rows[SOURCE_COUNTERS] = {
	[SOURCE_CREATED] = {LEADS, "created", LEADS_HELP},
	[SOURCE_TOUCHED] = {LEADS, "touched", LEADS_HELP},
	[SOURCE_REPEATED] = {LEADS, "repeated", LEADS_HELP},
	[SOURCE_CONFLICT] = {LEADS, "conflict", LEADS_HELP},
	[SOURCE_UNREACHABLE] = {LEADS, "unreachable", LEADS_HELP},
	[SOURCE_TOO_LARGE] = {LEADS, "too-large", LEADS_HELP},
	[SOURCE_IGNORED] = {LEADS, "ignored", LEADS_HELP},
	[SOURCE_TRAPPED] = {"leadgate_leads_trapped_total", NULL,
			    "Stored leads that sprang a trap and are delivered to nobody"},
	[SOURCE_STORED] = {REQUESTS, "stored", REQUESTS_HELP},
	[SOURCE_ANSWERED] = {REQUESTS, "answered", REQUESTS_HELP},
	[SOURCE_REFUSED] = {REQUESTS, "refused", REQUESTS_HELP},
	[SOURCE_BUSY] = {REQUESTS, "busy", REQUESTS_HELP},
	[SOURCE_FAILED] = {REQUESTS, "failed", REQUESTS_HELP},
	[SOURCE_OVER_ADDRESS_RATE] = {TURNED, "address-rate", TURNED_HELP, "reason"},
	[SOURCE_OVER_RATE] = {TURNED, "source-rate", TURNED_HELP, "reason"},
	[SOURCE_NO_QUEUE] = {TURNED, "queue", TURNED_HELP, "reason"},
	[SOURCE_NO_ROOM] = {TURNED, "store", TURNED_HELP, "reason"},
	[SOURCE_CLAIMED] = {CLAIMS, "stored", CLAIMS_HELP},
	[SOURCE_CLAIMED_AGAIN] = {CLAIMS, "repeated", CLAIMS_HELP},
	[SOURCE_FETCHED] = {ERRANDS, "done", ERRANDS_HELP},
	[SOURCE_FETCH_RETRIED] = {ERRANDS, "retry", ERRANDS_HELP},
	[SOURCE_FETCH_PARKED] = {ERRANDS, "parked", ERRANDS_HELP},
	[SOURCE_FETCH_DEAD] = {ERRANDS, "dead", ERRANDS_HELP},
	[SOURCE_CALLS] = {CALLS, "answered", CALLS_HELP},
	[SOURCE_CALLS_FAILED] = {CALLS, "failed", CALLS_HELP},
	[SOURCE_CLAIMS_WAITING] = {"leadgate_claims", "waiting", GAUGE_HELP, "state"},
	[SOURCE_CLAIMS_PARKED] = {"leadgate_claims", "parked", GAUGE_HELP, "state"},
	[SOURCE_CLAIMS_DEAD] = {"leadgate_claims", "dead", GAUGE_HELP, "state"},
	[SOURCE_IMPORT_ROWS + IMPORT_CREATED] = {ROWS, "created", ROWS_HELP},
	[SOURCE_IMPORT_ROWS + IMPORT_TOUCHED] = {ROWS, "touched", ROWS_HELP},
	[SOURCE_IMPORT_ROWS + IMPORT_REPEATED] = {ROWS, "repeated", ROWS_HELP},
	[SOURCE_IMPORT_ROWS + IMPORT_HELD] = {ROWS, "held", ROWS_HELP},
	[SOURCE_IMPORT_ROWS + IMPORT_REFUSED] = {ROWS, "refused", ROWS_HELP},
	[SOURCE_IMPORT_ROWS + IMPORT_IGNORED] = {ROWS, "ignored", ROWS_HELP},
	[SOURCE_IMPORTS] = {"leadgate_imports", NULL, "Files that are being imported"},
	[SOURCE_SLOW] = {"leadgate_source_slow_calls_total", NULL,
			 "Calls of a source plugin that took longer than core.slow_call"},
};
/* clang-format on */

static bool is_gauge(int counter)
{
	return counter == SOURCE_IMPORTS ||
	       (counter >= SOURCE_CLAIMS_WAITING && counter <= SOURCE_CLAIMS_DEAD);
}

static bool has_counter(const struct source *source, int counter)
{
	if (counter >= SOURCE_CLAIMED && counter <= SOURCE_CLAIMS_DEAD)
		return source_has_errands(source);
	if (counter >= SOURCE_IMPORT_ROWS && counter <= SOURCE_IMPORTS)
		return source_reads_files(source);
	return true;
}

void source_register(struct source *source)
{
	pthread_mutex_init(&source->serial, NULL);
	source->rate = meter_rate(source->settings.rate, source->settings.burst);
	for (int i = 0; i < SOURCE_COUNTERS; i++) {
		char labels[COUNTER_LABEL_BYTES] = "";

		source->counters[i] = COUNTER_NONE;
		if (!has_counter(source, i))
			continue;
		counter_label(labels, "source", source->instance->name);
		if (rows[i].word)
			counter_label(labels, rows[i].label ? rows[i].label : "result",
				      slice_from(rows[i].word));
		source->counters[i] = counter_register(is_gauge(i) ? COUNTER_GAUGE
								   : COUNTER_COUNTER,
						       rows[i].name, labels, rows[i].help);
		if (source->counters[i] == COUNTER_NONE)
			log_warning("counter.full", LOG_TEXT("name", rows[i].name),
				    LOG_SLICE("source", source->instance->name));
	}
}

const char *source_counter_word(enum source_counter counter)
{
	return rows[counter].word;
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

/* A secret in the journal would outlive its rotation, and be in every backup. */
bool source_holds_secret(const struct source *source, struct lg_slice bytes)
{
	const struct instance *instance = source->instance;
	const struct option_table *options = &instance->library->options;

	for (size_t i = 0; i < options->count; i++) {
		struct lg_option row = option_at(options, i);
		struct lg_slice secret;
		if (row.type != LG_SECRET)
			continue;
		memcpy(&secret, (const char *)instance->settings + row.offset, sizeof(secret));
		if (secret.length >= LG_SECRET_BYTES_MIN && bytes.length &&
		    memmem(bytes.data, bytes.length, secret.data, secret.length))
			return true;
	}
	return false;
}
