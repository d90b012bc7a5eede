/* The body of an HTTP/1.1 request (RFC 9112, sections 6 and 7): pure, strict,
 * resumable byte by byte. Trailers are checked and forgotten. */
#ifndef HTTP_H1_BODY_H
#define HTTP_H1_BODY_H

#include "http/h1_parser.h"

struct h1_body {
	int state;
	uint64_t left; /* bytes of the body, or of the chunk */
	size_t digits; /* of the chunk's size */
	size_t extras; /* bytes of extensions and trailers so far */
	size_t extras_limit;
	enum http_refusal refusal;
};

void h1_body_init(struct h1_body *body, uint64_t content_length);
/* All chunk extensions and trailers together are at most `extras_limit` bytes. */
void h1_body_init_chunked(struct h1_body *body, size_t extras_limit);

/* Takes bytes off `*input`, up to the end of the first `*piece` of content that
 * it finds (empty: none), of the body, or of the input. H1_WHOLE: the body has
 * ended, and `*input` is what comes after it. */
enum h1_result h1_body_feed(struct h1_body *body, struct lg_slice *input, struct lg_slice *piece);

#endif
