#include "csv_desk.h"

#include <stdio.h>

#include "base/clock.h"
#include "codec/csv.h"
#include "codec/date.h"
#include "host/services.h"
#include "lead/field.h"

struct desk desk;

__attribute__((format(printf, 1, 2))) static void tell(const char *format, ...)
{
	char line[8192];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	assert_true(n >= 0 && n < (int)sizeof(line));
	buffer_add(&desk.story, line, (size_t)n);
	buffer_add_byte(&desk.story, '\n');
}

/* ---- services --------------------------------------------------------------------- */

static void fake_log(struct lg_host *host, int32_t level, struct lg_slice message)
{
	(void)host;
	tell("log %d %.*s", level, SLICE_ARGS(message));
}

static void *fake_allocate(struct lg_request *request, size_t size)
{
	(void)request;
	return arena_zalloc(&desk.arena, size);
}

static int32_t fake_refuse(struct lg_request *request, int32_t status, struct lg_slice detail)
{
	(void)request;
	tell("refuse %d %.*s", status, SLICE_ARGS(detail));
	return LG_FAIL;
}

static struct lg_lead *fake_lead(struct lg_request *request)
{
	(void)request;
	desk.extras = 0;
	return desk.room && desk.room-- ? &desk.lead : NULL;
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
	if (!desk.room)
		return LG_FAIL;
	desk.room--;
	tell("reject %lld: %.*s (%.*s)", (long long)origin->line, SLICE_ARGS(origin->text),
	     SLICE_ARGS(reason));
	return LG_OK;
}

static int32_t fake_ignore(struct lg_request *request, struct lg_slice reason)
{
	(void)request;
	if (!desk.room)
		return LG_FAIL;
	desk.room--;
	tell("ignore %.*s", SLICE_ARGS(reason));
	return LG_OK;
}

static int32_t fake_set(struct lg_lead *lead, int32_t field, struct lg_slice value)
{
	(void)lead;
	if (field < 0 || field >= LG_FIELD_COUNT || field_table[field].type == FIELD_LIST)
		return LG_FAIL;
	tell("%s=%.*s", field_table[field].path, SLICE_ARGS(value));
	return LG_OK;
}

static int32_t fake_add(struct lg_lead *lead, int32_t field, struct lg_slice value)
{
	(void)lead;
	if (field < 0 || field >= LG_FIELD_COUNT || field_table[field].type != FIELD_LIST)
		return LG_FAIL;
	tell("%s+=%.*s", field_table[field].path, SLICE_ARGS(value));
	return LG_OK;
}

static int32_t fake_profile(struct lg_lead *lead, struct lg_slice network, struct lg_slice id,
			    struct lg_slice url)
{
	(void)lead;
	tell("profile %.*s %.*s %.*s", SLICE_ARGS(network), SLICE_ARGS(id), SLICE_ARGS(url));
	return LG_OK;
}

static int32_t fake_consent(struct lg_lead *lead, const struct lg_consent *c)
{
	(void)lead;
	tell("consent %d %.*s by %.*s: %.*s v%.*s", c->state, SLICE_ARGS(c->purpose),
	     SLICE_ARGS(c->channels), SLICE_ARGS(c->text), SLICE_ARGS(c->version));
	return LG_OK;
}

static int32_t fake_extra(struct lg_lead *lead, struct lg_slice name, struct lg_slice value)
{
	(void)lead;
	if (desk.extras++ == 10)
		return LG_FAIL;
	tell("extra %.*s=%.*s", SLICE_ARGS(name), SLICE_ARGS(value));
	return LG_OK;
}

static int32_t fake_key(struct lg_lead *lead, int32_t kind, struct lg_slice key)
{
	(void)lead;
	tell("key %d %.*s", kind, SLICE_ARGS(key));
	return LG_OK;
}

static int32_t fake_field_named(struct lg_slice name)
{
	return field_by_name(name);
}

static int32_t fake_time(struct lg_slice text, int64_t *at)
{
	return time_parse(text, at) ? LG_OK : LG_FAIL;
}

static struct lg_slice fake_time_text(struct lg_request *request, int64_t at)
{
	char text[CLOCK_RFC3339_BYTES];

	(void)request;
	clock_format(at, text);
	return arena_copy(&desk.arena, slice_from(text));
}

static int32_t fake_csv_open(struct lg_request *request, struct lg_slice head,
			     struct lg_csv_dialect *said, struct lg_csv **out,
			     struct lg_text problem)
{
	struct csv_limits limits = {(size_t)said->max_record, (size_t)said->max_columns};
	struct csv *csv = arena_new(&desk.arena, struct csv);
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
	assert_true(csv_init(csv, &desk.arena, &dialect, &limits));
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
	csv_feed((struct csv *)(void *)csv, &desk.arena, bytes, last != 0, ours);
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

void set_setting(const char *name, const void *value, size_t size)
{
	for (size_t i = 0; i < plugin_csvimport.option_count; i++)
		if (strcmp(plugin_csvimport.options[i].name, name) == 0) {
			memcpy(desk.settings + plugin_csvimport.options[i].offset, value, size);
			return;
		}
	fail_msg("no option %s", name);
}

void set_text(const char *name, const char *value)
{
	struct lg_slice text = slice_from(value);
	set_setting(name, &text, sizeof(text));
}

void set_choice(const char *name, int32_t value)
{
	set_setting(name, &value, sizeof(value));
}

static void set_number(const char *name, int64_t value)
{
	set_setting(name, &value, sizeof(value));
}

void map_column(const char *column, const char *meaning)
{
	assert_true(desk.map_count < 8);
	desk.map[desk.map_count++] = (struct lg_pair){slice_from(column), slice_from(meaning)};
}

static void add_services(struct lg_services *services)
{
	services_init(services);
	services->log = fake_log;
	services->allocate = fake_allocate;
	services->refuse = fake_refuse;
	services->lead = fake_lead;
	services->lead_origin = fake_origin;
	services->reject = fake_reject;
	services->ignore = fake_ignore;
	services->lead_set = fake_set;
	services->lead_add = fake_add;
	services->lead_profile = fake_profile;
	services->lead_consent = fake_consent;
	services->lead_extra = fake_extra;
	services->lead_key = fake_key;
	services->field_named = fake_field_named;
	services->time = fake_time;
	services->time_text = fake_time_text;
	services->csv_open = fake_csv_open;
	services->csv_feed = fake_csv_feed;
	services->csv_next = fake_csv_next;
}

int desk_init(void **state)
{
	(void)state;
	memset(&desk, 0, sizeof(desk));
	add_services(&desk.services);
	desk.request.services = desk.lead.services = desk.host.services = &desk.services;
	desk.room = SIZE_MAX;
	arena_init(&desk.arena, 65536, 0);
	buffer_init(&desk.story, SIZE_MAX);
	set_text("charset", "auto");
	set_text("consent_purpose", "marketing");
	set_choice("kind", 8);
	set_number("max_row", 4096);
	set_number("max_columns", 64);
	return 0;
}

int desk_fini(void **state)
{
	(void)state;
	if (desk.instance)
		plugin_csvimport.source->close(desk.instance);
	arena_fini(&desk.arena);
	buffer_fini(&desk.story);
	return 0;
}

const char *open_file(struct lg_slice file, const char *position)
{
	struct lg_text problem = {desk.problem, sizeof(desk.problem)};
	struct lg_file shown = {
		.size = sizeof(shown),
		.name = LG_SLICE("leads.csv"),
		.head = slice_cut(file, 0, LG_HEAD_MAX),
		.whole = file.length <= LG_HEAD_MAX,
		.length = (int64_t)file.length,
		.map = desk.map,
		.map_count = desk.map_count,
		.position = slice_from(position),
	};

	desk.reading = (struct lg_reading){.size = sizeof(desk.reading)};
	if (!desk.instance)
		assert_int_equal(plugin_csvimport.source->open(&desk.host, desk.settings,
							       &desk.instance, problem),
				 LG_OK);
	if (plugin_csvimport.source->read_open(desk.instance, &desk.request, &shown, &desk.reading,
					       problem) == LG_OK)
		return "";
	assert_true(desk.problem[0] != '\0');
	return desk.problem;
}

/* The story until now. */
static const char *story(void)
{
	buffer_add_byte(&desk.story, '\0');
	return desk.story.data + desk.story.start;
}

const char *read_file(struct lg_slice file, size_t chunk_bytes)
{
	size_t done = 0, room = desk.room, bytes = chunk_bytes;
	char position[LG_POSITION_MAX + 1] = "";

	if (open_file(file, NULL)[0])
		fail_msg("%s", desk.problem);
	do {
		struct lg_chunk chunk = {
			.size = sizeof(chunk),
			.bytes = slice_cut(file, done, bytes),
			.offset = (int64_t)done,
			.last = file.length - done <= bytes,
		};
		struct lg_taken taken = {.size = sizeof(taken)};

		assert_int_equal(plugin_csvimport.source->read(desk.instance, &desk.request,
							       desk.reading.state, &chunk, &taken),
				 LG_OK);
		assert_true(taken.consumed <= chunk.bytes.length);
		assert_true(taken.consumed || !chunk.last || !chunk.bytes.length);
		assert_true(taken.position.length <= LG_POSITION_MAX);
		bytes = taken.consumed ? chunk_bytes : bytes * 2;
		done += taken.consumed;
		slice_to_text(taken.position, position, sizeof(position));
		/* As after a kill: nothing is known but the position. */
		if (room != SIZE_MAX) {
			desk.room = room;
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
