/* What a plugin may ask of its errand alone. */
#include "ingest/fetch.h"

#include "base/list.h"

static struct fetch *fetch_of(struct lg_request *request)
{
	return container_of(request, struct intake, handle)->fetch;
}

static int32_t errand_part(struct lg_request *request, size_t index, struct lg_claim *part)
{
	const struct fetch *fetch = fetch_of(request);
	size_t size = part->size < sizeof(*part) ? part->size : sizeof(*part);

	if (!fetch || index >= fetch->count || size < sizeof(size_t))
		return LG_FAIL;
	const struct claim *claim = &fetch->claims[index];
	struct lg_claim ours = {
		.size = part->size,
		.key = claim->key,
		.group = claim->group,
		.parts = claim->parts,
		.due = claim->due_ms,
		.blob = index == 0 ? fetch->blob : claim->blob,
	};
	memcpy(part, &ours, size);
	return LG_OK;
}

static bool keep(struct arena *arena, struct lg_slice *slice)
{
	*slice = arena_copy(arena, *slice);
	return !arena->failed;
}

static bool keep_headers(struct arena *arena, struct lg_http_call *call)
{
	struct lg_pair *headers = arena_alloc(arena, (call->header_count + 1) * sizeof(*headers));

	for (size_t i = 0; headers && i < call->header_count; i++) {
		headers[i] = call->headers[i];
		if (!keep(arena, &headers[i].name) || !keep(arena, &headers[i].value))
			return false;
	}
	call->headers = headers;
	return headers != NULL;
}

static int32_t errand_call(struct lg_request *request, const struct lg_http_call *theirs)
{
	struct fetch *fetch = fetch_of(request);
	struct lg_http_call call = {.size = 0};

	if (!fetch || theirs->size < offsetof(struct lg_http_call, url) + sizeof(theirs->url))
		return LG_FAIL;
	struct arena *arena = &fetch->request.arena;
	memcpy(&call, theirs, theirs->size < sizeof(call) ? theirs->size : sizeof(call));
	if (!keep(arena, &call.method) || !keep(arena, &call.url) || !keep(arena, &call.body) ||
	    !keep_headers(arena, &call))
		return LG_FAIL;
	fetch->call = call;
	fetch->has_call = true;
	return LG_OK;
}

static int32_t errand_header(struct lg_request *request, const char *name, struct lg_slice *value)
{
	const struct fetch *fetch = fetch_of(request);

	if (!fetch || !fetch->answer)
		return LG_FAIL;
	*value = http_answer_header(fetch->answer, name);
	return slice_present(*value) ? LG_OK : LG_FAIL;
}

void fetch_services(struct lg_services *services)
{
	services->errand_part = errand_part;
	services->errand_call = errand_call;
	services->errand_header = errand_header;
}
