/* Answers as HTTP/1.1 sends them. Pure; any thread. */
#ifndef HTTP_H1_ANSWER_H
#define HTTP_H1_ANSWER_H

#include "base/buffer.h"
#include "http/request.h"

struct h1_answer {
	const struct http_response *response;
	struct lg_slice date; /* "Date: …\r\n" */
	bool closes;	      /* no further request is read */
	bool old;	      /* to HTTP/1.0, where persistence must be said */
	bool bodiless;	      /* to HEAD: the length without the body */
};

/* Adds the answer; `out` says whether that failed. A header that would break
 * the framing (a control character in its value) is left out. */
void h1_answer_write(const struct h1_answer *answer, struct buffer *out);

#define H1_DATE_BYTES 38 /* "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" and a zero byte */
/* RFC 9110, section 5.6.7. */
void h1_date_format(int64_t wall_ms, char out[H1_DATE_BYTES]);

#endif
