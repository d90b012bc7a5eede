#include "http/tls.h"

/* Nothing is known of the request but that it is one: no protocol is up yet, so
 * the answer is a fixed text (RFC 9110, section 15.5.1). */
#define PLAIN_TEXT "This port speaks HTTPS: ask again with https:// in front.\n"

const struct tls_terms http_tls_terms = {
	.alpn = "\x02h2\x08http/1.1",
	.plain_answer = "HTTP/1.1 400 Bad Request\r\n"
			"Connection: close\r\n"
			"Content-Type: text/plain\r\n"
			"Content-Length: 58\r\n"
			"\r\n" PLAIN_TEXT,
};
_Static_assert(sizeof(PLAIN_TEXT) - 1 == 58, "the length in the answer is that of its text");
