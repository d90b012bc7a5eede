/* The whole configuration, checked: what a generation runs on. */
#ifndef SUPERVISE_SETTINGS_H
#define SUPERVISE_SETTINGS_H

#include "config/document.h"
#include "http/server.h"
#include "ingest/ingest.h"
#include "sink/lane.h"
#include "supervise/access_log.h"

struct core_settings {
	int64_t loops;	       /* 0: as many as cores */
	int64_t shutdown_ms;   /* hard limit of a stop */
	int64_t stop_delay_ms; /* serving on, without being ready */
	int64_t generations;   /* older ones that may have requests under way at a reload */
	int64_t slow_ms;       /* a plugin's call that takes longer is named */
	int32_t log_format;    /* enum log_format */
	int32_t log_level;     /* LG_LOG_… */
	struct lg_list plugin_path;
};

struct admin_settings {
	struct lg_slice address; /* absent: no admin listener */
};

/* What sources take where they say nothing themselves. */
struct default_settings {
	struct lg_slice region;
};

struct sink_section {
	struct instance *instance;
	struct sink_settings settings;
};

struct settings {
	struct document *document; /* owns all memory but this struct */
	bool strict;		   /* read by settings_load_strictly */
	struct core_settings core;
	struct admin_settings admin;
	struct access_log_settings access_log;
	struct store_settings store;
	struct dedup_settings dedup;
	struct default_settings defaults;
	struct lead_limits lead;
	struct http_limits http;
	struct http_client_settings http_client;
	struct expr_limits expressions;
	struct http_listen *listens;
	size_t listen_count;
	struct source *sources;
	size_t source_count;
	struct sink_section *sinks;
	size_t sink_count;
};

/* Reads and checks a configuration with its plugins, without side effects on
 * files or sockets. NULL when there is any mistake; all of them are then in
 * `errors`, which must outlive the settings. field_setup and normalize_setup
 * must have run. Main thread. */
struct settings *settings_load(const char *path, struct buffer *errors);
/* The same for who has a clock that is set: a sink's start that is yet to come is a mistake,
 * too. A start of the process must do without one and takes it. */
struct settings *settings_load_strictly(const char *path, struct buffer *errors);
typedef struct settings *settings_reader(const char *path, struct buffer *errors);
void settings_free(struct settings **settings);

/* The section `store:` alone, of a file whose other sections may have mistakes
 * or name variables that are set for the gateway alone. NULL when this section
 * cannot be had; why is then in `errors`. */
struct settings *settings_load_store(const char *path, struct buffer *errors);

/* From now on no configuration may name a file of the store at this path for anything else;
 * absent: none is in use. The text must live until the next call. Main thread. */
void settings_use_store(struct lg_slice path);

/* Whether an option of a plain section stays as it is while the process runs. */
bool settings_is_fixed(const char *section, const char *option);
/* Takes such options over from the settings that run: their memory must live as
 * long as `next`. */
void settings_keep_fixed(struct settings *next, const struct settings *running);

/* Adds an error that showed only when a section was put to use, such as a port
 * that is taken. */
void settings_error(struct settings *settings, const char *section, const char *text);

/* Whether a sink is to begin only later, which it would not do. */
bool settings_start_is_ahead(const struct sink_section *sink);

/* Says where plugins are looked for; `core` NULL: there is no configuration. */
void settings_plugin_path(const struct core_settings *core);

/* The sections that are plain rows, for the manual page. */
struct settings_section {
	const char *name;
	const char *help; /* a sentence */
	struct option_table table;
	struct option_table
		http_table; /* of sources and sinks whose plugin makes calls; else none */
	struct option_table file_table; /* of sources whose plugin reads files; else none */
	struct option_table tls_table;	/* of a listener's `tls:`; else none */
};
/* The index-th section in the manual's order, listen, sources and sinks among
 * them; false after the last. */
bool settings_section_at(size_t index, struct settings_section *section);

#endif
