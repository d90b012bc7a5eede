#include "csv_desk.h"

#include <stdio.h>

#include "codec/csv.h"

/* A lead may have so many fields that nobody knows. */
#define EXTRAS 10

const struct lg_plugin *const desk_plugin = &plugin_csvimport;
struct csv_desk csv_desk;

/* ---- services --------------------------------------------------------------------- */

static void fake_log(struct lg_host *host, int32_t level, struct lg_slice message)
{
	(void)host;
	tell("log %d %.*s", level, SLICE_ARGS(message));
}

/* Whether there is room for one more item. */
static bool takes_room(void)
{
	return csv_desk.room && csv_desk.room--;
}

static struct lg_lead *fake_lead(struct lg_request *request)
{
	(void)request;
	desk.extra_limit = EXTRAS;
	return takes_room() ? &desk.lead : NULL;
}

static int32_t fake_origin(struct lg_lead *lead, const struct lg_origin *origin)
{
	(void)lead;
	tell("line %lld: %.*s", (long long)origin->line, SLICE_ARGS(origin->text));
	return LG_OK;
}

static int32_t fake_reject(struct lg_request *request, struct lg_slice reason,
			   const struct lg_origin *origin)
{
	(void)request;
	if (!takes_room())
		return LG_FAIL;
	tell("reject %lld: %.*s (%.*s)", (long long)origin->line, SLICE_ARGS(origin->text),
	     SLICE_ARGS(reason));
	return LG_OK;
}

static int32_t fake_ignore(struct lg_request *request, struct lg_slice reason)
{
	(void)request;
	if (!takes_room())
		return LG_FAIL;
	tell("ignore %.*s", SLICE_ARGS(reason));
	return LG_OK;
}

static int32_t fake_csv_open(struct lg_request *request, struct lg_slice head,
			     struct lg_csv_dialect *said, struct lg_csv **out,
			     struct lg_text problem)
{
	struct csv_limits limits = {(size_t)said->max_record, (size_t)said->max_columns};
	struct csv *csv = arena_new(&readers.arena, struct csv);
	struct csv_dialect dialect;
	struct error error;

	(void)request;
	if (!csv_dialect_find(head, said->charset, &dialect, &error)) {
		snprintf(problem.data, problem.capacity, "%.400s", error.text);
		return LG_FAIL;
	}
	said->says_delimiter = dialect.delimiter != 0;
	if (said->delimiter.length)
		dialect.delimiter = said->delimiter.data[0];
	else if (!dialect.delimiter)
		dialect.delimiter = ',';
	assert_true(csv_init(csv, &readers.arena, &dialect, &limits));
	said->charset = dialect.charset;
	said->delimiter = slice_of(&csv->dialect.delimiter, 1);
	said->start = (int64_t)dialect.start;
	said->line = dialect.line;
	*out = (struct lg_csv *)(void *)csv;
	return LG_OK;
}

static void fake_csv_feed(struct lg_request *request, struct lg_csv *csv, struct lg_slice bytes,
			  int32_t last, const struct lg_csv_place *place)
{
	struct csv_place ours = {place->line, place->inside != 0};

	(void)request;
	csv_feed((struct csv *)(void *)csv, &readers.arena, bytes, last != 0, ours);
}

static struct lg_csv_place place_of(const struct csv_place *place)
{
	return (struct lg_csv_place){.line = place->line, .inside = place->inside};
}

static int32_t fake_csv_next(struct lg_csv *csv, struct lg_csv_row *row)
{
	struct csv_row found;
	enum csv_step step = csv_next((struct csv *)(void *)csv, &found);

	*row = (struct lg_csv_row){
		.size = sizeof(*row),
		.fields = found.fields,
		.field_count = found.count,
		.text = found.text,
		.problem = slice_from(found.problem),
		.begin = found.begin,
		.end = found.end,
		.place = place_of(&found.place),
		.next = place_of(&found.next),
	};
	return step == CSV_ROW ? LG_OK : step == CSV_END ? LG_LATER : LG_FAIL;
}

/* ---- the desk ------------------------------------------------------------------------ */

void set_choice(const char *name, int32_t value)
{
	set_setting(name, &value, sizeof(value));
}

void map_column(const char *column, const char *meaning)
{
	assert_true(csv_desk.map_count < 8);
	csv_desk.map[csv_desk.map_count++] = (struct lg_pair){slice_from(column),
							      slice_from(meaning)};
}

static void add_services(struct lg_services *services)
{
	services->log = fake_log;
	services->lead = fake_lead;
	services->lead_origin = fake_origin;
	services->reject = fake_reject;
	services->ignore = fake_ignore;
	services->csv_open = fake_csv_open;
	services->csv_feed = fake_csv_feed;
	services->csv_next = fake_csv_next;
}

int csvimport_init(void **state)
{
	desk_init(state);
	add_services(&desk.services);
	csv_desk = (struct csv_desk){.host.services = &desk.services, .room = SIZE_MAX};
	set_text("charset", "auto");
	set_text("consent_purpose", "marketing");
	set_choice("kind", 8);
	set_number("max_row", 4096);
	set_number("max_columns", 64);
	return 0;
}

int csvimport_fini(void **state)
{
	if (desk.instance)
		plugin_csvimport.source->close(desk.instance);
	return desk_fini(state);
}

const char *open_file(struct lg_slice file, const char *position)
{
	struct lg_text problem = {csv_desk.problem, sizeof(csv_desk.problem)};
	struct lg_file shown = {
		.size = sizeof(shown),
		.name = LG_SLICE("leads.csv"),
		.head = slice_cut(file, 0, LG_HEAD_MAX),
		.whole = file.length <= LG_HEAD_MAX,
		.length = (int64_t)file.length,
		.map = csv_desk.map,
		.map_count = csv_desk.map_count,
		.position = slice_from(position),
	};

	csv_desk.reading = (struct lg_reading){.size = sizeof(csv_desk.reading)};
	if (!desk.instance && plugin_csvimport.source->open(&csv_desk.host, desk.settings,
							    &desk.instance, problem) != LG_OK)
		return csv_desk.problem;
	if (plugin_csvimport.source->read_open(desk.instance, &desk.request, &shown,
					       &csv_desk.reading, problem) == LG_OK)
		return "";
	assert_true(csv_desk.problem[0] != '\0');
	return csv_desk.problem;
}

const char *read_file(struct lg_slice file, size_t chunk_bytes)
{
	size_t done = 0, room = csv_desk.room, bytes = chunk_bytes;
	char position[LG_POSITION_MAX + 1] = "";

	if (open_file(file, NULL)[0])
		fail_msg("%s", csv_desk.problem);
	do {
		struct lg_chunk chunk = {
			.size = sizeof(chunk),
			.bytes = slice_cut(file, done, bytes),
			.offset = (int64_t)done,
			.last = file.length - done <= bytes,
		};
		struct lg_taken taken = {.size = sizeof(taken)};

		assert_int_equal(plugin_csvimport.source->read(desk.instance, &desk.request,
							       csv_desk.reading.state, &chunk,
							       &taken),
				 LG_OK);
		assert_true(taken.consumed <= chunk.bytes.length);
		assert_true(taken.consumed || !chunk.last || !chunk.bytes.length);
		assert_true(taken.position.length <= LG_POSITION_MAX);
		bytes = taken.consumed ? chunk_bytes : bytes * 2;
		done += taken.consumed;
		slice_to_text(taken.position, position, sizeof(position));
		/* As after a kill: nothing is known but the position. */
		if (room != SIZE_MAX) {
			csv_desk.room = room;
			if (taken.consumed)
				assert_string_equal(open_file(file, position), "");
		}
	} while (done < file.length);
	return story();
}

const char *read_text(const char *text)
{
	return read_file(slice_from(text), SIZE_MAX / 4);
}
