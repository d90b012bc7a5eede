/* Keys that were seen lately: a bounded table for nonces. Only digests are
 * kept. Any thread (a short lock). */
#ifndef HOST_ONCE_H
#define HOST_ONCE_H

#include "base/slice.h"

struct once;

/* At most `capacity` keys (a power of two); memory is taken at once. NULL when
 * there is none. */
struct once *once_new(size_t capacity);
void once_free(struct once **once);

/* True the first time that `scope` and `key` are seen within `ttl_ms`, counted
 * from the first sight. When the table is full the oldest key is forgotten. */
bool once_take(struct once *once, struct lg_slice scope, struct lg_slice key, int64_t ttl_ms,
	       int64_t now_ms);

#endif
