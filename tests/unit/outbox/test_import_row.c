/* Imports in the journal: a row moves with its captures, from where it stood and from
 * nowhere else. */
#include "unit.h"

#include "outbox/import_row.h"

#define LIST LG_SLICE("list")

static struct import_work work_of(int64_t from, int64_t offset)
{
	return (struct import_work){
		.source = LIST,
		.digest = {1, 2, 3},
		.name = LG_SLICE("people.csv"),
		.bytes = 300,
		.from = from,
		.offset = offset,
		.position = LG_SLICE("line 7"),
		.rejects = 40,
		.refused = 2,
		.ignored = 1,
	};
}

static enum submission_status store(struct kit *kit, const struct post *posts, size_t count,
				    struct import_work *work)
{
	struct submission *submission = kit_make(kit, posts, count);
	enum submission_status status;

	submission->import = work;
	assert_true(outbox_submit(kit->outbox, submission));
	assert_ptr_equal(kit_reply(kit), &submission->letter);
	status = submission->status;
	kit_free(submission);
	return status;
}

static void begin(struct kit *kit)
{
	struct import_work work = work_of(0, 0);

	work.anew = true;
	assert_int_equal(store(kit, NULL, 0, &work), SUBMISSION_STORED);
}

static int find(struct kit *kit, struct arena *arena, struct import_row *row)
{
	static const uint8_t digest[IMPORT_DIGEST_BYTES] = {1, 2, 3};
	struct error error = {""};
	struct reader *reader = reader_open(kit->store.path, &error);
	int found = reader_import(reader, arena, LIST, digest, row, &error);

	reader_close(&reader);
	return found;
}

static void a_row_moves_with_its_captures(void **state)
{
	const struct post posts[] = {{.email = "a@example.com"},
				     {.email = "a@example.com"},
				     {.email = "b@example.com"},
				     {.email = "b@example.com", .message = "more"},
				     {.email = "c@example.com", .trapped = true}};
	struct import_work work = work_of(0, 120);
	struct import_row row;
	struct arena arena;
	struct kit *kit = *state;

	arena_init(&arena, 1024, 0);
	kit_open(kit);
	assert_int_equal(find(kit, &arena, &row), 0);
	begin(kit);
	assert_int_equal(find(kit, &arena, &row), 1);
	assert_int_equal(row.state, IMPORT_RUNNING);
	assert_int_equal(row.offset, 0);
	assert_false(slice_present(row.position));
	assert_int_equal(store(kit, posts, 5, &work), SUBMISSION_STORED);
	assert_int_equal(work.counts.rows, 8);
	assert_int_equal(work.counts.by_result[IMPORT_CREATED], 2);
	assert_int_equal(work.counts.by_result[IMPORT_REPEATED], 1);
	assert_int_equal(work.counts.by_result[IMPORT_TOUCHED], 1);
	assert_int_equal(work.counts.by_result[IMPORT_HELD], 1);
	work = work_of(120, 300);
	work.state = IMPORT_DONE;
	assert_int_equal(store(kit, NULL, 0, &work), SUBMISSION_STORED);
	assert_int_equal(find(kit, &arena, &row), 1);
	assert_int_equal(row.state, IMPORT_DONE);
	assert_true(slice_is(row.name, "people.csv"));
	assert_true(slice_is(row.position, "line 7"));
	assert_int_equal(row.counts.rows, 11);
	assert_int_equal(row.counts.by_result[IMPORT_REFUSED], 4);
	assert_true(row.ended_ms >= row.at_ms && row.at_ms > 0);
	/* Anew it begins with nothing. */
	begin(kit);
	assert_int_equal(find(kit, &arena, &row), 1);
	assert_int_equal(row.state, IMPORT_RUNNING);
	assert_int_equal(row.counts.rows, 0);
	assert_int_equal(row.ended_ms, 0);
	arena_fini(&arena);
}

static void a_file_gets_no_hole(void **state)
{
	const struct post post = {.email = "a@example.com"};
	struct import_work work = work_of(120, 200);
	struct kit *kit = *state;

	kit_open(kit);
	begin(kit);
	assert_int_equal(store(kit, &post, 1, &work), SUBMISSION_FAILED);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM event"), 0);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM import WHERE offset = 0"), 1);
	work = work_of(0, 120);
	assert_int_equal(store(kit, &post, 1, &work), SUBMISSION_STORED);
	/* What was stored is not stored again. */
	assert_int_equal(store(kit, &post, 1, &work), SUBMISSION_FAILED);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM event"), 1);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM import WHERE rows = 4"), 1);
}

static void others_of_its_transaction_are_stored(void **state)
{
	const struct post posts[] = {{.email = "a@example.com"}, {.email = "b@example.com"}};
	struct import_work work = work_of(7, 8);
	struct submission *submissions[2];
	struct kit *kit = *state;

	kit_open(kit);
	begin(kit);
	for (size_t i = 0; i < 2; i++) {
		submissions[i] = kit_make(kit, &posts[i], 1);
		assert_true(outbox_admit(kit->outbox, submissions[i]));
	}
	submissions[0]->import = &work;
	submissions[0]->letter.next = &submissions[1]->letter;
	submissions[1]->letter.next = NULL;
	outbox_send(kit->outbox, &submissions[0]->letter);
	kit_reply(kit);
	kit_reply(kit);
	assert_int_equal(submissions[0]->status, SUBMISSION_FAILED);
	assert_int_equal(submissions[1]->status, SUBMISSION_STORED);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM event"), 1);
	kit_free(submissions[0]);
	kit_free(submissions[1]);
}

static void forgetting_a_source_forgets_its_imports(void **state)
{
	struct chore chore = {.kind = CHORE_FORGET, .sink = LIST, .of_source = true};
	struct kit *kit = *state;

	kit_open(kit);
	begin(kit);
	assert_true(outbox_do_now(kit->outbox, &chore));
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM import"), 0);
}

static void damage_is_told(void **state)
{
	struct error error = {""};
	struct import_row *rows;
	struct reader *reader;
	struct arena arena;
	struct kit *kit = *state;

	kit_open(kit);
	begin(kit);
	kit_sql(kit, "UPDATE import SET state = 'odd'");
	reader = reader_open(kit->store.path, &error);
	arena_init(&arena, 1024, 0);
	assert_int_equal(reader_imports(reader, &arena, LIST, 0, 5, &rows, &error), -1);
	assert_true(slice_starts(slice_from(error.text), "reading the journal: "));
	arena_fini(&arena);
	reader_close(&reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_row_moves_with_its_captures),
		STORE_TEST(a_file_gets_no_hole),
		STORE_TEST(others_of_its_transaction_are_stored),
		STORE_TEST(forgetting_a_source_forgets_its_imports),
		STORE_TEST(damage_is_told),
	};

	return RUN(tests);
}
