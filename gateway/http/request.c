#include "http/request.h"

#include "http/server.h"
#include "http/transport.h"

bool http_request_header(const struct http_request *request, const char *name, size_t index,
			 struct lg_slice *value)
{
	struct lg_slice wanted = slice_from(name);

	for (size_t i = 0; i < request->header_count; i++) {
		const struct http_header *header = &request->headers[i];
		if (slice_equal_nocase(header->name, wanted) && index-- == 0) {
			*value = header->value;
			return true;
		}
	}
	return false;
}

void http_request_add_origin(struct http_request *request, struct lg_slice scheme,
			     struct lg_slice host)
{
	if (!slice_present(host) || request->origin_count == HTTP_ORIGINS)
		return;
	for (size_t i = 0; i < request->origin_count; i++)
		if (slice_equal(request->origins[i].scheme, scheme) &&
		    slice_equal(request->origins[i].host, host))
			return;
	request->origins[request->origin_count++] = (struct http_origin){scheme, host};
}

struct lg_slice http_request_url(struct http_request *request, size_t index)
{
	if (index >= request->origin_count)
		return (struct lg_slice){0};
	return arena_printf(&request->arena, "%.*s://%.*s%.*s%s%.*s",
			    SLICE_ARGS(request->origins[index].scheme),
			    SLICE_ARGS(request->origins[index].host), SLICE_ARGS(request->path),
			    slice_present(request->query) ? "?" : "", SLICE_ARGS(request->query));
}

/* An answer that lacks what was added is better than none. */
static struct http_response with_added(struct http_request *request,
				       const struct http_response *response)
{
	struct http_response whole = *response;
	size_t own = response->header_count, added = request->added_count;
	struct http_header *headers;

	if (added == 0)
		return whole;
	headers = arena_alloc(&request->arena, (own + added) * sizeof(*headers));
	if (!headers)
		return whole;
	if (own > 0)
		memcpy(headers, response->headers, own * sizeof(*headers));
	memcpy(headers + own, request->added, added * sizeof(*headers));
	whole.headers = headers;
	whole.header_count = own + added;
	return whole;
}

void http_respond(struct http_request *request, const struct http_response *response)
{
	struct http_transport *transport = request->transport;
	const struct http_service *service = request->service;
	struct http_response whole = with_added(request, response);

	response = &whole;
	if (whole.status == 205) /* RFC 9110, section 15.3.6: without content, but with a length */
		whole.body = LG_SLICE("");
	if (service && service->answered)
		service->answered(service->arg, request, response);
	transport->operations->respond(transport, request, response);
}
