/* What becomes of a request that an HTTP/2 stream carries: from its head through
 * its body and its handler to the answer. Loop thread. */
#ifndef HTTP_H2_REQUEST_H
#define HTTP_H2_REQUEST_H

#include "http/h2_session.h"

/* Those of the transport of a session's requests. */
extern const struct http_transport_operations h2_request_operations;

/* All of its head has come, and with it the request when `is_whole`. */
void h2_request_take_head(struct h2_stream *stream, bool is_whole);
/* The peer has sent all of it: the handler's turn, unless it is answered. */
void h2_request_finish(struct h2_stream *stream);

/* Answers with a refusal, or ends the stream when the request is malformed. */
void h2_request_refuse(struct h2_stream *stream, enum http_refusal refusal);
/* Ends what an answered request goes on sending. Outside of the library's
 * callbacks. */
void h2_request_dismiss(struct h2_stream *stream);
/* The peer has not made room for an answer in time. Outside of the library's
 * callbacks. */
void h2_request_give_up(struct h2_stream *stream);

#endif
