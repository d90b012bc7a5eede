#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "codec/digest.h"
#include "codec/hex.h"

static void expect_hex(const uint8_t *bytes, size_t length, const char *expected)
{
	char text[2 * DIGEST_MAX_BYTES + 1];

	hex_encode(slice_of((const char *)bytes, length), text);
	assert_string_equal(text, expected);
}

/* FIPS 180-4 examples. */
static void digests_parts_as_if_joined(void **state)
{
	static const char abc[] =
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	const struct lg_slice parts[] = {LG_SLICE("a"), {NULL, 0}, LG_SLICE("bc")};
	const struct lg_slice whole = LG_SLICE("abc");
	uint8_t out[SHA256_BYTES];

	(void)state;
	sha256(&whole, 1, out);
	expect_hex(out, sizeof(out), abc);
	sha256(parts, 3, out);
	expect_hex(out, sizeof(out), abc);
	sha256(NULL, 0, out);
	expect_hex(out, sizeof(out),
		   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void digests_what_comes_in_pieces(void **state)
{
	const struct lg_slice whole = LG_SLICE(
		"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq");
	struct sha256_sum sum;
	uint8_t out[SHA256_BYTES];

	(void)state;
	for (size_t cut = 0; cut <= whole.length; cut++) {
		sha256_sum_init(&sum);
		sha256_sum_add(&sum, slice_cut(whole, 0, cut));
		sha256_sum_add(&sum, slice_cut(whole, cut, SIZE_MAX));
		sha256_sum_end(&sum, out);
		expect_hex(out, sizeof(out),
			   "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	}
}

/* Wherever 600 bytes are cut in three, longer and shorter than what is gathered. */
static void digests_parts_of_all_lengths(void **state)
{
	static char bytes[600];
	const struct lg_slice whole = {bytes, sizeof(bytes)};
	uint8_t expected[SHA256_BYTES], out[SHA256_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7);
	sha256(&whole, 1, expected);
	for (size_t first = 0; first <= sizeof(bytes); first += 3) {
		for (size_t second = first; second <= sizeof(bytes); second += 7) {
			const struct lg_slice parts[] = {
				slice_cut(whole, 0, first),
				slice_cut(whole, first, second - first),
				slice_cut(whole, second, sizeof(bytes)),
			};
			sha256(parts, 3, out);
			assert_memory_equal(out, expected, sizeof(out));
		}
	}
}

/* RFC 2202 and RFC 4231, test cases 2 (a short key) and 6 (a key longer than a block). */
static void computes_hmac(void **state)
{
	static char long_key[131];
	const struct lg_slice key = LG_SLICE("Jefe");
	const struct lg_slice text = LG_SLICE("what do ya want for nothing?");
	uint8_t out[DIGEST_MAX_BYTES];

	(void)state;
	assert_int_equal(hmac(DIGEST_SHA1, key, text, out), 20);
	expect_hex(out, 20, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
	assert_int_equal(hmac(DIGEST_SHA256, key, text, out), 32);
	expect_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	assert_int_equal(hmac(DIGEST_SHA512, key, text, out), 64);
	expect_hex(out, 64,
		   "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
		   "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
	memset(long_key, 0xaa, sizeof(long_key));
	assert_int_equal(hmac(DIGEST_SHA256, slice_of(long_key, sizeof(long_key)),
			      LG_SLICE("Test Using Larger Than Block-Size Key - Hash Key First"),
			      out),
			 32);
	expect_hex(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	assert_int_equal(hmac((enum digest_kind)9, key, text, out), 0);
}

/* The context of the thread remembers a key; an empty one must not mean that. */
static void takes_an_empty_key_as_empty(void **state)
{
	const struct lg_slice absent = {NULL, 0};
	uint8_t out[DIGEST_MAX_BYTES];

	(void)state;
	hmac(DIGEST_SHA256, LG_SLICE("Jefe"), absent, out);
	hmac(DIGEST_SHA256, absent, absent, out);
	expect_hex(out, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
	hmac(DIGEST_SHA256, LG_SLICE(""), LG_SLICE(""), out);
	expect_hex(out, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void *digest_in_thread(void *data)
{
	const struct lg_slice text = LG_SLICE("abc");

	for (int i = 0; i < 100; i++) {
		sha256(&text, 1, data);
		hmac(DIGEST_SHA256, text, text, (uint8_t *)data + SHA256_BYTES);
	}
	return NULL;
}

static void works_on_many_threads(void **state)
{
	uint8_t out[4][SHA256_BYTES + DIGEST_MAX_BYTES];
	pthread_t threads[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, digest_in_thread, out[i]), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_memory_equal(out[i], out[0], SHA256_BYTES + 32);
	}
}

static void compares(void **state)
{
	(void)state;
	assert_true(digest_equal(LG_SLICE("abc"), LG_SLICE("abc")));
	assert_false(digest_equal(LG_SLICE("abc"), LG_SLICE("abd")));
	assert_false(digest_equal(LG_SLICE("abc"), LG_SLICE("ab")));
	assert_true(digest_equal(LG_SLICE(""), (struct lg_slice){NULL, 0}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_parts_as_if_joined),
		cmocka_unit_test(digests_what_comes_in_pieces),
		cmocka_unit_test(digests_parts_of_all_lengths),
		cmocka_unit_test(computes_hmac),
		cmocka_unit_test(takes_an_empty_key_as_empty),
		cmocka_unit_test(works_on_many_threads),
		cmocka_unit_test(compares),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
