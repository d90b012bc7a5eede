#include "ingest/import_queue.h"

#include "base/clock.h"
#include "base/log.h"
#include "ingest/import_run.h"
#include "ingest/importer.h"

/* Between two tries at a journal that takes nothing. */
#define DELAY_MS_FIRST 20
#define DELAY_MS_MAX 2000

/* ---- batches ------------------------------------------------------------------------- */

void import_queue_init(struct import_queue *queue)
{
	list_init(&queue->spare);
	list_init(&queue->ready);
	list_init(&queue->sent);
}

void import_queue_fini(struct import_queue *queue)
{
	ALWAYS(queue->ready_count + queue->sent_count == 0);
	LIST_EACH_SAFE(link, &queue->spare) {
		struct import_batch *batch = container_of(link, struct import_batch, link);
		import_batch_free(&batch);
	}
}

struct import_batch *import_queue_take(struct import_run *run)
{
	struct list *first = list_first(&run->queue.spare);
	struct import_batch *batch;

	if (!first)
		return import_batch_new(run);
	batch = container_of(first, struct import_batch, link);
	list_remove(&batch->link);
	return batch;
}

void import_queue_spare(struct import_run *run, struct import_batch *batch)
{
	list_remove(&batch->link);
	list_prepend(&run->queue.spare, &batch->link);
}

/* Batches come back in any order when they failed, and are stored in the file's. */
void import_queue_add(struct import_run *run, struct import_batch *batch)
{
	struct list *at = &run->queue.ready;

	LIST_EACH(link, &run->queue.ready) {
		const struct import_batch *other = container_of(link, struct import_batch, link);
		if (other->work.from > batch->work.from ||
		    (batch->work.anew && !other->work.anew)) {
			at = link;
			break;
		}
	}
	list_insert_before(at, &batch->link);
	run->queue.ready_count++;
}

void import_queue_drop(struct import_run *run)
{
	LIST_EACH_SAFE(link, &run->queue.ready)
		import_queue_spare(run, container_of(link, struct import_batch, link));
	run->queue.ready_count = 0;
	run->read = run->stored;
	run->all_read = false;
}

static void count_rows(struct import_run *run, const struct import_counts *counts)
{
	struct import_progress *progress = &run->job->progress;

	atomic_fetch_add(&progress->rows, counts->rows);
	for (int i = 0; i < IMPORT_RESULTS; i++) {
		atomic_fetch_add(&progress->by_result[i], counts->by_result[i]);
		if (!run->job->dry_run && run->source)
			counter_add(run->source->counters[SOURCE_IMPORT_ROWS + i],
				    counts->by_result[i]);
	}
	atomic_store(&progress->bytes_done, run->stored.offset);
}

/* What a rehearsal knows without the journal. */
static void count_unstored(struct import_batch *batch)
{
	struct import_work *work = &batch->work;

	work->counts.rows = (int64_t)batch->intake.submission.count + work->refused + work->ignored;
	work->counts.by_result[IMPORT_REFUSED] = work->refused;
	work->counts.by_result[IMPORT_IGNORED] = work->ignored;
}

/* Step by step, for a bad row seldom comes alone. */
static void widen(struct import_run *run)
{
	struct import_queue *queue = &run->queue;

	queue->narrow_rows *= 2;
	if (queue->narrow_rows >= (size_t)run->source->settings.imports.batch_rows)
		queue->narrow_rows = 0;
}

void import_queue_widen(struct import_run *run)
{
	run->queue.reads_again = false;
	run->queue.narrow_rows = 0;
	run->queue.unfit = NULL;
}

static void finish_batch(struct import_run *run, struct import_batch *batch)
{
	run->stored = batch->after;
	if (run->queue.narrow_rows)
		widen(run);
	if (!batch->work.anew)
		count_rows(run, &batch->work.counts);
	import_queue_spare(run, batch);
}

static void note_trouble(struct import_run *run)
{
	int64_t now_ms = clock_monotonic_ms();
	const char *reason = NULL;

	if (!run->queue.trouble_ms) {
		run->queue.trouble_ms = now_ms;
		run->queue.delay_ms = DELAY_MS_FIRST;
	} else if (run->queue.delay_ms < DELAY_MS_MAX) {
		run->queue.delay_ms *= 2;
	}
	run->queue.wait_until_ms = now_ms + run->queue.delay_ms;
	if (now_ms - run->queue.trouble_ms < run->source->settings.imports.wait_ms)
		return;
	outbox_ready(run->importer->ingest->outbox, &reason);
	import_run_end(run, IMPORT_INTERRUPTED,
		       reason ? reason : "the journal took no rows for too long");
}

/* Whether a row of it is to blame, and not what was to be stored before it. */
static bool is_unfit(const struct import_run *run, const struct import_batch *batch)
{
	const struct submission *submission = &batch->intake.submission;

	return submission->status == SUBMISSION_FAILED && submission->unfit &&
	       submission->count > 0 && batch->work.from == run->stored.offset;
}

/* Half as many rows the next time; one that is alone is refused. */
static void narrow(struct import_run *run, const struct import_batch *batch)
{
	struct import_queue *queue = &run->queue;
	size_t rows = batch->intake.item_count;

	queue->reads_again = true;
	queue->trouble_ms = queue->wait_until_ms = 0;
	queue->narrow_rows = rows > 1 ? rows / 2 : 1;
	if (rows > 1)
		return;
	queue->unfit = batch->intake.submission.unfit;
	if (!queue->unfit_told)
		log_warning("import.unfit", LOG_SLICE("source", run->job->source),
			    LOG_TEXT("reason", queue->unfit));
	queue->unfit_told = true;
}

/* Else there would always be a batch in the writer's hands when a request comes. */
static void stand_back(struct import_run *run)
{
	if (run->queue.is_gentle)
		run->queue.wait_until_ms = clock_monotonic_ms() +
					   run->source->settings.imports.gentle_pause_ms;
}

void import_queue_take_back(struct import_run *run, struct import_batch *batch)
{
	list_remove(&batch->link);
	run->queue.sent_count--;
	if (batch->intake.submission.status == SUBMISSION_STORED) {
		run->is_noted = true;
		run->queue.trouble_ms = 0;
		stand_back(run);
		intake_conclude_all(&batch->intake);
		finish_batch(run, batch);
	} else if (is_unfit(run, batch)) {
		narrow(run, batch);
		import_queue_add(run, batch);
	} else {
		import_queue_add(run, batch);
		note_trouble(run);
	}
	importer_wake(run->importer);
}

/* ---- to the writer ---------------------------------------------------------------------- */

/* How many may be on their way to the writer. */
static size_t most_sent(const struct import_run *run, bool is_gentle)
{
	if (run->queue.trouble_ms || is_gentle)
		return 1;
	return (size_t)run->source->settings.imports.batches;
}

/* Refused rows are synced before the commit that counts them, for several batches at
 * once: it takes as long for one. */
static bool is_worth_it(const struct import_run *run)
{
	size_t most = (size_t)run->source->settings.imports.batches;

	if (!run->queue.ready_count)
		return false;
	return run->all_read || !run->file.unsynced || 2 * run->queue.ready_count >= most;
}

static void send_ready(struct import_run *run)
{
	struct outbox *outbox = run->importer->ingest->outbox;
	bool is_gentle = importer_is_gentle(run->importer);
	size_t most = most_sent(run, is_gentle);
	struct letter *oldest = NULL, **newest = &oldest;
	struct error error;

	if (!is_worth_it(run) || clock_monotonic_ms() < run->queue.wait_until_ms ||
	    run->queue.sent_count >= most)
		return;
	if (!import_file_sync_rejects(&run->file, &error)) {
		import_run_end(run, IMPORT_INTERRUPTED, error.text);
		return;
	}
	while (run->queue.ready_count && run->queue.sent_count < most) {
		struct import_batch *batch = container_of(list_first(&run->queue.ready),
							  struct import_batch, link);
		struct submission *submission = &batch->intake.submission;

		if (!outbox_admit(outbox, submission)) {
			note_trouble(run);
			break;
		}
		importer_note_mine(run->importer);
		run->queue.is_gentle = is_gentle;
		list_remove(&batch->link);
		list_append(&run->queue.sent, &batch->link);
		run->queue.ready_count--;
		run->queue.sent_count++;
		submission->letter.next = NULL;
		*newest = &submission->letter;
		newest = &submission->letter.next;
	}
	if (oldest)
		outbox_send(outbox, oldest);
}

/* A rehearsal has no writer. */
static void pass_ready(struct import_run *run)
{
	while (run->queue.ready_count) {
		struct import_batch *batch = container_of(list_first(&run->queue.ready),
							  struct import_batch, link);
		list_remove(&batch->link);
		run->queue.ready_count--;
		count_unstored(batch);
		finish_batch(run, batch);
	}
}

void import_queue_send(struct import_run *run)
{
	if (run->job->dry_run)
		pass_ready(run);
	else
		send_ready(run);
}

bool import_queue_has_room(const struct import_run *run)
{
	return run->queue.ready_count + run->queue.sent_count <
	       (size_t)run->source->settings.imports.batches;
}

bool import_queue_is_empty(const struct import_run *run)
{
	return run->queue.ready_count + run->queue.sent_count == 0;
}
