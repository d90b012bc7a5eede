#include "lead/event.h"

#include "unit.h"

static const uint8_t id[UUID_BYTES] = {0x01, 0x93, 0x4b, 0x2c, 0x5d, 0x6e, 0x7f, 0x80,
				       0x91, 0xa2, 0xb3, 0xc4, 0xd5, 0xe6, 0xf7, 0x08};
#define ID "01934b2c-5d6e-7f80-91a2-b3c4d5e6f708"

static void bodies_are_written(void **state)
{
	struct buffer out, delivery;

	(void)state;
	buffer_init(&out, 4096);
	buffer_init(&delivery, 4096);
	event_encode(&out, id, EVENT_CREATED, 1700000000123, LG_SLICE("{\"a\":1}"),
		     slice_of(NULL, 0));
	expect_slice("created", buffer_slice(&out),
		     "{\"id\":\"" ID
		     "\",\"type\":\"lead.created\",\"at\":\"2023-11-14T22:13:20.123Z\","
		     "\"lead\":{\"a\":1}}");
	event_encode_delivery(&delivery, 17, buffer_slice(&out));
	expect_slice("delivery", buffer_slice(&delivery),
		     "{\"seq\":17,\"id\":\"" ID
		     "\",\"type\":\"lead.created\",\"at\":\"2023-11-14T22:13:20.123Z\","
		     "\"lead\":{\"a\":1}}");
	buffer_clear(&out);
	event_encode(&out, id, EVENT_TOUCHED, 0, LG_SLICE("{}"), LG_SLICE("{\"kept\":{}}"));
	expect_slice("touched", buffer_slice(&out),
		     "{\"id\":\"" ID
		     "\",\"type\":\"lead.touched\",\"at\":\"1970-01-01T00:00:00.000Z\","
		     "\"lead\":{},\"changes\":{\"kept\":{}}}");
	buffer_fini(&out);
	buffer_fini(&delivery);
}

static void parts_are_found_again(void **state)
{
	static const char *const leads[] = {
		"{}",
		"{\"a\":{\"b\":{}}}",
		"{\"a\":\"}\"}",
		"{\"a\":\"\\\"}\\\\\"}",
		"{\"changes\":\"{\\\"lead\\\":{}}\",\"b\":[{\"c\":\"{{{\"}]}",
	};
	struct buffer out;

	(void)state;
	buffer_init(&out, 4096);
	for (size_t i = 0; i < COUNT(leads); i++)
		for (int changes = 0; changes < 2; changes++) {
			buffer_clear(&out);
			event_encode(&out, id, EVENT_TOUCHED, 0, slice_from(leads[i]),
				     changes ? LG_SLICE("{\"x\":\"}\"}") : slice_of(NULL, 0));
			expect_slice(leads[i], event_body_lead(buffer_slice(&out)), leads[i]);
			expect_slice(leads[i], event_body_id(buffer_slice(&out)), ID);
		}
	buffer_fini(&out);
}

static void broken_bodies_have_no_parts(void **state)
{
	static const char *const bodies[] = {
		"",
		"{}",
		"{\"id\":\"",
		"{\"id\":\"" ID,
		"{\"id\":\"" ID "\",\"type\":\"x\",\"at\":\"y\",\"lead\":",
		"{\"id\":\"" ID "\",\"type\":\"x\",\"at\":\"y\",\"lead\":null}",
		"{\"id\":\"" ID "\",\"type\":\"x\",\"at\":\"y\",\"lead\":{\"a\":\"",
		"{\"id\":\"" ID "\",\"type\":\"x\",\"at\":\"y\",\"lead\":{\"a\":\"\\",
		"{\"id\":\"" ID "\",\"type\":\"x\",\"at\":\"y\",\"lead\":{\"a\":{}",
		"{\"id\":\"" ID "\",\"type\":\"x\",\"at\":\"y\",\"lead\":}{}",
		"{\"id\":\"" ID "\",\"type\":\"x\"}",
		"{\"type\":\"x\",\"at\":\"y\",\"lead\":{}}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bodies); i++)
		expect_slice(bodies[i], event_body_lead(slice_from(bodies[i])), NULL);
	expect_slice("short", event_body_id(LG_SLICE("{\"id\":\"0193")), NULL);
	expect_slice("other", event_body_id(LG_SLICE("{\"seq\":1,\"id\":\"" ID "\"}")), NULL);
}

static void types_have_names(void **state)
{
	(void)state;
	for (int type = EVENT_CREATED; type <= EVENT_ALERT; type++)
		assert_int_equal(
			event_type_parse(slice_from(event_type_name((enum event_type)type))), type);
	assert_string_equal(event_type_name(EVENT_ERASED), "lead.erased");
	assert_string_equal(event_type_name((enum event_type)0), "unknown");
	assert_string_equal(event_type_name((enum event_type)99), "unknown");
	assert_int_equal(event_type_parse(LG_SLICE("lead.create")), -1);
	assert_int_equal(event_type_parse(LG_SLICE("")), -1);
}

static void alerts_are_of_no_lead(void **state)
{
	struct buffer out;

	(void)state;
	buffer_init(&out, 1 << 20);
	event_encode_alert(&out, id, 0, LG_SLICE("{\"kind\":\"silent\"}"));
	expect_slice("alert", buffer_slice(&out),
		     "{\"id\":\"" ID "\",\"type\":\"gateway.alert\","
		     "\"at\":\"1970-01-01T00:00:00.000Z\",\"alert\":{\"kind\":\"silent\"}}");
	expect_slice("id", event_body_id(buffer_slice(&out)), ID);
	expect_slice("lead", event_body_lead(buffer_slice(&out)), NULL);
	expect_slice("source", event_body_source(buffer_slice(&out)), NULL);
	buffer_fini(&out);
}

#define BODY(lead, changes) \
	"{\"id\":\"" ID "\",\"type\":\"x\",\"at\":\"y\",\"lead\":{" lead "}" changes "}"
#define FORM "\"source\":{\"name\":\"form\"}"

static void sources_are_found(void **state)
{
	(void)state;
	expect_slice("created", event_body_source(LG_SLICE(BODY(FORM, ""))), "form");
	expect_slice("touched",
		     event_body_source(LG_SLICE(
			     BODY(FORM, ",\"changes\":{\"kept\":{\"source.name\":\"sms\"}}"))),
		     "sms");
	expect_slice("by the same", event_body_source(LG_SLICE(BODY(FORM, ",\"changes\":{}"))),
		     "form");
	/* What somebody wrote into a form is no member. */
	expect_slice("claimed",
		     event_body_source(LG_SLICE(
			     BODY("\"m\":\"\\\"source\\\":{\\\"name\\\":\\\"x\\\"}\"," FORM, ""))),
		     "form");
	expect_slice("none", event_body_source(LG_SLICE(BODY("", ""))), NULL);
	expect_slice("cut", event_body_source(LG_SLICE("{\"id\":\"")), NULL);
}

static void failing_memory_is_reported(void **state)
{
	int64_t n = 0;

	(void)state;
	do {
		struct buffer out;

		buffer_init(&out, 1 << 20);
		alloc_fail_at(++n);
		event_encode(&out, id, EVENT_CREATED, 0, LG_SLICE("{}"), LG_SLICE("{}"));
		assert_int_equal(out.failed, alloc_failed());
		buffer_fini(&out);
	} while (alloc_failed());
	alloc_fail_at(0);
	assert_true(n > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_are_written),
		cmocka_unit_test(parts_are_found_again),
		cmocka_unit_test(broken_bodies_have_no_parts),
		cmocka_unit_test(types_have_names),
		cmocka_unit_test(alerts_are_of_no_lead),
		cmocka_unit_test(sources_are_found),
		cmocka_unit_test(failing_memory_is_reported),
	};

	return RUN(tests);
}
