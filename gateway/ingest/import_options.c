/* The options of sources whose plugin reads files. */
#include "ingest/source.h"

#define ROW(option, kind, member, usual, ...)                                           \
	{                                                                               \
		.name = (option), .type = (kind), .fallback = (usual),                  \
		.offset = offsetof(struct source_settings, imports.member), __VA_ARGS__ \
	}

const struct lg_option import_options[] = {
	ROW("folder", LG_PATH, folder, NULL,
	    .help = "files that are put into \"incoming\" below this folder are imported; they end "
		    "in \"done\" or \"failed\" there"),
	ROW("folder_interval", LG_DURATION, folder_interval_ms, "5s", .min = 10, .max = 86400000,
	    .help = "how often it is looked for files"),
	ROW("folder_settle", LG_DURATION, folder_settle_ms, "10s", .min = 0, .max = 86400000,
	    .help = "a file is taken when its size and time have stayed the same for so long"),
	ROW("max_imports", LG_INTEGER, imports, "2", .min = 1, .max = 64,
	    .help = "files that are imported at once; others wait for them"),
	ROW("max_record", LG_SIZE, record_bytes, "1MiB", .min = 4096, .max = 64 << 20,
	    .help = "longest record of a file, with its line ends"),
	ROW("max_import_batch", LG_INTEGER, batch_rows, "500", .min = 1, .max = 10000,
	    .help = "most rows that an import stores in one transaction"),
	ROW("max_import_batches", LG_INTEGER, batches, "4", .min = 1, .max = 16,
	    .help = "how many of these may wait for the journal while the next one is read"),
	ROW("max_gentle_batch", LG_INTEGER, gentle_rows, "25", .min = 1, .max = 10000,
	    .help = "most rows of a transaction while requests bring leads; one waits at a time "
		    "then"),
	ROW("gentle_pause", LG_DURATION, gentle_pause_ms, "1ms", .min = 0, .max = 1000,
	    .help = "how long an import rests after each of these, so that a request seldom "
		    "finds the journal at work"),
	ROW("max_import_wait", LG_DURATION, wait_ms, "5m", .min = 1, .max = 86400000,
	    .help = "how long an import waits for a journal that has no room, before it is "
		    "interrupted; the same file goes on later"),
	ROW("niceness", LG_INTEGER, niceness, "10", .min = 0, .max = 19,
	    .help = "how much an import stands back behind requests where processors are short, "
		    "see nice(1); a process that may not take it back (RLIMIT_NICE, which root "
		    "need not mind) keeps it for its errands until it ends"),
};
const size_t import_option_count = sizeof(import_options) / sizeof(import_options[0]);
