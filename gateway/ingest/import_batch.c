#include "ingest/import_batch.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "ingest/import_run.h"
#include "ingest/importer.h"

/* Arenas grow to what a batch takes, so that the next one finds it in one block. */
#define ARENA_BYTES_MIN 65536
#define ARENA_BYTES_MAX (16 << 20)
/* A plugin is given this much more than the last rows took. */
#define CHUNK_BYTES_MIN 16384

struct import_batch *import_batch_new(struct import_run *run)
{
	struct import_batch *batch = alloc_zalloc(sizeof(*batch));

	if (!batch)
		return NULL;
	batch->run = run;
	list_init(&batch->link);
	arena_init(&batch->request.arena, ARENA_BYTES_MIN, 0);
	return batch;
}

void import_batch_free(struct import_batch **pointer)
{
	struct import_batch *batch = *pointer;

	*pointer = NULL;
	if (!batch)
		return;
	list_remove(&batch->link);
	arena_fini(&batch->request.arena);
	alloc_free(batch->chunk);
	alloc_free(batch);
}

static void empty_arena(struct arena *arena)
{
	size_t wanted = arena->used_bytes + arena->used_bytes / 4;

	if (wanted <= arena->block_bytes || arena->block_bytes == ARENA_BYTES_MAX) {
		arena_reset(arena);
		return;
	}
	arena_fini(arena);
	arena_init(arena, wanted < ARENA_BYTES_MAX ? wanted : ARENA_BYTES_MAX, 0);
}

static void on_stored(struct intake *intake)
{
	struct import_batch *batch = container_of(intake, struct import_batch, intake);

	import_queue_take_back(batch->run, batch);
}

static void begin(struct import_batch *batch)
{
	struct import_run *run = batch->run;
	struct intake *intake = &batch->intake;

	empty_arena(&batch->request.arena);
	batch->request.received_ms = clock_wall_ms();
	memset(intake, 0, sizeof(*intake));
	intake_init(intake, run->importer->ingest, run->importer->ingest_loop, run->source,
		    &batch->request);
	intake->reads = true;
	intake->stored = on_stored;
	intake->submission.reply = &intake->loop->mailbox;
	intake->submission.import = &batch->work;
	batch->work = (struct import_work){
		.source = run->source->instance->name,
		.from = run->read.offset,
		.state = IMPORT_RUNNING,
	};
	memcpy(batch->work.digest, run->file.digest, sizeof(batch->work.digest));
	batch->after = run->read;
}

/* From here on the batch is what the journal gets. */
static void seal(struct import_batch *batch)
{
	struct import_mark *after = &batch->after;

	batch->work.offset = after->offset;
	batch->work.rejects = after->rejects;
	batch->work.position = slice_of(after->position_bytes ? (const char *)after->position
							      : NULL,
					after->position_bytes);
	batch->run->read = *after;
}

/* ---- reading ------------------------------------------------------------------------- */

static bool make_room(struct import_batch *batch, size_t size)
{
	if (size <= batch->chunk_capacity)
		return true;
	alloc_free(batch->chunk);
	batch->chunk = alloc_malloc(size);
	batch->chunk_capacity = batch->chunk ? size : 0;
	return batch->chunk != NULL;
}

static size_t chunk_size(const struct import_run *run)
{
	int64_t left = run->file.bytes - run->read.offset;

	return left < (int64_t)run->chunk_bytes ? (size_t)left : run->chunk_bytes;
}

static int32_t call_plugin(struct import_batch *batch, const struct lg_chunk *chunk,
			   struct lg_taken *taken)
{
	const struct import_run *run = batch->run;
	struct source *source = run->source;
	int64_t cpu_us = clock_thread_cpu_us();
	int32_t outcome;

	ingest_call_begin(run->importer->ingest_loop, source);
	outcome = source->instance->source.read(source->instance->state, &batch->intake.handle,
						run->reading.state, chunk, taken);
	ingest_call_end(run->importer->ingest_loop, source);
	/* The thread stands back while others work, which is not the plugin's time. */
	cpu_us = clock_thread_cpu_us() - cpu_us;
	intake_watch(&batch->intake, "read", clock_monotonic_us() - cpu_us);
	return outcome;
}

/* What the gateway cannot go on from. */
static bool check_taken(const struct import_batch *batch, const struct lg_chunk *chunk,
			const struct lg_taken *taken, int32_t outcome, struct error *error)
{
	const struct intake *intake = &batch->intake;
	const char *plugin = intake->source->instance->library->plugin.name;

	if (outcome != LG_OK || intake->refusal)
		return error_set(error, "%s",
				 slice_present(intake->refusal_detail)
					 ? intake->refusal_detail.data
					 : "the source's plugin could not go on");
	if (taken->consumed > chunk->bytes.length ||
	    slice_known(taken->position).length > IMPORT_POSITION_BYTES ||
	    (taken->consumed == 0 && intake->item_count > 0))
		return error_set(error, "plugin %s says what cannot be of how far it came", plugin);
	if (taken->consumed == 0 && chunk->last)
		return error_set(error, "plugin %s leaves the last %zu bytes unread", plugin,
				 chunk->bytes.length);
	return true;
}

/* The next chunk is about what the next rows take; a record that does not fit into one
 * gets a larger one. False: it may not. */
static bool fit_chunk(struct import_run *run, size_t size, size_t consumed, bool was_full,
		      struct error *error)
{
	size_t most = (size_t)run->source->settings.imports.record_bytes;
	size_t wanted = was_full ? consumed + consumed / 4 : 2 * size;

	if (consumed == 0 && size >= most)
		return error_set(error,
				 "the record at byte %lld is longer than max_record allows, %zu "
				 "bytes; is a quote not closed?",
				 (long long)run->read.offset, most);
	if (wanted < CHUNK_BYTES_MIN)
		wanted = CHUNK_BYTES_MIN;
	run->chunk_bytes = wanted < most ? wanted : most;
	return true;
}

/* ---- refused rows --------------------------------------------------------------------- */

static bool needs_quotes(struct lg_slice text, struct lg_slice delimiter)
{
	return slice_find(text, '"') >= 0 || slice_find(text, '\n') >= 0 ||
	       slice_find(text, '\r') >= 0 ||
	       (text.length && delimiter.length &&
		memmem(text.data, text.length, delimiter.data, delimiter.length));
}

static void add_field(struct buffer *lines, struct lg_slice text, struct lg_slice delimiter)
{
	if (!needs_quotes(text, delimiter)) {
		buffer_add_slice(lines, text);
		return;
	}
	buffer_add_byte(lines, '"');
	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] == '"')
			buffer_add_byte(lines, '"');
		buffer_add_byte(lines, text.data[i]);
	}
	buffer_add_byte(lines, '"');
}

static void add_line(struct import_run *run, const struct intake_item *item)
{
	struct buffer *lines = &run->lines;
	struct lg_slice delimiter = run->reading.delimiter;

	if (item->line > 0)
		buffer_printf(lines, "%lld", (long long)item->line);
	buffer_add_slice(lines, delimiter);
	add_field(lines, item->reason, delimiter);
	buffer_add_slice(lines, delimiter);
	buffer_add_slice(lines, item->text);
	buffer_add_byte(lines, '\n');
}

/* Counts what has no capture. */
static void sort_items(struct import_batch *batch)
{
	struct import_run *run = batch->run;
	bool writes = run->file.rejects >= 0;

	buffer_clear(&run->lines);
	for (const struct intake_item *i = batch->intake.items; i; i = i->next) {
		batch->work.ignored += i->verdict == LG_IGNORED;
		if (i->verdict != LG_REFUSED)
			continue;
		if (writes && batch->work.refused == 0 && batch->after.rejects == 0) {
			buffer_add_slice(&run->lines, run->reading.header);
			buffer_add_byte(&run->lines, '\n');
		}
		batch->work.refused++;
		if (writes)
			add_line(run, i);
	}
}

/* ---- making ----------------------------------------------------------------------------- */

/* The first row behind what is stored, which the journal did not take alone. */
static void refuse_unfit(struct import_batch *batch)
{
	struct import_run *run = batch->run;
	struct intake_item *item = batch->intake.items;

	if (!run->queue.unfit || batch->work.from != run->stored.offset)
		return;
	if (item && item->lead) {
		item->lead = NULL;
		item->verdict = LG_REFUSED;
		item->reason = arena_printf(&batch->request.arena,
					    "the journal cannot store it: %s", run->queue.unfit);
	}
	run->queue.unfit = NULL;
}

static enum import_made prepare(struct import_batch *batch, struct error *error)
{
	struct import_run *run = batch->run;
	struct lg_slice lines;

	refuse_unfit(batch);
	if (!intake_prepare_all(&batch->intake) || batch->request.arena.failed) {
		error_set(error, "the gateway is short of memory");
		return IMPORT_SHORT;
	}
	sort_items(batch);
	lines = buffer_slice(&run->lines);
	if (run->lines.failed) {
		error_set(error, "the gateway is short of memory");
		return IMPORT_SHORT;
	}
	if (lines.length && !import_file_reject(&run->file, batch->after.rejects, lines, error))
		return IMPORT_SHORT;
	batch->after.rejects += (int64_t)lines.length;
	return IMPORT_MADE;
}

static void set_after(struct import_batch *batch, const struct lg_taken *taken)
{
	const struct lg_slice position = slice_known(taken->position);
	struct import_mark *after = &batch->after;

	after->offset += (int64_t)taken->consumed;
	after->position_bytes = position.length;
	if (position.length)
		memcpy(after->position, position.data, position.length);
}

enum import_made import_batch_read(struct import_batch *batch, size_t rows, struct error *error)
{
	struct import_run *run = batch->run;
	size_t size = chunk_size(run);
	struct lg_taken taken = {.size = sizeof(taken)};
	enum import_made made;
	struct lg_chunk chunk;
	bool was_full;

	begin(batch);
	batch->intake.item_limit = rows;
	if (!make_room(batch, size)) {
		error_set(error, "the gateway is short of memory");
		return IMPORT_SHORT;
	}
	if (!import_file_read(&run->file, run->read.offset, batch->chunk, size, error))
		return IMPORT_BROKEN;
	chunk = (struct lg_chunk){
		.size = sizeof(chunk),
		.bytes = slice_of(batch->chunk, size),
		.offset = run->read.offset,
		.last = run->read.offset + (int64_t)size == run->file.bytes,
	};
	if (!check_taken(batch, &chunk, &taken, call_plugin(batch, &chunk, &taken), error))
		return batch->request.arena.failed ? IMPORT_SHORT : IMPORT_BROKEN;
	was_full = batch->intake.item_count >= rows;
	if (!fit_chunk(run, size, taken.consumed, was_full, error))
		return IMPORT_BROKEN;
	if (taken.consumed == 0)
		return IMPORT_NOTHING_MADE;
	set_after(batch, &taken);
	made = prepare(batch, error);
	if (made == IMPORT_MADE)
		seal(batch);
	return made;
}

void import_batch_begin(struct import_batch *batch)
{
	begin(batch);
	batch->work.anew = true;
	batch->work.name = batch->run->job->name;
	batch->work.bytes = batch->run->file.bytes;
	seal(batch);
}

void import_batch_go_on(struct import_batch *batch)
{
	begin(batch);
	seal(batch);
}

void import_batch_end(struct import_batch *batch, enum import_state state, struct lg_slice error)
{
	begin(batch);
	batch->work.state = state;
	batch->work.error = error;
	seal(batch);
}
