/* Token bucket: `rate` tokens a second up to `burst`. One thread at a time. */
#ifndef BASE_BUCKET_H
#define BASE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
	int64_t rate_per_s, burst;
	int64_t millitokens;
	int64_t at_ms; /* monotonic */
};

void bucket_init(struct bucket *bucket, int64_t rate_per_s, int64_t burst, int64_t now_ms);
/* Takes `n` tokens, or none and false. A rate of 0 means no limit. */
bool bucket_take(struct bucket *bucket, int64_t n, int64_t now_ms);
/* How many tokens there are now; INT64_MAX where there is no limit. */
int64_t bucket_level(const struct bucket *bucket, int64_t now_ms);
/* Milliseconds until `n` tokens will be there. */
int64_t bucket_wait_ms(const struct bucket *bucket, int64_t n, int64_t now_ms);

#endif
