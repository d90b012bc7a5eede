#include "base/random.h"

#include "base/error.h"

#include <endian.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

/* OpenSSL's generator costs more per call than per byte; each thread draws
 * from a pool of its own and wipes what it hands out. */
#define POOL_BYTES 4096
static _Thread_local struct {
	unsigned char bytes[POOL_BYTES];
	size_t left;
} pool;

static void draw(unsigned char *out, size_t size)
{
	while (size > 0) {
		int part = size < INT_MAX ? (int)size : INT_MAX;
		if (RAND_bytes(out, part) != 1)
			error_abort("the random generator of OpenSSL failed");
		out += part;
		size -= (size_t)part;
	}
}

void random_bytes(void *out, size_t size)
{
	if (size > POOL_BYTES / 4) {
		draw(out, size);
		return;
	}
	if (size > pool.left) {
		draw(pool.bytes, POOL_BYTES);
		pool.left = POOL_BYTES;
	}
	pool.left -= size;
	memcpy(out, pool.bytes + pool.left, size);
	OPENSSL_cleanse(pool.bytes + pool.left, size);
}

uint64_t random_u64(void)
{
	uint64_t value;
	random_bytes(&value, sizeof(value));
	return value;
}

uint64_t random_below(uint64_t bound)
{
	if (bound == 0)
		return 0;
	/* The lowest 2^64 mod bound values are refused: as many are left for
	 * each remainder. */
	uint64_t refused = -bound % bound, value;
	do
		value = random_u64();
	while (value < refused);
	return value % bound;
}

/* The last time stamp of this thread, 48 bits, and the counter that makes ids
 * of one millisecond ascend, 16 bits (12 of rand_a, 4 of rand_b). The counter
 * starts below half of its range, so 32768 ids at least fit before it carries
 * into the time stamp, which section 6.2 allows. */
static _Thread_local struct {
	int64_t wall_ms;
	uint64_t stamp;
} last = {.wall_ms = -1};

static uint64_t next_stamp(int64_t wall_ms)
{
	if (wall_ms < 0)
		wall_ms = 0;
	if (wall_ms == last.wall_ms)
		return ++last.stamp;
	last.wall_ms = wall_ms;
	last.stamp = (uint64_t)wall_ms << 16 | (random_u64() & 0x7FFF);
	return last.stamp;
}

void uuid_new(int64_t wall_ms, uint8_t out[UUID_BYTES])
{
	uint64_t stamp = next_stamp(wall_ms);

	random_bytes(out + 8, 8);
	for (int i = 0; i < 6; i++)
		out[i] = (uint8_t)(stamp >> (56 - 8 * i));
	out[6] = (uint8_t)(0x70 | (stamp >> 12 & 0x0F));
	out[7] = (uint8_t)(stamp >> 4);
	out[8] = (uint8_t)(0x80 | (stamp & 0x0F) << 2 | (out[8] & 0x03));
}

/* Eight digits at once: each byte goes into 16 bits of its own, there its halves
 * into a byte each, and those above 9 go on from '9' to 'a'. */
static void hex_of_four(const uint8_t bytes[4], char out[8])
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t digits, letters;
	uint32_t four;

	memcpy(&four, bytes, sizeof(four));
	digits = le32toh(four);
	digits = (digits | digits << 16) & UINT64_C(0x0000FFFF0000FFFF);
	digits = (digits | digits << 8) & UINT64_C(0x00FF00FF00FF00FF);
	digits = (digits >> 4 & ones * 15) | (digits << 8 & UINT64_C(0x0F000F000F000F00));
	letters = (digits + ones * 6) >> 4 & ones;
	digits = htole64(digits + ones * '0' + letters * ('a' - '9' - 1));
	memcpy(out, &digits, sizeof(digits));
}

void uuid_format(const uint8_t uuid[UUID_BYTES], char out[UUID_TEXT_BYTES])
{
	char digits[2 * UUID_BYTES];

	for (int i = 0; i < UUID_BYTES; i += 4)
		hex_of_four(uuid + i, digits + 2 * i);
	memcpy(out, digits, 8);
	memcpy(out + 9, digits + 8, 4);
	memcpy(out + 14, digits + 12, 4);
	memcpy(out + 19, digits + 16, 4);
	memcpy(out + 24, digits + 20, 12);
	out[8] = out[13] = out[18] = out[23] = '-';
	out[36] = '\0';
}

static const uint8_t hyphen_after[UUID_BYTES] = {[3] = 1, [5] = 1, [7] = 1, [9] = 1};

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int uuid_parse(const char *text, size_t length, uint8_t out[UUID_BYTES])
{
	if (length != UUID_TEXT_BYTES - 1)
		return -1;
	for (int i = 0; i < UUID_BYTES; i++) {
		int high = hex_value(*text++), low = hex_value(*text++);
		if (high < 0 || low < 0)
			return -1;
		out[i] = (uint8_t)(high << 4 | low);
		if (hyphen_after[i] && *text++ != '-')
			return -1;
	}
	return 0;
}
