#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conn/tls_certificate.h"
#include "conn/tls_context.h"
#include "maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const struct tls_terms terms = {.alpn = "\x08http/1.1", .plain_answer = ""};

static void read_whole(struct tls_certificate *certificate, const struct made *made)
{
	struct error error = {0};

	if (!tls_certificate_read(certificate, slice_from(made->certificate), &error) ||
	    !tls_certificate_read_key(certificate, slice_from(made->key), &error))
		fail_msg("%s", error.text);
}

struct seen {
	char text[200];
	int left;
};

static bool see(void *arg, struct lg_slice name)
{
	struct seen *seen = arg;
	size_t used = strlen(seen->text);

	snprintf(seen->text + used, sizeof(seen->text) - used, "%.*s ", SLICE_ARGS(name));
	return --seen->left != 0;
}

static void expect_names(const char *names, const char *expected)
{
	struct made made = maker_make("common.example", names, 1);
	struct tls_certificate certificate;
	struct seen seen = {.left = -1};

	read_whole(&certificate, &made);
	assert_true(tls_certificate_each_name(&certificate, see, &seen));
	assert_string_equal(seen.text, expected);
	seen = (struct seen){.left = 1};
	assert_false(tls_certificate_each_name(&certificate, see, &seen));
	tls_certificate_fini(&certificate);
	maker_free(&made);
}

static void says_its_names(void **state)
{
	(void)state;
	expect_names("DNS:a.example,IP:127.0.0.1,DNS:*.b.example", "a.example *.b.example ");
	expect_names("IP:127.0.0.1", "common.example ");
	expect_names(NULL, "common.example ");
}

static void reads_a_chain(void **state)
{
	struct made leaf = maker_make("leaf.example", NULL, 2), next = maker_make("next", NULL, 1);
	struct tls_certificate certificate;
	char *both;

	(void)state;
	assert_true(asprintf(&both, "%s%s", leaf.certificate, next.certificate) > 0);
	assert_true(tls_certificate_read(&certificate, slice_from(both), NULL));
	assert_int_equal(sk_X509_num(certificate.chain), 1);
	assert_true(tls_certificate_read_key(&certificate, slice_from(leaf.key), NULL));
	assert_true(llabs(certificate.ends_s - time(NULL) - INT64_C(2 * 86400)) < 300);
	assert_true(certificate.begins_s < time(NULL));
	tls_certificate_fini(&certificate);
	both[strlen(both) - 60] = '!';
	assert_false(tls_certificate_read(&certificate, slice_from(both), NULL));
	tls_certificate_fini(&certificate);
	free(both);
	maker_free(&leaf);
	maker_free(&next);
}

static void refuses_what_is_none(void **state)
{
	struct made made = maker_make("a.example", NULL, 1), other = maker_make("b", NULL, 1);
	const char *const none[] = {"", "hello", "-----BEGIN CERTIFICATE-----\n", made.key};
	char *encrypted = maker_encrypt(made.key);
	struct tls_certificate certificate;
	struct error error = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		assert_false(tls_certificate_read(&certificate, slice_from(none[i]), &error));
		assert_non_null(strstr(error.text, "no certificate"));
		tls_certificate_fini(&certificate);
	}
	assert_true(tls_certificate_read(&certificate, slice_from(made.certificate), &error));
	assert_false(tls_certificate_read_key(&certificate, slice_from(""), &error));
	assert_non_null(strstr(error.text, "no private key"));
	assert_false(tls_certificate_read_key(&certificate, slice_from(encrypted), &error));
	assert_non_null(strstr(error.text, "encrypted"));
	assert_false(tls_certificate_read_key(&certificate, slice_from(other.key), &error));
	assert_non_null(strstr(error.text, "does not belong"));
	tls_certificate_fini(&certificate);
	free(encrypted);
	maker_free(&made);
	maker_free(&other);
}

/* ---- contexts ---------------------------------------------------------------------- */

static struct tls_settings good_settings(void)
{
	return (struct tls_settings){.ciphers = LG_SLICE("ECDHE+AESGCM"),
				     .groups = LG_SLICE("X25519"),
				     .ticket_lifetime_ms = 1000};
}

static struct tls_context *open_context(const struct tls_settings *settings, struct made *made,
					size_t count)
{
	struct tls_certificate certificates[2] = {0};
	struct tls_context *context;
	struct error error = {0};
	const char *option;

	for (size_t i = 0; i < count; i++)
		read_whole(&certificates[i], &made[i]);
	context = tls_context_new(settings, certificates, count, &terms, &option, &error);
	for (size_t i = 0; i < count; i++)
		tls_certificate_fini(&certificates[i]);
	if (!context)
		fail_msg("%s: %s", option, error.text);
	return context;
}

/* The same files give the same; each setting and each certificate counts. */
static void tells_contexts_apart(void **state)
{
	struct made made[] = {maker_make("a.example", NULL, 3), maker_make("b.example", NULL, 2)};
	struct tls_settings settings[5];
	struct tls_context *first, *others[7];

	(void)state;
	for (int i = 0; i < 5; i++)
		settings[i] = good_settings();
	settings[1].ciphers = LG_SLICE("ECDHE+CHACHA20");
	settings[2].min_version = TLS_VERSION_1_3;
	settings[3].strict_names = 1;
	settings[4].ticket_lifetime_ms = 0;
	first = open_context(&settings[0], made, 1);
	for (int i = 0; i < 5; i++)
		others[i] = open_context(&settings[i], made, 1);
	others[5] = open_context(&settings[0], made, 2);
	others[6] = open_context(&settings[0], made + 1, 1);
	for (int i = 0; i < 7; i++) {
		assert_int_equal(tls_context_same(first, others[i]), i == 0);
		tls_context_inherit(others[i], first);
	}
	assert_true(llabs(tls_context_expires(others[5]) - time(NULL) - INT64_C(2 * 86400)) < 300);
	for (int i = 0; i < 7; i++)
		tls_context_unref(&others[i]);
	tls_context_unref(&first);
	assert_null(first);
	maker_free(&made[0]);
	maker_free(&made[1]);
}

static void blames_the_option(void **state)
{
	struct made made = maker_make("a.example", NULL, 1);
	struct tls_settings ciphers = good_settings(), groups = good_settings();
	struct tls_certificate certificate;
	struct error error = {0};
	const char *option;

	(void)state;
	read_whole(&certificate, &made);
	ciphers.ciphers = LG_SLICE("RC5000");
	assert_null(tls_context_new(&ciphers, &certificate, 1, &terms, &option, &error));
	assert_string_equal(option, "ciphers");
	assert_string_equal(error.text, "names no cipher that there is");
	groups.groups = LG_SLICE("P-1");
	assert_null(tls_context_new(&groups, &certificate, 1, &terms, &option, &error));
	assert_string_equal(option, "groups");
	tls_certificate_fini(&certificate);
	maker_free(&made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_its_names),	cmocka_unit_test(reads_a_chain),
		cmocka_unit_test(refuses_what_is_none), cmocka_unit_test(tells_contexts_apart),
		cmocka_unit_test(blames_the_option),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
