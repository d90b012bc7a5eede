/* The head of an HTTP/2 request (RFC 9113, section 8.3) as the request object
 * that HTTP/1.1 makes, too. What libnghttp2 has refused before (names, values,
 * pseudo-headers, connection-specific headers) does not come here. Loop
 * thread. */
#ifndef HTTP_H2_HEAD_H
#define HTTP_H2_HEAD_H

#include "http/h2_stream.h"

/* Takes one field, in the order in which they come; its bytes are copied, those
 * of a trailer are only counted. What is wrong is kept for h2_head_finish. */
void h2_head_add(struct h2_stream *stream, struct lg_slice name, struct lg_slice value,
		 bool is_trailer, const struct http_limits *limits);

/* Whether the head is so far beyond its limit that decoding the rest is what
 * the peer wants us to be busy with. */
bool h2_head_is_bomb(const struct h2_stream *stream, const struct http_limits *limits);

/* All fields have come. HTTP_ACCEPTED: the request is filled; otherwise as much
 * of it as an answer needs. HTTP_REFUSED_MALFORMED is the one that RFC 9113,
 * section 8.1.1, wants to be a stream error. */
enum http_refusal h2_head_finish(struct h2_stream *stream, struct http_endpoint *endpoint,
				 const struct conn *conn);

#endif
