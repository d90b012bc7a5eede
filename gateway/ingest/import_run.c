#include "ingest/import_run.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "ingest/import_reading.h"
#include "ingest/importer.h"

/* What is digested in one piece: some milliseconds of work. */
#define SUM_BYTES (1 << 20)
#define OPEN_ARENA_BYTES 4096
/* Between two looks whether the writer has answered another import. */
#define OTHER_MS 5

struct import_run *import_run_new(struct importer *importer, struct import_job *job)
{
	struct import_run *run = alloc_zalloc(sizeof(*run));

	if (!run)
		return NULL;
	run->importer = importer;
	run->job = job;
	list_init(&run->link);
	import_queue_init(&run->queue);
	arena_init(&run->request.arena, OPEN_ARENA_BYTES, 0);
	buffer_init(&run->lines, SIZE_MAX);
	arena_init(&job->arena, 1024, 0);
	return run;
}

void import_run_free(struct import_run **pointer)
{
	struct import_run *run = *pointer;
	struct import_job *job = run->job;

	*pointer = NULL;
	ALWAYS(import_run_pause(run));
	list_remove(&run->link);
	import_queue_fini(&run->queue);
	buffer_fini(&run->lines);
	arena_fini(&run->request.arena);
	job->end = run->end;
	job->error = run->error;
	alloc_free(run);
	mailbox_send(job->reply, &job->letter);
}

void import_run_end(struct import_run *run, enum import_end end, const char *reason)
{
	if (run->is_ending)
		return;
	run->is_ending = true;
	run->end = end;
	error_set(&run->error, "%s", reason);
}

bool import_run_is_over(const struct import_run *run)
{
	return run->is_ending && run->queue.sent_count == 0;
}

/* ---- the steps ---------------------------------------------------------------------------- */

static void sum(struct import_run *run)
{
	struct import_file *file = &run->file;
	struct error error;
	char *room;

	if (atomic_load(&run->job->progress.stage) == IMPORT_WAITS) {
		if (!import_file_open(file, run->job->file, run->job->rejects, &error)) {
			import_run_end(run, IMPORT_UNREADABLE, error.text);
			return;
		}
		atomic_store(&run->job->progress.bytes, file->bytes);
		atomic_store(&run->job->progress.stage, IMPORT_CHECKS);
	}
	room = alloc_malloc(SUM_BYTES);
	if (!room)
		import_run_end(run, IMPORT_INTERRUPTED, "the gateway is short of memory");
	else if (!import_file_sum(file, room, SUM_BYTES, &error))
		import_run_end(run, IMPORT_UNREADABLE, error.text);
	else if (file->summed == file->bytes)
		run->step = IMPORT_STEP_FINDS;
	alloc_free(room);
	atomic_store(&run->job->progress.bytes_done, file->summed);
}

static void go_on_from(struct import_run *run, const struct import_row *row)
{
	struct import_mark *mark = &run->stored;

	mark->offset = row->offset;
	mark->rejects = row->rejects;
	if (row->position.length <= sizeof(mark->position)) {
		mark->position_bytes = row->position.length;
		memcpy(mark->position, row->position.data ? row->position.data : "",
		       row->position.length);
	}
	run->read = *mark;
	run->is_noted = true;
	for (int i = 0; i < IMPORT_RESULTS; i++)
		atomic_store(&run->job->progress.by_result[i], row->counts.by_result[i]);
	atomic_store(&run->job->progress.rows, row->counts.rows);
}

static void judge(struct import_run *run, const struct import_row *row)
{
	const struct import_job *job = run->job;

	run->refused_before = row->rejects > 0;
	if (row->state == IMPORT_DONE && !job->again) {
		run->job->known_ms = row->ended_ms;
		run->job->known = row->counts;
		import_run_end(run, IMPORT_KNOWN, "");
	} else if (!job->again && !job->dry_run) {
		go_on_from(run, row);
	}
}

static bool is_leaving(const struct import_run *run)
{
	return run->is_ending || atomic_load(&run->job->cancelled);
}

/* What the journal knows of this content: when who was given up has ended, such as that of
 * a command which was killed and is given again. How one that goes on ends is not known, so
 * this file is left as it is. Returns when to go on. */
static int64_t find(struct import_run *run)
{
	const struct import_run *other = importer_other(run->importer, run);
	struct import_row row = {.bytes = 0};
	struct error error;
	struct arena arena;
	int found;

	if (other && is_leaving(other))
		return OTHER_MS;
	if (other) {
		import_run_end(run, IMPORT_INTERRUPTED,
			       "a file with the same content is being imported now");
		return 0;
	}
	arena_init(&arena, 1024, 0);
	found = reader_import(run->importer->reader, &arena, run->source->instance->name,
			      run->file.digest, &row, &error);
	if (found < 0)
		import_run_end(run, IMPORT_INTERRUPTED, error.text);
	else if (found)
		judge(run, &row);
	arena_fini(&arena);
	run->step = IMPORT_STEP_OPENS;
	return 0;
}

/* Rows that another import has left, and that nobody may have repaired yet, are not to be
 * written over. What this run has written is its own, noted or, of a rehearsal, counted. */
static bool spares_rejects(const struct import_run *run, struct error *error)
{
	const struct import_job *job = run->job;

	if (run->has_rejects || job->new_rejects || run->file.rejects < 0)
		return true;
	if (!run->is_noted)
		return run->refused_before || import_file_lacks_rejects(&run->file) ||
		       import_file_fail_others(error);
	return run->stored.rejects == 0 ||
	       import_file_fits_rejects(&run->file, run->stored.rejects,
					atomic_load(&job->progress.rows), error);
}

/* The file of refused rows is to hold what is committed, or begins anew. Where none were
 * committed, it has what a kill has left before that, or what another import has. */
static bool place_rejects(struct import_run *run, struct error *error)
{
	bool is_first = !run->has_rejects;

	run->has_rejects = true;
	if (run->job->new_rejects && import_file_lacks_rejects(&run->file)) {
		run->read.rejects = 0;
		return true;
	}
	if (is_first && run->is_noted && run->stored.rejects == 0 && !run->job->new_rejects)
		return import_file_spare_rejects(&run->file, error);
	return import_file_cut_rejects(&run->file, run->stored.rejects, error);
}

static bool rejects_begin_anew(const struct import_run *run)
{
	return run->read.rejects < run->stored.rejects;
}

/* The journal has to know of a file of refused rows before anything is written to it: what a
 * kill leaves there would be taken for rows that are committed, or for those of another. */
static bool waits_for_note(const struct import_run *run)
{
	bool is_new = run->file.rejects >= 0 && !run->is_noted && !run->job->dry_run;

	return is_new || rejects_begin_anew(run);
}

static bool queue_begin(struct import_run *run)
{
	struct import_batch *batch;

	if (run->job->dry_run || (run->is_noted && !rejects_begin_anew(run)))
		return true;
	batch = import_queue_take(run);
	if (!batch)
		return false;
	if (run->is_noted)
		import_batch_go_on(batch);
	else
		import_batch_begin(batch);
	import_queue_add(run, batch);
	return true;
}

static void open_reading(struct import_run *run)
{
	struct error error;

	if (!spares_rejects(run, &error) || !import_reading_open(run, &error) ||
	    !place_rejects(run, &error))
		import_run_end(run, IMPORT_UNREADABLE, error.text);
	else if (!import_reading_tell(run) || !queue_begin(run))
		import_run_end(run, IMPORT_INTERRUPTED, "the gateway is short of memory");
	run->step = IMPORT_STEP_READS;
}

static void queue_end(struct import_run *run, struct import_batch *batch)
{
	bool failed = run->error.text[0];

	import_batch_end(batch, failed ? IMPORT_FAILED : IMPORT_DONE,
			 failed ? slice_from(run->error.text) : slice_of(NULL, 0));
	run->all_read = true;
	import_queue_add(run, batch);
}

/* A batch more, or the last one. */
static void make_one(struct import_run *run)
{
	const struct import_settings *settings = &run->source->settings.imports;
	bool is_gentle = importer_is_gentle(run->importer);
	size_t usual = (size_t)(is_gentle ? settings->gentle_rows : settings->batch_rows);
	size_t narrow = run->queue.narrow_rows;
	size_t rows = narrow && narrow < usual ? narrow : usual;
	struct import_batch *batch = import_queue_take(run);
	struct error error = {""};

	if (!batch) {
		import_run_end(run, IMPORT_INTERRUPTED, "the gateway is short of memory");
		return;
	}
	if (run->read.offset == run->file.bytes) {
		queue_end(run, batch);
		return;
	}
	switch (import_batch_read(batch, rows, &error)) {
	case IMPORT_MADE: import_queue_add(run, batch); return;
	case IMPORT_NOTHING_MADE: break;
	case IMPORT_BROKEN:
		run->error = error;
		queue_end(run, batch);
		return;
	case IMPORT_SHORT: import_run_end(run, IMPORT_INTERRUPTED, error.text); break;
	}
	import_queue_spare(run, batch);
}

static bool has_room(const struct import_run *run)
{
	return !run->all_read && !waits_for_note(run) && import_queue_has_room(run);
}

static void close_reading(struct import_run *run)
{
	if (!run->is_open)
		return;
	import_reading_close(run);
	run->step = IMPORT_STEP_OPENS;
}

/* The plugin begins anew behind what is stored. */
static void read_again(struct import_run *run)
{
	run->queue.reads_again = false;
	import_queue_drop(run);
	run->error = (struct error){""};
	close_reading(run);
}

static int64_t read_on(struct import_run *run)
{
	int64_t wait_ms;

	if (run->queue.reads_again && run->queue.sent_count > 0)
		return INT64_MAX;
	if (run->queue.reads_again) {
		read_again(run);
		return 0;
	}
	if (has_room(run))
		make_one(run);
	if (run->is_ending)
		return 0;
	import_queue_send(run);
	if (run->all_read && import_queue_is_empty(run)) {
		struct error error = run->error;
		import_run_end(run, error.text[0] ? IMPORT_UNREADABLE : IMPORT_ENDED, error.text);
		return 0;
	}
	if (has_room(run))
		return 0;
	if (run->queue.sent_count > 0)
		return INT64_MAX;
	wait_ms = run->queue.wait_until_ms - clock_monotonic_ms();
	return wait_ms > 0 ? wait_ms : 0;
}

int64_t import_run_step(struct import_run *run)
{
	if (atomic_load(&run->job->cancelled))
		import_run_end(run, IMPORT_CANCELLED, "it was cancelled");
	if (run->is_ending)
		return INT64_MAX;
	switch (run->step) {
	case IMPORT_STEP_WAITS: return INT64_MAX;
	case IMPORT_STEP_SUMS: sum(run); return 0;
	case IMPORT_STEP_FINDS: return find(run);
	case IMPORT_STEP_OPENS: open_reading(run); return 0;
	case IMPORT_STEP_READS: break;
	}
	return read_on(run);
}

/* ---- generations ----------------------------------------------------------------------------- */

void import_run_begin(struct import_run *run, struct source *source)
{
	run->source = source;
	if (run->step == IMPORT_STEP_WAITS)
		run->step = IMPORT_STEP_SUMS;
}

bool import_run_pause(struct import_run *run)
{
	if (run->queue.sent_count > 0)
		return false;
	import_queue_drop(run);
	import_queue_widen(run);
	/* What made it end early is told when it ends; a failed reading is read again. */
	if (!run->is_ending)
		run->error = (struct error){""};
	if (run->is_open && run->file.rejects >= 0)
		import_file_cut_rejects(&run->file, run->stored.rejects, NULL);
	close_reading(run);
	/* Their intakes point at a source that may go. */
	run->source = NULL;
	return true;
}
