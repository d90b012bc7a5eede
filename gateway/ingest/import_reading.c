#include "ingest/import_reading.h"

#include "base/clock.h"
#include "ingest/importer.h"

#define CHUNK_BYTES_FIRST 65536

/* The file's first bytes in the run's arena. */
static bool read_head(struct import_run *run, struct lg_slice *head, struct error *error)
{
	size_t size = run->file.bytes < LG_HEAD_MAX ? (size_t)run->file.bytes : LG_HEAD_MAX;
	char *room = arena_alloc(&run->request.arena, size + 1);

	if (!room)
		return error_set(error, "the gateway is short of memory");
	*head = slice_of(room, size);
	return import_file_read(&run->file, 0, room, size, error);
}

static bool call_open(struct import_run *run, struct error *error)
{
	const struct import_job *job = run->job;
	struct source *source = run->source;
	const struct import_mark *mark = &run->stored;
	char problem[ERROR_TEXT_BYTES] = "";
	struct lg_file file = {
		.size = sizeof(file),
		.name = job->name,
		.whole = run->file.bytes <= LG_HEAD_MAX,
		.length = run->file.bytes,
		.map = job->map,
		.map_count = job->map_count,
	};
	int32_t outcome;

	if (mark->offset > 0)
		file.position = slice_of((const char *)mark->position, mark->position_bytes);
	if (!read_head(run, &file.head, error))
		return false;
	ingest_call_begin(run->importer->ingest_loop, source);
	outcome = source->instance->source.read_open(source->instance->state, &run->intake.handle,
						     &file, &run->reading,
						     (struct lg_text){problem, sizeof(problem)});
	ingest_call_end(run->importer->ingest_loop, source);
	run->reading.header = slice_known(run->reading.header);
	run->reading.delimiter = slice_known(run->reading.delimiter);
	run->is_open = outcome == LG_OK;
	return run->is_open ||
	       error_set(error, "%s", *problem ? problem : "the source's plugin cannot read it");
}

/* A file is opened again after each reload, and when rows are read again: nothing of the last
 * opening counts. */
static void prepare(struct import_run *run)
{
	arena_reset(&run->request.arena);
	run->request.received_ms = clock_wall_ms();
	memset(&run->intake, 0, sizeof(run->intake));
	intake_init(&run->intake, run->importer->ingest, run->importer->ingest_loop, run->source,
		    &run->request);
	run->intake.closed_by = "read_open";
	run->reading = (struct lg_reading){.size = sizeof(run->reading)};
	run->chunk_bytes = (size_t)run->source->settings.imports.record_bytes;
	if (run->chunk_bytes > CHUNK_BYTES_FIRST)
		run->chunk_bytes = CHUNK_BYTES_FIRST;
}

bool import_reading_open(struct import_run *run, struct error *error)
{
	prepare(run);
	return call_open(run, error);
}

bool import_reading_tell(struct import_run *run)
{
	struct import_job *job = run->job;
	const struct lg_reading *reading = &run->reading;
	struct lg_pair *columns;

	/* The first look counts, also when another generation takes another one. */
	if (atomic_load(&job->progress.stage) == IMPORT_READS)
		return true;
	columns = arena_zalloc(&job->arena, (reading->column_count + 1) * sizeof(*columns));
	for (size_t i = 0; columns && i < reading->column_count; i++)
		columns[i] = (struct lg_pair){
			arena_copy(&job->arena, reading->columns[i].name),
			arena_copy(&job->arena, reading->columns[i].value),
		};
	job->dialect = arena_copy(&job->arena, reading->dialect);
	job->columns = columns;
	job->column_count = reading->column_count;
	atomic_store(&job->progress.bytes_begun, run->stored.offset);
	atomic_store(&job->progress.bytes_done, run->stored.offset);
	atomic_store(&job->progress.stage, IMPORT_READS);
	return !job->arena.failed;
}

void import_reading_close(struct import_run *run)
{
	struct source *source = run->source;

	run->is_open = false;
	if (!source->instance->source.read_close)
		return;
	source_enter(source);
	source->instance->source.read_close(source->instance->state, run->reading.state);
	source_leave(source);
}
