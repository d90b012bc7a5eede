/* Imports on a real store, with a plugin that lives in the test: a line is a lead with that
 * address, "!WHY" is refused, "-" ignored, "?" is nobody who can be reached. */
#include "import_stage.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"

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

/* Whether the other one comes to its end is not known yet. */
static void test_the_same_content_at_once_is_left(void **state)
{
	static struct import_job second;

	(void)state;
	fixture.source.settings.imports.imports = 2;
	write_rows(ROWS);
	start_fetcher();
	atomic_store(&is_held, true);
	send_job();
	await_line(500);
	second = (struct import_job){.reply = &home,
				     .source = LG_SLICE("form"),
				     .name = LG_SLICE("copy.txt"),
				     .file = file,
				     .rejects = -1};
	fetcher_import(fetcher, &second);
	atomic_store(&is_held, false);
	await_job();
	assert_int_equal(job.end, IMPORT_ENDED);
	while (!mailbox_take(&home))
		mailbox_wait(&home, 1000);
	assert_non_null(strstr(second.error.text, "is being imported now"));
	assert_int_equal(second.end, IMPORT_INTERRUPTED);
	import_job_fini(&second);
	check_rows(ROWS);
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

/* A rehearsal takes turns with it, and shows by its end that it stands back. */
static void test_requests_come_first(void **state)
{
	static struct import_job rehearsal;

	(void)state;
	fixture.source.settings.imports.imports = 2;
	fixture.source.settings.imports.gentle_pause_ms = 3600000;
	write_rows(ROWS);
	start_fetcher();
	atomic_store(&is_held, true);
	send_job();
	while (!atomic_load(&is_waiting))
		clock_sleep_ms(1);
	kit_post(&fixture.kit, (struct post){.email = "a@example.com"});
	rehearsal = (struct import_job){.reply = &home,
					.source = LG_SLICE("form"),
					.name = LG_SLICE("list.txt"),
					.file = file,
					.rejects = -1,
					.dry_run = true};
	fetcher_import(fetcher, &rehearsal);
	atomic_store(&is_held, false);
	while (!mailbox_take(&home))
		mailbox_wait(&home, 1000);
	import_job_fini(&rehearsal);
	assert_in_range(atomic_load(&job.progress.rows), HELD_LINE / 2, HELD_LINE + 50);
	stop_fetcher();
	await_job();
	assert_int_equal(job.end, IMPORT_INTERRUPTED);
	start_again();
	assert_int_equal(import(), IMPORT_ENDED);
	assert_int_equal(atomic_load(&job.progress.rows), ROWS);
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
	assert_int_equal(ftruncate(rejects, 0), 0);
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
		cmocka_unit_test_setup_teardown(test_the_same_content_at_once_is_left, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_rehearsal_is_in_nobodys_way, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_requests_come_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_reload_changes_sources_under_way, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_reload_without_the_source_interrupts, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_rehearsal_stores_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_cannot_be_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_file_that_changes_is_left, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_sources_that_cannot, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_memory_that_runs_out_loses_nothing, set_up,
						tear_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
