#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "caller.h"
#include "certificate.h"
#include "h2_server.h"
#include "server.h"

static struct authority authority, stranger;
static struct caller caller;
static struct server server;
static struct caller_answer got;
static SSL_CTX *context;
static char hosts[] = "/tmp/leadgate-hosts-XXXXXX";

static int set_up_all(void **state)
{
	FILE *file = fdopen(mkstemp(hosts), "w");

	(void)state;
	signal(SIGPIPE, SIG_IGN); /* OpenSSL's sockets raise it in the server */
	authority_init(&authority, "the tests");
	authority_init(&stranger, "a stranger");
	return file && fputs("127.0.0.1 good.test other.test\n", file) > 0 && fclose(file) == 0
		       ? 0
		       : -1;
}

static int tear_down_all(void **state)
{
	(void)state;
	unlink(hosts);
	authority_fini(&authority);
	authority_fini(&stranger);
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	caller_init(&caller);
	caller.settings.hosts_file = slice_from(hosts);
	caller.settings.ca_file = slice_from(authority.file);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	caller_close(&caller);
	server_stop(&server);
	SSL_CTX_free(context);
	context = NULL;
	return 0;
}

/* Answers each request of a TLS connection. */
static void serve_tls(struct server *s, int fd)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
	SSL *ssl = SSL_new(s->context);
	char request[4096];

	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1) {
		while (SSL_read(ssl, request, sizeof(request)) > 0) {
			s->requests++;
			if (SSL_write(ssl, answer, sizeof(answer) - 1) <= 0)
				break;
		}
	}
	SSL_free(ssl);
}

static void start_serving(struct authority *signer, const char *name, int days,
			  void (*serve)(struct server *server, int fd))
{
	context = authority_server(signer, name, days);
	server.context = context;
	server_start(&server, serve);
	caller_open(&caller);
}

static void start(struct authority *signer, const char *name, int days)
{
	start_serving(signer, name, days, serve_tls);
}

static void assert_result(enum http_result wanted)
{
	if (got.answer.result != wanted)
		fail_msg("%s (%s), not %s", http_result_name(got.answer.result), got.answer.reason,
			 http_result_name(wanted));
}

static void a_trusted_certificate_with_the_name_is_taken(void **state)
{
	(void)state;
	start(&authority, "DNS:good.test", 1);
	for (int i = 0; i < 3; i++) {
		caller_get(&caller, "https://good.test", server.port, &got);
		assert_result(HTTP_ANSWERED);
		assert_int_equal(got.answer.status, 200);
		assert_int_equal(got.answer.reused, i > 0);
	}
	assert_int_equal(server.accepted, 1);
}

static void http2_is_spoken_where_it_is_offered(void **state)
{
	static struct caller_answer answers[40];
	char url[64];
	struct http_call call = {.method = LG_SLICE("POST"), .body = LG_SLICE("seven b")};

	(void)state;
	start_serving(&authority, "DNS:good.test", 1, h2_server_serve_tls);
	snprintf(url, sizeof(url), "https://good.test:%d/", server.port);
	call.url = slice_from(url);
	for (int i = 0; i < 40; i++)
		assert_non_null(caller_send(&caller, &call, &answers[i]));
	caller_wait(&caller);
	for (int i = 0; i < 40; i++) {
		got = answers[i];
		assert_result(HTTP_ANSWERED);
		assert_int_equal(got.answer.version, 20);
		assert_slice_is(http_answer_header(&got.answer, "x-got"), "7");
	}
	assert_int_equal(server.requests, 40);
	assert_int_equal(server.accepted, 1);
}

static void another_name_is_tls_name(void **state)
{
	(void)state;
	start(&authority, "DNS:good.test", 1);
	caller_get(&caller, "https://other.test", server.port, &got);
	assert_result(HTTP_TLS_NAME);
	assert_false(http_result_sent(got.answer.result));
	caller_get(&caller, "https://127.0.0.1", server.port, &got);
	assert_result(HTTP_TLS_NAME);
	assert_int_equal(server.requests, 0);
}

static void an_unknown_authority_is_tls_untrusted(void **state)
{
	(void)state;
	start(&stranger, "DNS:good.test", 1);
	caller_get(&caller, "https://good.test", server.port, &got);
	assert_result(HTTP_TLS_UNTRUSTED);
	assert_int_equal(server.requests, 0);
}

static void the_systems_authorities_do_not_know_ours(void **state)
{
	(void)state;
	caller.settings.ca_file = (struct lg_slice){0};
	start(&authority, "DNS:good.test", 1);
	caller_get(&caller, "https://good.test", server.port, &got);
	assert_result(HTTP_TLS_UNTRUSTED);
}

static void an_expired_certificate_is_tls_untrusted(void **state)
{
	(void)state;
	start(&authority, "DNS:good.test", -1);
	caller_get(&caller, "https://good.test", server.port, &got);
	assert_result(HTTP_TLS_UNTRUSTED);
	assert_non_null(strstr(got.answer.reason, "expired"));
}

static void serve_plain(struct server *s, int fd)
{
	(void)s;
	server_say(fd, "220 mail.test ESMTP ready\r\n");
}

static void a_plain_server_is_tls_failed(void **state)
{
	(void)state;
	server_start(&server, serve_plain);
	caller_open(&caller);
	caller_get(&caller, "https://good.test", server.port, &got);
	assert_result(HTTP_TLS_FAILED);
}

static void serve_silence(struct server *s, int fd)
{
	(void)s;
	server_wait(fd);
}

static void a_silent_handshake_is_connect_timeout(void **state)
{
	(void)state;
	caller.settings.connect_timeout_ms = 150;
	server_start(&server, serve_silence);
	caller_open(&caller);
	caller_get(&caller, "https://good.test", server.port, &got);
	assert_result(HTTP_CONNECT_TIMEOUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		CASE(a_trusted_certificate_with_the_name_is_taken),
		CASE(http2_is_spoken_where_it_is_offered),
		CASE(another_name_is_tls_name),
		CASE(an_unknown_authority_is_tls_untrusted),
		CASE(the_systems_authorities_do_not_know_ours),
		CASE(an_expired_certificate_is_tls_untrusted),
		CASE(a_plain_server_is_tls_failed),
		CASE(a_silent_handshake_is_connect_timeout),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
