/* A configured source: a plugin's instance at a path. */
#ifndef INGEST_SOURCE_H
#define INGEST_SOURCE_H

#include <pthread.h>

#include "base/counter.h"
#include "base/meter.h"
#include "client/http_client.h"
#include "host/instance.h"
#include "http/request.h"
#include "lead/normalize.h"
#include "outbox/outbox.h"

/* The gateway's own options of sources whose plugin has errands. */
struct errand_settings {
	int64_t poll_ms; /* 0: never */
	int64_t timeout_ms;
	int64_t concurrency; /* errands under way at once */
	int64_t calls;	     /* of one errand without a commit between them */
	int64_t answer_bytes;
	int64_t retry_first_ms, retry_max_ms, retry_for_ms;
	int64_t retry_after_max_ms; /* what an answer may ask for */
	int64_t claims;		    /* that may wait */
	int64_t keep_ms;	    /* keys of what is done */
	struct lg_slice ca_file;
	int32_t allow_private;

	/* Not of the rows: given by whoever read them. */
	const struct http_client_settings *client;
};
extern const struct lg_option errand_options[];
extern const size_t errand_option_count;

/* The gateway's own options of sources whose plugin reads files. */
struct import_settings {
	int64_t imports;	 /* files read at once */
	int64_t record_bytes;	 /* longest record */
	int64_t batch_rows;	 /* rows of one transaction, at most … */
	int64_t batches;	 /* … of which so many may wait for the journal */
	int64_t gentle_rows;	 /* rows of one while requests bring leads */
	int64_t gentle_pause_ms; /* after each of these */
	int64_t wait_ms;	 /* for a journal that takes nothing */
	int64_t niceness;	 /* of the errand thread, as long as it reads */

	struct lg_slice folder; /* that is watched; absent: none */
	int64_t folder_interval_ms, folder_settle_ms;
};
extern const struct lg_option import_options[];
extern const size_t import_option_count;

/* The gateway's own options of every source (beside the plugin's). */
struct source_settings {
	struct lg_slice path; /* "/f/contact"; absent: it takes no requests */
	struct lg_slice plugin;
	int32_t auth;		/* SOURCE_AUTH_… */
	int32_t merge;		/* enum merge_policy */
	int64_t body_bytes;	/* largest request; settings turn 0 into http.body_bytes */
	int64_t items;		/* most leads of one request */
	int64_t form_fields;	/* most fields of one form */
	int64_t part_head;	/* longest header lines of a part of a multipart body */
	int64_t rate;		/* requests a minute; 0: no limit */
	int64_t burst;		/* of them at once */
	struct lg_slice region; /* default region; absent: defaults.region */
	int32_t is_test;
	int64_t alert_silent_ms;	/* no lead for so long is an alert; 0: never */
	struct errand_settings errands; /* where the plugin has LG_CALLS_HTTP */
	struct import_settings imports; /* where the plugin has LG_READS_FILES */
};
extern const struct lg_option source_options[];
extern const size_t source_option_count;

/* Positions of the words of `auth`; absent is SOURCE_AUTH_PLUGIN. */
enum { SOURCE_AUTH_NONE = 0, SOURCE_AUTH_PLUGIN = 1 };

/* What is counted a source. */
enum source_counter {
	SOURCE_CREATED, /* leads, by how they ended */
	SOURCE_TOUCHED,
	SOURCE_REPEATED,
	SOURCE_CONFLICT,
	SOURCE_UNREACHABLE,
	SOURCE_TOO_LARGE,
	SOURCE_IGNORED,
	SOURCE_TRAPPED,
	SOURCE_STORED, /* requests, by how they were answered */
	SOURCE_ANSWERED,
	SOURCE_REFUSED,
	SOURCE_BUSY,
	SOURCE_FAILED,
	SOURCE_OVER_ADDRESS_RATE, /* requests turned away by their heads */
	SOURCE_OVER_RATE,
	SOURCE_NO_QUEUE,
	SOURCE_NO_ROOM,
	SOURCE_SLOW, /* calls of the plugin that took too long */
	/* claims; only where the plugin has errands */
	SOURCE_CLAIMED,
	SOURCE_CLAIMED_AGAIN,
	SOURCE_FETCHED, /* errands, by how an attempt ended */
	SOURCE_FETCH_RETRIED,
	SOURCE_FETCH_PARKED,
	SOURCE_FETCH_DEAD,
	SOURCE_CALLS, /* HTTP calls that were answered */
	SOURCE_CALLS_FAILED,
	SOURCE_CLAIMS_WAITING, /* gauges */
	SOURCE_CLAIMS_PARKED,
	SOURCE_CLAIMS_DEAD,
	/* imports; only where the plugin reads files. Rows in the order of import_result */
	SOURCE_IMPORT_ROWS,
	SOURCE_IMPORTS = SOURCE_IMPORT_ROWS + IMPORT_RESULTS, /* gauge */
	SOURCE_COUNTERS
};

struct source {
	struct instance *instance;
	struct source_settings settings;
	struct normalize_settings normalize;
	int counters[SOURCE_COUNTERS];
	struct meter_rate rate;
	struct meter meter;	/* of requests; any thread */
	pthread_mutex_t serial; /* held while the plugin runs, when it is LG_SERIAL */
};

/* Registers the counters, makes the lock, reads the rate. Main thread. */
void source_register(struct source *source);

/* Around each call of the plugin: a plugin that is LG_SERIAL never runs on two
 * loops at once. */
void source_enter(struct source *source);
void source_leave(struct source *source);

static inline void source_count(const struct source *source, enum source_counter counter)
{
	counter_inc(source->counters[counter]);
}

/* The word under which it is counted; NULL: it has none. */
const char *source_counter_word(enum source_counter counter);

/* Whether its plugin has errands: claims, polls or back-fills. */
static inline bool source_has_errands(const struct source *source)
{
	return source->instance->library->plugin.flags & LG_CALLS_HTTP;
}

/* Whether its plugin can read files of leads. */
static inline bool source_reads_files(const struct source *source)
{
	return source->instance->library->plugin.flags & LG_READS_FILES;
}

/* Whether it has a path at which leads arrive. */
static inline bool source_takes_requests(const struct source *source)
{
	return source->instance->source.receive;
}

/* Whether one of the secrets that the source is configured with stands in these bytes,
 * LG_SECRET_BYTES_MIN long or longer. */
bool source_holds_secret(const struct source *source, struct lg_slice bytes);

/* Whether the descriptor names this method ("GET POST"). */
bool source_takes(const struct source *source, struct lg_slice method);

#endif
