#include "supervise/generation.h"

#include "base/alloc.h"
#include "base/error.h"

static void close_sources(struct generation *generation)
{
	struct settings *settings = generation->settings;

	for (size_t i = 0; i < settings->source_count; i++)
		instance_close(settings->sources[i].instance);
}

static void generation_free(struct generation *generation)
{
	if (generation->settings)
		close_sources(generation);
	list_remove(&generation->link);
	settings_free(&generation->settings);
	buffer_fini(&generation->errors);
	turnstile_fini(&generation->turnstile);
	alloc_free(generation->lanes);
	alloc_free(generation->shares);
	alloc_free(generation);
}

struct generation *generation_load(const char *path, settings_reader *read, struct buffer *errors)
{
	struct generation *generation = alloc_zalloc(sizeof(*generation));

	if (!generation) {
		buffer_add_literal(errors, "not enough memory\n");
		return NULL;
	}
	list_init(&generation->link);
	buffer_init(&generation->errors, SIZE_MAX);
	generation->references = 1;
	generation->settings = read(path, &generation->errors);
	if (generation->settings)
		return generation;
	buffer_add_slice(errors, buffer_slice(&generation->errors));
	generation_free(generation);
	return NULL;
}

static bool open_sources(struct generation *generation, struct error *error)
{
	struct settings *settings = generation->settings;

	for (size_t i = 0; i < settings->source_count; i++) {
		source_register(&settings->sources[i]);
		if (instance_open(settings->sources[i].instance, error))
			continue;
		settings_error(settings, "sources", error->text);
		return false;
	}
	return true;
}

bool generation_open(struct generation *generation, struct outbox *outbox,
		     struct meter_table *addresses, const struct lead_limits *limits, size_t loops,
		     struct error *error)
{
	struct settings *settings = generation->settings;

	generation->lanes = alloc_zalloc((settings->sink_count + 1) * sizeof(*generation->lanes));
	generation->shares = alloc_zalloc(loops * sizeof(*generation->shares));
	if (!generation->lanes || !generation->shares)
		return error_set(error, "not enough memory");
	generation->share_count = loops;
	generation->ingest = (struct ingest){
		.outbox = outbox,
		.limits = limits,
		.sources = settings->sources,
		.source_count = settings->source_count,
		.slow_us = settings->core.slow_ms * 1000,
	};
	return turnstile_init(&generation->turnstile, &settings->http, outbox, addresses, error) &&
	       open_sources(generation, error);
}

void generation_hand_out(struct generation *generation, struct worker *workers)
{
	generation_ref(generation);
	generation->out += generation->share_count;
	for (size_t i = 0; i < generation->share_count; i++) {
		generation->shares[i] = (struct worker_share){
			.ingest = &generation->ingest,
			.turnstile = &generation->turnstile,
			.generation = generation,
		};
		worker_hand_out(&workers[i], &generation->shares[i]);
	}
}

void generation_fetch(struct generation *generation, struct fetcher *fetcher, struct keep *keep,
		      struct mailbox *home)
{
	generation->ingest.fetcher = fetcher;
	generation->ingest.keep = keep;
	generation->out++;
	generation->errands = (struct worker_share){.state = SHARE_LEFT, .generation = generation};
	generation->fetching = (struct fetcher_share){
		.ingest = &generation->ingest,
		.home = home,
		.back = &generation->errands.letter,
	};
	fetcher_change(fetcher, &generation->fetching);
}

void generation_take_home(struct worker_share *share)
{
	struct generation *generation = share->generation;

	if (share->state == SHARE_TAKEN) {
		generation->taken++;
		return;
	}
	ALWAYS(generation->out > 0);
	if (--generation->out > 0)
		return;
	close_sources(generation);
	generation_unref(&generation);
}

void generation_recall(struct generation *generation)
{
	if (generation->out == 0)
		return;
	generation->out = 0;
	close_sources(generation);
	generation_unref(&generation);
}

struct generation *generation_ref(struct generation *generation)
{
	generation->references++;
	return generation;
}

void generation_unref(struct generation **generation)
{
	struct generation *g = *generation;

	*generation = NULL;
	if (g && --g->references == 0)
		generation_free(g);
}
