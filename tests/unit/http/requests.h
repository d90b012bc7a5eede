/* Raw requests, good and bad, for the parser and for a running server. */
#ifndef TESTS_HTTP_REQUESTS_H
#define TESTS_HTTP_REQUESTS_H

#include "http/refusal.h"

#include <stddef.h>

#define RAW(text) (text), sizeof(text) - 1

struct bad_request {
	const char *raw;
	size_t length;
	int status;
	const char *label;
};

struct good_request {
	const char *raw;
	size_t length;
	const char *method, *path, *query, *host, *body; /* query NULL: absent */
	int persists;
};

extern const struct bad_request bad_requests[];
extern const size_t bad_request_count;
extern const struct good_request good_requests[];
extern const size_t good_request_count;

#endif
