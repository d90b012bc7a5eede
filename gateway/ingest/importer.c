#include "ingest/importer.h"

#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "ingest/import_run.h"

/* How long a request that brought a lead keeps imports small. */
#define GENTLE_MS 500
#define ENDS "the gateway ends; the same file goes on when it is imported again"

static struct import_run *run_of(struct list *link)
{
	return container_of(link, struct import_run, link);
}

/* ---- coming and going ---------------------------------------------------------------- */

static struct source *find_source(const struct importer *importer, struct lg_slice name)
{
	for (size_t i = 0; i < importer->ingest->source_count; i++)
		if (slice_equal(importer->ingest->sources[i].instance->name, name))
			return &importer->ingest->sources[i];
	return NULL;
}

/* How many read through a source. */
static int64_t count_runs(const struct importer *importer, const struct source *source)
{
	int64_t count = 0;

	LIST_EACH(link, &importer->runs)
		count += run_of(link)->source == source && !run_of(link)->is_ending;
	return count;
}

static void show_count(const struct importer *importer, const struct source *source)
{
	counter_set(source->counters[SOURCE_IMPORTS], count_runs(importer, source));
}

static void begin_run(struct importer *importer, struct import_run *run)
{
	struct lg_slice name = run->job->source;
	struct source *source = find_source(importer, name);
	bool is_new = run->step == IMPORT_STEP_WAITS;
	struct error error;

	if (!source || !source_reads_files(source)) {
		if (source)
			error_set(&error, "source %.*s takes requests and reads no files",
				  SLICE_ARGS(name));
		else
			error_set(&error, "there is no source %.*s in the configuration",
				  SLICE_ARGS(name));
		import_run_end(run, is_new ? IMPORT_UNREADABLE : IMPORT_INTERRUPTED, error.text);
		return;
	}
	if (is_new && count_runs(importer, source) >= source->settings.imports.imports)
		return;
	import_run_begin(run, source);
	show_count(importer, source);
	if (is_new)
		log_info("import.begun", LOG_SLICE("source", name));
}

static void note_end(const struct import_run *run)
{
	static const char *const words[] = {
		[IMPORT_ENDED] = "done",	  [IMPORT_KNOWN] = "known",
		[IMPORT_UNREADABLE] = "failed",	  [IMPORT_INTERRUPTED] = "interrupted",
		[IMPORT_CANCELLED] = "cancelled",
	};
	const struct import_progress *progress = &run->job->progress;

	log_info("import.ended", LOG_SLICE("source", run->job->source),
		 LOG_TEXT("result", words[run->end]),
		 LOG_TEXT("dry_run", run->job->dry_run ? "true" : "false"),
		 LOG_INT("rows", atomic_load(&progress->rows)),
		 LOG_INT("refused", atomic_load(&progress->by_result[IMPORT_REFUSED])));
}

static void end_run(struct importer *importer, struct import_run *run)
{
	note_end(run);
	if (run->source)
		show_count(importer, run->source);
	import_run_free(&run);
}

static void give_back(struct import_job *job, const char *reason)
{
	job->end = IMPORT_INTERRUPTED;
	error_set(&job->error, "%s", reason);
	mailbox_send(job->reply, &job->letter);
}

/* What no turn has taken. */
static void give_rest_back(struct importer *importer)
{
	for (struct letter *l = mailbox_take(&importer->mailbox), *next; l; l = next) {
		next = l->next;
		give_back(container_of(l, struct import_job, letter), ENDS);
	}
}

static void on_job(struct loop_mailbox *box, struct letter *letter)
{
	struct importer *importer = container_of(box, struct importer, box);
	struct import_job *job = container_of(letter, struct import_job, letter);
	struct import_run *run;

	if (importer->has_ended) {
		give_back(job, ENDS);
		return;
	}
	run = import_run_new(importer, job);
	if (!run) {
		give_back(job, "the gateway is short of memory");
		return;
	}
	list_append(&importer->runs, &run->link);
	importer_wake(importer);
}

void import_job_fini(struct import_job *job)
{
	arena_fini(&job->arena);
}

const struct import_run *importer_other(const struct importer *importer,
					const struct import_run *run)
{
	if (run->job->dry_run)
		return NULL;
	LIST_EACH(link, &importer->runs) {
		const struct import_run *other = run_of(link);

		if (other != run && other->step >= IMPORT_STEP_OPENS && !other->job->dry_run &&
		    slice_equal(other->job->source, run->job->source) &&
		    memcmp(other->file.digest, run->file.digest, SHA256_BYTES) == 0)
			return other;
	}
	return NULL;
}

/* ---- standing back ------------------------------------------------------------------------ */

bool importer_is_gentle(struct importer *importer)
{
	int64_t now_ms = clock_monotonic_ms();
	int64_t admitted = outbox_admitted(importer->ingest->outbox);

	if (admitted - importer->admitted > importer->mine)
		importer->others_ms = now_ms;
	importer->admitted = admitted;
	importer->mine = 0;
	return now_ms - importer->others_ms < GENTLE_MS;
}

void importer_note_mine(struct importer *importer)
{
	importer->mine++;
}

/* Errands stand back with imports as long as there are some. Where a process may not come
 * back from it (RLIMIT_NICE), they do so from then on. */
static void set_niceness(struct importer *importer)
{
	int64_t wanted = 0;

	LIST_EACH(link, &importer->runs) {
		const struct import_run *run = run_of(link);
		if (run->source && run->source->settings.imports.niceness > wanted)
			wanted = run->source->settings.imports.niceness;
	}
	if (wanted == importer->niceness)
		return;
	importer->niceness = (int)wanted;
	setpriority(PRIO_PROCESS, (id_t)gettid(), importer->base_niceness + (int)wanted);
}

/* ---- turns --------------------------------------------------------------------------------- */

/* Errands and letters are seen to between two of these. */
static void look(struct importer *importer)
{
	int64_t wait_ms = INT64_MAX, run_ms;

	LIST_EACH_SAFE(link, &importer->runs) {
		struct import_run *run = run_of(link);

		if (!run->source && !run->is_ending && importer->ingest)
			begin_run(importer, run);
		if (run->source || run->step == IMPORT_STEP_WAITS) {
			run_ms = import_run_step(run);
			wait_ms = run_ms < wait_ms ? run_ms : wait_ms;
		}
		if (import_run_is_over(run)) {
			end_run(importer, run);
			wait_ms = 0; /* for those that wait */
		}
	}
	set_niceness(importer);
	if (wait_ms < INT64_MAX)
		loop_timer_set(&importer->timer, wait_ms);
}

static void on_timer(struct loop_timer *timer)
{
	struct importer *importer = container_of(timer, struct importer, timer);

	if (importer->is_paused)
		loop_task_post(importer->turn);
	else
		look(importer);
}

void importer_wake(struct importer *importer)
{
	loop_timer_set(&importer->timer, 0);
}

/* ---- generations --------------------------------------------------------------------------- */

void importer_begin(struct importer *importer, struct ingest *ingest)
{
	importer->ingest = ingest;
	importer->is_paused = false;
	importer_wake(importer);
}

bool importer_pause(struct importer *importer)
{
	bool is_quiet = true;

	importer->is_paused = true;
	LIST_EACH(link, &importer->runs)
		is_quiet &= import_run_pause(run_of(link));
	if (is_quiet)
		importer->ingest = NULL;
	return is_quiet;
}

void importer_end(struct importer *importer)
{
	importer->has_ended = true;
	LIST_EACH_SAFE(link, &importer->runs) {
		struct import_run *run = run_of(link);

		import_run_end(run, IMPORT_INTERRUPTED, ENDS);
		end_run(importer, run);
	}
	give_rest_back(importer);
}

bool importer_init(struct importer *importer, struct loop *loop, struct ingest_loop *ingest_loop,
		   struct reader *reader, struct loop_task *turn)
{
	*importer = (struct importer){
		.ingest_loop = ingest_loop,
		.reader = reader,
		.turn = turn,
		.is_paused = true,
		.others_ms = clock_monotonic_ms() - GENTLE_MS,
		.base_niceness = getpriority(PRIO_PROCESS, 0),
		.mailbox.fd = -1,
	};
	list_init(&importer->runs);
	if (!mailbox_init(&importer->mailbox) ||
	    !loop_mailbox_init(&importer->box, loop, &importer->mailbox, on_job))
		return false;
	loop_timer_init(&importer->timer, loop, on_timer);
	return true;
}

void importer_fini(struct importer *importer)
{
	if (!importer->timer.loop) {
		mailbox_fini(&importer->mailbox);
		return;
	}
	ALWAYS(list_empty(&importer->runs));
	give_rest_back(importer);
	loop_timer_fini(&importer->timer);
	loop_mailbox_fini(&importer->box);
	mailbox_fini(&importer->mailbox);
}
