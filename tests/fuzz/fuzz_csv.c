/* Any bytes as delimited text; the first two say the delimiter and where the file is cut
 * into two chunks. The rows are the same in one chunk, and what is in them is text. */
#include "base/utf8.h"
#include "codec/csv.h"
#include "fuzz.h"

#define ROWS 500

static const struct csv_limits limits = {64, 5};

struct told {
	struct csv_row row[ROWS];
	size_t count, bytes;
};

static void tell(struct told *told, const struct csv *csv, const struct csv_row *row)
{
	ALWAYS(utf8_valid(row->text) && row->count <= limits.columns);
	ALWAYS(!row->problem || row->count == 0);
	for (size_t i = 0; i < row->count; i++)
		ALWAYS(row->fields[i].data &&
		       (csv->dialect.encoding == CSV_NAMED || utf8_valid(row->fields[i])));
	if ((row->count || row->problem) && told->count < ROWS)
		told->row[told->count++] = *row;
}

static void read_chunk(struct csv *csv, struct arena *arena, struct lg_slice bytes, bool last,
		       struct csv_place *place, struct told *told)
{
	struct csv_row row;
	size_t done = 0;

	csv_feed(csv, arena, bytes, last, *place);
	while (csv_next(csv, &row) == CSV_ROW) {
		ALWAYS(row.begin == done && row.end > done && row.end <= bytes.length);
		ALWAYS(row.next.line >= row.place.line);
		done = row.end;
		*place = row.next;
		tell(told, csv, &row);
	}
	ALWAYS(!last || done == bytes.length);
	told->bytes += done;
}

static void read_file(struct arena *arena, struct lg_slice file, char delimiter, size_t split,
		      struct told *told)
{
	struct csv_dialect dialect;
	struct csv_place place;
	struct error error;
	struct csv csv;

	if (!csv_dialect_find(file, slice_of(NULL, 0), &dialect, &error))
		return;
	ALWAYS(dialect.start <= file.length);
	if (!dialect.delimiter)
		dialect.delimiter = delimiter;
	place = (struct csv_place){dialect.line, false};
	ALWAYS(csv_init(&csv, arena, &dialect, &limits));
	told->bytes = dialect.start;
	if (split > told->bytes)
		read_chunk(&csv, arena, slice_cut(file, told->bytes, split - told->bytes), false,
			   &place, told);
	read_chunk(&csv, arena, slice_cut(file, told->bytes, SIZE_MAX), true, &place, told);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct told whole, parts;
	struct lg_slice file = slice_of((const char *)data + 2, size < 2 ? 0 : size - 2);
	struct arena arena;

	if (size < 2)
		return 0;
	arena_init(&arena, 65536, 0);
	whole.count = parts.count = 0;
	read_file(&arena, file, ",;\t|"[data[0] % 4], 0, &whole);
	read_file(&arena, file, ",;\t|"[data[0] % 4], file.length * data[1] / 255, &parts);
	ALWAYS(whole.count == parts.count);
	for (size_t i = 0; i < whole.count; i++) {
		ALWAYS(slice_equal(whole.row[i].text, parts.row[i].text));
		ALWAYS(whole.row[i].count == parts.row[i].count);
		ALWAYS(whole.row[i].place.line == parts.row[i].place.line);
		ALWAYS(slice_equal(slice_from(whole.row[i].problem),
				   slice_from(parts.row[i].problem)));
	}
	arena_fini(&arena);
	return 0;
}
