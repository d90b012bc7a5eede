#include "supervise/import_order.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "codec/json_writer.h"

static void write_pairs(struct json_writer *writer, const char *name, const struct lg_pair *pairs,
			size_t count)
{
	json_write_name(writer, slice_from(name));
	json_write_open(writer, '[');
	for (size_t i = 0; i < count; i++) {
		json_write_open(writer, '[');
		json_write_text(writer, pairs[i].name);
		json_write_text(writer, pairs[i].value);
		json_write_close(writer, ']');
	}
	json_write_close(writer, ']');
}

/* ---- the request ------------------------------------------------------------------- */

void import_order_write(struct buffer *out, const struct import_job *job)
{
	struct json_writer writer;

	json_writer_init(&writer, out);
	json_write_open(&writer, '{');
	json_write_member_text(&writer, "command", LG_SLICE("import"));
	json_write_member_text(&writer, "source", job->source);
	json_write_member_text(&writer, "name", job->name);
	json_write_member_bool(&writer, "again", job->again);
	json_write_member_bool(&writer, "dry_run", job->dry_run);
	write_pairs(&writer, "map", job->map, job->map_count);
	json_write_close(&writer, '}');
}

static bool is_true(const struct json *request, const char *name)
{
	const struct json *value = json_member(request, name);

	return value && value->kind == JSON_TRUE;
}

static bool read_map(struct import_job *job, const struct json *map, struct arena *arena,
		     struct error *error)
{
	struct lg_pair *pairs = arena_zalloc(arena, IMPORT_ORDER_COLUMNS * sizeof(*pairs));

	job->map = pairs;
	for (const struct json *pair = map ? map->first : NULL; pair; pair = pair->next) {
		const struct json *name = pair->first, *value = name ? name->next : NULL;

		if (!value || name->kind != JSON_STRING || value->kind != JSON_STRING)
			return error_set(error, "\"map\" is a list of pairs of texts");
		if (job->map_count == IMPORT_ORDER_COLUMNS)
			return error_set(error, "the map has more than %d columns",
					 IMPORT_ORDER_COLUMNS);
		if (pairs)
			pairs[job->map_count++] = (struct lg_pair){arena_copy(arena, name->text),
								   arena_copy(arena, value->text)};
	}
	return true;
}

bool import_order_read(struct import_job *job, const struct json *request, struct arena *arena,
		       struct error *error)
{
	struct lg_slice source = json_member_text(request, "source");
	struct lg_slice name = json_member_text(request, "name");

	if (!slice_present(source) || !slice_present(name))
		return error_set(error, "the request names no source or no file");
	job->source = arena_copy(arena, source);
	job->name = arena_copy(arena, name);
	job->again = is_true(request, "again");
	job->dry_run = is_true(request, "dry_run");
	if (!read_map(job, json_member(request, "map"), arena, error))
		return false;
	return !arena->failed || error_set(error, "there is not enough memory");
}

struct source *import_order_source(const struct settings *settings, struct lg_slice name,
				   struct error *error)
{
	for (size_t i = 0; i < settings->source_count; i++) {
		struct source *source = &settings->sources[i];

		if (!slice_equal(source->instance->name, name))
			continue;
		if (source_reads_files(source))
			return source;
		error_set(error, "plugin %s of source %.*s reads no files",
			  source->instance->library->plugin.name, SLICE_ARGS(name));
		return NULL;
	}
	error_set(error, "there is no source %.*s in the configuration", SLICE_ARGS(name));
	return NULL;
}

bool import_order_file(int file, bool writable, struct error *error)
{
	const char *what = writable ? "the file for refused rows" : "the file";
	struct stat status;
	int mode = fcntl(file, F_GETFL);

	if (mode < 0 || fstat(file, &status) < 0)
		return error_set(error, "%s cannot be looked at: %s", what, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return error_set(error, "%s is no regular file", what);
	mode &= O_ACCMODE | O_PATH;
	if (mode != O_RDWR && (writable || mode != O_RDONLY))
		return error_set(error, "%s is not open for %s", what,
				 writable ? "reading and writing" : "reading");
	return true;
}

bool import_order_apart(int file, int rejects, struct error *error)
{
	struct stat one, two;

	if (fstat(file, &one) == 0 && fstat(rejects, &two) == 0 &&
	    (one.st_dev != two.st_dev || one.st_ino != two.st_ino))
		return true;
	return error_set(error, "this is the file that is to be imported");
}

/* ---- the answer -------------------------------------------------------------------- */

static void write_counts(struct json_writer *writer, const struct import_progress *progress)
{
	json_write_member_int(writer, "bytes", atomic_load(&progress->bytes));
	json_write_member_int(writer, "bytes_done", atomic_load(&progress->bytes_done));
	json_write_member_int(writer, "bytes_begun", atomic_load(&progress->bytes_begun));
	json_write_member_int(writer, "rows", atomic_load(&progress->rows));
	for (int i = 0; i < IMPORT_RESULTS; i++)
		json_write_member_int(writer, import_result_name((enum import_result)i),
				      atomic_load(&progress->by_result[i]));
}

void import_order_progress(struct buffer *out, const struct import_job *job)
{
	static const char *const stages[] = {
		[IMPORT_WAITS] = "waiting",
		[IMPORT_CHECKS] = "checking",
		[IMPORT_READS] = "reading",
	};
	struct json_writer writer;

	json_writer_init(&writer, out);
	json_write_open(&writer, '{');
	json_write_member_text(&writer, "state",
			       slice_from(stages[atomic_load(&job->progress.stage)]));
	write_counts(&writer, &job->progress);
	json_write_close(&writer, '}');
	buffer_add_byte(out, '\n');
}

void import_order_end(struct buffer *out, const struct import_job *job)
{
	static const char *const ends[] = {
		[IMPORT_ENDED] = "done",	  [IMPORT_KNOWN] = "known",
		[IMPORT_UNREADABLE] = "failed",	  [IMPORT_INTERRUPTED] = "interrupted",
		[IMPORT_CANCELLED] = "cancelled",
	};
	struct json_writer writer;

	json_writer_init(&writer, out);
	json_write_open(&writer, '{');
	json_write_member_text(&writer, "state", slice_from(ends[job->end]));
	write_counts(&writer, &job->progress);
	if (job->end == IMPORT_KNOWN)
		json_write_member_time(&writer, "imported_at", job->known_ms);
	if (*job->error.text)
		json_write_member_text(&writer, "reason", slice_from(job->error.text));
	json_write_member_text(&writer, "dialect", job->dialect);
	write_pairs(&writer, "columns", job->columns, job->column_count);
	json_write_close(&writer, '}');
	buffer_add_byte(out, '\n');
}
