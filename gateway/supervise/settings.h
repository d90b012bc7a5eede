/* The whole configuration, checked: what a generation runs on. */
#ifndef SUPERVISE_SETTINGS_H
#define SUPERVISE_SETTINGS_H

#include "config/document.h"
#include "http/server.h"
#include "ingest/ingest.h"
#include "sink/lane.h"

struct core_settings {
	int64_t loops;           /* 0: as many as cores */
	int64_t shutdown_ms;     /* hard limit of a drain */
	int32_t log_format;      /* logfmt | json */
	int32_t log_level;
	struct lg_list plugin_path;
};

struct admin_settings {
	struct lg_slice address; /* absent: no admin listener */
};

struct sink_section {
	struct instance *instance;
	struct sink_settings settings;
};

struct settings {
	struct document *document; /* owns all memory */
	struct core_settings core;
	struct admin_settings admin;
	struct store_settings store;
	struct dedup_settings dedup;
	struct lead_limits lead;
	struct http_limits http;
	struct http_listen *listens;
	size_t listen_count;
	struct source *sources;
	size_t source_count;
	struct sink_section *sinks;
	size_t sink_count;
};

/* Reads and checks a configuration with its plugins. NULL when there is any
 * mistake; all of them are then in `errors`. Main thread. */
struct settings *settings_load(const char *path, struct buffer *errors);
void settings_free(struct settings **settings);

#endif
