#include "supervise/lone_import.h"

#include "ingest/fetcher.h"
#include "ingest/keep.h"
#include "outbox/store_files.h"
#include "supervise/imports.h"

/* Its plugin does not block, so it is back soon. */
#define STOP_MS 10000

struct household {
	struct outbox *outbox;
	struct keep *keep;
	struct fetcher *fetcher;
	struct mailbox mailbox; /* the job and the share come home to it */
	struct ingest ingest;
	struct fetcher_share share;
	struct letter back;
};

static bool open_store(struct household *household, const struct settings *settings,
		       struct error *error)
{
	struct lg_slice path = settings->store.path;
	struct reader *reader;

	if (!store_files_prepare(path, error))
		return false;
	household->outbox = outbox_open(&settings->store, &settings->dedup, &settings->lead, error);
	if (!household->outbox)
		return false;
	reader = reader_open(path, error);
	if (!reader)
		return false;
	household->keep = keep_open(reader, error);
	reader_close(&reader);
	if (!household->keep)
		return false;
	household->fetcher = fetcher_start(household->outbox, path, error);
	return household->fetcher != NULL;
}

/* This source alone, and of it nothing but the job: what its vendor has waits for a
 * gateway, as do files that lie in its folder. */
static void hand_out(struct household *household, const struct settings *settings,
		     struct source *source)
{
	source->settings.imports.folder = (struct lg_slice){NULL, 0};
	household->ingest = (struct ingest){
		.outbox = household->outbox,
		.limits = &settings->lead,
		.sources = source,
		.source_count = 1,
		.slow_us = settings->core.slow_ms * 1000,
		.fetcher = household->fetcher,
		.keep = household->keep,
	};
	household->share = (struct fetcher_share){
		.ingest = &household->ingest,
		.home = &household->mailbox,
		.back = &household->back,
	};
	fetcher_change(household->fetcher, &household->share);
}

static bool is_back(struct household *household, const struct import_job *job)
{
	for (const struct letter *l = mailbox_take(&household->mailbox); l; l = l->next)
		if (l == &job->letter)
			return true;
	return false;
}

static void carry_out(struct household *household, struct import_job *job, void (*watch)(void *arg),
		      void *arg)
{
	job->reply = &household->mailbox;
	fetcher_import(household->fetcher, job);
	while (!is_back(household, job)) {
		watch(arg);
		mailbox_wait(&household->mailbox, IMPORT_PROGRESS_MS);
	}
}

/* False: a thread that hangs in its plugin keeps what it has. The process ends soon. */
static bool close_household(struct household *household)
{
	if (household->fetcher && !fetcher_stop(household->fetcher, STOP_MS))
		return false;
	if (household->outbox)
		outbox_close(&household->outbox);
	fetcher_free(&household->fetcher);
	keep_close(&household->keep);
	mailbox_fini(&household->mailbox);
	return true;
}

bool lone_import(struct settings *settings, struct source *source, struct import_job *job,
		 void (*watch)(void *arg), void *arg, struct error *error)
{
	static struct household household; /* a hanging thread may outlive this function */
	bool good;

	household = (struct household){.mailbox.fd = -1};
	if (!mailbox_init(&household.mailbox))
		return error_set(error, "no descriptor is left");
	source_register(source);
	good = open_store(&household, settings, error) && instance_open(source->instance, error);
	if (good) {
		hand_out(&household, settings, source);
		carry_out(&household, job, watch, arg);
	}
	if (close_household(&household) && good)
		instance_close(source->instance);
	return good;
}
