#include "http/request.h"

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

void http_respond(struct http_request *request, const struct http_response *response)
{
	struct http_transport *transport = request->transport;

	transport->operations->respond(transport, request, response);
}
