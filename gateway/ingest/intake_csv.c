/* Delimited text for plugins. */
#include "ingest/intake.h"

#include "base/list.h"
#include "codec/csv.h"

/* What a plugin's handle points at. */
static struct csv *reader_of(struct lg_csv *handle)
{
	return (struct csv *)(void *)handle;
}

static struct arena *arena_of(struct lg_request *handle)
{
	return &container_of(handle, struct intake, handle)->request->arena;
}

/* What the caller says of the delimiter comes first. False: it cannot be one. */
static bool choose_delimiter(struct lg_csv_dialect *said, struct csv_dialect *dialect)
{
	said->says_delimiter = dialect->delimiter != 0;
	if (said->delimiter.length == 1 && csv_delimiter_fits(said->delimiter.data[0]))
		dialect->delimiter = said->delimiter.data[0];
	else if (said->delimiter.length)
		return false;
	else if (!dialect->delimiter)
		dialect->delimiter = ',';
	return true;
}

/* False with a sentence. */
static bool open_reader(struct arena *arena, struct lg_slice head, struct lg_csv_dialect *said,
			struct csv **csv, struct error *error)
{
	struct csv_limits limits = {(size_t)said->max_record, (size_t)said->max_columns};
	struct csv_dialect dialect;

	if (said->max_record < 1 || said->max_columns < 1 || said->max_columns > LG_CSV_COLUMNS_MAX)
		return error_set(error, "the limits of a record are out of their range");
	if (!csv_dialect_find(head, said->charset, &dialect, error))
		return false;
	if (!choose_delimiter(said, &dialect))
		return error_set(error, "the delimiter must be one byte, but no letter, digit or "
					"quote");
	*csv = arena_new(arena, struct csv);
	if (!*csv || !csv_init(*csv, arena, &dialect, &limits))
		return error_set(error, "there is no memory for the reader");
	said->charset = dialect.charset;
	said->delimiter = slice_of(&(*csv)->dialect.delimiter, 1);
	said->start = (int64_t)dialect.start;
	said->line = dialect.line;
	return true;
}

static int32_t csv_open_service(struct lg_request *handle, struct lg_slice head,
				struct lg_csv_dialect *dialect, struct lg_csv **out,
				struct lg_text problem)
{
	struct lg_csv_dialect ours = {0};
	struct csv *csv = NULL;
	struct error error = {""};

	intake_copy_known(&ours, sizeof(ours), dialect, dialect->size);
	ours.charset = slice_known(ours.charset);
	ours.delimiter = slice_known(ours.delimiter);
	if (!open_reader(arena_of(handle), slice_known(head), &ours, &csv, &error)) {
		if (problem.capacity > 0)
			slice_to_text(slice_from(error.text), problem.data, problem.capacity);
		return LG_FAIL;
	}
	*out = (struct lg_csv *)(void *)csv;
	return intake_copy_known(dialect, dialect->size, &ours, sizeof(ours));
}

static void csv_feed_service(struct lg_request *handle, struct lg_csv *csv, struct lg_slice bytes,
			     int32_t last, const struct lg_csv_place *place)
{
	struct csv_place ours = {place->line, place->inside != 0};

	csv_feed(reader_of(csv), arena_of(handle), slice_known(bytes), last != 0, ours);
}

static struct lg_csv_place place_of(const struct csv_place *place)
{
	return (struct lg_csv_place){.line = place->line, .inside = place->inside};
}

static int32_t csv_next_service(struct lg_csv *csv, struct lg_csv_row *row)
{
	struct csv_row found;
	struct lg_csv_row ours;

	switch (csv_next(reader_of(csv), &found)) {
	case CSV_END: return LG_LATER;
	case CSV_FAILED: return LG_FAIL;
	case CSV_ROW: break;
	}
	ours = (struct lg_csv_row){
		.fields = found.fields,
		.field_count = found.count,
		.text = found.text,
		.problem = slice_from(found.problem),
		.begin = found.begin,
		.end = found.end,
		.place = place_of(&found.place),
		.next = place_of(&found.next),
	};
	return intake_copy_known(row, row->size, &ours, sizeof(ours));
}

void intake_csv_services(struct lg_services *services)
{
	services->csv_open = csv_open_service;
	services->csv_feed = csv_feed_service;
	services->csv_next = csv_next_service;
}
