/* A record to a lead: each value goes where its column says; what nobody knows is kept
 * as it stands in the file. */
#include "csvimport.h"

#include <stdio.h>

#define TEST_START "<test lead:"	   /* what Facebook's testing tool fills in */
#define VALUES_SEPARATOR LG_SLICE(" ::: ") /* several values in a cell of Google Contacts */

/* What each field of the record can hold. */
#define LG_FIELD(id, path, type, limit, flags, names) limit,
static const size_t field_bytes[LG_FIELD_COUNT] = {
#include <leadgate/fields.def>
};
#undef LG_FIELD

struct filling {
	struct lg_request *request;
	struct reading *reading;
	const struct settings *settings;
	struct lg_lead *lead;
	struct lg_slice taken[LG_FIELD_COUNT]; /* what each field was set to */
};

/* ---- values ---------------------------------------------------------------------------- */

static bool starts(struct lg_slice text, const char *prefix)
{
	return lg_slice_is(lg_slice_cut(text, 0, strlen(prefix)), prefix);
}

/* What a formula begins with, for a spreadsheet. */
static bool begins_formula(char c)
{
	return c == '=' || c == '+' || c == '-' || c == '@';
}

/* What spreadsheets put around a value so that it stays text (="0049", '+49), and
 * Facebook before one. */
static struct lg_slice plain_value(struct lg_slice value, const char *prefix)
{
	size_t length = strlen(prefix);

	value = lg_slice_trim(value);
	if (value.length >= 3 && starts(value, "=\"") && value.data[value.length - 1] == '"')
		value = lg_slice_cut(value, 2, value.length - 3);
	if (value.length > 1 && value.data[0] == '\'' && begins_formula(value.data[1]))
		value = lg_slice_cut(value, 1, value.length);
	if (length && value.length > length && starts(value, prefix))
		value = lg_slice_cut(value, length, value.length);
	return lg_slice_trim(value);
}

/* Takes the first of several values off `rest`. */
static struct lg_slice next_value(struct lg_slice *rest)
{
	struct lg_slice value = *rest;
	size_t at = 0;

	while (at < rest->length &&
	       !lg_slice_equal(lg_slice_cut(*rest, at, VALUES_SEPARATOR.length), VALUES_SEPARATOR))
		at++;
	value.length = at;
	*rest = lg_slice_cut(*rest, at + VALUES_SEPARATOR.length, rest->length);
	return lg_slice_trim(value);
}

/* The gateway refuses a row of which it would have to leave something out here. */
static void keep_extra(struct filling *filling, struct lg_slice name, struct lg_slice value)
{
	lg_lead_extra(filling->lead, name, value);
}

/* ---- fields ------------------------------------------------------------------------------ */

/* A second address stands beside the first. */
static void put_contact(struct filling *filling, const struct column *column, struct lg_slice rest)
{
	bool email = column->meaning == LG_EMAIL;
	struct lg_slice *taken = &filling->taken[column->meaning];

	while (rest.length) {
		struct lg_slice value = next_value(&rest);
		int32_t result = LG_OK;

		if (!value.length || lg_slice_same(value, *taken))
			continue;
		if (taken->length) {
			result = lg_lead_add(filling->lead,
					     email ? LG_OTHER_EMAILS : LG_OTHER_PHONES, value);
		} else {
			result = lg_lead_set(filling->lead, column->meaning, value);
			*taken = value;
		}
		if (result != LG_OK || value.length > field_bytes[column->meaning])
			keep_extra(filling, column->name, value);
	}
}

/* A time that nobody can read says nothing of the person: it is kept as it is. */
static void put_time(struct filling *filling, const struct column *column, struct lg_slice value)
{
	int64_t at;

	if (!filling->taken[LG_OCCURRED_AT].length &&
	    day_read(filling->request, value, filling->settings->dates, &at) &&
	    lg_lead_set(filling->lead, LG_OCCURRED_AT, lg_time_text(filling->request, at)) == LG_OK)
		filling->taken[LG_OCCURRED_AT] = value;
	else
		keep_extra(filling, column->name, value);
}

/* The first column that means a field has it; no value is dropped. */
static void put_field(struct filling *filling, const struct column *column, struct lg_slice value)
{
	struct lg_slice *taken = &filling->taken[column->meaning];

	if (taken->length && lg_slice_equal(*taken, value))
		return;
	if (taken->length || value.length > field_bytes[column->meaning])
		keep_extra(filling, column->name, value);
	if (taken->length || lg_lead_add(filling->lead, column->meaning, value) == LG_OK)
		return;
	if (lg_lead_set(filling->lead, column->meaning, value) == LG_OK)
		*taken = value;
	else
		keep_extra(filling, column->name, value);
}

static bool is_url(struct lg_slice value)
{
	return lg_slice_same(lg_slice_cut(value, 0, 7), LG_SLICE("http://")) ||
	       lg_slice_same(lg_slice_cut(value, 0, 8), LG_SLICE("https://"));
}

/* Exports of web analytics and of shops call a page so. */
static void put_referrer(struct filling *filling, const struct column *column,
			 struct lg_slice value)
{
	struct column meant = *column;

	meant.meaning = is_url(value) ? LG_REFERRER_URL : LG_REFERRER_NAME;
	put_field(filling, &meant, value);
}

static size_t count_digits(struct lg_slice text)
{
	size_t count = 0;

	while (count < text.length && text.data[count] >= '0' && text.data[count] <= '9')
		count++;
	return count;
}

/* "1.23457E+17", which is all that a spreadsheet leaves of a long number. */
static bool is_rounded(struct lg_slice value)
{
	size_t digits = count_digits(value);

	if (!digits)
		return false;
	value = lg_slice_cut(value, digits, value.length);
	if (value.length && (value.data[0] == '.' || value.data[0] == ',')) {
		value = lg_slice_cut(value, 1, value.length);
		value = lg_slice_cut(value, count_digits(value), value.length);
	}
	if (value.length < 3 || lg_lower(value.data[0]) != 'e' || value.data[1] != '+')
		return false;
	return count_digits(lg_slice_cut(value, 2, value.length)) == value.length - 2;
}

/* The vendor's id of the row: what is imported again under it is no second lead. One that
 * was rounded is that of many people. */
static void put_id(struct filling *filling, const struct column *column, struct lg_slice value)
{
	if (is_rounded(value)) {
		keep_extra(filling, column->name, value);
		return;
	}
	put_field(filling, column, value);
	if (lg_slice_equal(filling->taken[LG_EXTERNAL_ID], value))
		lg_lead_key(filling->lead, LG_KEY_PROVIDER, value);
}

/* ---- consent --------------------------------------------------------------------------------- */

static bool is_among(const struct lg_list *words, struct lg_slice value)
{
	for (size_t i = 0; i < words->count; i++)
		if (lg_slice_same(words->items[i], value))
			return true;
	return false;
}

/* Only words that the configuration names state anything; the value is kept beside it. */
static void put_consent(struct filling *filling, const struct column *column, struct lg_slice value)
{
	const struct settings *settings = filling->settings;
	bool granted = is_among(&settings->consent_granted, value);
	struct lg_consent consent = {
		.size = sizeof(consent),
		.state = granted ? LG_CONSENT_GRANTED : LG_CONSENT_DENIED,
		.purpose = settings->consent_purpose,
		.channels = filling->reading->consent_channels,
		.basis = LG_SLICE("consent"),
		.text = settings->consent_text,
		.version = settings->consent_version,
		.method = LG_SLICE("import"),
	};

	keep_extra(filling, column->name, value);
	if (granted || is_among(&settings->consent_denied, value))
		lg_lead_consent(filling->lead, &consent);
}

/* ---- the lead ----------------------------------------------------------------------------------- */

static void put_value(struct filling *filling, const struct column *column, struct lg_slice value)
{
	value = plain_value(value, column->prefix);
	if (!value.length || column->meaning == COLUMN_IGNORED)
		return;
	if (starts(value, TEST_START))
		lg_lead_set(filling->lead, LG_IS_TEST, LG_SLICE("true"));
	switch (column->meaning) {
	case COLUMN_EXTRA: keep_extra(filling, column->name, value); break;
	case COLUMN_CONSENT: put_consent(filling, column, value); break;
	case COLUMN_LINKEDIN:
		if (lg_lead_profile(filling->lead, LG_SLICE("linkedin"), (struct lg_slice){NULL, 0},
				    value) != LG_OK ||
		    value.length > field_bytes[LG_PAGE_URL])
			keep_extra(filling, column->name, value);
		break;
	case COLUMN_REFERRER: put_referrer(filling, column, value); break;
	case LG_EMAIL:
	case LG_PHONE: put_contact(filling, column, value); break;
	case LG_OCCURRED_AT: put_time(filling, column, value); break;
	case LG_EXTERNAL_ID: put_id(filling, column, value); break;
	default: put_field(filling, column, value);
	}
}

static void put_fallback(struct filling *filling, int32_t field, struct lg_slice value)
{
	if (filling->taken[field].length || !value.length)
		return;
	if (lg_lead_set(filling->lead, field, value) != LG_OK)
		lg_lead_add(filling->lead, field, value);
	else
		filling->taken[field] = value;
}

/* The value of a column by its name in Facebook's export. */
static struct lg_slice facebook_value(const struct filling *filling, const struct lg_csv_row *row,
				      const char *name)
{
	const struct reading *reading = filling->reading;

	for (size_t i = 0; i < reading->column_count && i < row->field_count; i++)
		if (lg_slice_is(reading->columns[i].name, name))
			return plain_value(row->fields[i], reading->columns[i].prefix);
	return (struct lg_slice){NULL, 0};
}

/* As the source meta says of the same lead where it came from. */
static void put_facebook(struct filling *filling, const struct lg_csv_row *row)
{
	bool instagram = lg_slice_is(facebook_value(filling, row, "platform"), "ig");

	put_fallback(filling, LG_UTM_SOURCE,
		     instagram ? LG_SLICE("instagram") : LG_SLICE("facebook"));
	if (!facebook_value(filling, row, "ad_id").length)
		return;
	put_fallback(filling, LG_UTM_MEDIUM, LG_SLICE("paid_social"));
	put_fallback(filling, LG_UTM_CAMPAIGN, facebook_value(filling, row, "campaign_name"));
	put_fallback(filling, LG_UTM_CONTENT, facebook_value(filling, row, "ad_name"));
}

static void fill(struct filling *filling, const struct lg_csv_row *row)
{
	struct reading *reading = filling->reading;

	for (size_t i = 0; i < row->field_count && i < reading->column_count; i++)
		put_value(filling, &reading->columns[i], row->fields[i]);
	if (reading->facebook)
		put_facebook(filling, row);
	for (size_t i = 0; i < reading->fallback_count; i++)
		put_fallback(filling, reading->fallbacks[i].field, reading->fallbacks[i].value);
	put_fallback(filling, LG_INQUIRY_KIND,
		     lg_choice(LG_INQUIRY_KINDS, filling->settings->kind));
}

/* ---- records that are none ------------------------------------------------------------------------ */

/* How many fields there are up to the last that is not empty. */
static size_t filled_fields(const struct lg_csv_row *row)
{
	size_t count = row->field_count;

	while (count && !lg_slice_trim(row->fields[count - 1]).length)
		count--;
	return count;
}

/* Its values may stand under wrong names. */
static bool reject_wide(struct lg_request *request, const struct reading *reading,
			const struct lg_origin *origin)
{
	char reason[128];

	snprintf(reason, sizeof(reason),
		 "column %zu: there is a value beyond the %zu columns of the header",
		 reading->column_count + 1, reading->column_count);
	return lg_reject(request, lg_slice_from(reason), origin) == LG_OK;
}

/* The byte order mark of another file, behind which quotes are none. */
static struct lg_slice without_mark(struct lg_slice field)
{
	if (!starts(field, "\xef\xbb\xbf"))
		return field;
	field = lg_slice_cut(field, 3, field.length);
	if (field.length > 1 && field.data[0] == '"' && field.data[field.length - 1] == '"')
		field = lg_slice_cut(field, 1, field.length - 2);
	return field;
}

static bool names_column(const struct column *column, struct lg_slice field)
{
	field = lg_slice_trim(field);
	return column->unnamed ? !field.length : lg_slice_equal(field, column->name);
}

/* Where files were put together the header stands between the rows again. */
static bool is_header(const struct reading *reading, const struct lg_csv_row *row, size_t filled)
{
	for (size_t i = 0; i < filled; i++)
		if (!names_column(&reading->columns[i],
				  i ? row->fields[i] : without_mark(row->fields[i])))
			return false;
	return filled > 1;
}

bool row_add(struct lg_request *request, struct reading *reading, const struct lg_csv_row *row)
{
	struct lg_origin origin = {sizeof(origin), row->place.line, row->text};
	struct filling filling = {
		.request = request, .reading = reading, .settings = reading->instance->settings};
	size_t filled = filled_fields(row);

	if (row->problem.length)
		return lg_reject(request, row->problem, &origin) == LG_OK;
	if (!filled)
		return true;
	if (filled > reading->column_count)
		return reject_wide(request, reading, &origin);
	if (is_header(reading, row, filled))
		return lg_ignore(request, LG_SLICE("the header again")) == LG_OK;
	filling.lead = lg_lead(request);
	if (!filling.lead)
		return false;
	lg_lead_origin(filling.lead, &origin);
	fill(&filling, row);
	return true;
}
