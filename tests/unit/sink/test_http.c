/* The http sink, linked in: what it asks the gateway to send, and what it says
 * of the events when an answer comes, or when nothing can be sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host/instance.h"
#include "host/services.h"
#include "sink/batch.h"
#include "sink/lane.h"

extern const struct lg_plugin plugin_http;

#define CALLS_MAX 8
#define NOW_MS INT64_C(1614265330123)

/* A call that the plugin asked for. */
struct sent {
	char url[128], method[8], headers[1024];
	struct lg_slice body;
	int64_t timeout;
	void (*done)(void *context, const struct lg_http_answer *answer);
	void *context;
};

static struct desk {
	struct lg_services services;
	struct library library;
	struct instance instance;
	struct mailbox wake;
	struct batch batch;
	_Alignas(16) char settings[1024];
	struct sent sent[CALLS_MAX];
	size_t sent_count, room;
	struct lg_slice body, body_type; /* of each event; absent: no mapping */
	const char *external_id;
} desk;

static int64_t fixed_now(void)
{
	return NOW_MS;
}

static int32_t take_call(struct lg_host *host, const struct lg_http_call *call,
			 void (*done)(void *context, const struct lg_http_answer *answer),
			 void *context)
{
	struct sent *sent = &desk.sent[desk.sent_count];
	size_t used = 0;

	assert_ptr_equal(host, &desk.instance.host);
	if (desk.sent_count == desk.room)
		return LG_FAIL;
	desk.sent_count++;
	slice_to_text(call->url, sent->url, sizeof(sent->url));
	slice_to_text(call->method, sent->method, sizeof(sent->method));
	for (size_t i = 0; i < call->header_count; i++)
		used += (size_t)snprintf(sent->headers + used, sizeof(sent->headers) - used,
					 "%.*s: %.*s\n", SLICE_ARGS(call->headers[i].name),
					 SLICE_ARGS(call->headers[i].value));
	sent->body = call->body;
	sent->timeout = call->timeout;
	sent->done = done;
	sent->context = context;
	return LG_OK;
}

static const struct lg_option *find_option(const char *name)
{
	for (size_t i = 0; i < plugin_http.option_count; i++)
		if (strcmp(plugin_http.options[i].name, name) == 0)
			return &plugin_http.options[i];
	fail_msg("no option %s", name);
	return NULL;
}

static void set_text(const char *name, const char *value)
{
	struct lg_slice text = slice_from(value);

	memcpy(desk.settings + find_option(name)->offset, &text, sizeof(text));
}

static void set_word(const char *name, int32_t value)
{
	memcpy(desk.settings + find_option(name)->offset, &value, sizeof(value));
}

static int desk_init(void **state)
{
	struct error error = {""};

	(void)state;
	memset(&desk, 0, sizeof(desk));
	if (!mailbox_init(&desk.wake))
		return -1;
	services_init(&desk.services);
	sink_services_add(&desk.services);
	desk.services.now = fixed_now;
	desk.services.http_send = take_call;
	desk.room = CALLS_MAX;
	if (!descriptor_read(&plugin_http, "static", &desk.library, &error))
		return -1;
	desk.instance = (struct instance){
		.host = {&desk.services},
		.library = &desk.library,
		.name = LG_SLICE("crm"),
		.sink = *plugin_http.sink,
		.settings = desk.settings,
		.description = LG_SLICE("sink crm"),
	};
	set_text("url", "https://crm.test/leads");
	batch_init(&desk.batch, &desk.services, &desk.wake);
	return 0;
}

static int desk_fini(void **state)
{
	(void)state;
	instance_close(&desk.instance);
	batch_fini(&desk.batch);
	mailbox_fini(&desk.wake);
	return 0;
}

static const char *const ids[] = {"msg_p5jXN8AQM9LWM0D4loKWxJek", "id-2", "id-3"};
static const char *const jsons[] = {"{\"test\": 2432232314}", "{\"n\":2}", "{\"n\":3}"};

static int32_t deliver(size_t count)
{
	struct error error = {""};
	const struct instance *instance = &desk.instance;
	int64_t deadline = desk.services.monotonic() + 10000;

	if (!instance->opened && !instance_open(&desk.instance, &error))
		fail_msg("%s", error.text);
	assert_true(batch_reset(&desk.batch, count));
	for (size_t i = 0; i < count; i++)
		desk.batch.events[i] = (struct batch_event){
			.seq = (int64_t)i + 1,
			.id = slice_from(ids[i]),
			.type = LG_SLICE("lead.created"),
			.json = slice_from(jsons[i]),
			.body = desk.body,
			.body_type = desk.body_type,
			.external_id = slice_from(desk.external_id),
		};
	return instance->sink.deliver(instance->state, &desk.batch.handle, deadline);
}

static void answer(size_t index, int32_t outcome, const char *reason)
{
	const struct lg_http_answer said = {
		.size = sizeof(said),
		.services = &desk.services,
		.outcome = outcome,
		.status = 299,
		.retry_after = 77,
		.reason = slice_from(reason),
		.body = LG_SLICE("their words"),
		.external_id = LG_SLICE("x-1"),
	};

	desk.sent[index].done(desk.sent[index].context, &said);
}

static struct lg_settlement settled(size_t index)
{
	struct lg_settlement settlement;

	batch_answer(&desk.batch, index, &settlement);
	return settlement;
}

/* The example of the specification's reference library. */
static void signs_as_the_standard_says(void **state)
{
	(void)state;
	set_text("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
	assert_int_equal(deliver(1), LG_OK);
	assert_int_equal(desk.sent_count, 1);
	assert_string_equal(desk.sent[0].headers,
			    "Content-Type: application/json\n"
			    "Idempotency-Key: msg_p5jXN8AQM9LWM0D4loKWxJek\n"
			    "webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek\n"
			    "webhook-timestamp: 1614265330\n"
			    "webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=\n");
	answer(0, LG_DELIVERED, NULL);
}

static void one_event_is_a_call(void **state)
{
	struct lg_settlement settlement;

	(void)state;
	assert_int_equal(deliver(1), LG_OK);
	assert_string_equal(desk.sent[0].url, "https://crm.test/leads");
	assert_string_equal(desk.sent[0].method, "POST");
	assert_true(slice_is(desk.sent[0].body, jsons[0]));
	/* It ends before the lane gives up. */
	assert_in_range(desk.sent[0].timeout, 9000, 9999);
	assert_int_equal(batch_unsettled(&desk.batch), 1);
	answer(0, LG_REJECT, "because");
	assert_int_equal(batch_unsettled(&desk.batch), 0);
	settlement = settled(0);
	assert_int_equal(settlement.outcome, LG_REJECT);
	assert_int_equal(settlement.status, 299);
	assert_int_equal(settlement.retry_after, 77);
	assert_true(slice_is(settlement.reason, "because"));
	assert_true(slice_is(settlement.answer, "their words"));
	assert_true(slice_is(settlement.external_id, "x-1"));
}

static void a_joined_batch_has_one(void **state)
{
	(void)state;
	set_word("batch", 1);
	set_word("method", 2);
	assert_int_equal(deliver(3), LG_OK);
	assert_int_equal(desk.sent_count, 1);
	assert_string_equal(desk.sent[0].method, "PATCH");
	assert_true(slice_is(desk.sent[0].body, "[{\"test\": 2432232314},{\"n\":2},{\"n\":3}]"));
	answer(0, LG_DELIVERED, NULL);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(settled(i).outcome, LG_DELIVERED);
		assert_false(slice_present(settled(i).external_id));
	}
}

/* Where the destination has named the lead, with the id in its place. */
static void a_known_lead_is_updated(void **state)
{
	static const struct {
		const char *id, *url, *method;
	} table[] = {
		{"x-1", "https://crm.test/l/x-1/?k=1", "PUT"},
		{"a/b c?%\xc3\xa9~_.", "https://crm.test/l/a%2Fb%20c%3F%25%C3%A9~_./?k=1", "PUT"},
		{"", "https://crm.test/leads", "POST"},
		{"..", "https://crm.test/leads", "POST"},
		{".", "https://crm.test/leads", "POST"},
	};
	struct error error;

	(void)state;
	set_text("update_url", "https://crm.test/l/:external_id/?k=1");
	set_word("update_method", 1);
	assert_int_equal(desk.instance.sink.check(desk.settings, (struct lg_text){error.text, 100}),
			 LG_OK);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		desk.external_id = table[i].id;
		assert_int_equal(deliver(1), LG_OK);
		assert_string_equal(desk.sent[i].url, table[i].url);
		assert_string_equal(desk.sent[i].method, table[i].method);
		answer(i, LG_DELIVERED, NULL);
	}
	set_word("batch", 1);
	assert_int_equal(desk.instance.sink.check(desk.settings, (struct lg_text){error.text, 100}),
			 LG_FAIL);
	assert_string_equal(error.text, "update_url: it takes one event at a time, batch: single");
	set_text("update_url", "https://crm.test/l/");
	assert_int_equal(desk.instance.sink.check(desk.settings, (struct lg_text){error.text, 100}),
			 LG_FAIL);
	assert_string_equal(error.text, "update_url: it has no :external_id");
	set_text("update_url", "https://crm.test/:external_id/:external_id");
	assert_int_equal(desk.instance.sink.check(desk.settings, (struct lg_text){error.text, 100}),
			 LG_FAIL);
	assert_string_equal(error.text, "update_url: it has :external_id twice");
}

static void what_is_mapped_is_sent(void **state)
{
	(void)state;
	desk.body = LG_SLICE("a=1&b=2");
	desk.body_type = LG_SLICE("application/x-www-form-urlencoded");
	assert_int_equal(deliver(1), LG_OK);
	assert_true(slice_is(desk.sent[0].body, "a=1&b=2"));
	assert_non_null(
		strstr(desk.sent[0].headers, "Content-Type: application/x-www-form-urlencoded\n"));
	answer(0, LG_DELIVERED, NULL);
	set_word("batch", 1);
	desk.body = LG_SLICE("{}");
	assert_int_equal(deliver(2), LG_OK);
	assert_true(slice_is(desk.sent[1].body, "[{},{}]"));
	answer(1, LG_DELIVERED, NULL);
}

static void lines_end_in_line_feeds(void **state)
{
	(void)state;
	set_word("batch", 2);
	assert_int_equal(deliver(2), LG_OK);
	assert_true(slice_is(desk.sent[0].body, "{\"test\": 2432232314}\n{\"n\":2}\n"));
	assert_non_null(strstr(desk.sent[0].headers, "Content-Type: application/x-ndjson\n"));
	answer(0, LG_UNCLASSIFIED, "silence");
	assert_int_equal(settled(1).outcome, LG_UNCLASSIFIED);
}

static void what_cannot_be_sent_goes_again(void **state)
{
	(void)state;
	desk.room = 0;
	for (int32_t form = 0; form < 3; form++) {
		set_word("batch", form);
		assert_int_equal(deliver(form ? 3 : 1), LG_OK);
		assert_int_equal(batch_unsettled(&desk.batch), 0);
		assert_int_equal(settled(0).outcome, LG_RETRY);
		assert_true(slice_starts(settled(0).reason, "not sent: "));
	}
	assert_int_equal(settled(2).outcome, LG_RETRY);
}

static void limits_follow_the_form(void **state)
{
	const struct lg_sink_operations *sink = &desk.instance.sink;
	int64_t events = 0, bytes = 0;

	(void)state;
	sink->limits(desk.settings, &events, &bytes);
	assert_int_equal(events, 1);
	set_word("batch", 1);
	events = 0;
	sink->limits(desk.settings, &events, &bytes);
	assert_int_equal(events, 0);
	assert_int_equal(bytes, 0);
}

/* ---- secrets -------------------------------------------------------------------- */

static bool takes_secret(const char *secret)
{
	char text[256] = "";

	set_text("secret", secret);
	return desk.instance.sink.check(desk.settings, (struct lg_text){text, sizeof(text)}) ==
	       LG_OK;
}

#define TIMES8(s) s s s s s s s s

static void secrets_are_base64(void **state)
{
	(void)state;
	assert_true(takes_secret("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
	assert_true(takes_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
	assert_true(takes_secret(TIMES8("abcd") "YQ=="));
	assert_true(takes_secret(TIMES8("abcd") "YQ"));
	assert_true(takes_secret(TIMES8("abcd") "YWI="));
	assert_true(takes_secret("  " TIMES8("abcd") "\n" TIMES8("efgh") "\t"));
	assert_true(takes_secret(TIMES8("abcd") TIMES8("abcd") "abcdabcdabcdabcdabcdYQ"));
	assert_false(takes_secret(TIMES8("abcd") TIMES8("abcd") "abcdabcdabcdabcdabcdYWI"));
	assert_false(takes_secret("abcdabcdabcdabcdabcdabcdabcdYWI"));
	assert_false(takes_secret(TIMES8("abcd") "Y"));
	assert_false(takes_secret(TIMES8("abcd") "YR=="));
	assert_false(takes_secret(TIMES8("abcd") "===="));
	assert_false(takes_secret(TIMES8("abcd") "YQ=a"));
	assert_false(takes_secret(TIMES8("ab-d")));
	assert_false(takes_secret("whsec_"));
	assert_false(takes_secret(TIMES8(TIMES8("abcd") " ") TIMES8("abcd")));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, desk_init, desk_fini)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(signs_as_the_standard_says),
		TEST(one_event_is_a_call),
		TEST(a_joined_batch_has_one),
		TEST(a_known_lead_is_updated),
		TEST(what_is_mapped_is_sent),
		TEST(lines_end_in_line_feeds),
		TEST(what_cannot_be_sent_goes_again),
		TEST(limits_follow_the_form),
		TEST(secrets_are_base64),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
