#include "readers.h"

#include <stdio.h>

#include "base/clock.h"
#include "codec/charset.h"
#include "codec/date.h"
#include "codec/json.h"
#include "lead/field.h"

#define PART_HEAD_BYTES 4096

struct readers readers;

static bool fails(void)
{
	return readers.fails && readers.fails();
}

static int32_t form(struct lg_request *request, struct lg_slice bytes, struct lg_form **out)
{
	(void)request;
	*out = (struct lg_form *)&readers.form;
	return !fails() && form_parse(&readers.arena, bytes, readers.pairs, &readers.form)
		       ? LG_OK
		       : LG_FAIL;
}

static int32_t form_in(struct lg_request *request, struct lg_slice bytes, struct lg_slice charset,
		       struct lg_form **out)
{
	(void)request;
	*out = (struct lg_form *)&readers.form;
	return form_parse_in(&readers.arena, bytes, charset, readers.pairs, &readers.form)
		       ? LG_OK
		       : LG_FAIL;
}

static size_t form_count(const struct lg_form *handle)
{
	return ((const struct form *)handle)->count;
}

static int32_t form_pair(const struct lg_form *handle, size_t index, struct lg_pair *pair)
{
	const struct form *read = (const struct form *)handle;

	if (index >= read->count)
		return LG_FAIL;
	*pair = read->pairs[index];
	return LG_OK;
}

static void pair_parts(void)
{
	const struct multipart *parts = &readers.multipart;
	struct form *pairs = &readers.form;

	pairs->count = parts->count;
	pairs->pairs = arena_zalloc(&readers.arena, (parts->count + 1) * sizeof(struct lg_pair));
	for (size_t i = 0; i < parts->count; i++)
		pairs->pairs[i] = (struct lg_pair){parts->parts[i].name, parts->parts[i].value};
}

static int32_t multipart(struct lg_request *request, struct lg_slice type, struct lg_slice bytes,
			 struct lg_form **out, struct lg_text problem)
{
	struct multipart_limits limits = {readers.pairs, PART_HEAD_BYTES};
	struct error error = {""};

	(void)request;
	*out = (struct lg_form *)&readers.form;
	if (!multipart_parse(&readers.arena, type, bytes, &limits, &readers.multipart, &error)) {
		snprintf(problem.data, problem.capacity, "%.200s", error.text);
		return LG_FAIL;
	}
	pair_parts();
	return LG_OK;
}

static int32_t form_part(const struct lg_form *handle, size_t index, struct lg_part *part)
{
	const struct multipart_part *from = &readers.multipart.parts[index];

	(void)handle;
	part->name = from->name;
	part->value = from->value;
	part->filename = from->filename;
	part->type = from->type;
	return LG_OK;
}

static int32_t to_utf8(struct lg_request *request, struct lg_slice charset, struct lg_slice bytes,
		       struct lg_slice *text)
{
	(void)request;
	*text = charset_decode(&readers.arena, charset, bytes);
	return slice_present(*text) ? LG_OK : LG_FAIL;
}

static int32_t json(struct lg_request *request, struct lg_slice bytes, const struct lg_json **root,
		    struct lg_text problem)
{
	struct error error = {""};

	(void)request;
	*root = fails() ? NULL : (const struct lg_json *)json_parse(&readers.arena, bytes, &error);
	snprintf(problem.data, problem.capacity, "%.200s", error.text);
	return *root ? LG_OK : LG_FAIL;
}

static void *allocate(struct lg_request *request, size_t size)
{
	(void)request;
	return fails() ? NULL : arena_zalloc(&readers.arena, size);
}

static int32_t field_named(struct lg_slice name)
{
	return field_by_name(name);
}

static int32_t read_time(struct lg_slice text, int64_t *at)
{
	return time_parse(text, at) ? LG_OK : LG_FAIL;
}

static struct lg_slice time_text(struct lg_request *request, int64_t at)
{
	char text[CLOCK_RFC3339_BYTES];

	(void)request;
	clock_format(at, text);
	return arena_copy(&readers.arena, slice_from(text));
}

void readers_services(struct lg_services *services)
{
	services->form = form;
	services->form_in = form_in;
	services->form_count = form_count;
	services->form_pair = form_pair;
	services->multipart = multipart;
	services->form_part = form_part;
	services->to_utf8 = to_utf8;
	services->json = json;
	services->allocate = allocate;
	services->field_named = field_named;
	services->time = read_time;
	services->time_text = time_text;
}
