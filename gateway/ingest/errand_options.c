/* The options of sources whose plugin has errands. */
#include "ingest/source.h"

#define DAY_MS INT64_C(86400000)
#define ROW(option, kind, member, usual, ...)                                           \
	{                                                                               \
		.name = (option), .type = (kind), .fallback = (usual),                  \
		.offset = offsetof(struct source_settings, errands.member), __VA_ARGS__ \
	}

const struct lg_option errand_options[] = {
	ROW("poll", LG_DURATION, poll_ms, "0s", .max = 366 * DAY_MS,
	    .help = "how often the source is asked for new leads; 0s: never"),
	ROW("timeout", LG_DURATION, timeout_ms, "30s", .min = 10, .max = 3600000,
	    .help = "longest time for one call to the source's vendor"),
	ROW("concurrency", LG_INTEGER, concurrency, "4", .min = 1, .max = 256,
	    .help = "claims that are fetched at once"),
	ROW("max_calls", LG_INTEGER, calls, "1000", .min = 1, .max = 1000000,
	    .help = "most calls of one claim, and of a poll or back-fill between two stored pages"),
	ROW("max_answer", LG_SIZE, answer_bytes, "4MiB", .min = 1024, .max = INT64_C(1) << 30,
	    .help = "largest answer to a call"),
	ROW("retry_first", LG_DURATION, retry_first_ms, "10s", .min = 1, .max = DAY_MS,
	    .help = "longest wait before a claim is tried again; it doubles with each attempt"),
	ROW("retry_max", LG_DURATION, retry_max_ms, "1h", .min = 1, .max = 30 * DAY_MS,
	    .help = "what it doubles up to"),
	ROW("max_retry_after", LG_DURATION, retry_after_max_ms, "24h", .min = 0, .max = 30 * DAY_MS,
	    .help = "longest wait that an answer or the plugin may ask for"),
	ROW("retry_for", LG_DURATION, retry_for_ms, "30d", .min = 0, .max = 3660 * DAY_MS,
	    .help = "a claim that is older and fails once more is dead; parked ones are not tried"),
	ROW("max_claims", LG_INTEGER, claims, "1000000", .min = 1, .max = INT64_C(1000000000),
	    .help = "most claims that may wait; beyond it requests with claims are answered with "
		    "503"),
	ROW("keep_claims", LG_DURATION, keep_ms, "14d", .min = 60000, .max = 3660 * DAY_MS,
	    .help = "how long the key of a claim that is done is known, so that it is not fetched "
		    "once more when it comes again"),
	ROW("ca_file", LG_PATH, ca_file, NULL,
	    .help = "certificates to trust, in place of those of http_client"),
	ROW("allow_private", LG_BOOL, allow_private, "false",
	    .help = "whether the vendor may be in a private network or on this machine"),
};
const size_t errand_option_count = sizeof(errand_options) / sizeof(errand_options[0]);
