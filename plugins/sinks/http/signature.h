/* The signature of Standard Webhooks (https://www.standardwebhooks.com, spec
 * version 1), of several keys at once while they are rotated. */
#ifndef SINKS_HTTP_SIGNATURE_H
#define SINKS_HTTP_SIGNATURE_H

#include <leadgate/sink.h>

#include <stdbool.h>

#define KEYS_MAX 8	 /* secrets that sign at once */
#define KEY_BYTES_MIN 24 /* "between 24 bytes and 64 bytes" */
#define KEY_BYTES_MAX 64
#define SIGNATURE_BYTES (KEYS_MAX * 48)

struct key {
	unsigned char bytes[KEY_BYTES_MAX];
	size_t length;
};

struct keys {
	struct key all[KEYS_MAX];
	size_t count;
};

/* Reads base64 keys with blanks between them, each with whsec_ before it or not; none
 * is good. False: `problem` says which is wrong and what would be right. */
bool http_keys_read(struct lg_slice secret, struct keys *keys, struct lg_text problem);

/* Writes "v1,… v1,…", a signature of each key over "id.timestamp.body", as text into
 * `out`. False: no memory. */
bool http_signature_make(struct lg_host *host, const struct keys *keys, const char *id,
			 const char *timestamp, struct lg_slice body, char out[SIGNATURE_BYTES]);

#endif
