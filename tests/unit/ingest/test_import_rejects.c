/* The rows of an import that are refused: where they are written, when they begin anew, and
 * those that the journal cannot store. */
#include "import_stage.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void interrupt(void)
{
	atomic_store(&is_held, true);
	send_job();
	await_line(500);
	atomic_store(&job.cancelled, true);
	atomic_store(&is_held, false);
	await_job();
	assert_int_equal(job.end, IMPORT_CANCELLED);
}

static void test_refused_rows_must_be_there(void **state)
{
	(void)state;
	write_rows(ROWS);
	start_fetcher();
	interrupt();
	assert_int_equal(ftruncate(rejects, 10), 0);
	assert_int_equal(import(), IMPORT_UNREADABLE);
	assert_non_null(strstr(job.error.text, "has 10 bytes"));
	job.again = true;
	assert_int_equal(import(), IMPORT_ENDED);
	job.again = false;
	assert_int_equal(result(IMPORT_REFUSED), ROWS * 2 / 10);
}

/* A plugin that forgets the size of an origin hears of it, and the file has no row without
 * its record. */
static void test_refused_rows_have_their_records(void **state)
{
	(void)state;
	write_text("unsized\n");
	start_fetcher();
	assert_int_equal(import(), IMPORT_ENDED);
	assert_int_equal(result(IMPORT_REFUSED), 2);
	assert_non_null(strstr(refused_rows(), "\n1,\"no way to reach the person"));
	assert_non_null(strstr(refused_rows(), "\n1,sized,unsized\n"));
}

/* What has no data is absent, whatever its length says. */
static void test_refused_rows_may_lack_anything(void **state)
{
	(void)state;
	write_text("absent\n");
	start_fetcher();
	atomic_store(&is_silent, true);
	assert_int_equal(import(), IMPORT_ENDED);
	assert_string_equal(refused_rows(), "\n\n");
}

static int lines_of(const char *text)
{
	int count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

/* They may not be repaired yet. */
static void test_those_of_another_import_stay(void **state)
{
	static const char text[] = "leadgate_line,leadgate_reason,address\n7,no,x\n";

	(void)state;
	write_rows(20);
	assert_int_equal(pwrite(rejects, text, strlen(text), 0), strlen(text));
	start_fetcher();
	assert_int_equal(import(), IMPORT_UNREADABLE);
	assert_non_null(strstr(job.error.text, "has those of an earlier import"));
	assert_string_equal(refused_rows(), text);
	assert_int_equal(kit_count(&fixture.kit, "SELECT count(*) FROM import"), 0);
	assert_int_equal(ftruncate(rejects, 0), 0);
	assert_int_equal(import(), IMPORT_ENDED);
	check_rows(20);
	/* From the start, of a content that is known, they are its own. */
	job.again = true;
	assert_int_equal(import(), IMPORT_ENDED);
	job.again = false;
	assert_int_equal(lines_of(refused_rows()), 1 + 20 * 2 / 10);
}

#define HEADER "leadgate_line,leadgate_reason,address\n"
#define LATE_ROW "1501,late,!late\n"

static void put_refused_rows(const char *text, int64_t offset)
{
	assert_int_equal(ftruncate(rejects, offset), 0);
	assert_int_equal(pwrite(rejects, text, strlen(text), offset), strlen(text));
}

/* The first row that is refused, if there is one, is behind where it is interrupted. */
static void write_good_rows(bool has_late)
{
	static char text[ROWS * 24];
	size_t at = 0;

	for (int i = 0; i < ROWS; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
				       has_late && i == 1500 ? "!late\n" : "p%d@example.com\n", i);
	write_text(text);
}

static void test_those_of_another_stay_where_none_is_refused(void **state)
{
	static const char text[] = HEADER "7,no,x\n";

	(void)state;
	write_good_rows(false);
	start_fetcher();
	interrupt();
	put_refused_rows(text, 0);
	assert_int_equal(import(), IMPORT_ENDED);
	assert_int_equal(atomic_load(&job.progress.rows), ROWS);
	assert_string_equal(refused_rows(), text);
}

/* What lies there is told from what a kill has left by the first row. */
static void test_those_of_another_stay_behind_a_pause(void **state)
{
	static const char *const others[] = {HEADER "7,no,x\n", HEADER "1501,other,!late\n",
					     "?" HEADER LATE_ROW};

	(void)state;
	write_good_rows(true);
	start_fetcher();
	interrupt();
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		put_refused_rows(others[i], 0);
		assert_int_equal(import(), IMPORT_INTERRUPTED);
		assert_non_null(strstr(job.error.text, "has those of an earlier import"));
		assert_string_equal(refused_rows(), others[i]);
	}
	assert_int_equal(ftruncate(rejects, 0), 0);
	assert_int_equal(import(), IMPORT_ENDED);
	assert_string_equal(refused_rows(), HEADER LATE_ROW);
}

static void test_what_a_kill_left_is_written_over(void **state)
{
	static const char *const left[] = {HEADER LATE_ROW "1502,late,!late\n", HEADER "15"};

	(void)state;
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		kit_sql(&fixture.kit, "DELETE FROM import");
		write_good_rows(true);
		if (!fetcher)
			start_fetcher();
		interrupt();
		put_refused_rows(left[i], 0);
		assert_int_equal(import(), IMPORT_ENDED);
		assert_string_equal(refused_rows(), HEADER LATE_ROW);
	}
}

/* Behind those that are committed, too, there may be another's: when the own ones were taken
 * away, or were added to. */
static void test_those_of_another_stay_behind_own_ones(void **state)
{
	int64_t committed;

	(void)state;
	write_rows(ROWS);
	start_fetcher();
	interrupt();
	committed = kit_count(&fixture.kit, "SELECT rejects FROM import");
	put_refused_rows("7,no,x\n", committed);
	assert_int_equal(import(), IMPORT_UNREADABLE);
	assert_non_null(strstr(job.error.text, "has those of an earlier import"));
	assert_non_null(strstr(refused_rows(), "\n7,no,x\n"));
	put_refused_rows("x1999,no,x\n", committed - 1);
	assert_int_equal(import(), IMPORT_UNREADABLE);
	assert_non_null(strstr(refused_rows(), "x1999,no,x\n"));
	put_refused_rows("\n1999,killed,x\n", committed - 1);
	assert_int_equal(import(), IMPORT_ENDED);
	check_rows(ROWS);
	assert_null(strstr(refused_rows(), "killed"));
}

/* What a kill leaves in the file would be taken for rows of another import. */
static void test_none_is_written_before_the_journal_knows(void **state)
{
	(void)state;
	kit_sql(&fixture.kit, "CREATE TRIGGER t BEFORE INSERT ON import BEGIN"
			      " SELECT raise(ABORT, 'no'); END");
	write_rows(20);
	fixture.source.settings.imports.wait_ms = 1;
	start_fetcher();
	assert_int_equal(import(), IMPORT_INTERRUPTED);
	assert_int_equal(atomic_load(&reads), 0);
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
	interrupt();
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refused_rows_must_be_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_those_of_another_import_stay, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_those_of_another_stay_where_none_is_refused,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_those_of_another_stay_behind_a_pause, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_what_a_kill_left_is_written_over, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_those_of_another_stay_behind_own_ones, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_none_is_written_before_the_journal_knows,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused_rows_have_their_records, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_refused_rows_may_lack_anything, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_rows_that_the_journal_cannot_store, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_rows_that_a_trigger_refuses, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_refused_rows_may_begin_anew, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_no_room_for_refused_rows_interrupts, set_up,
						tear_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
