#include "http/h1_answer.h"

#include "base/log.h"
#include "http/h1_char.h"

#include <leadgate/types.h>
#include <stdio.h>
#include <time.h>

void h1_date_format(int64_t wall_ms, char out[H1_DATE_BYTES])
{
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm t = {0};

	gmtime_r(&seconds, &t);
	snprintf(out, H1_DATE_BYTES, "Date: %s, %02u %s %04u %02u:%02u:%02u GMT\r\n",
		 days[t.tm_wday % 7], (unsigned)t.tm_mday % 100, months[t.tm_mon % 12],
		 (unsigned)(t.tm_year + 1900) % 10000, (unsigned)t.tm_hour % 100,
		 (unsigned)t.tm_min % 100, (unsigned)t.tm_sec % 100);
}

static void write_status_line(int status, struct buffer *out)
{
	if (status == 202) { /* nearly every answer */
		buffer_add_literal(out, "HTTP/1.1 202 Accepted\r\n");
		return;
	}
	buffer_add_literal(out, "HTTP/1.1 ");
	buffer_add_u64(out, (uint64_t)status);
	buffer_add_byte(out, ' ');
	buffer_add_slice(out, slice_from(http_status_text(status)));
	buffer_add_literal(out, "\r\n");
}

static void write_header(const struct http_header *header, struct buffer *out)
{
	if (!h1_is_token(header->name) || !h1_is_value(header->value)) {
		log_warning("http.header-dropped", LOG_SLICE("name", header->name),
			    LOG_TEXT("why", "it would break the framing"));
		return;
	}
	buffer_add_slice(out, header->name);
	buffer_add_literal(out, ": ");
	buffer_add_slice(out, header->value);
	buffer_add_literal(out, "\r\n");
}

/* RFC 9110, section 8.6: these have no body, and 204 no length either. */
static bool has_length(int status)
{
	return status != 204 && status != 304;
}

void h1_answer_write(const struct h1_answer *answer, struct buffer *out)
{
	const struct http_response *response = answer->response;
	bool is_sane = response->status >= 200 && response->status <= 599;
	int status = is_sane ? response->status : 500;

	write_status_line(status, out);
	buffer_add_slice(out, answer->date);
	if (answer->closes)
		buffer_add_literal(out, "Connection: close\r\n");
	else if (answer->old)
		buffer_add_literal(out, "Connection: keep-alive\r\n");
	for (size_t i = 0; i < response->header_count; i++)
		write_header(&response->headers[i], out);
	if (!has_length(status)) {
		buffer_add_literal(out, "\r\n");
		return;
	}
	buffer_add_literal(out, "Content-Length: ");
	buffer_add_u64(out, response->body.length);
	buffer_add_literal(out, "\r\n\r\n");
	if (!answer->bodiless)
		buffer_add_slice(out, response->body);
}
