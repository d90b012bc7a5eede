/* A request to the destination: what it is called, its headers, its body, its URL. */
#ifndef SINKS_HTTP_REQUEST_H
#define SINKS_HTTP_REQUEST_H

#include "settings.h"
#include "signature.h"

#include <stdbool.h>

#define OWN_HEADERS_MAX 8 /* beside those of the configuration */
#define CALL_NAME_BYTES 65

struct sink {
	struct lg_host *host;
	const struct settings *settings;
	struct keys keys;
	char *authorization; /* the header's value; NULL: none */
};

struct headers {
	struct lg_pair pairs[HEADERS_MAX + OWN_HEADERS_MAX];
	size_t count;
	char key[CALL_NAME_BYTES], timestamp[24], signature[SIGNATURE_BYTES];
};

/* The headers of a batch that is sent as `body`. They point into `headers`, the sink and
 * its settings, and into no other memory. False: no memory. */
bool http_request_headers(struct sink *sink, const struct lg_batch *batch, struct lg_slice body,
			  struct headers *headers);

/* The body of a batch in a form for many: an array, or lines. On the heap, the
 * caller's. NULL: no memory. */
char *http_request_body(const struct lg_batch *batch, enum form form, size_t *length);

/* Whether an event goes to update_url: the destination has given its lead an id. */
bool http_request_is_update(const struct sink *sink, const struct lg_event *event);

/* update_url with the id, percent-encoded, in its place. On the heap, the caller's.
 * NULL: no memory. */
char *http_request_update_url(const struct sink *sink, struct lg_slice id);

#endif
