#include "base/bucket.h"

#define LARGEST_BURST (INT64_MAX / 1000)

void bucket_init(struct bucket *bucket, int64_t rate_per_s, int64_t burst, int64_t now_ms)
{
	if (burst > LARGEST_BURST)
		burst = LARGEST_BURST;
	*bucket = (struct bucket){.rate_per_s = rate_per_s,
				  .burst = burst,
				  .millitokens = burst * 1000,
				  .at_ms = now_ms};
}

/* A token a second is a millitoken a millisecond, so nothing is ever rounded. */
static int64_t millitokens_at(const struct bucket *bucket, int64_t now_ms)
{
	int64_t full = bucket->burst * 1000, gained, sum;

	if (now_ms <= bucket->at_ms)
		return bucket->millitokens;
	if (__builtin_mul_overflow(now_ms - bucket->at_ms, bucket->rate_per_s, &gained) ||
	    __builtin_add_overflow(bucket->millitokens, gained, &sum) || sum > full)
		return full;
	return sum;
}

bool bucket_take(struct bucket *bucket, int64_t n, int64_t now_ms)
{
	if (bucket->rate_per_s <= 0 || n <= 0)
		return true;
	bucket->millitokens = millitokens_at(bucket, now_ms);
	if (now_ms > bucket->at_ms)
		bucket->at_ms = now_ms;
	if (n > bucket->millitokens / 1000)
		return false;
	bucket->millitokens -= n * 1000;
	return true;
}

int64_t bucket_level(const struct bucket *bucket, int64_t now_ms)
{
	return bucket->rate_per_s > 0 ? millitokens_at(bucket, now_ms) / 1000 : INT64_MAX;
}

int64_t bucket_wait_ms(const struct bucket *bucket, int64_t n, int64_t now_ms)
{
	if (bucket->rate_per_s <= 0 || n <= 0)
		return 0;
	if (n > bucket->burst)
		return INT64_MAX;
	int64_t missing = n * 1000 - millitokens_at(bucket, now_ms);
	if (missing <= 0)
		return 0;
	return (missing - 1) / bucket->rate_per_s + 1;
}
