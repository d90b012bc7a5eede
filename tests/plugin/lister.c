/* A source that only reads files, for the tests of imports: each line is an address.
 * "!WHY" is refused, "-" ignored, "?" is nobody who can be reached. */
#include <leadgate/plugin.h>
#include <leadgate/source.h>

/* What a reading that goes on has to know. */
struct place {
	int64_t line; /* lines read so far */
};

static int32_t read_open(void *instance, struct lg_request *request, const struct lg_file *file,
			 struct lg_reading *reading, struct lg_text problem)
{
	static const char none[] = "a list of addresses is not empty";
	static const struct lg_pair columns[] = {{LG_SLICE("address"), LG_SLICE("person.email")}};
	struct place *place = lg_allocate(request, sizeof(*place));

	(void)instance;
	if (!place)
		return LG_FAIL;
	if (file->length == 0) {
		if (problem.capacity >= sizeof(none))
			memcpy(problem.data, none, sizeof(none));
		return LG_FAIL;
	}
	if (file->position.length == sizeof(*place))
		memcpy(place, file->position.data, sizeof(*place));
	reading->state = place;
	reading->header = LG_SLICE("leadgate_line,leadgate_reason,address");
	reading->delimiter = LG_SLICE(",");
	reading->columns = columns;
	reading->column_count = 1;
	reading->dialect = LG_SLICE("lines");
	return LG_OK;
}

/* False: there is no room for it any more. */
static int take_line(struct lg_request *request, struct lg_slice line, int64_t number)
{
	const struct lg_origin origin = {.size = sizeof(origin), .line = number, .text = line};
	struct lg_lead *lead;

	if (line.length == 1 && line.data[0] == '-')
		return lg_ignore(request, LG_SLICE("empty")) == LG_OK;
	if (line.length > 0 && line.data[0] == '!')
		return lg_reject(request, (struct lg_slice){line.data + 1, line.length - 1},
				 &origin) == LG_OK;
	lead = lg_lead(request);
	if (!lead || lg_lead_origin(lead, &origin) != LG_OK)
		return 0;
	if (line.length > 0 && line.data[0] != '?')
		lg_lead_set(lead, LG_EMAIL, line);
	return 1;
}

static int32_t read_lines(void *instance, struct lg_request *request, void *state,
			  const struct lg_chunk *chunk, struct lg_taken *taken)
{
	struct place *place = state;

	(void)instance;
	while (taken->consumed < chunk->bytes.length) {
		const char *from = chunk->bytes.data + taken->consumed;
		size_t left = chunk->bytes.length - taken->consumed;
		const char *end = memchr(from, '\n', left);
		size_t length = end ? (size_t)(end - from) : left;

		if ((!end && !chunk->last) ||
		    !take_line(request, (struct lg_slice){from, length}, place->line + 1))
			break;
		place->line++;
		taken->consumed += length + (end ? 1 : 0);
	}
	taken->position = (struct lg_slice){(const char *)place, sizeof(*place)};
	return LG_OK;
}

static const struct lg_source_operations operations = {
	.size = sizeof(operations),
	.read_open = read_open,
	.read = read_lines,
};

LG_SOURCE_PLUGIN(0, 4, "lister", .version = "1", .flags = LG_READS_FILES,
		 .summary = "reads lists of addresses", .channel = "import", .source = &operations);
