#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sink/outcome.h"

#define NOW_MS INT64_C(1767323045000) /* 2026-01-02T03:04:05Z */

static const struct expr_limits limits = {.memory_bytes = 4 << 20, .steps = 200000};

static struct outcome judge(const struct outcome_settings *settings,
			    const struct http_answer *answer)
{
	struct error error = {""};
	struct outcome_rules *rules = outcome_rules_new(settings, &limits, &error);
	struct outcome outcome;

	if (!rules)
		fail_msg("%s", error.text);
	outcome_judge(rules, answer, NOW_MS, &outcome);
	outcome_rules_free(&rules);
	assert_null(rules);
	return outcome;
}

static struct outcome judge_plain(const struct http_answer *answer)
{
	const struct outcome_settings settings = {.success_else = ELSE_RETRY};

	return judge(&settings, answer);
}

static struct http_answer answered(int status, const char *body)
{
	return (struct http_answer){
		.result = HTTP_ANSWERED, .status = status, .body = slice_from(body)};
}

/* ---- the table ------------------------------------------------------------- */

/* The rows of section 7 of the design, written down a second time: what is not
 * among them is a retry. */
static int32_t expected(int status)
{
	static const int parks[] = {401, 402, 403, 404, 405, 406, 410, 415};
	static const int rejects[] = {400, 413, 422};

	if (status >= 200 && status < 300)
		return LG_DELIVERED;
	if (status >= 300 && status < 400)
		return LG_PARK;
	for (size_t i = 0; i < sizeof(parks) / sizeof(parks[0]); i++)
		if (status == parks[i])
			return LG_PARK;
	for (size_t i = 0; i < sizeof(rejects) / sizeof(rejects[0]); i++)
		if (status == rejects[i])
			return LG_REJECT;
	return LG_RETRY;
}

static void every_status_has_its_outcome(void **state)
{
	(void)state;
	for (int status = 0; status <= 999; status++) {
		struct http_answer answer = answered(status, "");
		struct outcome outcome = judge_plain(&answer);
		char start[32];

		if (outcome.outcome != expected(status))
			fail_msg("HTTP %d is %s", status, outcome_name(outcome.outcome));
		snprintf(start, sizeof(start), "HTTP %d: ", status);
		assert_memory_equal(outcome.reason, start, strlen(start));
		assert_true(strlen(outcome.reason) > strlen(start) + 10);
		assert_int_equal(outcome.retry_after_ms, 0);
		assert_string_equal(outcome.external_id, "");
	}
}

static int32_t expected_result(enum http_result result)
{
	switch (result) {
	case HTTP_TIMEOUT_SENT:
	case HTTP_NO_ANSWER:
	case HTTP_ANSWER_CUT:
	case HTTP_ANSWER_BROKEN: return LG_UNCLASSIFIED;
	case HTTP_TLS_NAME:
	case HTTP_TLS_UNTRUSTED:
	case HTTP_ADDRESS_PRIVATE:
	case HTTP_CALL_INVALID: return LG_PARK;
	default: return LG_RETRY;
	}
}

static void every_end_has_its_outcome(void **state)
{
	(void)state;
	for (int r = 0; r < HTTP_RESULT_COUNT; r++) {
		enum http_result result = (enum http_result)r;
		struct http_answer answer = {.result = result};
		struct outcome outcome;

		if (result == HTTP_ANSWERED)
			continue; /* its status says it */
		snprintf(answer.reason, sizeof(answer.reason), "curl says so");
		outcome = judge_plain(&answer);
		if (outcome.outcome != expected_result(result))
			fail_msg("%s is %s", http_result_name(result),
				 outcome_name(outcome.outcome));
		assert_non_null(strstr(outcome.reason, http_result_text(result)));
		assert_non_null(strstr(outcome.reason, ": curl says so"));
		/* What may have been seen is never called a plain retry, what cannot
		 * have been seen never unclassified. */
		assert_int_equal(http_result_sent(result), outcome.outcome == LG_UNCLASSIFIED);
	}
}

/* A reason that begins with the table's own sentence does not say it twice. */
static void reasons_say_it_once(void **state)
{
	struct http_answer answer = {.result = HTTP_TIMEOUT_SENT};
	const char *text = http_result_text(HTTP_TIMEOUT_SENT);
	char longer[HTTP_REASON_BYTES];

	(void)state;
	snprintf(answer.reason, sizeof(answer.reason), "%s", text);
	assert_string_equal(judge_plain(&answer).reason, text);
	snprintf(longer, sizeof(longer), "%s (50 ms)", text);
	memcpy(answer.reason, longer, sizeof(answer.reason));
	assert_string_equal(judge_plain(&answer).reason, longer);

	answer = (struct http_answer){.result = HTTP_ANSWER_CUT, .status = 200};
	assert_string_equal(judge_plain(&answer).reason,
			    "HTTP 200: the status came, but not the whole answer");
}

/* ---- Retry-After -------------------------------------------------------------- */

static int64_t wait_of(int status, const char *head)
{
	struct http_answer answer = answered(status, "");

	answer.head = slice_from(head);
	return judge_plain(&answer).retry_after_ms;
}

static void retry_after_is_obeyed(void **state)
{
	(void)state;
	assert_int_equal(wait_of(429, "Retry-After: 120\r\n"), 120000);
	assert_int_equal(wait_of(503, "x: 1\r\nretry-after:7\r\n"), 7000);
	assert_int_equal(wait_of(503, "Retry-After: Fri, 02 Jan 2026 03:05:05 GMT\r\n"), 60000);
	assert_int_equal(wait_of(503, "Retry-After: Friday, 02-Jan-26 03:05:05 GMT\r\n"), 60000);
	assert_int_equal(wait_of(503, "Retry-After: Fri, 02 Jan 2026 03:03:05 GMT\r\n"), 0);
	assert_int_equal(wait_of(503, "Retry-After: soon\r\n"), 0);
	assert_int_equal(wait_of(503, "Retry-After: -5\r\n"), 0);
	assert_int_equal(wait_of(503, "Retry-After: 99999999999999999999\r\n"),
			 INT64_C(366) * 86400000);
	assert_int_equal(wait_of(503, "Retry-After: 99999999999999999999x\r\n"), 0);
	assert_int_equal(wait_of(503, "Retry-After: 18446744073709551615\r\n"),
			 INT64_C(366) * 86400000);
	assert_int_equal(wait_of(503, "Retry-After: Fri, 02 Jan 2626 03:03:05 GMT\r\n"),
			 INT64_C(366) * 86400000);
	assert_int_equal(wait_of(200, "Retry-After: 120\r\n"), 0);
}

/* ---- outcomes ------------------------------------------------------------------ */

static int32_t overridden(int status)
{
	static const struct lg_pair pairs[] = {
		{LG_SLICE("4xx"), LG_SLICE("reject")},
		{LG_SLICE("409"), LG_SLICE("delivered")},
		{LG_SLICE("404"), LG_SLICE("retry")},
		{LG_SLICE("2xx"), LG_SLICE("unclassified")},
		{LG_SLICE("204"), LG_SLICE("delivered")},
		{LG_SLICE("503"), LG_SLICE("park")},
	};
	const struct outcome_settings settings = {.overrides = {pairs, 6}};
	struct http_answer answer = answered(status, "");
	struct outcome outcome = judge(&settings, &answer);

	if (status != 500)
		assert_non_null(strstr(outcome.reason, "; by outcomes it is "));
	return outcome.outcome;
}

static void the_configuration_decides(void **state)
{
	(void)state;
	assert_int_equal(overridden(409), LG_DELIVERED);
	assert_int_equal(overridden(404), LG_RETRY);
	assert_int_equal(overridden(429), LG_REJECT);
	assert_int_equal(overridden(200), LG_UNCLASSIFIED);
	assert_int_equal(overridden(204), LG_DELIVERED);
	assert_int_equal(overridden(503), LG_PARK);
	assert_int_equal(overridden(500), LG_RETRY);
}

static bool takes(const char *key, const char *value, const char *words)
{
	struct lg_pair pair = {slice_from(key), slice_from(value)};
	struct error error = {""};
	bool taken = outcome_override_check(&pair, &error);

	assert_true(taken || strstr(error.text, words));
	return taken;
}

static void overrides_are_checked(void **state)
{
	static const char *const keys[] = {"",	  "4",	 "40",	"4x",  "4x4",  "xxx",  "1xx",
					   "6xx", "600", "199", "4XX", "0409", " 409", "tls-name"};

	(void)state;
	assert_true(takes("409", "delivered", ""));
	assert_true(takes("4xx", "unclassified", ""));
	assert_true(takes("599", "reject", ""));
	assert_true(takes("301", "retry", ""));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_false(takes(keys[i], "retry", "is no status of an answer"));
	assert_false(takes("409", "dead", "is no outcome"));
	assert_false(takes("409", "", "is no outcome"));
	assert_false(takes("3xx", "delivered", "never a success"));
	assert_false(takes("304", "delivered", "never a success"));
}

/* ---- success_when, external_id --------------------------------------------------- */

static struct outcome succeeds(const char *when, int status, const char *head, const char *body)
{
	const struct outcome_settings settings = {
		.success_when = slice_from(when),
		.success_else = ELSE_REJECT,
		.external_id = LG_SLICE("body.id"),
	};
	struct http_answer answer = answered(status, body);
	struct error error = {""};

	answer.head = slice_from(head);
	if (!outcome_expression_check(settings.success_when, &error))
		fail_msg("%s", error.text);
	return judge(&settings, &answer);
}

static void an_expression_looks_at_the_answer(void **state)
{
	static const struct {
		const char *when, *head, *body;
		bool good;
	} cases[] = {
		{"body.ok", "", "{\"ok\":true}", true},
		{"body.ok", "", "{\"ok\":false}", false},
		{"body.ok", "", "{}", false},
		{"not body.errors[1]", "", "{\"errors\":[]}", true},
		{"length(body.errors) == 0", "", "{\"errors\":[{\"code\":3}]}", false},
		{"body.a.b.c == 'x'", "", "{\"a\":{\"b\":{\"c\":\"x\"}}}", true},
		{"any_where(body, 'ok', true)", "", "[{\"ok\":false},{\"ok\":true}]", true},
		{"status == 201", "", "", false},
		{"status == 200 and headers.x_result == 'stored'", "X-Result: stored\r\n", "",
		 true},
		{"headers['x-result'] == 'stored'", "X-Result: lost\r\n", "", false},
		{"headers.x_result", "", "", false},
		{"contains(text, 'Thank you')", "", "<p>Thank you</p>", true},
		{"contains(text, 'Thank you')", "", "<p>Sorry</p>", false},
		{"text", "", "\xff\xfe", false},
		/* An error of the expression is no success either. */
		{"body.count > 3", "", "{\"count\":\"4\"}", false},
		{"body.count > 3", "", "no JSON", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct outcome outcome = succeeds(cases[i].when, 200, cases[i].head, cases[i].body);

		if (outcome.outcome != (cases[i].good ? LG_DELIVERED : LG_REJECT))
			fail_msg("%s: %s", cases[i].when, outcome.reason);
		if (!cases[i].good)
			assert_non_null(strstr(outcome.reason, "HTTP 200, but success_when"));
	}
	assert_non_null(strstr(succeeds("body.ok", 200, "", "oops").reason, "the body is no JSON"));
}

static void an_expression_saves_no_failure(void **state)
{
	(void)state;
	assert_int_equal(succeeds("true", 500, "", "").outcome, LG_RETRY);
	assert_int_equal(succeeds("true", 302, "", "").outcome, LG_PARK);
	assert_int_equal(succeeds("true", 299, "", "").outcome, LG_DELIVERED);
}

static void what_fails_it_can_be_chosen(void **state)
{
	static const int32_t outcomes[] = {LG_RETRY, LG_UNCLASSIFIED, LG_PARK, LG_REJECT};

	(void)state;
	for (int e = ELSE_RETRY; e <= ELSE_REJECT; e++) {
		const struct outcome_settings settings = {.success_when = LG_SLICE("false"),
							  .success_else = e};
		struct http_answer answer = answered(200, "");
		assert_int_equal(judge(&settings, &answer).outcome, outcomes[e]);
	}
}

static void the_id_is_taken(void **state)
{
	(void)state;
	assert_string_equal(succeeds("true", 201, "", "{\"id\":\"a-17\"}").external_id, "a-17");
	assert_string_equal(succeeds("true", 201, "", "{\"id\":17}").external_id, "17");
	/* More than 64 bits hold: it stays what it was. */
	assert_string_equal(succeeds("true", 201, "", "{\"id\":12345678901234567890}").external_id,
			    "12345678901234567890");
	assert_string_equal(succeeds("true", 201, "", "{\"id\":[1]}").external_id, "");
	assert_string_equal(succeeds("true", 201, "", "{}").external_id, "");
	assert_string_equal(succeeds("false", 201, "", "{\"id\":17}").external_id, "");
}

static struct outcome named(size_t length, const char *end)
{
	char body[OUTCOME_EXTERNAL_BYTES + 64] = "{\"id\":\"";
	size_t used = strlen(body);

	memset(body + used, 'x', length);
	snprintf(body + used + length, sizeof(body) - used - length, "%s\"}", end);
	return succeeds("true", 201, "", body);
}

/* A part of an id may be another lead's. */
static void an_id_is_taken_whole_or_not_at_all(void **state)
{
	(void)state;
	assert_int_equal(strlen(named(OUTCOME_EXTERNAL_BYTES - 1, "").external_id),
			 OUTCOME_EXTERNAL_BYTES - 1);
	assert_string_equal(named(OUTCOME_EXTERNAL_BYTES, "").external_id, "");
	assert_string_equal(named(OUTCOME_EXTERNAL_BYTES - 2, "\303\274").external_id, "");
	assert_string_equal(named(2, "\\u0000y").external_id, "");
	assert_int_equal(named(OUTCOME_EXTERNAL_BYTES, "").outcome, LG_DELIVERED);
}

static void names_of_an_answer_are_checked(void **state)
{
	struct error error;

	(void)state;
	assert_false(outcome_expression_check(LG_SLICE("statsu == 200"), &error));
	assert_non_null(strstr(error.text, "did you mean 'status'?"));
	assert_false(outcome_expression_check(LG_SLICE("person.email"), &error));
	assert_false(outcome_expression_check(LG_SLICE("body.ok =="), &error));
	assert_true(outcome_expression_check(LG_SLICE("body[1].anything.at_all"), &error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_status_has_its_outcome),
		cmocka_unit_test(every_end_has_its_outcome),
		cmocka_unit_test(reasons_say_it_once),
		cmocka_unit_test(retry_after_is_obeyed),
		cmocka_unit_test(the_configuration_decides),
		cmocka_unit_test(overrides_are_checked),
		cmocka_unit_test(an_expression_looks_at_the_answer),
		cmocka_unit_test(an_expression_saves_no_failure),
		cmocka_unit_test(what_fails_it_can_be_chosen),
		cmocka_unit_test(the_id_is_taken),
		cmocka_unit_test(an_id_is_taken_whole_or_not_at_all),
		cmocka_unit_test(names_of_an_answer_are_checked),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
