/* The line that names the columns: where it is, what stands between its fields, and what
 * is said of the file by it. Titles and remarks may stand above it; so the delimiter that
 * makes names of a line which are known is the right one. */
#include "csvimport.h"

#include <stdio.h>

#define LOOK_AT 20 /* records from the top among which the header is looked for */
#define ENOUGH 2   /* names that are known make a header */

static const struct {
	const char *text, *plural;
} delimiters[] = {{",", "commas"}, {";", "semicolons"}, {"\t", "tabs"}, {"|", "pipes"}};
#define DELIMITER_COUNT (sizeof(delimiters) / sizeof(delimiters[0]))

struct search {
	struct lg_request *request;
	const struct lg_file *file;
	struct reading *reading;
	struct lg_text problem;
	char rejects[2]; /* delimiter of a file of refused rows; "": it is another file */
	/* The first record that cannot be read: it may have been the header. */
	char trouble[160];
	int64_t endless; /* the first line, where it does not end within the head; or 0 */
	/* The best line until now. */
	size_t score;
	int64_t line;
	struct lg_csv_dialect dialect;
};

static bool say(struct lg_text problem, const char *text)
{
	snprintf(problem.data, problem.capacity, "%s", text);
	return false;
}

static bool no_memory(struct search *search)
{
	return say(search->problem, "there is no memory for the header");
}

/* ---- what a line is worth ------------------------------------------------------------- */

/* Only a value is nothing but an address: "Twitter @" and "E-mail (you@example.com)" are
 * names. */
static bool is_address(struct lg_slice field)
{
	bool has_at = false;

	field = lg_slice_trim(field);
	for (size_t i = 0; i < field.length; i++) {
		has_at = has_at || (field.data[i] == '@' && i > 0 && i + 1 < field.length);
		if (field.data[i] == ' ')
			return false;
	}
	return has_at;
}

/* A record with an address in it is no header, whatever else stands there: to take it for
 * one would skip the rows above. */
static bool holds_address(const struct lg_csv_row *row)
{
	for (size_t i = 0; i < row->field_count; i++)
		if (is_address(row->fields[i]))
			return true;
	return false;
}

static size_t score_of(struct search *search, const struct lg_csv_row *row)
{
	if (holds_address(row))
		return 0;
	return columns_known(search->request, search->file, search->reading, row->fields,
			     row->field_count);
}

/* ---- the search -------------------------------------------------------------------------- */

static bool open_csv(struct search *search, const char *delimiter, struct lg_csv_dialect *dialect,
		     struct lg_csv **csv)
{
	const struct settings *settings = search->reading->instance->settings;
	struct lg_csv_place place = {0};

	*dialect = (struct lg_csv_dialect){
		.size = sizeof(*dialect),
		.charset = *search->rejects ? LG_SLICE("auto") : settings->charset,
		.delimiter = delimiter ? lg_slice_from(delimiter) : (struct lg_slice){NULL, 0},
		.max_record = settings->max_row,
		.max_columns = settings->max_columns,
	};
	if (lg_csv_open(search->request, search->file->head, dialect, csv, search->problem) !=
	    LG_OK)
		return false;
	place.line = dialect->line;
	lg_csv_feed(
		search->request, *csv,
		lg_slice_cut(search->file->head, (size_t)dialect->start, search->file->head.length),
		search->file->whole, &place);
	return true;
}

/* A line is better when it is further up and is a header for sure, then by its score. */
static bool is_better(const struct search *search, size_t score, int64_t line)
{
	bool enough = score >= ENOUGH, had_enough = search->score >= ENOUGH;

	if (!score || !search->score)
		return score > 0;
	if (enough != had_enough)
		return enough;
	return line != search->line ? line < search->line : score > search->score;
}

static bool look(struct search *search, const char *delimiter)
{
	struct lg_csv_dialect dialect;
	struct lg_csv_row row;
	struct lg_csv *csv;
	int i;

	if (!open_csv(search, delimiter, &dialect, &csv))
		return false;
	for (i = 0; i < LOOK_AT && lg_csv_next(search->request, csv, &row) == LG_OK; i++) {
		size_t score = score_of(search, &row);

		if (row.problem.length && !*search->trouble)
			snprintf(search->trouble, sizeof(search->trouble), "; line %lld: %.*s",
				 (long long)row.place.line, (int)row.problem.length,
				 row.problem.data);
		if (!is_better(search, score, row.place.line))
			continue;
		search->score = score;
		search->line = row.place.line;
		search->dialect = dialect;
	}
	if (i == 0 && !search->file->whole)
		search->endless = dialect.line;
	return true;
}

/* Tries what may stand between fields, or only what is said to. */
static bool look_with_each(struct search *search)
{
	int32_t said = search->reading->instance->settings->delimiter;
	struct lg_csv_dialect dialect;
	struct lg_csv *csv;

	if (*search->rejects)
		return look(search, search->rejects);
	if (said > 0)
		return look(search, delimiters[said - 1].text);
	if (!open_csv(search, NULL, &dialect, &csv))
		return false;
	if (dialect.says_delimiter)
		return look(search, NULL);
	for (size_t i = 0; i < DELIMITER_COUNT; i++)
		if (!look(search, delimiters[i].text))
			return false;
	return true;
}

/* Reads up to the line that was found, again, for its names. */
static bool find_row(struct search *search, struct lg_csv_row *row)
{
	char delimiter[2] = {search->dialect.delimiter.data[0], '\0'};
	struct reading *reading = search->reading;

	if (!open_csv(search, delimiter, &search->dialect, &reading->csv))
		return false;
	do {
		if (lg_csv_next(search->request, reading->csv, row) != LG_OK)
			return no_memory(search);
	} while (row->place.line != search->line || row->field_count == 0);
	reading->start = search->dialect.start + (int64_t)row->end;
	reading->first = row->next;
	return true;
}

/* ---- its columns --------------------------------------------------------------------------- */

static bool fill_columns(struct search *search, const struct lg_slice *names, size_t count)
{
	return columns_fill(search->request, search->file, search->reading, names, count) ||
	       no_memory(search);
}

static bool check_columns(struct search *search)
{
	return columns_check(search->request, search->file, search->reading, search->line,
			     search->problem);
}

/* ---- a file without a header ------------------------------------------------------------------ */

/* The delimiter that makes as many fields of the first record as there are columns. */
static bool fits_columns(struct search *search, const char *delimiter)
{
	struct lg_csv_dialect dialect;
	struct lg_csv_row row = {0};
	struct lg_csv *csv;

	if (!open_csv(search, delimiter, &dialect, &csv))
		return false;
	while (lg_csv_next(search->request, csv, &row) == LG_OK && row.field_count == 0)
		continue;
	if (row.field_count != search->reading->instance->settings->columns.count)
		return false;
	search->dialect = dialect;
	search->line = dialect.line;
	search->reading->csv = csv;
	search->reading->start = dialect.start;
	search->reading->first.line = dialect.line;
	return true;
}

static bool find_columns(struct search *search)
{
	const struct settings *settings = search->reading->instance->settings;
	bool found = settings->delimiter
			     ? fits_columns(search, delimiters[settings->delimiter - 1].text)
			     : fits_columns(search, NULL);

	for (size_t i = 0; i < DELIMITER_COUNT && !settings->delimiter && !found; i++)
		found = fits_columns(search, delimiters[i].text);
	if (found)
		return fill_columns(search, settings->columns.items, settings->columns.count);
	if (!search->problem.data[0])
		snprintf(search->problem.data, search->problem.capacity,
			 "the first line does not have the %zu columns that the option `columns` "
			 "names",
			 settings->columns.count);
	return false;
}

/* ---- what is said of the file ------------------------------------------------------------------- */

static const char *plural_of(char delimiter)
{
	for (size_t i = 0; i < DELIMITER_COUNT; i++)
		if (delimiters[i].text[0] == delimiter)
			return delimiters[i].plural;
	return "its own delimiter";
}

/* Names joined as a header has them, where the file has none. */
static struct lg_slice join_columns(struct search *search)
{
	const struct lg_list *names = &search->reading->instance->settings->columns;
	size_t length = 0;
	char *out, *to;

	for (size_t i = 0; i < names->count; i++)
		length += 2 * names->items[i].length + 3;
	out = to = lg_allocate(search->request, length + 1);
	if (!out)
		return (struct lg_slice){NULL, 0};
	for (size_t i = 0; i < names->count; i++) {
		if (i)
			*to++ = search->dialect.delimiter.data[0];
		*to++ = '"';
		for (size_t k = 0; k < names->items[i].length; k++) {
			if (names->items[i].data[k] == '"')
				*to++ = '"';
			*to++ = names->items[i].data[k];
		}
		*to++ = '"';
	}
	return (struct lg_slice){out, (size_t)(to - out)};
}

static bool tell(struct search *search, struct lg_slice header, struct lg_reading *out)
{
	static const char line[] = "leadgate_line", reason[] = "leadgate_reason";
	const struct reading *reading = search->reading;
	size_t room = sizeof(line) + sizeof(reason) + header.length + 3;
	char *text = lg_allocate(search->request, room);
	char *dialect = lg_allocate(search->request, 128);
	struct lg_pair *columns = lg_allocate(search->request,
					      (reading->column_count + 1) * sizeof(*columns));

	if (!text || !dialect || !columns || !header.data)
		return no_memory(search);
	snprintf(text, room, "%s%c%s%c", line, search->dialect.delimiter.data[0], reason,
		 search->dialect.delimiter.data[0]);
	out->header = (struct lg_slice){text, strlen(text) + header.length};
	memcpy(text + strlen(text), header.data, header.length);
	out->delimiter = search->dialect.delimiter;
	snprintf(dialect, 128, "%s, %.*s", plural_of(search->dialect.delimiter.data[0]),
		 (int)search->dialect.charset.length, search->dialect.charset.data);
	out->dialect = lg_slice_from(dialect);
	for (size_t i = 0; i < reading->column_count; i++)
		columns[i] = (struct lg_pair){reading->columns[i].name,
					      names_path(reading->columns[i].meaning)};
	out->columns = columns;
	out->column_count = reading->column_count;
	return true;
}

/* ---- the whole ------------------------------------------------------------------------------------ */

static bool not_found(const struct search *search)
{
	if (search->endless) {
		snprintf(search->problem.data, search->problem.capacity,
			 "line %lld does not end within the first %d bytes of the file, in which "
			 "the header must be: shorten the names of its columns, or close a quote "
			 "that is open there%s",
			 (long long)search->endless, LG_HEAD_MAX, search->trouble);
		return false;
	}
	snprintf(search->problem.data, search->problem.capacity,
		 "no line at the top of the file names columns that are known, such as email, "
		 "phone or first name: map its columns, or name them with the option `columns` "
		 "when the file has no header%s",
		 search->trouble);
	return false;
}

/* Passes a word that may stand between quotes. */
static bool pass_word(struct lg_slice *text, const char *word)
{
	size_t length = strlen(word);
	bool quoted = text->length && text->data[0] == '"';

	if (quoted)
		*text = lg_slice_cut(*text, 1, text->length);
	if (!lg_slice_is(lg_slice_cut(*text, 0, length), word))
		return false;
	*text = lg_slice_cut(*text, length, text->length);
	if (!quoted)
		return true;
	if (!text->length || text->data[0] != '"')
		return false;
	*text = lg_slice_cut(*text, 1, text->length);
	return true;
}

/* A file of rows that were refused has a header even where its source has none, and is
 * UTF-8 whatever the source's files are. */
static void know_rejects(struct search *search)
{
	struct lg_slice text = search->file->head;
	char delimiter;

	if (lg_slice_is(lg_slice_cut(text, 0, 3), "\xef\xbb\xbf"))
		text = lg_slice_cut(text, 3, text.length);
	if (!pass_word(&text, "leadgate_line") || !text.length)
		return;
	delimiter = text.data[0];
	text = lg_slice_cut(text, 1, text.length);
	if (pass_word(&text, "leadgate_reason"))
		search->rejects[0] = delimiter;
}

bool header_find(struct lg_request *request, const struct lg_file *file, struct reading *reading,
		 struct lg_reading *out, struct lg_text problem)
{
	struct search search = {
		.request = request, .file = file, .reading = reading, .problem = problem};
	struct lg_csv_row row;

	if (problem.capacity)
		problem.data[0] = '\0';
	if (!file->length)
		return say(problem, "the file is empty");
	know_rejects(&search);
	if (reading->instance->settings->columns.count && !*search.rejects)
		return find_columns(&search) && check_columns(&search) &&
		       tell(&search, join_columns(&search), out);
	if (!look_with_each(&search))
		return false;
	if (!search.score)
		return not_found(&search);
	if (!find_row(&search, &row) || !fill_columns(&search, row.fields, row.field_count))
		return false;
	return check_columns(&search) && tell(&search, row.text, out);
}
