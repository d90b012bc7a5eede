/* What a plugin may ask of its request. */
#include "ingest/intake.h"

#include "base/list.h"
#include "codec/charset.h"
#include "codec/form.h"
#include "codec/json.h"
#include "codec/multipart.h"
#include "lead/field.h"

static struct intake *intake_of(struct lg_request *request)
{
	return container_of(request, struct intake, handle);
}

int32_t intake_copy_known(void *to, size_t to_size, const void *from, size_t from_size)
{
	size_t head = sizeof(size_t);
	size_t both = to_size < from_size ? to_size : from_size;

	if (both < head)
		return LG_FAIL;
	memcpy((char *)to + head, (const char *)from + head, both - head);
	return LG_OK;
}

static int32_t request_info(struct lg_request *handle, struct lg_request_info *info)
{
	const struct http_request *request = intake_of(handle)->request;
	struct lg_request_info ours = {
		.method = request->method,
		.target = request->target,
		.path = request->path,
		.query = request->query,
		.body = request->body,
		.host = request->host,
		.scheme = request->scheme,
		.peer_address = request->peer_address,
		.client_address = request->client_address,
		.received_at = request->received_ms,
	};
	return intake_copy_known(info, info->size, &ours, sizeof(ours));
}

static int32_t header(struct lg_request *handle, const char *name, size_t index,
		      struct lg_slice *value)
{
	return http_request_header(intake_of(handle)->request, name, index, value) ? LG_OK
										   : LG_FAIL;
}

static int32_t public_url(struct lg_request *handle, size_t index, struct lg_slice *url)
{
	*url = http_request_url(intake_of(handle)->request, index);
	return slice_present(*url) ? LG_OK : LG_FAIL;
}

static bool lies_in(struct lg_slice bytes, struct lg_slice whole)
{
	uintptr_t at = (uintptr_t)bytes.data, begin = (uintptr_t)whole.data;

	return at >= begin && bytes.length <= whole.length &&
	       at - begin <= whole.length - bytes.length;
}

/* Bytes that live as long as the request: its own as they are, those of a plugin's
 * buffer as a copy. False: memory ran out. */
static bool retain(const struct intake *intake, struct lg_slice *bytes)
{
	struct http_request *request = intake->request;

	*bytes = slice_known(*bytes);
	if (!slice_present(*bytes) || lies_in(*bytes, request->body) ||
	    lies_in(*bytes, request->query))
		return true;
	*bytes = arena_copy(&request->arena, *bytes);
	return slice_present(*bytes);
}

/* What a plugin's form handle points at. */
struct intake_form {
	struct form form;	    /* first */
	struct multipart multipart; /* no parts: it is no multipart one */
};

static int32_t form(struct lg_request *handle, struct lg_slice bytes, struct lg_form **out)
{
	struct intake *intake = intake_of(handle);
	struct intake_form *parsed = arena_new(&intake->request->arena, struct intake_form);

	if (!parsed || !retain(intake, &bytes) ||
	    !form_parse(&intake->request->arena, bytes,
			(size_t)intake->source->settings.form_fields, &parsed->form))
		return LG_FAIL;
	*out = (struct lg_form *)parsed;
	return LG_OK;
}

static int32_t form_in(struct lg_request *handle, struct lg_slice bytes, struct lg_slice charset,
		       struct lg_form **out)
{
	struct intake *intake = intake_of(handle);
	struct intake_form *parsed = arena_new(&intake->request->arena, struct intake_form);

	if (!parsed ||
	    !form_parse_in(&intake->request->arena, slice_known(bytes), slice_known(charset),
			   (size_t)intake->source->settings.form_fields, &parsed->form))
		return LG_FAIL;
	*out = (struct lg_form *)parsed;
	return LG_OK;
}

/* The pairs of the parts, so that all forms are walked in one way. */
static bool pair_parts(struct arena *arena, struct intake_form *parsed)
{
	const struct multipart *multipart = &parsed->multipart;

	parsed->form.pairs = arena_zalloc(arena, (multipart->count + 1) * sizeof(struct lg_pair));
	if (!parsed->form.pairs)
		return false;
	for (size_t i = 0; i < multipart->count; i++)
		parsed->form.pairs[i] = (struct lg_pair){multipart->parts[i].name,
							 multipart->parts[i].value};
	parsed->form.count = multipart->count;
	return true;
}

static int32_t fail_with(struct lg_text problem, const char *text)
{
	if (problem.capacity > 0)
		slice_to_text(slice_from(text), problem.data, problem.capacity);
	return LG_FAIL;
}

static int32_t multipart(struct lg_request *handle, struct lg_slice type, struct lg_slice bytes,
			 struct lg_form **out, struct lg_text problem)
{
	struct intake *intake = intake_of(handle);
	struct arena *arena = &intake->request->arena;
	struct intake_form *parsed = arena_new(arena, struct intake_form);
	struct multipart_limits limits = {(size_t)intake->source->settings.form_fields,
					  (size_t)intake->source->settings.part_head};
	struct error error = {"there is no memory for the multipart body"};

	if (!parsed || !retain(intake, &bytes) ||
	    !multipart_parse(arena, slice_known(type), bytes, &limits, &parsed->multipart,
			     &error) ||
	    !pair_parts(arena, parsed))
		return fail_with(problem, error.text);
	*out = (struct lg_form *)parsed;
	return LG_OK;
}

static int32_t form_part(const struct lg_form *handle, size_t index, struct lg_part *part)
{
	const struct multipart *multipart = &((const struct intake_form *)handle)->multipart;
	struct lg_part ours = {0};

	if (index >= multipart->count)
		return LG_FAIL;
	ours.name = multipart->parts[index].name;
	ours.value = multipart->parts[index].value;
	ours.filename = multipart->parts[index].filename;
	ours.type = multipart->parts[index].type;
	return intake_copy_known(part, part->size, &ours, sizeof(ours));
}

static int32_t to_utf8(struct lg_request *handle, struct lg_slice charset, struct lg_slice bytes,
		       struct lg_slice *text)
{
	const struct intake *intake = intake_of(handle);

	bytes = slice_known(bytes);
	*text = charset_decode(&intake->request->arena, slice_known(charset), bytes);
	/* Where nothing is to be decoded it gives back what it was given. */
	if (!slice_present(*text) || (text->data == bytes.data && !retain(intake, text)))
		return LG_FAIL;
	return LG_OK;
}

static size_t form_count(const struct lg_form *handle)
{
	return ((const struct form *)handle)->count;
}

static int32_t form_pair(const struct lg_form *handle, size_t index, struct lg_pair *pair)
{
	const struct form *parsed = (const struct form *)handle;

	if (index >= parsed->count)
		return LG_FAIL;
	*pair = parsed->pairs[index];
	return LG_OK;
}

static int32_t json(struct lg_request *handle, struct lg_slice bytes, const struct lg_json **root,
		    struct lg_text problem)
{
	struct error error = {0};
	const struct json *value = json_parse(&intake_of(handle)->request->arena,
					      slice_known(bytes), &error);

	if (!value)
		return fail_with(problem, error.text);
	*root = (const struct lg_json *)value;
	return LG_OK;
}

static void *allocate(struct lg_request *handle, size_t size)
{
	return arena_zalloc(&intake_of(handle)->request->arena, size);
}

static int32_t refuse(struct lg_request *handle, int32_t status, struct lg_slice detail)
{
	struct intake *intake = intake_of(handle);

	intake->refusal = status >= 400 && status <= 599 ? status : 400;
	intake->refusal_detail = arena_copy(&intake->request->arena, detail);
	return LG_FAIL;
}

static int32_t refusal(struct lg_request *handle, struct lg_result *out)
{
	const struct intake *intake = intake_of(handle);
	struct lg_result ours = {
		.verdict = LG_REFUSED,
		.status = intake->refusal,
		.reason = intake->refusal_detail,
	};

	return intake->refusal ? intake_copy_known(out, out->size, &ours, sizeof(ours)) : LG_FAIL;
}

static struct lg_lead *add_lead(struct lg_request *handle)
{
	struct intake *intake = intake_of(handle);
	struct lead *lead = lead_new(&intake->request->arena, intake->ingest->limits);
	struct intake_item *item = lead ? intake_add(intake) : NULL;

	if (!item)
		return NULL;
	item->lead = lead;
	return &item->handle;
}

static int32_t ignore(struct lg_request *handle, struct lg_slice reason)
{
	struct intake *intake = intake_of(handle);
	struct intake_item *item = intake_add(intake);

	if (!item)
		return LG_FAIL;
	intake_count(intake, SOURCE_IGNORED);
	item->verdict = LG_IGNORED;
	item->status = 200;
	item->reason = arena_copy(&intake->request->arena, reason);
	return LG_OK;
}

static size_t result_count(struct lg_request *handle)
{
	return intake_of(handle)->item_count;
}

static int32_t result(struct lg_request *handle, size_t index, struct lg_result *out)
{
	const struct intake_item *item = intake_of(handle)->items;
	struct lg_result ours;

	while (item && index-- > 0)
		item = item->next;
	if (!item)
		return LG_FAIL;
	ours = (struct lg_result){
		.verdict = item->verdict,
		.status = item->status,
		.receipt = item->receipt,
		.reason = item->reason,
	};
	return intake_copy_known(out, out->size, &ours, sizeof(ours));
}

void intake_request_services(struct lg_services *services)
{
	services->request_info = request_info;
	services->header = header;
	services->public_url = public_url;
	services->form = form;
	services->form_count = form_count;
	services->form_pair = form_pair;
	services->form_in = form_in;
	services->multipart = multipart;
	services->form_part = form_part;
	services->to_utf8 = to_utf8;
	services->json = json;
	services->allocate = allocate;
	services->refuse = refuse;
	services->refusal = refusal;
	services->lead = add_lead;
	services->ignore = ignore;
	services->result_count = result_count;
	services->result = result;
}
