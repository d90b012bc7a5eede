/* Answers as HTTP/2 sends them. Loop thread. */
#ifndef HTTP_H2_ANSWER_H
#define HTTP_H2_ANSWER_H

#include "http/h2_session.h"

#include <nghttp2/nghttp2.h>

/* Hands the answer to the library, which sends it when h2_session_draw asks for
 * it. A header that would break the message (RFC 9113, section 8.2) is left
 * out. False: no memory. */
bool h2_answer_submit(struct h2_session *h2, struct h2_stream *stream,
		      const struct http_response *response);

/* 100 Continue. False: no memory. */
bool h2_answer_continue(struct h2_session *h2, const struct h2_stream *stream);

/* The library's callback: writes a DATA frame into the connection's out. */
int h2_answer_send_data(nghttp2_session *library, nghttp2_frame *frame, const uint8_t *header,
			size_t length, nghttp2_data_source *source, void *context);

#endif
