/* Calls of a sink's plugin through its lane's HTTP client. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../client/server.h"
#include "base/loop.h"
#include "sink/http_service.h"

static const struct lg_services services = {.size = sizeof(services),
					    .http_header = http_service_header};

static struct desk {
	struct loop *loop;
	struct loop_task turn;
	struct http_client_settings client;
	struct expr_limits limits;
	struct http_service_settings settings;
	struct http_service *service;
	int turns, answers, wanted;
	int32_t outcome, status;
	int64_t retry_after;
	char reason[256], body[64], header[64], external_id[64];
} desk;

static void on_turn(struct loop_task *task)
{
	(void)task;
	desk.turns++;
	if (desk.answers >= desk.wanted)
		loop_stop(desk.loop);
}

static void on_answer(void *context, const struct lg_http_answer *answer)
{
	struct lg_slice value;

	assert_ptr_equal(context, &desk);
	assert_true(answer->size >= sizeof(*answer));
	desk.answers++;
	desk.outcome = answer->outcome;
	desk.status = answer->status;
	desk.retry_after = answer->retry_after;
	slice_to_text(answer->reason, desk.reason, sizeof(desk.reason));
	slice_to_text(answer->body, desk.body, sizeof(desk.body));
	slice_to_text(answer->external_id, desk.external_id, sizeof(desk.external_id));
	if (answer->services->http_header(answer, "x-result", &value) == LG_OK)
		slice_to_text(value, desk.header, sizeof(desk.header));
}

static int desk_init(void **state)
{
	(void)state;
	memset(&desk, 0, sizeof(desk));
	desk.loop = loop_new();
	desk.limits = (struct expr_limits){.memory_bytes = 4 << 20, .steps = 200000};
	desk.client = (struct http_client_settings){
		.timeout_ms = 20000,
		.connect_timeout_ms = 20000,
		.calls_max = 3,
		.connections_max = 8,
		.host_connections_max = 8,
		.idle_ms = 60000,
		.connection_life_ms = 60000,
		.answer_head_bytes = 2048,
		.answer_keep_bytes = 1000,
		.answer_max_bytes = 20000,
		.name_timeout_ms = 3000,
		.name_lookups_max = 8,
		.names_max = 8,
	};
	desk.settings = (struct http_service_settings){
		.client = &desk.client,
		.limits = &desk.limits,
		.allow_private = 1,
		.outcome = {.external_id = LG_SLICE("body.id")},
	};
	if (!desk.loop)
		return -1;
	loop_task_init(&desk.turn, desk.loop, on_turn);
	return 0;
}

static int desk_fini(void **state)
{
	(void)state;
	http_service_free(&desk.service);
	loop_task_fini(&desk.turn);
	loop_free(&desk.loop);
	return 0;
}

static void open_service(void)
{
	struct error error = {""};

	desk.service = http_service_new(desk.loop, LG_SLICE("crm"), &desk.settings, &desk.turn,
					&error);
	if (!desk.service)
		fail_msg("%s", error.text);
}

static int32_t send_to(uint16_t port, int64_t timeout_ms)
{
	char url[64];
	struct lg_http_call call = {.size = sizeof(call), .timeout = timeout_ms};

	snprintf(url, sizeof(url), "http://127.0.0.1:%d/leads", port);
	call.url = slice_from(url);
	call.body = LG_SLICE("{}");
	return http_service_send(desk.service, &services, &call, on_answer, &desk);
}

static void run_until(int answers)
{
	desk.wanted = answers;
	loop_run(desk.loop);
	assert_int_equal(desk.answers, answers);
}

/* ---- answers ------------------------------------------------------------------ */

static void say_created(struct server *server, int fd)
{
	char request[SERVER_REQUEST_BYTES];

	while (server_read(server, fd, request)) {
		assert_memory_equal(request, "POST /leads HTTP/1.1\r\n", 22);
		server_say(fd, "HTTP/1.1 201 Created\r\nX-Result: stored\r\nRetry-After: 9\r\n"
			       "Content-Length: 10\r\n\r\n{\"id\":\"7\"}");
	}
}

static void an_answer_comes_judged(void **state)
{
	struct server server;

	(void)state;
	server_start(&server, say_created);
	open_service();
	assert_int_equal(send_to(server.port, 0), LG_OK);
	assert_int_equal(desk.answers, 0); /* never from within */
	run_until(1);
	assert_true(desk.turns > 0);
	assert_int_equal(desk.outcome, LG_DELIVERED);
	assert_int_equal(desk.status, 201);
	assert_int_equal(desk.retry_after, 0);
	assert_string_equal(desk.reason, "");
	assert_string_equal(desk.body, "{\"id\":\"7\"}");
	assert_string_equal(desk.header, "stored");
	assert_string_equal(desk.external_id, "7");
	server_stop(&server);
}

static void say_busy(struct server *server, int fd)
{
	char request[SERVER_REQUEST_BYTES];

	while (server_read(server, fd, request))
		server_say(fd,
			   "HTTP/1.1 503 Busy\r\nRetry-After: 9\r\nContent-Length: 2\r\n\r\nno");
}

static void a_refusal_says_why(void **state)
{
	struct server server;

	(void)state;
	server_start(&server, say_busy);
	open_service();
	assert_int_equal(send_to(server.port, 0), LG_OK);
	run_until(1);
	assert_int_equal(desk.outcome, LG_RETRY);
	assert_int_equal(desk.status, 503);
	assert_int_equal(desk.retry_after, 9000);
	assert_string_equal(desk.reason, "HTTP 503: the destination has failed");
	assert_string_equal(desk.body, "no");
	assert_string_equal(desk.external_id, "");
	server_stop(&server);
}

static void private_addresses_want_leave(void **state)
{
	struct server server;

	(void)state;
	server_start(&server, server_answer_ok);
	desk.settings.allow_private = 0;
	open_service();
	assert_int_equal(send_to(server.port, 0), LG_OK);
	run_until(1);
	assert_int_equal(desk.outcome, LG_PARK);
	assert_int_equal(server.requests, 0);
	server_stop(&server);
}

static void hear_only(struct server *server, int fd)
{
	char request[SERVER_REQUEST_BYTES];

	if (server_read(server, fd, request))
		server_wait(fd);
}

static void the_time_of_a_call_counts(void **state)
{
	struct server server;
	int answers = 0;

	(void)state;
	server_start(&server, hear_only);
	open_service();
	/* On a busy machine the time may be up before anything is sent. */
	for (int64_t timeout_ms = 300; timeout_ms < 60000; timeout_ms *= 2) {
		assert_int_equal(send_to(server.port, timeout_ms), LG_OK);
		run_until(++answers);
		if (desk.outcome == LG_UNCLASSIFIED)
			break;
		assert_int_equal(desk.outcome, LG_RETRY);
	}
	assert_int_equal(desk.outcome, LG_UNCLASSIFIED);
	server_stop(&server);
}

/* ---- bounds and ends -------------------------------------------------------------- */

static void there_are_not_too_many(void **state)
{
	struct lg_http_call unsized = {.url = LG_SLICE("http://127.0.0.1/")};
	struct server server;

	(void)state;
	server_start(&server, hear_only);
	open_service();
	assert_int_equal(http_service_send(desk.service, &services, &unsized, on_answer, &desk),
			 LG_FAIL);
	for (int i = 0; i < 3; i++)
		assert_int_equal(send_to(server.port, 0), LG_OK);
	assert_int_equal(send_to(server.port, 0), LG_FAIL);
	/* Each that was taken ends once; what failed was never begun. */
	http_service_free(&desk.service);
	assert_null(desk.service);
	assert_int_equal(desk.answers, 3);
	assert_int_equal(desk.outcome, LG_UNCLASSIFIED);
	assert_string_equal(desk.reason, "the sink was ended before the answer came");
	assert_string_equal(desk.header, "");
	server_stop(&server);
}

static void send_more(void *context, const struct lg_http_answer *answer)
{
	struct lg_http_call call = {.size = sizeof(call), .url = LG_SLICE("http://127.0.0.1/")};

	on_answer(context, answer);
	assert_int_equal(http_service_send(desk.service, &services, &call, on_answer, &desk),
			 LG_FAIL);
}

/* The end of one call must not begin another one when all of them end. */
static void an_end_is_an_end(void **state)
{
	/* What has no data is absent, whatever its length says. */
	const struct lg_pair header = {LG_SLICE("X-Absent"), slice_of(NULL, 5)};
	struct lg_http_call call = {
		.size = sizeof(call),
		.method = slice_of(NULL, 5),
		.url = LG_SLICE("http://127.0.0.1:1/"),
		.headers = &header,
		.header_count = 1,
		.body = slice_of(NULL, 5),
	};
	struct http_service *service;

	(void)state;
	open_service();
	service = desk.service;
	assert_int_equal(http_service_send(service, &services, &call, send_more, &desk), LG_OK);
	http_service_free(&service);
	assert_int_equal(desk.answers, 1);
	desk.service = NULL;
}

/* Nobody gains by waiting for what was never sent. */
static void what_was_not_sent_is_taken_back(void **state)
{
	struct lg_http_call call = {.size = sizeof(call), .url = LG_SLICE("http://127.0.0.1:1/")};

	(void)state;
	open_service();
	assert_int_equal(http_service_send(desk.service, &services, &call, send_more, &desk),
			 LG_OK);
	http_service_recall(desk.service);
	assert_int_equal(desk.answers, 1);
	assert_int_equal(desk.outcome, LG_RETRY);
	assert_string_equal(desk.reason, "the sink was ended before it was sent");
}

static _Atomic(bool) heard;

static void say_that_it_was_heard(struct server *server, int fd)
{
	char request[SERVER_REQUEST_BYTES];

	if (server_read(server, fd, request)) {
		atomic_store(&heard, true);
		server_wait(fd);
	}
}

static void stop_when_heard(struct loop_timer *timer)
{
	if (atomic_load(&heard))
		loop_stop(desk.loop);
	else
		loop_timer_set(timer, 1);
}

static void what_was_sent_goes_on(void **state)
{
	struct loop_timer timer;
	struct server server;

	(void)state;
	server_start(&server, say_that_it_was_heard);
	open_service();
	assert_int_equal(send_to(server.port, 0), LG_OK);
	loop_timer_init(&timer, desk.loop, stop_when_heard);
	loop_timer_set(&timer, 0);
	loop_run(desk.loop);
	loop_timer_fini(&timer);
	http_service_recall(desk.service);
	assert_int_equal(desk.answers, 0);
	assert_int_equal(send_to(server.port, 0), LG_FAIL);
	http_service_free(&desk.service);
	assert_int_equal(desk.answers, 1);
	assert_int_equal(desk.outcome, LG_UNCLASSIFIED);
	server_stop(&server);
}

/* A plugin of an older header says less of a call. */
static void less_may_be_said(void **state)
{
	struct lg_http_call call;
	struct server server;
	char url[64];

	(void)state;
	server_start(&server, say_created);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/leads", server.port);
	memset(&call, 0xa5, sizeof(call));
	call.size = offsetof(struct lg_http_call, headers);
	call.method = (struct lg_slice){NULL, 0};
	call.url = slice_from(url);
	open_service();
	assert_int_equal(http_service_send(desk.service, &services, &call, on_answer, &desk),
			 LG_OK);
	run_until(1);
	assert_int_equal(desk.outcome, LG_DELIVERED);
	server_stop(&server);
}

static void what_cannot_work_is_said(void **state)
{
	struct error error = {""};

	(void)state;
	desk.settings.ca_file = LG_SLICE("/no/such/file.pem");
	assert_null(
		http_service_new(desk.loop, LG_SLICE("crm"), &desk.settings, &desk.turn, &error));
	assert_non_null(strstr(error.text, "/no/such/file.pem"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, desk_init, desk_fini)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_comes_judged),
		TEST(a_refusal_says_why),
		TEST(private_addresses_want_leave),
		TEST(the_time_of_a_call_counts),
		TEST(there_are_not_too_many),
		TEST(an_end_is_an_end),
		TEST(what_was_not_sent_is_taken_back),
		TEST(what_was_sent_goes_on),
		TEST(less_may_be_said),
		TEST(what_cannot_work_is_said),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
