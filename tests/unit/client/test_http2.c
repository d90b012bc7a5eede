#include "unit.h"

#include <stdio.h>

#include "caller.h"
#include "h2_server.h"

/* curl does not use a connection again on which it finds a frame (the answer to
 * its SETTINGS, say) while no call is under way there; then a second one is made. */
#define SHARED_MAX 2

static struct caller caller;
static struct server server;
static struct caller_answer got;
static int descriptors;

static int set_up(void **state)
{
	(void)state;
	descriptors = caller_descriptors();
	caller_init(&caller);
	caller.settings.http2_plain = true;
	server_start(&server, h2_server_serve);
	caller_open(&caller);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	caller_close(&caller);
	server_stop(&server);
	return caller_descriptors() == descriptors ? 0 : -1;
}

static void send_to(const char *path, struct lg_slice body, int64_t timeout_ms,
		    struct caller_answer *answer)
{
	char url[64];
	struct http_call call = {
		.method = LG_SLICE("POST"), .body = body, .timeout_ms = timeout_ms};

	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", server.port, path);
	call.url = slice_from(url);
	assert_non_null(caller_send(&caller, &call, answer));
}

static void assert_result(const struct caller_answer *of, enum http_result wanted)
{
	if (of->answer.result != wanted)
		fail_msg("%s (%s), not %s", http_result_name(of->answer.result), of->answer.reason,
			 http_result_name(wanted));
}

static void speaks_http2_with_prior_knowledge(void **state)
{
	(void)state;
	send_to("/", LG_SLICE("twelve bytes"), 0, &got);
	caller_wait(&caller);
	assert_result(&got, HTTP_ANSWERED);
	assert_int_equal(got.answer.status, 200);
	assert_int_equal(got.answer.version, 20);
	assert_slice_is(http_answer_header(&got.answer, "X-Got"), "12");
}

static void large_bodies_pass_the_window(void **state)
{
	static char body[300000];

	(void)state;
	send_to("/", slice_of(body, sizeof(body)), 0, &got);
	caller_wait(&caller);
	assert_result(&got, HTTP_ANSWERED);
	assert_slice_is(http_answer_header(&got.answer, "x-got"), "300000");
}

static void many_calls_share_one_connection(void **state)
{
	static struct caller_answer answers[80];

	(void)state;
	for (int i = 0; i < 80; i++)
		send_to("/", LG_SLICE("x"), 0, &answers[i]);
	caller_wait(&caller);
	for (int i = 0; i < 80; i++)
		assert_result(&answers[i], HTTP_ANSWERED);
	assert_int_equal(server.requests, 80);
	assert_in_range(server.accepted, 1, SHARED_MAX);
}

static void one_streams_trouble_is_its_own(void **state)
{
	static struct caller_answer silent, reset, fine;
	int64_t timeout_ms = 200;

	(void)state;
	do {
		send_to("/silent", LG_SLICE("x"), timeout_ms, &silent);
		send_to("/reset", LG_SLICE("x"), 0, &reset);
		send_to("/", LG_SLICE("x"), 0, &fine);
		caller_wait(&caller);
	} while (caller_needs_longer(&silent, HTTP_TIMEOUT_SENT, &timeout_ms));
	assert_result(&silent, HTTP_TIMEOUT_SENT);
	assert_result(&reset, HTTP_NO_ANSWER);
	assert_result(&fine, HTTP_ANSWERED);
	send_to("/", LG_SLICE("x"), 0, &fine);
	caller_wait(&caller);
	assert_result(&fine, HTTP_ANSWERED);
	assert_in_range(server.accepted, 1, SHARED_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		CASE(speaks_http2_with_prior_knowledge),
		CASE(large_bodies_pass_the_window),
		CASE(many_calls_share_one_connection),
		CASE(one_streams_trouble_is_its_own),
	};
	return RUN(tests);
}
