/* Any head and body of an answer, behind each kind of end: the outcome is one of
 * the table, its words fit and are there, and no wait is without an end. The first
 * two bytes choose status and end; a blank line parts head and body. */
#include "base/error.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "sink/outcome.h"

static const struct expr_limits limits = {.memory_bytes = 4 << 20, .steps = 20000};
static const struct lg_pair pairs[] = {{LG_SLICE("409"), LG_SLICE("delivered")},
				       {LG_SLICE("5xx"), LG_SLICE("park")}};
static const struct outcome_settings settings = {
	.success_when = LG_SLICE("body.ok or headers.x_ok or contains(text or '', 'Thank you')"),
	.success_else = ELSE_REJECT,
	.external_id = LG_SLICE("body.id"),
	.overrides = {pairs, 2},
};

static struct outcome_rules *make_rules(void)
{
	struct error error;
	struct outcome_rules *rules = outcome_rules_new(&settings, &limits, &error);

	ALWAYS(rules);
	return rules;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct outcome_rules *rules;
	struct http_answer answer = {.result = HTTP_ANSWERED};
	struct lg_slice rest;
	struct outcome outcome;
	size_t head = 0;

	if (size < 2)
		return 0;
	if (!rules)
		rules = make_rules();
	answer.status = 100 + data[0] * 2;
	answer.result = (enum http_result)(data[1] % HTTP_RESULT_COUNT);
	rest = slice_of((const char *)data + 2, size - 2);
	while (head + 1 < rest.length && (rest.data[head] != '\n' || rest.data[head + 1] != '\n'))
		head++;
	answer.head = slice_cut(rest, 0, head);
	answer.body = slice_cut(rest, head + 2, SIZE_MAX);
	outcome_judge(rules, &answer, INT64_C(1767323045000), &outcome);
	ALWAYS(outcome.outcome >= LG_DELIVERED && outcome.outcome <= LG_REJECT);
	ALWAYS(outcome.reason[0] && utf8_valid(slice_from(outcome.reason)));
	ALWAYS(utf8_valid(slice_from(outcome.external_id)));
	ALWAYS(outcome.retry_after_ms >= 0);
	ALWAYS(outcome.retry_after_ms <= INT64_C(366) * 86400000);
	/* Never a success: a redirect, and what brought no whole answer. */
	if (outcome.outcome == LG_DELIVERED)
		ALWAYS(answer.result == HTTP_ANSWERED && answer.status / 100 != 3);
	return 0;
}
