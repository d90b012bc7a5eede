#include "import_stage.h"

#include <leadgate/source.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"

#define TEXT_BYTES 262144

struct fixture fixture;
struct fetcher *fetcher;
struct fetcher_share shares[2];
struct letter backs[2];
struct mailbox home, replies;
struct import_job job;
int file, rejects;
atomic_int openings, reads, closings;
atomic_bool is_held, is_waiting, is_silent;
int64_t position_seen;

/* ---- the plugin ---------------------------------------------------------------------- */

struct lines {
	int64_t count; /* read so far */
};

static int32_t read_open(void *instance, struct lg_request *request, const struct lg_file *input,
			 struct lg_reading *reading, struct lg_text problem)
{
	struct lines *lines = lg_allocate(request, sizeof(*lines));
	static const struct lg_pair columns[] = {{LG_SLICE("address"), LG_SLICE("person.email")}};

	(void)instance;
	if (!lines)
		return LG_FAIL;
	if (slice_starts(input->head, "%PDF")) {
		slice_to_text(LG_SLICE("this is no list"), problem.data, problem.capacity);
		return LG_FAIL;
	}
	if (input->position.length == sizeof(lines->count))
		memcpy(&lines->count, input->position.data, sizeof(lines->count));
	position_seen = lines->count;
	reading->state = lines;
	reading->header = LG_SLICE("leadgate_line,leadgate_reason,address");
	reading->delimiter = LG_SLICE(",");
	reading->columns = columns;
	reading->column_count = 1;
	reading->dialect = LG_SLICE("lines");
	if (atomic_load(&is_silent))
		reading->header = reading->delimiter = reading->dialect = slice_of(NULL, 5);
	atomic_fetch_add(&openings, 1);
	return LG_OK;
}

/* A row that is refused for itself, and one of which no more is known than that: an origin
 * without a size is taken of neither. */
static bool take_unsized(struct lg_request *request, const struct lg_origin *origin)
{
	const struct lg_origin unsized = {.line = origin->line, .text = origin->text};
	struct lg_lead *lead = lg_lead(request);

	return lead && lg_lead_origin(lead, &unsized) == LG_FAIL &&
	       lg_lead_origin(lead, origin) == LG_OK &&
	       lg_reject(request, LG_SLICE("unsized"), &unsized) == LG_FAIL &&
	       lg_reject(request, LG_SLICE("sized"), origin) == LG_OK;
}

static bool take_line(struct lg_request *request, struct lg_slice line, int64_t number)
{
	const struct lg_origin origin = {.size = sizeof(origin), .line = number, .text = line};
	const struct lg_origin absent = {.size = sizeof(absent), .text = slice_of(NULL, 5)};
	struct lg_lead *lead;

	if (slice_is(line, "-"))
		return lg_ignore(request, LG_SLICE("empty")) == LG_OK;
	if (slice_is(line, "absent"))
		return lg_reject(request, slice_of(NULL, 5), &absent) == LG_OK;
	if (slice_is(line, "unsized"))
		return take_unsized(request, &origin);
	if (slice_starts(line, "!"))
		return lg_reject(request, slice_cut(line, 1, SIZE_MAX), &origin) == LG_OK;
	lead = lg_lead(request);
	if (!lead)
		return false;
	lg_lead_origin(lead, &origin);
	if (!slice_starts(line, "?"))
		lg_lead_set(lead, LG_EMAIL, line);
	return true;
}

static int32_t read_lines(void *instance, struct lg_request *request, void *state,
			  const struct lg_chunk *chunk, struct lg_taken *taken)
{
	struct lines *lines = state;
	struct lg_slice rest = chunk->bytes;

	(void)instance;
	atomic_fetch_add(&reads, 1);
	while (rest.length) {
		const char *end = memchr(rest.data, '\n', rest.length);
		struct lg_slice line = slice_cut(rest, 0,
						 end ? (size_t)(end - rest.data) : SIZE_MAX);

		if (!end && !chunk->last)
			break;
		if (slice_is(line, "boom"))
			return lg_refuse(request, 400, LG_SLICE("there is a bomb in it"));
		while (lines->count == HELD_LINE && atomic_load(&is_held)) {
			atomic_store(&is_waiting, true);
			clock_sleep_ms(1);
		}
		if (!take_line(request, line, lines->count + 1))
			break;
		lines->count++;
		taken->consumed += line.length + (end != NULL);
		rest = slice_cut(rest, line.length + (end != NULL), SIZE_MAX);
	}
	taken->position = slice_of((const char *)&lines->count, sizeof(lines->count));
	return LG_OK;
}

static void read_close(void *instance, void *state)
{
	(void)instance;
	assert_non_null(state);
	atomic_fetch_add(&closings, 1);
}

/* ---- the stage ------------------------------------------------------------------------ */

int set_up(void **state)
{
	(void)state;
	fixture_init(&fixture, NULL, NULL);
	fixture.library.plugin.flags = LG_READS_FILES;
	fixture.instance.source.read_open = read_open;
	fixture.instance.source.read = read_lines;
	fixture.instance.source.read_close = read_close;
	fixture.source.settings.imports = (struct import_settings){
		.imports = 1,
		.record_bytes = 65536,
		.batch_rows = 50,
		.batches = 4,
		.gentle_rows = 10,
		.wait_ms = 60000,
		.niceness = 5,
	};
	source_register(&fixture.source);
	file = memfd_create("file", MFD_CLOEXEC);
	rejects = memfd_create("rejects", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	atomic_store(&openings, 0);
	atomic_store(&reads, 0);
	atomic_store(&closings, 0);
	atomic_store(&is_held, false);
	atomic_store(&is_waiting, false);
	atomic_store(&is_silent, false);
	return mailbox_init(&home) && mailbox_init(&replies) && file >= 0 && rejects >= 0 ? 0 : -1;
}

void give_sources(int which)
{
	shares[which] = (struct fetcher_share){
		.ingest = &fixture.ingest, .home = &home, .back = &backs[which]};
	fetcher_change(fetcher, &shares[which]);
}

void start_fetcher(void)
{
	struct error error = {""};

	fetcher = fetcher_start(fixture.kit.outbox, fixture.kit.store.path, &error);
	if (!fetcher)
		kit_fail("%s", error.text);
	give_sources(0);
}

void stop_fetcher(void)
{
	assert_true(fetcher_stop(fetcher, 20000));
	assert_non_null(mailbox_take(&home));
	kit_close(&fixture.kit);
	fetcher_free(&fetcher);
	assert_int_equal(atomic_load(&openings), atomic_load(&closings));
}

void start_again(void)
{
	kit_open(&fixture.kit);
	fixture.ingest.outbox = fixture.kit.outbox;
	start_fetcher();
}

int tear_down(void **state)
{
	(void)state;
	if (fetcher)
		stop_fetcher();
	import_job_fini(&job);
	mailbox_fini(&home);
	mailbox_fini(&replies);
	close(file);
	close(rejects);
	fixture_fini(&fixture);
	return 0;
}

void write_text(const char *text)
{
	assert_int_equal(ftruncate(file, 0), 0);
	assert_int_equal(pwrite(file, text, strlen(text), 0), strlen(text));
	assert_int_equal(ftruncate(rejects, 0), 0); /* another file has another of those */
}

/* Of ten lines one is refused by the plugin, one is unreachable, one is ignored, and one is
 * the person of the line before. */
void write_rows(int rows)
{
	static char text[TEXT_BYTES];
	size_t at = 0;

	for (int i = 0; i < rows; i++)
		switch (i % 10) {
		case 3: at += (size_t)sprintf(text + at, "!it is \"%d\", no lead\n", i); break;
		case 5: at += (size_t)sprintf(text + at, "?%d\n", i); break;
		case 7: at += (size_t)sprintf(text + at, "-\n"); break;
		case 9: at += (size_t)sprintf(text + at, "p%d@example.com\n", i - 1); break;
		default: at += (size_t)sprintf(text + at, "p%d@example.com\n", i); break;
		}
	write_text(text);
}

void send_job(void)
{
	import_job_fini(&job);
	job = (struct import_job){
		.reply = &replies,
		.source = LG_SLICE("form"),
		.name = LG_SLICE("list.txt"),
		.file = file,
		.rejects = rejects,
		.new_rejects = job.new_rejects,
		.again = job.again,
		.dry_run = job.dry_run,
	};
	fetcher_import(fetcher, &job);
}

void await_job(void)
{
	struct letter *letter;

	while (!(letter = mailbox_take(&replies)))
		mailbox_wait(&replies, 1000);
	assert_ptr_equal(letter, &job.letter);
}

enum import_end import(void)
{
	send_job();
	await_job();
	return job.end;
}

int64_t result(enum import_result which)
{
	return atomic_load(&job.progress.by_result[which]);
}

void await_line(int64_t rows)
{
	while (atomic_load(&job.progress.rows) < rows)
		clock_sleep_ms(1);
}

const char *refused_rows(void)
{
	static char text[TEXT_BYTES];
	ssize_t length = pread(rejects, text, sizeof(text) - 1, 0);

	text[length < 0 ? 0 : length] = '\0';
	return text;
}

/* What write_rows makes comes in once, however often it was interrupted. */
void check_rows(int rows)
{
	char line[128];
	const char *at = refused_rows();

	assert_int_equal(atomic_load(&job.progress.rows), rows);
	assert_int_equal(result(IMPORT_CREATED), rows * 6 / 10);
	assert_int_equal(result(IMPORT_REPEATED) + result(IMPORT_TOUCHED), rows / 10);
	assert_int_equal(result(IMPORT_REFUSED), rows * 2 / 10);
	assert_int_equal(result(IMPORT_IGNORED), rows / 10);
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM lead"), rows * 6 / 10);
	assert_int_equal(kit_count(&fixture.kit,
				   "SELECT count(*) FROM import WHERE state = 'done' AND"
				   " source = 'form' AND name = 'list.txt' AND offset = bytes AND"
				   " ended >= at AND created + touched + repeated + held + refused"
				   " + ignored = rows"),
			 1);
	assert_true(slice_starts(slice_from(at), "leadgate_line,leadgate_reason,address\n"));
	for (int i = 0; i < rows; i++) {
		if (i % 10 == 3)
			snprintf(line, sizeof(line),
				 "\n%d,\"it is \"\"%d\"\", no lead\",!it is \"%d\", no lead\n",
				 i + 1, i, i);
		else if (i % 10 == 5)
			snprintf(line, sizeof(line), "\n%d,\"no way to reach the person", i + 1);
		else
			continue;
		at = strstr(at, line);
		assert_non_null(at);
		assert_null(strstr(at + 1, line));
	}
}

int64_t counted(enum source_counter which)
{
	return counter_read(fixture.source.counters[which]);
}
