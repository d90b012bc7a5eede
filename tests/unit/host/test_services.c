/* The services that know nothing of leads, through the inline functions that
 * plugins use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <leadgate/source.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/counter.h"
#include "base/log.h"
#include "codec/json.h"
#include "host/instance.h"
#include "host/services.h"

static struct lg_services table;
static struct library library = {.plugin = {.name = "sample"}};
static struct instance instance = {.library = &library};
static struct lg_request request = {&table};

static int setup(void **state)
{
	(void)state;
	services_init(&table);
	instance.host.services = &table;
	instance.name = LG_SLICE("a \"door\"");
	return 0;
}

static void test_clock(void **state)
{
	(void)state;
	int64_t wall = clock_wall_ms(), now = lg_now(&instance.host);
	assert_true(now >= wall && now <= clock_wall_ms());
	assert_true(lg_monotonic(&instance.host) <= clock_monotonic_ms());
}

static void test_log_has_the_instance(void **state)
{
	int ends[2];
	char text[1024];
	ssize_t got;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	log_setup(ends[1], LOG_LOGFMT, LG_LOG_INFO);
	lg_log(&instance.host, LG_LOG_NOTICE, LG_SLICE("hello"));
	lg_log(&instance.host, LG_LOG_DEBUG, LG_SLICE("not this"));
	lg_log(&instance.host, LG_LOG_NOTICE, slice_of(NULL, 5));
	lg_log(&instance.host, 77, LG_SLICE("an unknown level is an error"));
	got = read(ends[0], text, sizeof(text) - 1);
	log_setup(STDERR_FILENO, LOG_LOGFMT, LG_LOG_INFO);
	close(ends[0]);
	close(ends[1]);
	assert_true(got > 0);
	text[got] = '\0';
	assert_non_null(strstr(text, "level=notice"));
	assert_non_null(strstr(text, "plugin=sample message=hello"));
	assert_non_null(strstr(text, "level=error"));
	assert_null(strstr(text, "not this"));
}

static void test_counter(void **state)
{
	int32_t counter = lg_counter(&instance.host, "doors_opened", "Doors that were opened");
	struct buffer out;

	(void)state;
	assert_true(counter >= 0);
	assert_int_equal(counter, lg_counter(&instance.host, "doors_opened", "Doors"));
	lg_count(&instance.host, counter, 3);
	lg_count(&instance.host, counter, -1);
	lg_count(&instance.host, LG_FAIL, 1);
	lg_count(&instance.host, INT32_MAX, 1);
	buffer_init(&out, SIZE_MAX);
	counter_print(&out);
	buffer_add_byte(&out, '\0');
	assert_non_null(strstr(out.data, "leadgate_plugin_doors_opened_total"
					 "{instance=\"a \\\"door\\\"\"} 3\n"));
	buffer_fini(&out);
}

static void test_counter_names(void **state)
{
	static const char *const bad[] = {
		"",   "Doors",	      "doors-opened",
		"d2", "doors opened", "a_name_that_is_longer_than_forty_characters"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(lg_counter(&instance.host, bad[i], "x"), LG_FAIL);
	assert_int_equal(lg_counter(&instance.host, NULL, "x"), LG_FAIL);
}

static void test_once(void **state)
{
	struct instance other = instance;

	(void)state;
	other.name = LG_SLICE("other");
	assert_int_equal(lg_once(&instance.host, LG_SLICE("nonce"), 60000), LG_OK);
	assert_int_equal(lg_once(&instance.host, LG_SLICE("nonce"), 60000), LG_FAIL);
	assert_int_equal(lg_once(&other.host, LG_SLICE("nonce"), 60000), LG_OK);
	assert_int_equal(lg_once(&instance.host, slice_of(NULL, 5), 60000), LG_OK);
	assert_int_equal(lg_once(&instance.host, LG_SLICE(""), 60000), LG_FAIL);
}

static const char *hex_of(const unsigned char *bytes, int32_t size)
{
	static char text[129];

	assert_true(size > 0 && size <= 64);
	assert_int_equal(
		lg_hex(&request, (struct lg_slice){(const char *)bytes, (size_t)size}, text, 128),
		2 * size);
	text[2 * size] = '\0';
	return text;
}

/* RFC 4231, test case 2, and RFC 2202, test case 2. */
static void test_hmac(void **state)
{
	struct lg_slice key = LG_SLICE("Jefe"), text = LG_SLICE("what do ya want for nothing?");
	unsigned char mac[64];

	(void)state;
	assert_string_equal(hex_of(mac, lg_hmac(&request, LG_SHA256, key, text, mac, sizeof(mac))),
			    "5bdcc146bf60754e6a042426089575c7"
			    "5a003f089d2739839dec58b964ec3843");
	assert_string_equal(hex_of(mac, lg_hmac(&request, LG_SHA1, key, text, mac, 20)),
			    "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
	assert_int_equal(lg_hmac(&request, LG_SHA512, key, text, mac, sizeof(mac)), 64);
	assert_int_equal(lg_hmac(&request, LG_SHA256, key, text, mac, 31), LG_FAIL);
	assert_int_equal(lg_hmac(&request, 4, key, text, mac, sizeof(mac)), LG_FAIL);
	/* Without data it is absent, whatever its length says. */
	assert_string_equal(hex_of(mac, lg_hmac(&request, LG_SHA256, slice_of(NULL, 5),
						slice_of(NULL, 5), mac, sizeof(mac))),
			    "b613679a0814d9ec772f95d778c35fc5"
			    "ff1697c493715653c6c712144292c5ad");
}

static void test_digest_and_encodings(void **state)
{
	unsigned char digest[32];
	char out[400], long_one[150];

	(void)state;
	assert_string_equal(hex_of(digest, lg_sha256(&request, LG_SLICE("abc"), digest)),
			    "ba7816bf8f01cfea414140de5dae2223"
			    "b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(lg_hex(&request, LG_SLICE("abc"), out, 5), LG_FAIL);
	memset(long_one, 0x5a, sizeof(long_one));
	assert_int_equal(lg_hex(&request, (struct lg_slice){long_one, 150}, out, 300), 300);
	for (int i = 0; i < 300; i += 2)
		assert_memory_equal(out + i, "5a", 2);
	assert_int_equal(lg_base64(&request, LG_SLICE("\xfb\xff"), 0, out, sizeof(out)), 4);
	assert_memory_equal(out, "+/8=", 4);
	assert_int_equal(lg_base64(&request, LG_SLICE("\xfb\xff"), 1, out, sizeof(out)), 3);
	assert_memory_equal(out, "-_8", 3);
	assert_int_equal(lg_base64(&request, LG_SLICE("abc"), 0, out, 3), LG_FAIL);
	assert_int_equal(lg_equal(&request, LG_SLICE("abc"), LG_SLICE("abc")), 1);
	assert_int_equal(lg_equal(&request, LG_SLICE("abc"), LG_SLICE("abd")), 0);
	assert_int_equal(lg_equal(&request, LG_SLICE("abc"), LG_SLICE("ab")), 0);
	assert_int_equal(lg_equal(&request, LG_SLICE("abc"), slice_of(NULL, 3)), 0);
	assert_string_equal(hex_of(digest, lg_sha256(&request, slice_of(NULL, 5), digest)),
			    "e3b0c44298fc1c149afbf4c8996fb924"
			    "27ae41e4649b934ca495991b7852b855");
	assert_int_equal(lg_hex(&request, slice_of(NULL, 5), out, sizeof(out)), 0);
	assert_int_equal(lg_base64(&request, slice_of(NULL, 5), 0, out, sizeof(out)), 0);
}

static void test_json_walk(void **state)
{
	struct arena arena;
	struct error error = {""};
	const struct lg_json *root, *value;
	struct lg_slice text;

	(void)state;
	arena_init(&arena, 4096, 0);
	root = (const struct lg_json *)json_parse(
		&arena, LG_SLICE("{\"a\":12345678901234567890,\"b\":[true,null]}"), &error);
	assert_non_null(root);
	assert_int_equal(lg_json_kind(&request, root), LG_JSON_OBJECT);
	value = lg_json_member(&request, root, LG_SLICE("a"));
	assert_int_equal(lg_json_kind(&request, value), LG_JSON_NUMBER);
	text = lg_json_text(&request, value);
	assert_memory_equal(text.data, "12345678901234567890", text.length);
	value = lg_json_next(&request, value);
	text = lg_json_name(&request, value);
	assert_int_equal(text.length, 1);
	value = lg_json_first(&request, value);
	assert_int_equal(lg_json_kind(&request, value), LG_JSON_TRUE);
	value = lg_json_next(&request, value);
	assert_int_equal(lg_json_kind(&request, value), LG_JSON_NULL);
	assert_null(lg_json_next(&request, value));
	assert_null(lg_json_member(&request, root, LG_SLICE("c")));
	assert_null(lg_json_member(&request, root, slice_of(NULL, 1)));
	assert_int_equal(lg_json_kind(&request, NULL), LG_JSON_NULL);
	assert_null(lg_json_first(&request, NULL));
	assert_null(lg_json_text(&request, NULL).data);
	arena_fini(&arena);
}

/* A plugin asks whether a service is there before it calls one that is newer. */
static void test_has(void **state)
{
	struct lg_services old = table;

	(void)state;
	assert_true(LG_HAS(&table, once));
	assert_false(LG_HAS(&table, settle)); /* not filled by the host alone */
	old.size = offsetof(struct lg_services, once);
	assert_false(LG_HAS(&old, once));
	assert_true(LG_HAS(&old, count));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_log_has_the_instance),
		cmocka_unit_test(test_counter),
		cmocka_unit_test(test_counter_names),
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_hmac),
		cmocka_unit_test(test_digest_and_encodings),
		cmocka_unit_test(test_json_walk),
		cmocka_unit_test(test_has),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("services", tests, setup, NULL);
}
