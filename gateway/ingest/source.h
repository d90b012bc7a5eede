/* A configured source: a plugin's instance at a path. */
#ifndef INGEST_SOURCE_H
#define INGEST_SOURCE_H

#include "host/instance.h"
#include "http/request.h"
#include "lead/normalize.h"
#include "outbox/outbox.h"

/* The gateway's own options of every source (beside the plugin's). */
struct source_settings {
	struct lg_slice path;     /* "/f/contact" */
	struct lg_slice plugin;
	int32_t auth;             /* none | plugin */
	int32_t merge;            /* fill | latest | link */
	int64_t body_bytes;       /* largest request */
	int64_t items;            /* most leads of one request */
	struct lg_slice region;   /* default region; absent: defaults.region */
	int32_t is_test;
};
extern const struct lg_option source_options[];
extern const size_t source_option_count;

struct source {
	struct instance *instance;
	struct source_settings settings;
	struct normalize_settings normalize;
	int counters[16]; /* accepted, repeated, refused … */
};

#endif
