/* csvimport: leads from files of delimited text, such as lists of referrals, exports of
 * lead ads, and address books.
 *
 *   sources:
 *     partners: { plugin: csvimport, kind: referral, fields: { Partner: referral.referrer_name } }
 *
 *   leadgate import partners march.csv
 */
#include "csvimport.h"

#include <stdio.h>
#include <stdlib.h>

static const struct lg_option options[] = {
	{.name = "fields",
	 .type = LG_FIELD_MAP,
	 .offset = offsetof(struct settings, fields),
	 .help = "where columns go whose names say too little: name of the column to path in the "
		 "record, as in \"Partner: referral.referrer_name\"; capitals, accents, blanks "
		 "and signs in names do not matter"},
	{.name = "ignore",
	 .type = LG_LIST,
	 .offset = offsetof(struct settings, ignore),
	 .help = "columns that are left out; others that nobody knows are kept in extra"},
	{.name = "columns",
	 .type = LG_LIST,
	 .offset = offsetof(struct settings, columns),
	 .help = "names of the columns of files that have no header; without it the header is "
		 "looked for among the first records"},
	{.name = "defaults",
	 .type = LG_MAP,
	 .offset = offsetof(struct settings, defaults),
	 .help = "what leads have whose row does not say it: path or form name of a field to its "
		 "value, as in \"referral.program: spring\""},
	{.name = "kind",
	 .type = LG_ENUM,
	 .offset = offsetof(struct settings, kind),
	 .fallback = "other",
	 .choices = LG_INQUIRY_KINDS,
	 .help = "what the leads ask for, written to inquiry.kind unless a column says it"},
	{.name = "delimiter",
	 .type = LG_ENUM,
	 .offset = offsetof(struct settings, delimiter),
	 .fallback = "auto",
	 .choices = DELIMITERS,
	 .help = "what stands between fields; auto is what makes names of the header that are "
		 "known"},
	{.name = "charset",
	 .type = LG_STRING,
	 .offset = offsetof(struct settings, charset),
	 .fallback = "auto",
	 .help = "character set of the files, such as utf-8, utf-16, windows-1252 or "
		 "iso-8859-2; auto is UTF-8 or UTF-16, and windows-1252 for records that are not "
		 "UTF-8"},
	{.name = "dates",
	 .type = LG_ENUM,
	 .offset = offsetof(struct settings, dates),
	 .fallback = "iso",
	 .choices = DATES,
	 .help = "how a date with slashes is meant, such as 9/12/2026; with iso it is not read and "
		 "kept in extra. 2026-12-09, 2026/12/09 and 9.12.2026 are always understood; a "
		 "time without a zone is UTC"},
	{.name = "consent_column",
	 .type = LG_STRING,
	 .offset = offsetof(struct settings, consent_column),
	 .help = "name of the column that states a consent; without it no consent is taken from a "
		 "file"},
	{.name = "consent_granted",
	 .type = LG_LIST,
	 .offset = offsetof(struct settings, consent_granted),
	 .help = "the words in that column that grant it, such as \"yes\"; all other words state "
		 "nothing"},
	{.name = "consent_denied",
	 .type = LG_LIST,
	 .offset = offsetof(struct settings, consent_denied),
	 .help = "the words that deny it"},
	{.name = "consent_purpose",
	 .type = LG_STRING,
	 .offset = offsetof(struct settings, consent_purpose),
	 .fallback = "marketing",
	 .help = "what is consented to"},
	{.name = "consent_channels",
	 .type = LG_LIST,
	 .offset = offsetof(struct settings, consent_channels),
	 .help = "the ways of contact that the consent covers, such as email, sms, phone; 255 "
		 "bytes with their commas, as consent_purpose and consent_version have"},
	{.name = "consent_text",
	 .type = LG_STRING,
	 .offset = offsetof(struct settings, consent_text),
	 .help = "the words to which people consented, kept as evidence"},
	{.name = "consent_version",
	 .type = LG_STRING,
	 .offset = offsetof(struct settings, consent_version),
	 .help = "version of those words"},
	{.name = "max_row",
	 .type = LG_SIZE,
	 .offset = offsetof(struct settings, max_row),
	 .fallback = "256KiB",
	 .min = 1024,
	 .max = 16 << 20,
	 .help = "longest row, with its line end, as UTF-8; of a longer one the first line is "
		 "refused and the next is read as a row. max_record must have room for two"},
	{.name = "max_columns",
	 .type = LG_INTEGER,
	 .offset = offsetof(struct settings, max_columns),
	 .fallback = "512",
	 .min = 1,
	 .max = LG_CSV_COLUMNS_MAX,
	 .help = "fields that a record may have"},
};

static int32_t say(struct lg_text problem, const char *text)
{
	snprintf(problem.data, problem.capacity, "%s", text);
	return LG_FAIL;
}

/* A row is too late to find out that a refusal has no room. */
static bool words_fit(const struct settings *settings, struct lg_text problem)
{
	return lg_consent_fits("consent_purpose", settings->consent_purpose.length, problem) &&
	       lg_consent_fits("consent_channels", lg_joined_bytes(&settings->consent_channels),
			       problem) &&
	       lg_consent_fits("consent_version", settings->consent_version.length, problem);
}

static int32_t check(const void *memory, struct lg_text problem)
{
	const struct settings *settings = memory;

	if (settings->consent_column.length && !settings->consent_granted.count)
		return say(problem, "consent_granted must name the words of consent_column that "
				    "grant it");
	if (settings->consent_column.length && !settings->consent_purpose.length)
		return say(problem, "consent_purpose must say what consent_column consents to");
	if (settings->consent_column.length && !words_fit(settings, problem))
		return LG_FAIL;
	if (!settings->consent_column.length &&
	    (settings->consent_granted.count || settings->consent_denied.count))
		return say(problem, "consent_column must name the column that states the consent");
	return LG_OK;
}

static int32_t find_field(const struct lg_services *services, struct lg_slice name,
			  struct lg_text problem)
{
	int32_t field = services->field_named(name);

	if (field >= 0 && field < LG_FIELD_COUNT)
		return field;
	snprintf(problem.data, problem.capacity,
		 "the option `defaults` names \"%.*s\", which is no field of a lead",
		 (int)name.length, name.data);
	return -1;
}

static int32_t open_instance(struct lg_host *host, const void *memory, void **instance,
			     struct lg_text problem)
{
	const struct settings *settings = memory;
	struct instance *made;

	for (size_t i = 0; i < settings->defaults.count; i++)
		if (find_field(host->services, settings->defaults.pairs[i].name, problem) < 0)
			return LG_FAIL;
	made = calloc(1, sizeof(*made));
	if (!made)
		return say(problem, "there is no memory");
	made->host = host;
	made->settings = settings;
	*instance = made;
	return LG_OK;
}

static void close_instance(void *instance)
{
	free(instance);
}

/* ---- opening a file ------------------------------------------------------------------- */

/* Fields by the names that the option `defaults` has. */
static bool find_fallbacks(struct lg_request *request, struct reading *reading,
			   struct lg_text problem)
{
	const struct lg_map *map = &reading->instance->settings->defaults;

	reading->fallbacks = lg_allocate(request, (map->count + 1) * sizeof(*reading->fallbacks));
	if (!reading->fallbacks)
		return say(problem, "there is no memory for the defaults") == LG_OK;
	for (size_t i = 0; i < map->count; i++) {
		int32_t field = find_field(request->services, map->pairs[i].name, problem);

		if (field < 0)
			return false;
		reading->fallbacks[i] = (struct fallback){field, map->pairs[i].value};
	}
	reading->fallback_count = map->count;
	return true;
}

/* "email,sms" of the list that the configuration gives. */
static bool join_channels(struct lg_request *request, struct reading *reading)
{
	const struct lg_list *list = &reading->instance->settings->consent_channels;
	size_t length = 0;
	char *joined;

	for (size_t i = 0; i < list->count; i++)
		length += list->items[i].length + 1;
	if (!length)
		return true;
	joined = lg_allocate(request, length);
	if (!joined)
		return false;
	length = 0;
	for (size_t i = 0; i < list->count; i++) {
		if (i)
			joined[length++] = ',';
		memcpy(joined + length, list->items[i].data, list->items[i].length);
		length += list->items[i].length;
	}
	reading->consent_channels = (struct lg_slice){joined, length};
	return true;
}

/* "4711", and "4711+" inside a line that was given up. False: it is no position of ours. */
static bool read_position(struct lg_slice position, struct lg_csv_place *place)
{
	size_t digits = 0;

	place->line = 0;
	while (digits < position.length && digits < 18 && position.data[digits] >= '0' &&
	       position.data[digits] <= '9')
		place->line = place->line * 10 + position.data[digits++] - '0';
	position = lg_slice_cut(position, digits, position.length);
	place->inside = position.length == 1 && position.data[0] == '+';
	return place->line > 0 && (position.length == 0 || place->inside);
}

static int32_t read_open(void *instance, struct lg_request *request, const struct lg_file *file,
			 struct lg_reading *out, struct lg_text problem)
{
	struct reading *reading = lg_allocate(request, sizeof(*reading));

	if (!reading)
		return say(problem, "there is no memory for the file");
	reading->instance = instance;
	if (!find_fallbacks(request, reading, problem) ||
	    !header_find(request, file, reading, out, problem))
		return LG_FAIL;
	if (!join_channels(request, reading))
		return say(problem, "there is no memory for the consent");
	reading->place = reading->first;
	if (file->position.length && !read_position(file->position, &reading->place))
		return say(problem, "the position at which the reading should go on is not one of "
				    "this plugin");
	out->state = reading;
	return LG_OK;
}

/* ---- reading it ------------------------------------------------------------------------- */

static void say_position(struct reading *reading, struct lg_taken *taken)
{
	snprintf(reading->position, sizeof(reading->position), "%lld%s",
		 (long long)reading->place.line, reading->place.inside ? "+" : "");
	taken->position = lg_slice_from(reading->position);
}

static int32_t read_rows(struct reading *reading, struct lg_request *request, struct lg_slice bytes,
			 bool last, size_t *consumed)
{
	struct lg_csv_row row;
	int32_t step;

	lg_csv_feed(request, reading->csv, bytes, last, &reading->place);
	while ((step = lg_csv_next(request, reading->csv, &row)) == LG_OK) {
		if (!row_add(request, reading, &row))
			return LG_OK;
		*consumed = row.end;
		reading->place = row.next;
	}
	return step == LG_LATER
		       ? LG_OK
		       : lg_refuse(request, 503, LG_SLICE("There is no memory for a row."));
}

static int32_t read_chunk(void *instance, struct lg_request *request, void *state,
			  const struct lg_chunk *chunk, struct lg_taken *taken)
{
	struct reading *reading = state;
	int64_t above = reading->start - chunk->offset; /* bytes up to the first row */
	size_t skipped = 0, consumed = 0;
	int32_t result;

	(void)instance;
	if (above > 0)
		skipped = above < (int64_t)chunk->bytes.length ? (size_t)above
							       : chunk->bytes.length;
	if (above >= 0)
		reading->place = reading->first;
	result = read_rows(reading, request,
			   lg_slice_cut(chunk->bytes, skipped, chunk->bytes.length),
			   chunk->last != 0, &consumed);
	taken->consumed = skipped + consumed;
	say_position(reading, taken);
	return result;
}

static const struct lg_source_operations operations = {
	.size = sizeof(operations),
	.check = check,
	.open = open_instance,
	.close = close_instance,
	.read_open = read_open,
	.read = read_chunk,
};

LG_SOURCE_PLUGIN(0, 4, "csvimport", .version = "0.1",
		 .summary = "Leads from files: lists of referrals, exports of ads and CRMs",
		 .flags = LG_READS_FILES, .channel = "import", .source = &operations,
		 LG_OPTIONS(options, struct settings));
