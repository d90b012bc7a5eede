/* The reader of delimited text over tests/golden/csv: odd files with the rows that they
 * hold, whole, in two chunks, and cut off at every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "codec/csv.h"
#include "codec/json.h"

#define GOLDEN "tests/golden/csv/"
#define FILE_BYTES 65536
#define ROWS 400

static const struct csv_limits limits = {1000, 40};

struct rows {
	struct csv_row row[ROWS];
	size_t count;
	size_t start; /* bytes before the first record */
};

/* What a file is written in and holds, of rows.jsonl. */
struct golden {
	const char *name;
	struct lg_slice bytes, charset, delimiter;
	const struct json *want;
};

static struct arena arena; /* of what is read */

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 65536, 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_fini(&arena);
	return 0;
}

static struct lg_slice read_file(const char *name, char *room, size_t size)
{
	char path[256];
	size_t length;
	FILE *file;

	snprintf(path, sizeof(path), GOLDEN "%s", name);
	file = fopen(path, "rb");
	if (!file)
		fail_msg("%s cannot be opened", path);
	length = fread(room, 1, size, file);
	assert_true(length < size);
	fclose(file);
	return slice_of(room, length);
}

/* ---- reading ---------------------------------------------------------------------- */

static void keep_row(struct rows *rows, const struct csv_row *row)
{
	struct lg_slice *fields;

	if (row->count == 0 && !row->problem)
		return;
	assert_true(rows->count < ROWS);
	rows->row[rows->count] = *row;
	fields = arena_alloc(&arena, (row->count + 1) * sizeof(*fields));
	for (size_t i = 0; i < row->count; i++)
		fields[i] = arena_copy(&arena, row->fields[i]);
	rows->row[rows->count++].fields = fields;
}

/* Rows of a chunk. Returns how much of it is done with. */
static size_t read_chunk(struct csv *csv, struct lg_slice bytes, bool last, struct csv_place *place,
			 struct rows *rows)
{
	struct csv_row row;
	enum csv_step step;
	size_t done = 0;

	csv_feed(csv, &arena, bytes, last, *place);
	while ((step = csv_next(csv, &row)) == CSV_ROW) {
		assert_int_equal(row.begin, done);
		assert_true(row.end > done && row.end <= bytes.length);
		assert_int_equal(row.place.line, place->line);
		assert_true(row.text.data != NULL);
		done = row.end;
		*place = row.next;
		keep_row(rows, &row);
	}
	assert_int_equal(step, CSV_END);
	assert_true(!last || done == bytes.length);
	return done;
}

static struct csv open_csv(const struct golden *golden, struct lg_slice bytes)
{
	struct csv_dialect dialect;
	struct error error = {""};
	struct csv csv;

	if (!csv_dialect_find(bytes, golden->charset, &dialect, &error))
		fail_msg("%s: %s", golden->name, error.text);
	if (golden->delimiter.length)
		dialect.delimiter = golden->delimiter.data[0];
	else if (!dialect.delimiter)
		dialect.delimiter = ',';
	assert_true(csv_init(&csv, &arena, &dialect, &limits));
	return csv;
}

/* The rows of a file that comes in two chunks: the rest of the first is read again
 * with the second. */
static struct rows *read_split(const struct golden *golden, struct lg_slice bytes, size_t split)
{
	struct rows *rows = arena_new(&arena, struct rows);
	struct csv csv = open_csv(golden, bytes);
	struct csv_place place = {csv.dialect.line, false};
	size_t done = rows->start = csv.dialect.start;

	if (split > done)
		done += read_chunk(&csv, slice_cut(bytes, done, split - done), false, &place, rows);
	read_chunk(&csv, slice_cut(bytes, done, SIZE_MAX), true, &place, rows);
	return rows;
}

/* ---- comparing -------------------------------------------------------------------------- */

static void check_want(const struct golden *golden, const struct rows *rows)
{
	const struct json *want = golden->want->first;
	size_t i = 0;

	for (; want; want = want->next, i++) {
		const struct csv_row *row = &rows->row[i];
		struct lg_slice problem = json_member_text(want, "problem");
		const struct json *fields = json_member(want, "fields");
		size_t n = 0;

		if (i == rows->count)
			fail_msg("%s: row %zu is missing", golden->name, i + 1);
		assert_int_equal(row->place.line,
				 strtol(json_member_text(want, "line").data, NULL, 10));
		if (slice_present(problem) != (row->problem != NULL) ||
		    (row->problem && !strstr(row->problem, problem.data)))
			fail_msg("%s: row %zu: %s", golden->name, i + 1, row->problem);
		for (const struct json *f = fields ? fields->first : NULL; f; f = f->next, n++)
			if (n >= row->count || !slice_equal(f->text, row->fields[n]))
				fail_msg("%s: row %zu, field %zu: \"%.*s\"", golden->name, i + 1,
					 n + 1, SLICE_ARGS(row->fields[n]));
		assert_int_equal(n, row->count);
	}
	if (i != rows->count)
		fail_msg("%s: %zu rows, not %zu", golden->name, rows->count, i);
}

static bool same_problem(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_row(const struct csv_row *a, const struct csv_row *b)
{
	if (a->place.line != b->place.line || !same_problem(a->problem, b->problem) ||
	    a->count != b->count || !slice_equal(a->text, b->text))
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!slice_equal(a->fields[i], b->fields[i]))
			return false;
	return true;
}

/* A field without the quote that opens it, where that is a part of its text. */
static struct lg_slice unopened(struct lg_slice field)
{
	return slice_cut(field, slice_cut(field, 0, 1).length && field.data[0] == '"', SIZE_MAX);
}

/* Whether `a` is what is left of `b` when a file ends within it: whether its last field is
 * between quotes may be told by what is missing. */
static bool cut_row(const struct csv_row *a, const struct csv_row *b)
{
	struct lg_slice left, was;

	if (b->problem)
		return a->place.line == b->place.line;
	if (a->place.line != b->place.line || a->count > b->count || a->count == 0)
		return false;
	for (size_t i = 0; i + 1 < a->count; i++)
		if (!slice_equal(a->fields[i], b->fields[i]))
			return false;
	left = unopened(a->fields[a->count - 1]);
	was = unopened(b->fields[a->count - 1]);
	return slice_equal(left, slice_cut(was, 0, left.length));
}

/* All rows but the last are the same; that is an error, or what is left of one. */
static void check_cut(const struct golden *golden, const struct rows *whole, size_t length)
{
	struct rows *cut = read_split(golden, slice_cut(golden->bytes, 0, length), 0);

	for (size_t i = 0; i < cut->count; i++) {
		const struct csv_row *row = &cut->row[i];
		const struct csv_row *was = i < whole->count ? &whole->row[i] : NULL;
		bool last = i + 1 == cut->count;

		if (!(was && same_row(row, was)) && !(last && row->problem) &&
		    !(last && was && cut_row(row, was)))
			fail_msg("%s: cut at %zu, row %zu is another", golden->name, length, i + 1);
	}
}

static void check_split(const struct golden *golden, const struct rows *whole, size_t split)
{
	struct rows *rows = read_split(golden, golden->bytes, split);

	assert_int_equal(rows->count, whole->count);
	for (size_t i = 0; i < rows->count; i++)
		if (!same_row(&rows->row[i], &whole->row[i]))
			fail_msg("%s: split at %zu, row %zu is another", golden->name, split,
				 i + 1);
}

static void check_file(const struct golden *golden)
{
	struct rows *whole = read_split(golden, golden->bytes, 0);
	struct arena kept = arena;
	/* What says how the file is written has to be there. */
	size_t least = whole->start < 2 ? 2 : whole->start;

	check_want(golden, whole);
	for (size_t at = 0; at <= golden->bytes.length; at++) {
		arena_init(&arena, 65536, 0);
		check_split(golden, whole, at);
		if (at >= least)
			check_cut(golden, whole, at);
		arena_fini(&arena);
	}
	arena = kept;
}

static void reads_every_file_in_every_way(void **state)
{
	static char list_room[FILE_BYTES], room[FILE_BYTES];
	struct lg_slice rest = read_file("rows.jsonl", list_room, sizeof(list_room)), line;
	struct error error = {""};
	size_t files = 0;

	while (slice_split(&rest, '\n', &line) && line.length) {
		const struct json *root = json_parse(&arena, line, &error);
		struct golden golden;

		golden = (struct golden){
			.name = json_member_text(root, "file").data,
			.charset = json_member_text(root, "charset"),
			.delimiter = json_member_text(root, "delimiter"),
			.want = json_member(root, "rows"),
		};
		assert_non_null(golden.want);
		golden.bytes = read_file(golden.name, room, sizeof(room));
		assert_true(slice_equal(open_csv(&golden, golden.bytes).dialect.charset,
					json_member_text(root, "found")));
		check_file(&golden);
		files++;
		tear_down(state);
		set_up(state);
	}
	assert_true(files >= 60);
}

/* ---- what files do not show ---------------------------------------------------------------- */

static const struct golden commas = {.name = "commas", .delimiter = LG_SLICE(",")};

static void check_text(const char *bytes, size_t index, const char *text)
{
	struct rows *rows = read_split(&commas, slice_from(bytes), 0);

	assert_true(index < rows->count);
	if (!slice_is(rows->row[index].text, text))
		fail_msg("%.*s", SLICE_ARGS(rows->row[index].text));
}

/* A row that is refused goes into a file that is to be read again. */
static void gives_the_text_of_a_record(void **state)
{
	(void)state;
	check_text("a,b\r\n\"x\"\"y\",\"1\n2\"  \r\nc", 1, "\"x\"\"y\",\"1\n2\"  ");
	check_text("a\nZo\xeb,b\n", 1, "Zo\xc3\xab,b");
	check_text("a\n\"Zo\xeb\" X, y\",b\n", 1, "\"\"\"Zo\xc3\xab\"\" X, y\"\",b\"");
	check_text("a\n1,\"b\n", 1, "\"1,\"\"b\n\"");
	check_text("a\n1,\"\xff\"\"", 1, "\"1,\"\"\xef\xbf\xbd\"\"\"\"\"");
}

static void goes_on_inside_a_line(void **state)
{
	struct rows *rows = arena_new(&arena, struct rows);
	struct csv csv = open_csv(&commas, LG_SLICE("a,b\n"));
	struct csv_place place = {7, true};

	(void)state;
	assert_int_equal(read_chunk(&csv, LG_SLICE("xxx\r"), false, &place, rows), 3);
	assert_true(place.inside);
	assert_int_equal(read_chunk(&csv, LG_SLICE("\r"), false, &place, rows), 0);
	assert_int_equal(read_chunk(&csv, LG_SLICE("\r\ny,z"), true, &place, rows), 5);
	assert_int_equal(rows->count, 1);
	assert_int_equal(rows->row[0].place.line, 8);
	assert_true(slice_is(rows->row[0].fields[1], "z"));
}

/* Text of UTF-16 is made piece by piece: records stand across the seams. */
static void reads_long_wide_files(void **state)
{
	static char bytes[400000];
	size_t length = 0;

	(void)state;
	while (length + 16 < sizeof(bytes)) {
		memcpy(bytes + length, "a\0,\0\"\0\xeb\0\"\0\r\0\n\0", 14);
		length += 14;
	}
	struct csv csv = open_csv(&commas, slice_of(bytes, length));
	struct csv_row row;
	size_t count = 0;

	csv_feed(&csv, &arena, slice_of(bytes, length), true, (struct csv_place){1, false});
	for (; csv_next(&csv, &row) == CSV_ROW; count++) {
		assert_int_equal(row.begin, 14 * count);
		assert_int_equal(row.end, 14 * (count + 1));
		assert_int_equal(row.place.line, (int64_t)count + 1);
		assert_true(slice_is(row.fields[1], "\xc3\xab"));
	}
	assert_int_equal(count, length / 14);
}

/* Which quote, and how much it has taken. */
static void tells_of_a_quote_that_is_not_closed(void **state)
{
	static const struct {
		const char *bytes, *says;
	} cases[] = {
		{"a,b\n1,\"x\n2,y\n3,z\n",
		 "field 2 in line 2 is not closed: 3 lines up to the end of the file are taken"},
		{"a,b\n1,\"x\n2,y\n3,z", "in line 2 is not closed: 3 lines up"},
		{"a,b\n\"1\r\n2\",\"x", "field 2 in line 3 is not closed: 1 line up to the end of "
					"the file is taken for its text"},
		{"\"", "field 1 in line 1 is not closed: 1 line up"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rows *rows = arena_new(&arena, struct rows);
		struct csv_place place = {1, false};
		struct csv csv = open_csv(&commas, slice_from(cases[i].bytes));

		read_chunk(&csv, slice_from(cases[i].bytes), true, &place, rows);
		assert_non_null(rows->row[rows->count - 1].problem);
		if (!strstr(rows->row[rows->count - 1].problem, cases[i].says))
			fail_msg("%zu: %s", i, rows->row[rows->count - 1].problem);
	}
}

/* Each line opens a quote that nothing closes: that must not be looked for from each. */
static void gives_up_many_lines_quickly(void **state)
{
	static const struct csv_limits large = {(size_t)256 << 10, 40};
	static char bytes[1 << 20];
	const size_t line = strlen("\"a b\n"), lines = sizeof(bytes) / line;
	struct csv_dialect dialect = {.delimiter = ',', .line = 1};
	struct csv_row row;
	struct csv csv;
	size_t count;

	(void)state;
	for (size_t i = 0; i < lines; i++)
		memcpy(bytes + i * line, "\"a b\n", line);
	assert_true(csv_init(&csv, &arena, &dialect, &large));
	csv_feed(&csv, &arena, slice_of(bytes, lines * line), true, (struct csv_place){1, false});
	for (count = 0; csv_next(&csv, &row) == CSV_ROW; count++) {
		assert_true(row.problem != NULL);
		assert_int_equal(row.place.line, (int64_t)count + 1);
		assert_int_equal(row.begin, line * count);
	}
	assert_int_equal(row.begin, lines * line);
	assert_int_equal(count, lines);
}

static void refuses_what_is_no_text(void **state)
{
	static const struct {
		struct lg_slice head;
		const char *charset, *says;
	} bad[] = {
		{LG_SLICE("PK\x03\x04\x14\0"), NULL, "Excel workbook; save it as CSV"},
		{LG_SLICE("\xd0\xcf\x11\xe0\xa1"), NULL, "old Excel"},
		{LG_SLICE("%PDF-1.7"), "auto", "PDF"},
		{LG_SLICE("\x1f\x8b\x08"), "utf-8", "gzip"},
		{LG_SLICE("\xff\xfe\0\0a\0\0\0"), NULL, "UTF-32"},
		{LG_SLICE("a,b\n"), "utf-7", "\"utf-7\" is not known"},
	};
	struct csv_dialect dialect;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct error error = {""};

		assert_false(csv_dialect_find(bad[i].head, slice_from(bad[i].charset), &dialect,
					      &error));
		if (!strstr(error.text, bad[i].says))
			fail_msg("%zu: %s", i, error.text);
	}
}

static void knows_delimiters(void **state)
{
	(void)state;
	for (const char *c = ",;\t|^ :~"; *c; c++)
		assert_true(csv_delimiter_fits(*c));
	for (const char *c = "aZ09\"\r\n\xc3"; *c; c++)
		assert_false(csv_delimiter_fits(*c));
	assert_false(csv_delimiter_fits('\0'));
}

/* The n-th allocation fails: the reader says so, or had no need of it. */
static void survives_without_memory(void **state)
{
	static const char bytes[] = "a,\"x\"\"y\"\nZo\xeb,b\n1,\"not closed";
	struct csv_dialect dialect;
	struct error error = {""};
	int64_t n = 0;
	bool failed;

	(void)state;
	assert_true(csv_dialect_find(LG_SLICE(bytes), slice_of(NULL, 0), &dialect, &error));
	dialect.delimiter = ',';
	do {
		struct csv_row row;
		struct arena small;
		struct csv csv;
		enum csv_step step = CSV_FAILED;
		size_t rows = 0;

		arena_init(&small, 64, 0);
		alloc_fail_at(++n);
		if (csv_init(&csv, &small, &dialect, &limits)) {
			csv_feed(&csv, &small, slice_from(bytes), true,
				 (struct csv_place){1, false});
			while ((step = csv_next(&csv, &row)) == CSV_ROW)
				rows++;
		}
		failed = alloc_failed();
		alloc_fail_at(0);
		assert_int_equal(step, failed ? CSV_FAILED : CSV_END);
		assert_true(failed || rows == 3);
		arena_fini(&small);
	} while (failed);
	assert_true(n > 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(reads_every_file_in_every_way),
		TEST(gives_the_text_of_a_record),
		TEST(goes_on_inside_a_line),
		TEST(reads_long_wide_files),
		TEST(tells_of_a_quote_that_is_not_closed),
		TEST(gives_up_many_lines_quickly),
		TEST(refuses_what_is_no_text),
		TEST(knows_delimiters),
		TEST(survives_without_memory),
	};
	const char *source = getenv("LG_SRCDIR");

	if (source && chdir(source) != 0)
		return 1;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
