/* JSON to fields: names with dots, as long as the objects are deep. */
#include "webform.h"

#define DEPTH_MAX 8	/* of objects and arrays in each other */
#define PATH_BYTES 1024 /* of a name with those around it; max_name is checked, too */
#define ESCAPE_BYTES 6	/* of \u and four digits */

/* ---- halves of characters --------------------------------------------------------- */

/* A script that shortens a text may cut a character of two surrogates through, and
 * JSON.stringify writes the half as an escape that stands for nothing (RFC 8259, section
 * 8.2). It becomes U+FFFD, which takes as many bytes, so that what a parser says of the
 * body is right for that which was sent. */

/* The number in the escape that begins at `at`; -1: there is none of that kind. */
static int32_t unit_at(struct lg_slice body, size_t at)
{
	int32_t unit = 0;

	if (body.length < ESCAPE_BYTES || at > body.length - ESCAPE_BYTES ||
	    body.data[at] != '\\' || body.data[at + 1] != 'u')
		return -1;
	for (size_t i = at + 2; i < at + ESCAPE_BYTES; i++) {
		char c = lg_lower(body.data[i]);

		if (c >= '0' && c <= '9')
			unit = unit * 16 + c - '0';
		else if (c >= 'a' && c <= 'f')
			unit = unit * 16 + c - 'a' + 10;
		else
			return -1;
	}
	return unit;
}

static bool is_high(int32_t unit)
{
	return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low(int32_t unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

/* Where the next half stands, from `at` on; the body's length: there is none. An escaped
 * backslash begins no escape, and a pair is none to its end. */
static size_t next_half(struct lg_slice body, size_t at)
{
	while (at < body.length) {
		const char *slash = memchr(body.data + at, '\\', body.length - at);
		int32_t unit;

		if (!slash)
			break;
		at = (size_t)(slash - body.data);
		unit = unit_at(body, at);
		if (is_low(unit) || (is_high(unit) && !is_low(unit_at(body, at + ESCAPE_BYTES))))
			return at;
		at += is_high(unit) ? 2 * ESCAPE_BYTES : 2;
	}
	return body.length;
}

/* False with the problem. */
static bool mend_halves(const struct reading *reading, struct lg_slice *body)
{
	static const char replacement[ESCAPE_BYTES] = {'\\', 'u', 'f', 'f', 'f', 'd'};
	size_t at = next_half(*body, 0);
	char *mended;

	if (at == body->length)
		return true;
	mended = lg_allocate(reading->request, body->length);
	if (!mended)
		return problem_set(reading->problem, 503, "There is no memory for the fields.");
	memcpy(mended, body->data, body->length);
	for (; at < body->length; at = next_half(*body, at + ESCAPE_BYTES))
		memcpy(mended + at, replacement, sizeof(replacement));
	body->data = mended;
	return true;
}

/* ---- the walk ------------------------------------------------------------------------ */

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
	return body_give(reading, (struct lg_slice){name, path->length}, value);
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

bool json_body_read(const struct reading *reading, struct lg_slice body)
{
	char text[256] = "The body is no JSON.";
	const struct lg_json *root;
	struct path path = {.length = 0};

	if (!mend_halves(reading, &body))
		return false;
	if (lg_json(reading->request, body, &root, (struct lg_text){text, sizeof(text)}) != LG_OK)
		return problem_set(reading->problem, 400, "%s", text);
	if (lg_json_kind(reading->request, root) != LG_JSON_OBJECT)
		return problem_set(reading->problem, 422,
				   "The body must be one JSON object: its members are the "
				   "fields of the form.");
	return give_json(reading, &path, root);
}
