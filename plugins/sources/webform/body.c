/* Bodies to fields: the three types that an HTML form can send, and which is which. */
#include "webform.h"

#define FORM_TYPE "application/x-www-form-urlencoded"
#define MULTIPART_TYPE "multipart/form-data"
#define TEXT_TYPE "text/plain"
#define JSON_TYPE "application/json"

/* ---- media types --------------------------------------------------------------- */

static bool is_type(struct lg_slice content_type, const char *type)
{
	return lg_slice_is(lg_slice_trim(lg_slice_part(&content_type, ';')), type);
}

/* The charset of a Content-Type, without quotes; absent without one. */
static struct lg_slice charset_of(struct lg_slice content_type)
{
	lg_slice_part(&content_type, ';');
	while (content_type.length) {
		struct lg_slice value = lg_slice_part(&content_type, ';');
		struct lg_slice name = lg_slice_trim(lg_slice_part(&value, '='));

		value = lg_slice_trim(value);
		if (!lg_slice_is(name, "charset") || !value.length)
			continue;
		if (value.length >= 2 && value.data[0] == '"')
			value = lg_slice_cut(value, 1, value.length - 2);
		return value;
	}
	return (struct lg_slice){NULL, 0};
}

static struct lg_slice first_of(struct lg_slice a, struct lg_slice b)
{
	return a.length ? a : b.length ? b : LG_SLICE("utf-8");
}

static bool bad_charset(const struct reading *reading)
{
	return problem_set(reading->problem, 415,
			   "The character set that the form names is not known here: send UTF-8.");
}

/* ---- what all bodies have ------------------------------------------------------- */

bool body_give(const struct reading *reading, struct lg_slice name, struct lg_slice value)
{
	const struct settings *settings = reading->settings;

	if (name.length > (size_t)settings->max_name)
		return problem_set(reading->problem, 422,
				   "The name of a field is longer than %lld bytes.",
				   (long long)settings->max_name);
	if (value.length > (size_t)settings->max_value)
		return problem_set(reading->problem, 413,
				   "The field \"%.*s\" is longer than %lld bytes.",
				   (int)name.length, name.length ? name.data : "",
				   (long long)settings->max_value);
	return reading->visitor->field(reading->visitor, name, value, reading->problem);
}

/* ---- forms ------------------------------------------------------------------------ */

static struct lg_slice form_field(struct lg_request *request, struct lg_form *form,
				  const char *name)
{
	size_t count = lg_form_count(request, form);
	struct lg_pair pair;

	for (size_t i = 0; i < count; i++)
		if (lg_form_pair(request, form, i, &pair) == LG_OK &&
		    lg_slice_equal(pair.name, lg_slice_from(name)))
			return lg_slice_trim(pair.value);
	return (struct lg_slice){NULL, 0};
}

/* The browser says in `_charset_` what it has encoded the form in (WHATWG HTML,
 * section 4.10.18.1); the field is no answer of the visitor. */
static bool is_charset_field(struct lg_slice name)
{
	return lg_slice_equal(name, LG_SLICE("_charset_"));
}

static bool read_form(const struct reading *reading, struct lg_slice type, struct lg_slice body)
{
	struct lg_request *request = reading->request;
	struct lg_slice charset, none;
	struct lg_form *form;
	struct lg_pair pair;
	bool fits = lg_form(request, body, &form) == LG_OK;

	if (fits)
		charset = first_of(form_field(request, form, "_charset_"), charset_of(type));
	if (fits && !lg_slice_is(charset, "utf-8")) {
		if (lg_to_utf8(request, charset, LG_SLICE(""), &none) != LG_OK)
			return bad_charset(reading);
		fits = lg_form_in(request, body, charset, &form) == LG_OK;
	}
	if (!fits)
		return problem_set(reading->problem, 422,
				   "The form has more fields than this gateway takes.");
	for (size_t i = 0; i < lg_form_count(request, form); i++)
		if (lg_form_pair(request, form, i, &pair) == LG_OK && pair.name.length &&
		    !is_charset_field(pair.name) && !body_give(reading, pair.name, pair.value))
			return false;
	return true;
}

/* A file input into which nothing was put comes as a file without name and bytes. */
static bool is_unused_file(const struct lg_part *part)
{
	return part->filename.data && part->filename.length == 0 && part->value.length == 0;
}

static bool read_part(const struct reading *reading, const struct lg_part *part,
		      struct lg_slice charset)
{
	struct lg_request *request = reading->request;
	struct lg_slice own = first_of(charset_of(part->type), charset), name, value;

	if (is_unused_file(part) || part->name.length == 0 || is_charset_field(part->name))
		return true;
	if (lg_to_utf8(request, charset, part->name, &name) != LG_OK ||
	    lg_to_utf8(request, own, part->value, &value) != LG_OK)
		return bad_charset(reading);
	if (part->filename.data)
		return problem_set(reading->problem, 422,
				   "The field \"%.*s\" carries a file: this form takes no files.",
				   name.length > 64 ? 0 : (int)name.length, name.data);
	return body_give(reading, name, value);
}

static bool read_multipart(const struct reading *reading, struct lg_slice type,
			   struct lg_slice body)
{
	struct lg_request *request = reading->request;
	char text[256] = "";
	struct lg_form *form;
	struct lg_part part;
	struct lg_slice charset;

	if (lg_multipart(request, type, body, &form, (struct lg_text){text, sizeof(text)}) != LG_OK)
		return problem_set(reading->problem, 422, "The form cannot be read: %s.", text);
	charset = first_of(form_field(request, form, "_charset_"), charset_of(type));
	for (size_t i = 0; i < lg_form_count(request, form); i++)
		if (lg_part(request, form, i, &part) == LG_OK &&
		    !read_part(reading, &part, charset))
			return false;
	return true;
}

/* ---- text -------------------------------------------------------------------------- */

static struct lg_slice without_line_end(struct lg_slice line)
{
	while (line.length &&
	       (line.data[line.length - 1] == '\n' || line.data[line.length - 1] == '\r'))
		line.length--;
	return line;
}

static const char *equals_in(struct lg_slice line)
{
	return line.length ? memchr(line.data, '=', line.length) : NULL;
}

/* Takes a field off `rest`: its line, and lines below it that have no '=': they
 * can only be more of it. What the type cannot tell apart, this cannot either. */
static struct lg_slice take_lines(struct lg_slice *rest)
{
	struct lg_slice field = *rest;

	lg_slice_part(rest, '\n');
	while (rest->length) {
		struct lg_slice after = *rest, line = lg_slice_part(&after, '\n');

		if (equals_in(line))
			break;
		*rest = after;
	}
	field.length -= rest->length;
	return without_line_end(field);
}

/* name=value, a line each, as a form with enctype="text/plain" sends it. */
static bool read_lines(const struct reading *reading, struct lg_slice text)
{
	while (text.length) {
		struct lg_slice value = take_lines(&text), name = lg_slice_part(&value, '=');

		if (name.length && !body_give(reading, name, value))
			return false;
	}
	return true;
}

/* The one type beside the two of forms that a script may send to another site
 * without asking: so sendBeacon and fetch send JSON and forms as text. A form of
 * this type always ends with a line end, an encoded one has none: what has one
 * elsewhere alone was cut. */
static bool read_text(const struct reading *reading, struct lg_slice type, struct lg_slice body)
{
	struct lg_slice charset = first_of(charset_of(type), LG_SLICE("utf-8")), text;

	if (lg_to_utf8(reading->request, charset, body, &text) != LG_OK)
		return bad_charset(reading);
	if (!lg_slice_trim(text).length)
		return true;
	if (lg_slice_trim(text).data[0] == '{')
		return json_body_read(reading, text);
	if (text.data[text.length - 1] == '\n')
		return read_lines(reading, text);
	if (lg_slice_find(text, "\n"))
		return problem_set(reading->problem, 422,
				   "The form ends in the middle of a line: it was cut.");
	return read_form(reading, LG_SLICE(FORM_TYPE), text);
}

/* ---- the body ------------------------------------------------------------------------ */

#define TYPES FORM_TYPE ", " MULTIPART_TYPE ", " TEXT_TYPE " or " JSON_TYPE

bool body_read(struct lg_request *request, const struct settings *settings, struct lg_slice body,
	       struct visitor *visitor, struct problem *problem)
{
	struct reading reading = {request, settings, visitor, problem};
	struct lg_slice type = request_header(request, "content-type");

	if (is_type(type, FORM_TYPE))
		return read_form(&reading, type, body);
	if (is_type(type, MULTIPART_TYPE))
		return read_multipart(&reading, type, body);
	if (is_type(type, JSON_TYPE))
		return json_body_read(&reading, body);
	if (is_type(type, TEXT_TYPE))
		return read_text(&reading, type, body);
	return problem_set(problem, 415,
			   lg_slice_trim(type).length
				   ? "This Content-Type is not taken here: send " TYPES "."
				   : "The request has no Content-Type: send " TYPES ".");
}

bool body_is_form(struct lg_request *request)
{
	struct lg_slice type = request_header(request, "content-type");
	struct lg_request_info info;

	if (is_type(type, TEXT_TYPE))
		return lg_request_info(request, &info) == LG_OK &&
		       (!lg_slice_trim(info.body).length ||
			lg_slice_trim(info.body).data[0] != '{');
	return is_type(type, FORM_TYPE) || is_type(type, MULTIPART_TYPE);
}
