#include "base/buffer.h"
#include "codec/json_writer.h"
#include "codec/media_type.h"
#include "http/request.h"

#include <stdio.h>

/* What one answer of this kind may be at most; details are sentences. */
#define PROBLEM_BYTES 16384

/* All values of Accept, in one line; they are alternatives (RFC 9110, 5.3). */
static struct lg_slice accept_of(struct http_request *request)
{
	struct lg_slice all = {0}, value;

	for (size_t i = 0; http_request_header(request, "accept", i, &value); i++)
		all = i == 0 ? value
			     : arena_printf(&request->arena, "%.*s, %.*s", SLICE_ARGS(all),
					    SLICE_ARGS(value));
	return all;
}

/* A page only for those who like it better: browsers, not programs that take
 * everything. */
static bool prefers_html(struct http_request *request)
{
	struct lg_slice accept = accept_of(request);

	return slice_present(accept) && accept_weight(accept, "text/html") >
						accept_weight(accept, "application/problem+json");
}

/* RFC 9457. Without `type` it is about:blank, and the title is the status's. */
static void write_json(struct buffer *out, int status, const char *detail)
{
	struct json_writer writer;

	json_writer_init(&writer, out);
	json_write_open(&writer, '{');
	json_write_name(&writer, LG_SLICE("title"));
	json_write_text(&writer, slice_from(http_status_text(status)));
	json_write_name(&writer, LG_SLICE("status"));
	json_write_int(&writer, status);
	if (detail) {
		json_write_name(&writer, LG_SLICE("detail"));
		json_write_text(&writer, slice_from(detail));
	}
	json_write_close(&writer, '}');
	buffer_add_byte(out, '\n');
}

static void escape_html(struct buffer *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<': buffer_add_literal(out, "&lt;"); break;
		case '>': buffer_add_literal(out, "&gt;"); break;
		case '&': buffer_add_literal(out, "&amp;"); break;
		case '"': buffer_add_literal(out, "&quot;"); break;
		default: buffer_add_byte(out, *text);
		}
	}
}

static void write_html(struct buffer *out, int status, const char *detail)
{
	const char *title = http_status_text(status);

	buffer_printf(out,
		      "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\">"
		      "<title>%d %s</title>\n<h1>%d %s</h1>\n",
		      status, title, status, title);
	if (detail) {
		buffer_add_literal(out, "<p>");
		escape_html(out, detail);
		buffer_add_literal(out, "</p>\n");
	}
	buffer_add_literal(out, "</html>\n");
}

void http_respond_problem(struct http_request *request, int status, const char *detail,
			  int retry_after_s)
{
	bool html = prefers_html(request);
	struct http_header headers[3] = {
		{LG_SLICE("Content-Type"), html ? LG_SLICE("text/html; charset=utf-8")
						: LG_SLICE("application/problem+json")},
		{LG_SLICE("Cache-Control"), LG_SLICE("no-store")},
	};
	struct http_response response = {.status = status, .headers = headers, .header_count = 2};
	struct buffer body;
	char seconds[16];

	if (retry_after_s > 0) {
		int length = snprintf(seconds, sizeof(seconds), "%d", retry_after_s);
		headers[response.header_count++] = (struct http_header){
			LG_SLICE("Retry-After"), slice_of(seconds, (size_t)length)};
	}
	buffer_init(&body, PROBLEM_BYTES);
	if (html)
		write_html(&body, status, detail);
	else
		write_json(&body, status, detail);
	/* The status alone says the most important when memory ran out. */
	if (!body.failed)
		response.body = buffer_slice(&body);
	http_respond(request, &response);
	buffer_fini(&body);
}
