/* Bodies to fields: the three types that an HTML form can send, and JSON. */
#include "webform.h"

#define DEPTH_MAX 8	/* of objects and arrays in each other */
#define PATH_BYTES 1024 /* of a name with those around it; max_name is checked, too */

#define FORM_TYPE "application/x-www-form-urlencoded"
#define MULTIPART_TYPE "multipart/form-data"
#define TEXT_TYPE "text/plain"
#define JSON_TYPE "application/json"

struct reading {
	struct lg_request *request;
	const struct settings *settings;
	struct visitor *visitor;
	struct problem *problem;
};

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

static bool give(const struct reading *reading, struct lg_slice name, struct lg_slice value)
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
		    !is_charset_field(pair.name) && !give(reading, pair.name, pair.value))
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
	return give(reading, name, value);
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

		if (name.length && !give(reading, name, value))
			return false;
	}
	return true;
}

static bool read_json(const struct reading *reading, struct lg_slice body);

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
		return read_json(reading, text);
	if (text.data[text.length - 1] == '\n')
		return read_lines(reading, text);
	if (lg_slice_find(text, "\n"))
		return problem_set(reading->problem, 422,
				   "The form ends in the middle of a line: it was cut.");
	return read_form(reading, LG_SLICE(FORM_TYPE), text);
}

/* ---- JSON -------------------------------------------------------------------------- */

/* A name that grows as the walk goes down: "person", "person.email". */
struct path {
	char name[PATH_BYTES];
	size_t length;
	int depth;
};

static bool path_enter(struct path *path, struct lg_slice name)
{
	size_t dot = path->length ? 1 : 0;

	if (path->depth == DEPTH_MAX || name.length + dot > PATH_BYTES - path->length)
		return false;
	if (dot)
		path->name[path->length++] = '.';
	if (name.length)
		memcpy(path->name + path->length, name.data, name.length);
	path->length += name.length;
	path->depth++;
	return true;
}

/* The members that a profile of the record has; NULL where it is none, or not as text. */
struct profile {
	const struct lg_json *network, *id, *url;
};

static bool is_profiles(const struct path *path)
{
	struct lg_slice name = {path->name, path->length};

	return lg_slice_equal(name, LG_SLICE("person.profiles")) ||
	       lg_slice_equal(name, LG_SLICE("profiles"));
}

static const struct lg_json *text_member(struct lg_request *request, const struct lg_json *value,
					 struct lg_slice name)
{
	const struct lg_json *member = lg_json_member(request, value, name);
	int32_t kind = lg_json_kind(request, member);

	return kind == LG_JSON_STRING || kind == LG_JSON_NUMBER ? member : NULL;
}

/* Says which members were taken as a profile: none of what is no profile, or one that
 * cannot be taken. */
static struct profile give_profile(const struct reading *reading, const struct path *path,
				   const struct lg_json *value)
{
	struct lg_request *request = reading->request;
	struct visitor *visitor = reading->visitor;
	struct profile profile = {0};

	if (!visitor->profile || !is_profiles(path))
		return profile;
	profile.network = text_member(request, value, LG_SLICE("network"));
	profile.id = text_member(request, value, LG_SLICE("id"));
	profile.url = text_member(request, value, LG_SLICE("url"));
	if (!profile.network ||
	    !visitor->profile(visitor, lg_json_text(request, profile.network),
			      lg_json_text(request, profile.id), lg_json_text(request, profile.url),
			      reading->problem))
		return (struct profile){0};
	return profile;
}

/* The path grows and shrinks with the walk; the name of a field stays. */
static bool give_value(const struct reading *reading, const struct path *path,
		       struct lg_slice value)
{
	char *name = lg_allocate(reading->request, path->length + 1);

	if (!name)
		return problem_set(reading->problem, 503, "There is no memory for the fields.");
	memcpy(name, path->name, path->length);
	return give(reading, (struct lg_slice){name, path->length}, value);
}

static bool give_json(const struct reading *reading, struct path *path,
		      const struct lg_json *value);

/* Objects become names with dots, elements of an array repeat its name. What a profile
 * has beside its own members is an object like any other. */
static bool give_parts(const struct reading *reading, struct path *path,
		       const struct lg_json *value, bool named)
{
	struct lg_request *request = reading->request;
	struct profile taken = named ? give_profile(reading, path, value) : (struct profile){0};

	for (const struct lg_json *part = lg_json_first(request, value); part;
	     part = lg_json_next(request, part)) {
		size_t length = path->length;
		int depth = path->depth;

		if (part == taken.network || part == taken.id || part == taken.url)
			continue;
		if (named ? !path_enter(path, lg_json_name(request, part))
			  : path->depth++ >= DEPTH_MAX)
			return problem_set(reading->problem, 422,
					   "The JSON is nested deeper than %d levels, or a "
					   "field's name with the names around it is longer than "
					   "%d bytes.",
					   DEPTH_MAX, PATH_BYTES);
		if (!give_json(reading, path, part))
			return false;
		path->length = length;
		path->depth = depth;
	}
	return true;
}

/* The depth is bounded by DEPTH_MAX. */
static bool give_json(const struct reading *reading, struct path *path, const struct lg_json *value)
{
	struct lg_request *request = reading->request;
	int32_t kind = lg_json_kind(request, value);

	switch (kind) {
	case LG_JSON_TRUE: return give_value(reading, path, LG_SLICE("true"));
	case LG_JSON_FALSE: return give_value(reading, path, LG_SLICE("false"));
	case LG_JSON_NUMBER:
	case LG_JSON_STRING: return give_value(reading, path, lg_json_text(request, value));
	case LG_JSON_ARRAY:
	case LG_JSON_OBJECT: return give_parts(reading, path, value, kind == LG_JSON_OBJECT);
	default: return true;
	}
}

static bool read_json(const struct reading *reading, struct lg_slice body)
{
	char text[256] = "The body is no JSON.";
	const struct lg_json *root;
	struct path path = {.length = 0};

	if (lg_json(reading->request, body, &root, (struct lg_text){text, sizeof(text)}) != LG_OK)
		return problem_set(reading->problem, 400, "%s", text);
	if (lg_json_kind(reading->request, root) != LG_JSON_OBJECT)
		return problem_set(reading->problem, 422,
				   "The body must be one JSON object: its members are the "
				   "fields of the form.");
	return give_json(reading, &path, root);
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
		return read_json(&reading, body);
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
