/* Imports on a real store, with a plugin that lives in the test: a line is a lead with that
 * address, "!WHY" is refused, "-" ignored, "?" is nobody who can be reached. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <leadgate/source.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "fixture.h"
#include "ingest/fetcher.h"
#include "ingest/import.h"
#include "outbox/import_row.h"

#define ROWS 2000
#define TEXT_BYTES 262144

static struct fixture fixture;
static struct fetcher *fetcher;
static struct fetcher_share shares[2];
static struct letter backs[2];
static struct mailbox home, replies;
static struct import_job job;
static int file, rejects;
static atomic_int openings, closings;
static atomic_bool is_held;    /* the plugin waits in read at HELD_LINE … */
static atomic_bool is_waiting; /* … and does so */
#define HELD_LINE 1000
static int64_t position_seen;

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
	atomic_fetch_add(&openings, 1);
	return LG_OK;
}

static bool take_line(struct lg_request *request, struct lg_slice line, int64_t number)
{
	const struct lg_origin origin = {.size = sizeof(origin), .line = number, .text = line};
	struct lg_lead *lead;

	if (slice_is(line, "-"))
		return lg_ignore(request, LG_SLICE("empty")) == LG_OK;
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

static int set_up(void **state)
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
	atomic_store(&closings, 0);
	atomic_store(&is_held, false);
	atomic_store(&is_waiting, false);
	return mailbox_init(&home) && mailbox_init(&replies) && file >= 0 && rejects >= 0 ? 0 : -1;
}

static void give_sources(int which)
{
	shares[which] = (struct fetcher_share){
		.ingest = &fixture.ingest, .home = &home, .back = &backs[which]};
	fetcher_change(fetcher, &shares[which]);
}

static void start_fetcher(void)
{
	struct error error = {""};

	fetcher = fetcher_start(fixture.kit.outbox, fixture.kit.store.path, &error);
	if (!fetcher)
		kit_fail("%s", error.text);
	give_sources(0);
}

static void stop_fetcher(void)
{
	assert_true(fetcher_stop(fetcher, 20000));
	assert_non_null(mailbox_take(&home));
	kit_close(&fixture.kit);
	fetcher_free(&fetcher);
	assert_int_equal(atomic_load(&openings), atomic_load(&closings));
}

static void start_again(void)
{
	kit_open(&fixture.kit);
	fixture.ingest.outbox = fixture.kit.outbox;
	start_fetcher();
}

static int tear_down(void **state)
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

static void write_text(const char *text)
{
	assert_int_equal(ftruncate(file, 0), 0);
	assert_int_equal(pwrite(file, text, strlen(text), 0), strlen(text));
}

/* Of ten lines one is refused by the plugin, one is unreachable, one is ignored, and one is
 * the person of the line before. */
static void write_rows(int rows)
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

static void send_job(void)
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

static void await_job(void)
{
	struct letter *letter;

	while (!(letter = mailbox_take(&replies)))
		mailbox_wait(&replies, 1000);
	assert_ptr_equal(letter, &job.letter);
}

static enum import_end import(void)
{
	send_job();
	await_job();
	return job.end;
}

static int64_t result(enum import_result which)
{
	return atomic_load(&job.progress.by_result[which]);
}

static void await_line(int64_t rows)
{
	while (atomic_load(&job.progress.rows) < rows)
		clock_sleep_ms(1);
}

static const char *refused_rows(void)
{
	static char text[TEXT_BYTES];
	ssize_t length = pread(rejects, text, sizeof(text) - 1, 0);

	text[length < 0 ? 0 : length] = '\0';
	return text;
}

/* What write_rows makes comes in once, however often it was interrupted. */
static void check_rows(int rows)
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

/* ---- tests ------------------------------------------------------------------------------- */

static void test_a_file_comes_in_whole(void **state)
{
	(void)state;
	write_rows(ROWS);
	start_fetcher();
	assert_int_equal(import(), IMPORT_ENDED);
	assert_string_equal(job.error.text, "");
	check_rows(ROWS);
	assert_int_equal(atomic_load(&job.progress.stage), IMPORT_READS);
	assert_int_equal(atomic_load(&job.progress.bytes_done), atomic_load(&job.progress.bytes));
	assert_true(slice_is(job.dialect, "lines"));
	assert_int_equal(job.column_count, 1);
	assert_true(slice_is(job.columns[0].value, "person.email"));
	assert_int_equal(counter_read(fixture.source.counters[SOURCE_IMPORTS]), 0);
}

static void test_the_same_content_is_known(void **state)
{
	struct reader *reader;
	struct import_row *rows;
	struct error error;
	struct arena arena;

	(void)state;
	write_rows(100);
	start_fetcher();
	assert_int_equal(import(), IMPORT_ENDED);
	assert_int_equal(import(), IMPORT_KNOWN);
	assert_true(job.known_ms > 0 && job.known_ms <= clock_wall_ms());
	job.again = true;
	assert_int_equal(import(), IMPORT_ENDED);
	job.again = false;
	assert_int_equal(result(IMPORT_REPEATED), 70);
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM lead"), 60);
	/* Only the content counts. */
	write_rows(90);
	assert_int_equal(import(), IMPORT_ENDED);
	reader = reader_open(fixture.kit.store.path, &error);
	arena_init(&arena, 1024, 0);
	assert_int_equal(reader_imports(reader, &arena, LG_SLICE("form"), 0, 9, &rows, &error), 2);
	assert_int_equal(rows[0].counts.rows, 90);
	assert_int_equal(rows[1].counts.by_result[IMPORT_REPEATED], 70);
	assert_int_equal(reader_imports(reader, &arena, slice_of(NULL, 0), 1, 9, &rows, &error), 1);
	assert_int_equal(reader_imports(reader, &arena, LG_SLICE("x"), 0, 9, &rows, &error), 0);
	arena_fini(&arena);
	reader_close(&reader);
}

static void test_an_interrupted_one_goes_on(void **state)
{
	(void)state;
	write_rows(ROWS);
	start_fetcher();
	atomic_store(&is_held, true);
	send_job();
	await_line(500);
	/* More than what is committed is on its way, in the file of refused rows too. */
	assert_true(strlen(refused_rows()) > 0);
	fetcher_poke(fetcher);
	atomic_store(&job.cancelled, true);
	atomic_store(&is_held, false);
	await_job();
	assert_int_equal(job.end, IMPORT_CANCELLED);
	assert_in_range(atomic_load(&job.progress.rows), 500, ROWS - 1);
	stop_fetcher();
	start_again();
	assert_int_equal(import(), IMPORT_ENDED);
	assert_true(position_seen >= 500);
	assert_true(atomic_load(&job.progress.bytes_begun) > 0);
	check_rows(ROWS);
}

static void test_the_end_of_the_gateway_interrupts(void **state)
{
	int64_t for_ms;

	(void)state;
	write_rows(ROWS);
	start_fetcher();
	atomic_store(&is_held, true);
	send_job();
	await_line(500);
	while (!atomic_load(&is_waiting))
		clock_sleep_ms(1);
	assert_ptr_equal(fetcher_called(fetcher, &for_ms), &fixture.source);
	assert_false(fetcher_stop(fetcher, 0)); /* it is told, and the plugin is amid the file */
	atomic_store(&is_held, false);
	stop_fetcher();
	await_job();
	assert_int_equal(job.end, IMPORT_INTERRUPTED);
	assert_non_null(strstr(job.error.text, "the gateway ends"));
	start_again();
	assert_int_equal(import(), IMPORT_ENDED);
	check_rows(ROWS);
}

/* Who was given up has rows with the writer yet when the same file comes again. */
static void test_the_same_command_again_waits(void **state)
{
	static struct import_job killed;

	(void)state;
	write_rows(ROWS);
	start_fetcher();
	for (int i = 0; i < 5; i++) {
		killed = (struct import_job){.reply = &home,
					     .source = LG_SLICE("form"),
					     .name = LG_SLICE("list.txt"),
					     .file = file,
					     .rejects = rejects,
					     .again = true};
		atomic_store(&is_held, true);
		fetcher_import(fetcher, &killed);
		while (atomic_load(&killed.progress.rows) < 500)
			clock_sleep_ms(1);
		atomic_store(&killed.cancelled, true);
		send_job();
		atomic_store(&is_held, false);
		await_job();
		assert_string_equal(job.error.text, "");
		assert_int_equal(job.end, IMPORT_ENDED);
		assert_ptr_equal(mailbox_take(&home), &killed.letter);
		assert_int_equal(killed.end, IMPORT_CANCELLED);
		import_job_fini(&killed);
	}
}

static void test_a_rehearsal_is_in_nobodys_way(void **state)
{
	static struct import_job rehearsal;

	(void)state;
	fixture.source.settings.imports.imports = 2;
	write_rows(ROWS);
	start_fetcher();
	atomic_store(&is_held, true);
	send_job();
	await_line(500);
	rehearsal = (struct import_job){.reply = &home,
					.source = LG_SLICE("form"),
					.name = LG_SLICE("list.txt"),
					.file = file,
					.rejects = -1,
					.dry_run = true};
	fetcher_import(fetcher, &rehearsal);
	atomic_store(&is_held, false);
	await_job();
	assert_int_equal(job.end, IMPORT_ENDED);
	while (!mailbox_take(&home))
		mailbox_wait(&home, 1000);
	assert_string_equal(rehearsal.error.text, "");
	assert_int_equal(rehearsal.end, IMPORT_ENDED);
	import_job_fini(&rehearsal);
	check_rows(ROWS);
}

static void test_refused_rows_must_be_there(void **state)
{
	(void)state;
	write_rows(ROWS);
	start_fetcher();
	atomic_store(&is_held, true);
	send_job();
	await_line(500);
	atomic_store(&job.cancelled, true);
	atomic_store(&is_held, false);
	await_job();
	assert_int_equal(ftruncate(rejects, 10), 0);
	assert_int_equal(import(), IMPORT_UNREADABLE);
	assert_non_null(strstr(job.error.text, "has 10 bytes"));
	job.again = true;
	assert_int_equal(import(), IMPORT_ENDED);
	job.again = false;
	assert_int_equal(result(IMPORT_REFUSED), ROWS * 2 / 10);
}

static int lines_of(const char *text)
{
	int count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

static int64_t counted(enum source_counter which)
{
	return counter_read(fixture.source.counters[which]);
}

static void expect_unfit(const char *email)
{
	char line[128];

	snprintf(line, sizeof(line), ",the journal cannot store it: constraint failed,%s\n", email);
	assert_non_null(strstr(refused_rows(), line));
}

/* `others`: leads that were there before. */
static void check_unfit(int others)
{
	static const char *const unfit[] = {"p0@example.com", "p500@example.com",
					    "p502@example.com", "p1001@example.com",
					    "p1996@example.com"};
	enum { UNFIT = sizeof(unfit) / sizeof(unfit[0]) };

	write_rows(ROWS);
	assert_int_equal(import(), IMPORT_ENDED);
	for (size_t i = 0; i < UNFIT; i++)
		expect_unfit(unfit[i]);
	assert_int_equal(result(IMPORT_CREATED), ROWS * 6 / 10 - UNFIT);
	assert_int_equal(result(IMPORT_REFUSED), ROWS * 2 / 10 + UNFIT);
	assert_int_equal(lines_of(refused_rows()), 1 + ROWS * 2 / 10 + UNFIT);
	assert_int_equal(atomic_load(&job.progress.rows), ROWS);
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM lead"),
			 others + ROWS * 6 / 10 - UNFIT);
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM import WHERE state = 'done'"
						 " AND created + touched + repeated + held +"
						 " refused + ignored = rows"),
			 1);
}

#define UNFIT_BODY(body)                                                    \
	"instr(" body ", 'p0@') OR instr(" body ", 'p500@') OR instr(" body \
	", 'p502@') OR instr(" body ", 'p1001@') OR instr(" body ", 'p1996@')"

/* One bad row of a file is refused, wherever it stands, and the others are stored. */
static void test_rows_that_the_journal_cannot_store(void **state)
{
	int64_t unreachable = counted(SOURCE_UNREACHABLE);

	(void)state;
	kit_post(&fixture.kit, (struct post){.email = "x@example.com",
					     .message = "p0@ p500@ p502@ p1001@ p1996@"});
	kit_sql(&fixture.kit,
		"CREATE UNIQUE INDEX t ON event (CASE WHEN " UNFIT_BODY("body") " THEN 1 END)");
	start_fetcher();
	check_unfit(1);
	assert_int_equal(counted(SOURCE_UNREACHABLE) - unreachable, ROWS / 10);
}

/* SQLite does not say then at which row it was. */
static void test_rows_that_a_trigger_refuses(void **state)
{
	(void)state;
	kit_sql(&fixture.kit, "CREATE TRIGGER t BEFORE INSERT ON event WHEN " UNFIT_BODY(
				      "new.body") " BEGIN SELECT raise(ABORT, 'no'); END");
	start_fetcher();
	check_unfit(0);
}

/* What was refused before lies elsewhere: the rest begins a file of its own, whoever is
 * killed before the first of it is committed. */
static void test_refused_rows_may_begin_anew(void **state)
{
	int64_t refused, read;

	(void)state;
	write_rows(ROWS);
	start_fetcher();
	atomic_store(&is_held, true);
	send_job();
	await_line(500);
	atomic_store(&job.cancelled, true);
	atomic_store(&is_held, false);
	await_job();
	refused = result(IMPORT_REFUSED);
	read = atomic_load(&job.progress.rows);
	assert_int_equal(ftruncate(rejects, 0), 0);
	assert_int_equal(import(), IMPORT_UNREADABLE);
	assert_int_equal(ftruncate(rejects, 0), 0);
	job.new_rejects = true;
	assert_int_equal(import(), IMPORT_ENDED);
	job.new_rejects = false;
	assert_in_range(position_seen, 500, read);
	assert_int_equal(result(IMPORT_REFUSED), ROWS * 2 / 10);
	assert_true(slice_starts(slice_from(refused_rows()), "leadgate_line,leadgate_reason,"));
	assert_int_equal(lines_of(refused_rows()), 1 + ROWS * 2 / 10 - refused);
	assert_int_equal(kit_count(&fixture.kit, "SELECT rejects FROM import"),
			 strlen(refused_rows()));
}

static void test_a_reload_changes_sources_under_way(void **state)
{
	int64_t unreachable = counted(SOURCE_UNREACHABLE), ignored = counted(SOURCE_IGNORED);

	(void)state;
	write_rows(ROWS);
	start_fetcher();
	atomic_store(&is_held, true);
	send_job();
	await_line(500);
	give_sources(1);
	atomic_store(&is_held, false);
	await_job();
	assert_int_equal(job.end, IMPORT_ENDED);
	assert_int_equal(atomic_load(&openings), 2);
	assert_ptr_equal(mailbox_take(&home), &backs[0]);
	check_rows(ROWS);
	/* What was read twice is counted once. */
	assert_int_equal(counted(SOURCE_UNREACHABLE) - unreachable, ROWS / 10);
	assert_int_equal(counted(SOURCE_IGNORED) - ignored, ROWS / 10);
}

static void test_a_reload_without_the_source_interrupts(void **state)
{
	struct ingest nothing = fixture.ingest;

	(void)state;
	write_rows(ROWS);
	start_fetcher();
	atomic_store(&is_held, true);
	send_job();
	await_line(500);
	nothing.source_count = 0;
	shares[1] = (struct fetcher_share){.ingest = &nothing, .home = &home, .back = &backs[1]};
	fetcher_change(fetcher, &shares[1]);
	atomic_store(&is_held, false);
	await_job();
	assert_int_equal(job.end, IMPORT_INTERRUPTED);
	assert_non_null(strstr(job.error.text, "no source form"));
	stop_fetcher();
}

static void test_a_rehearsal_stores_nothing(void **state)
{
	int64_t unreachable = counted(SOURCE_UNREACHABLE), ignored = counted(SOURCE_IGNORED);

	(void)state;
	write_rows(200);
	start_fetcher();
	job.dry_run = true;
	assert_int_equal(import(), IMPORT_ENDED);
	assert_int_equal(counted(SOURCE_UNREACHABLE), unreachable);
	assert_int_equal(counted(SOURCE_IGNORED), ignored);
	job.dry_run = false;
	assert_int_equal(atomic_load(&job.progress.rows), 200);
	assert_int_equal(result(IMPORT_REFUSED), 40);
	assert_int_equal(result(IMPORT_IGNORED), 20);
	assert_int_equal(result(IMPORT_CREATED), 0);
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM event"), 0);
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM import"), 0);
	assert_int_equal(import(), IMPORT_ENDED);
	check_rows(200);
}

static void test_what_cannot_be_read(void **state)
{
	static char long_line[70000];
	int ends[2];

	(void)state;
	start_fetcher();
	write_text("%PDF-1.4");
	assert_int_equal(import(), IMPORT_UNREADABLE);
	assert_string_equal(job.error.text, "this is no list");
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM import"), 0);
	/* What came before is stored. */
	write_text("a@example.com\nboom\n");
	assert_int_equal(import(), IMPORT_UNREADABLE);
	assert_string_equal(job.error.text, "there is a bomb in it");
	memset(long_line, 'x', sizeof(long_line) - 1);
	write_text(long_line);
	assert_int_equal(import(), IMPORT_UNREADABLE);
	assert_non_null(strstr(job.error.text, "byte 0 is longer than max_record"));
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM import WHERE"
						 " state = 'failed' AND error IS NOT NULL"),
			 2);
	long_line[60000] = '\n';
	long_line[60001] = '\0';
	memcpy(long_line, "!a", 2);
	write_text(long_line);
	assert_int_equal(import(), IMPORT_ENDED);
	assert_int_equal(result(IMPORT_REFUSED), 1);
	/* The bound is kept from the first chunk on. */
	fixture.source.settings.imports.record_bytes = 4096;
	memset(long_line, 'x', 5000);
	strcpy(long_line + 5000, "\n");
	write_text(long_line);
	assert_int_equal(import(), IMPORT_UNREADABLE);
	assert_non_null(strstr(job.error.text, "byte 0 is longer than max_record"));
	write_text("");
	assert_int_equal(import(), IMPORT_ENDED);
	assert_int_equal(pipe(ends), 0);
	int kept = file;
	file = ends[0];
	assert_int_equal(import(), IMPORT_UNREADABLE);
	assert_non_null(strstr(job.error.text, "no regular file"));
	file = kept;
	close(ends[0]);
	close(ends[1]);
}

static void test_a_file_that_changes_is_left(void **state)
{
	(void)state;
	write_rows(ROWS);
	start_fetcher();
	atomic_store(&is_held, true);
	send_job();
	await_line(500);
	assert_int_equal(pwrite(file, "z", 1, 0), 1);
	assert_int_equal(ftruncate(file, 30000), 0);
	atomic_store(&is_held, false);
	await_job();
	assert_int_equal(job.end, IMPORT_UNREADABLE);
	assert_non_null(strstr(job.error.text, "was written to"));
}

static void test_no_room_for_refused_rows_interrupts(void **state)
{
	(void)state;
	write_rows(200);
	start_fetcher();
	assert_int_equal(fcntl(rejects, F_ADD_SEALS, F_SEAL_GROW), 0);
	assert_int_equal(import(), IMPORT_INTERRUPTED);
	assert_non_null(strstr(job.error.text, "the file of refused rows cannot be written"));
	close(rejects);
	rejects = memfd_create("rejects", MFD_CLOEXEC);
	assert_int_equal(import(), IMPORT_ENDED);
	check_rows(200);
	/* Without one they are counted. */
	close(rejects);
	rejects = -1;
	job.again = true;
	assert_int_equal(import(), IMPORT_ENDED);
	job.again = false;
	assert_int_equal(result(IMPORT_REFUSED), 40);
}

static void test_sources_that_cannot(void **state)
{
	(void)state;
	write_rows(10);
	fixture.library.plugin.flags = 0;
	start_fetcher();
	assert_int_equal(import(), IMPORT_UNREADABLE);
	assert_non_null(strstr(job.error.text, "reads no files"));
	stop_fetcher();
	fixture.instance.name = LG_SLICE("other");
	start_again();
	assert_int_equal(import(), IMPORT_UNREADABLE);
	assert_non_null(strstr(job.error.text, "no source form"));
}

static void test_memory_that_runs_out_loses_nothing(void **state)
{
	int64_t n = 0;

	(void)state;
	write_rows(200);
	start_fetcher();
	do {
		alloc_fail_at(++n);
		enum import_end end = import();
		if (end == IMPORT_KNOWN) {
			job.again = true;
			end = import();
			job.again = false;
		}
		assert_true(end == IMPORT_ENDED || end == IMPORT_INTERRUPTED ||
			    end == IMPORT_UNREADABLE);
	} while (alloc_failed());
	alloc_fail_at(0);
	if (import() != IMPORT_KNOWN)
		assert_int_equal(job.end, IMPORT_ENDED);
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM lead"), 120);
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM import WHERE rows = 200"
						 " AND state = 'done'"),
			 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_file_comes_in_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_same_content_is_known, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_an_interrupted_one_goes_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_end_of_the_gateway_interrupts, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_the_same_command_again_waits, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_rehearsal_is_in_nobodys_way, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_refused_rows_must_be_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rows_that_the_journal_cannot_store, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_rows_that_a_trigger_refuses, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_refused_rows_may_begin_anew, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_reload_changes_sources_under_way, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_reload_without_the_source_interrupts, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_rehearsal_stores_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_cannot_be_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_file_that_changes_is_left, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_no_room_for_refused_rows_interrupts, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_sources_that_cannot, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_memory_that_runs_out_loses_nothing, set_up,
						tear_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
