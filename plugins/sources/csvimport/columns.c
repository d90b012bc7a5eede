/* The columns of a file: what each of them means, by the operator's word before anybody
 * else's, and whether they are enough to reach a person. */
#include "csvimport.h"

#include <stdio.h>

/* ---- what a column means -------------------------------------------------------------- */

static int32_t meaning_of(struct lg_request *request, const struct lg_file *file,
			  const struct reading *reading, struct lg_slice plain)
{
	const struct settings *settings = reading->instance->settings;

	for (size_t i = 0; i < file->map_count; i++)
		if (names_same(plain, file->map[i].name))
			return lg_slice_is(file->map[i].value, "-")
				       ? COLUMN_IGNORED
				       : names_meaning(request,
						       names_plain(request, file->map[i].value));
	for (size_t i = 0; i < settings->fields.count; i++)
		if (names_same(plain, settings->fields.entries[i].name))
			return settings->fields.entries[i].field;
	for (size_t i = 0; i < settings->ignore.count; i++)
		if (names_same(plain, settings->ignore.items[i]))
			return COLUMN_IGNORED;
	if (settings->consent_column.length && names_same(plain, settings->consent_column))
		return COLUMN_CONSENT;
	return names_meaning(request, plain);
}

/* Whether it is one by which a person is reached. */
static bool is_contact(int32_t meaning)
{
	return meaning == LG_EMAIL || meaning == LG_PHONE || meaning == COLUMN_LINKEDIN;
}

size_t columns_known(struct lg_request *request, const struct lg_file *file,
		     const struct reading *reading, const struct lg_slice *names, size_t count)
{
	size_t known = 0;
	bool contact = false;

	for (size_t i = 0; i < count; i++) {
		struct lg_slice plain = names_plain(request, names[i]);
		int32_t meaning = plain.length ? meaning_of(request, file, reading, plain)
					       : COLUMN_EXTRA;

		known += meaning != COLUMN_EXTRA;
		contact = contact || is_contact(meaning);
	}
	return known == 1 && !contact ? 0 : known;
}

/* ---- filling them in ------------------------------------------------------------------ */

static struct lg_slice copy(struct lg_request *request, struct lg_slice text)
{
	char *out = lg_allocate(request, text.length + 1);

	if (!out)
		return (struct lg_slice){NULL, 0};
	memcpy(out, text.length ? text.data : "", text.length);
	return (struct lg_slice){out, text.length};
}

static struct lg_slice number_name(struct lg_request *request, size_t number)
{
	char *out = lg_allocate(request, 32);

	if (!out)
		return (struct lg_slice){NULL, 0};
	snprintf(out, 32, "column_%zu", number);
	return lg_slice_from(out);
}

static bool fill_column(struct lg_request *request, const struct lg_file *file,
			struct reading *reading, struct lg_slice name, size_t index)
{
	struct column *column = &reading->columns[index];
	struct lg_slice plain = names_plain(request, name);

	name = lg_slice_trim(name);
	column->unnamed = !name.length;
	column->name = name.length ? copy(request, name) : number_name(request, index + 1);
	column->meaning = plain.length ? meaning_of(request, file, reading, plain) : COLUMN_EXTRA;
	column->prefix = "";
	return plain.data && column->name.data;
}

static struct column *column_called(const struct reading *reading, const char *name)
{
	for (size_t i = 0; i < reading->column_count; i++)
		if (lg_slice_is(reading->columns[i].name, name))
			return &reading->columns[i];
	return NULL;
}

/* Facebook's exports (and Instagram's) mark their values: l:4711 is a lead's id. */
static void know_facebook(struct reading *reading)
{
	static const struct {
		const char *name, *prefix;
	} marked[] = {{"id", "l:"},	   {"lead_id", "l:"},	  {"ad_id", "ag:"},
		      {"adset_id", "as:"}, {"campaign_id", "c:"}, {"form_id", "f:"}};
	struct column *id = column_called(reading, "id");

	reading->facebook = column_called(reading, "form_id") && column_called(reading, "ad_id") &&
			    column_called(reading, "created_time");
	for (size_t i = 0; i < reading->column_count; i++)
		if (reading->columns[i].meaning == LG_PHONE)
			reading->columns[i].prefix = "p:";
		else if (reading->columns[i].meaning == LG_POSTAL_CODE)
			reading->columns[i].prefix = "z:";
	if (!reading->facebook)
		return;
	if (id && id->meaning == COLUMN_EXTRA)
		id->meaning = LG_EXTERNAL_ID;
	for (size_t i = 0; i < sizeof(marked) / sizeof(marked[0]); i++)
		if (column_called(reading, marked[i].name))
			column_called(reading, marked[i].name)->prefix = marked[i].prefix;
}

bool columns_fill(struct lg_request *request, const struct lg_file *file, struct reading *reading,
		  const struct lg_slice *names, size_t count)
{
	reading->columns = lg_allocate(request, (count + 1) * sizeof(*reading->columns));
	reading->column_count = count;
	if (!reading->columns)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!fill_column(request, file, reading, names[i], i))
			return false;
	know_facebook(reading);
	return true;
}

/* ---- whether they will do ------------------------------------------------------------- */

/* What the operator says must be true: a name that is misspelt would lose a column. */
static bool check_map(struct lg_request *request, const struct lg_file *file,
		      const struct reading *reading, struct lg_text problem)
{
	for (size_t i = 0; i < file->map_count; i++) {
		const struct lg_pair *pair = &file->map[i];
		struct lg_slice plain = names_plain(request, pair->name);
		size_t column = 0;

		if (!plain.data) {
			snprintf(problem.data, problem.capacity,
				 "there is no memory for the names of the columns");
			return false;
		}
		while (column < reading->column_count &&
		       !names_same(plain, reading->columns[column].name))
			column++;
		if (column == reading->column_count)
			snprintf(problem.data, problem.capacity, "the file has no column \"%.*s\"",
				 (int)pair->name.length, pair->name.data);
		else if (reading->columns[column].meaning == COLUMN_EXTRA)
			snprintf(problem.data, problem.capacity,
				 "\"%.*s\" is no field of a lead, and no name of one",
				 (int)pair->value.length, pair->value.data);
		else
			continue;
		return false;
	}
	return true;
}

static bool check_contact(const struct reading *reading, int64_t line, struct lg_text problem)
{
	for (size_t i = 0; i < reading->column_count; i++)
		if (is_contact(reading->columns[i].meaning))
			return true;
	snprintf(problem.data, problem.capacity,
		 "no column of line %lld holds an email address or a phone number, as far as its "
		 "name says: map one to person.email or person.phone",
		 (long long)line);
	return false;
}

bool columns_check(struct lg_request *request, const struct lg_file *file,
		   const struct reading *reading, int64_t line, struct lg_text problem)
{
	return check_map(request, file, reading, problem) && check_contact(reading, line, problem);
}
