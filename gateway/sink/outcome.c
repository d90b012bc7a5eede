#include "sink/outcome.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "codec/date.h"

#define HEADER_BYTES 64	      /* longest name that an expression can ask for */
#define ARENA_BYTES 16384     /* of one judgement, a piece */
#define ARENA_LIMIT (8 << 20) /* all of it: the tree of a body and the results */
#define RETRY_AFTER_MOST (INT64_C(366) * 86400000)

struct outcome_rules {
	const struct outcome_settings *settings;
	struct expr_state *state; /* NULL: there are no expressions */
	struct expr *success_when, *external_id;
};

/* ---- the table ------------------------------------------------------------- */

static const struct status_row {
	int first, last;
	int32_t outcome;
	const char *text;
} status_rows[] = {
#define OUTCOME_RESULT(result, outcome)
#define OUTCOME_STATUS(first, last, outcome, text) {first, last, LG_##outcome, text},
#include "sink/outcome.def"
#undef OUTCOME_RESULT
#undef OUTCOME_STATUS
};

static const int32_t result_rows[HTTP_RESULT_COUNT] = {
#define OUTCOME_RESULT(result, outcome) [HTTP_##result] = LG_##outcome,
#define OUTCOME_STATUS(first, last, outcome, text)
#include "sink/outcome.def"
#undef OUTCOME_RESULT
#undef OUTCOME_STATUS
};

static const char *const names[] = {
	[LG_DELIVERED] = "delivered", [LG_RETRY] = "retry",   [LG_UNCLASSIFIED] = "unclassified",
	[LG_PARK] = "park",	      [LG_REJECT] = "reject",
};

const char *outcome_name(int32_t outcome)
{
	return names[outcome >= LG_DELIVERED && outcome <= LG_REJECT ? outcome : LG_RETRY];
}

int32_t outcome_of_status(int status, const char **text)
{
	const struct status_row *row = status_rows;

	/* The last row takes whatever no other takes. */
	while (status < row->first || status > row->last)
		row++;
	*text = row->text;
	return row->outcome;
}

int32_t outcome_of_result(enum http_result result)
{
	int32_t outcome = result_rows[result];

	return outcome ? outcome : LG_RETRY;
}

/* ---- what the configuration says otherwise ---------------------------------- */

static int32_t parse_outcome(struct lg_slice word)
{
	for (int32_t o = LG_DELIVERED; o <= LG_REJECT; o++)
		if (slice_is(word, names[o]))
			return o;
	return 0;
}

/* "409" or "4xx", for statuses that an answer can have. */
static bool is_status_or_class(struct lg_slice key)
{
	bool class = slice_ends(key, "xx");

	if (key.length != 3 || key.data[0] < '2' || key.data[0] > '5')
		return false;
	return class || (key.data[1] >= '0' && key.data[1] <= '9' && key.data[2] >= '0' &&
			 key.data[2] <= '9');
}

bool outcome_override_check(const struct lg_pair *entry, struct error *error)
{
	if (!is_status_or_class(entry->name))
		return error_set(error,
				 "\"%.*s\" is no status of an answer: give one such as 409, or a "
				 "class such as 4xx",
				 SLICE_ARGS(entry->name));
	if (!parse_outcome(entry->value))
		return error_set(error,
				 "\"%.*s\" is no outcome: give delivered, retry, unclassified, "
				 "park or reject",
				 SLICE_ARGS(entry->value));
	if (entry->name.data[0] == '3' && slice_is(entry->value, "delivered"))
		return error_set(error, "a redirect is never a success");
	return true;
}

/* 0: nothing is said. A status counts more than its class. */
static int32_t find_override(const struct outcome_settings *settings, int status)
{
	char exact[4], class[4];
	int32_t of_class = 0;

	if (settings->overrides.count == 0 || status < 200 || status > 599)
		return 0;
	snprintf(exact, sizeof(exact), "%03u", (unsigned int)status % 1000);
	snprintf(class, sizeof(class), "%uxx", (unsigned int)status / 100 % 10);
	for (size_t i = 0; i < settings->overrides.count; i++) {
		const struct lg_pair *pair = &settings->overrides.pairs[i];
		if (slice_is(pair->name, exact))
			return parse_outcome(pair->value);
		if (slice_is(pair->name, class))
			of_class = parse_outcome(pair->value);
	}
	return of_class;
}

/* ---- the answer as an expression sees it ------------------------------------- */

struct view {
	const struct http_answer *answer;
	const struct json *body; /* NULL: it is no JSON */
	struct error problem;	 /* why */
	struct arena arena;
};

/* The node that stands for all headers. */
static const char headers_node;

static void header_value(const struct http_answer *answer, struct lg_slice name,
			 struct expr_value *value)
{
	char spelt[HEADER_BYTES];
	struct lg_slice found;

	if (name.length >= sizeof(spelt))
		return;
	slice_to_text(name, spelt, sizeof(spelt));
	for (char *c = spelt; *c; c++)
		if (*c == '_')
			*c = '-';
	found = http_answer_header(answer, spelt);
	if (slice_present(found))
		*value = (struct expr_value){.kind = EXPR_TEXT, .text = found};
}

static void root_value(const struct view *view, struct lg_slice name, struct expr_value *value)
{
	const struct http_answer *answer = view->answer;

	if (slice_is(name, "status"))
		*value = (struct expr_value){.kind = EXPR_INTEGER, .integer = answer->status};
	else if (slice_is(name, "headers"))
		*value = (struct expr_value){.kind = EXPR_NODE, .node = &headers_node};
	else if (slice_is(name, "body"))
		binding_value(view->body, value);
	else if (slice_is(name, "text") && utf8_valid(answer->body))
		*value = (struct expr_value){.kind = EXPR_TEXT, .text = answer->body};
}

static void view_member(const void *context, const void *node, struct lg_slice name,
			struct expr_value *value)
{
	const struct view *view = context;

	if (!node)
		root_value(view, name, value);
	else if (node == &headers_node)
		header_value(view->answer, name, value);
	else
		binding_reader(NULL).member(NULL, node, name, value);
}

static bool view_next(const void *context, const void *list, const void **at,
		      struct expr_value *value)
{
	(void)context;
	return list != &headers_node && binding_reader(NULL).next(NULL, list, at, value);
}

static const char *const paths[] = {"status", "headers.*", "body.*", "body[].*", "text"};

bool outcome_expression_check(struct lg_slice text, struct error *error)
{
	static const struct expr_names known = {paths, sizeof(paths) / sizeof(paths[0])};

	return expr_check_answer(text, &known, error);
}

static void view_init(struct view *view, const struct http_answer *answer)
{
	view->answer = answer;
	view->problem.text[0] = '\0';
	arena_init(&view->arena, ARENA_BYTES, ARENA_LIMIT);
	view->body = json_parse(&view->arena, answer->body, &view->problem);
	if (!view->body && answer->body_cut)
		error_set(&view->problem, "it is longer than what is kept of it");
}

/* ---- rules -------------------------------------------------------------------- */

struct outcome_rules *outcome_rules_new(const struct outcome_settings *settings,
					const struct expr_limits *limits, struct error *error)
{
	struct outcome_rules *rules = alloc_zalloc(sizeof(*rules));
	bool checks = slice_present(settings->success_when);
	bool names_it = slice_present(settings->external_id);

	if (!rules) {
		error_set(error, "no memory for the rules of outcomes");
		return NULL;
	}
	rules->settings = settings;
	if (!checks && !names_it)
		return rules;
	rules->state = expr_state_new(limits);
	if (!rules->state)
		error_set(error, "no memory for the rules of outcomes");
	else if ((!checks ||
		  (rules->success_when = expr_new(rules->state, settings->success_when, error))) &&
		 (!names_it ||
		  (rules->external_id = expr_new(rules->state, settings->external_id, error))))
		return rules;
	outcome_rules_free(&rules);
	return NULL;
}

void outcome_rules_free(struct outcome_rules **rules)
{
	if (*rules)
		expr_state_free(&(*rules)->state);
	alloc_free(*rules);
	*rules = NULL;
}

/* ---- judging ------------------------------------------------------------------ */

static bool is_number(struct lg_slice text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
	return text.length > 0;
}

/* Seconds, however many, or a date that may be past (RFC 9110, section 10.2.3). */
static int64_t read_retry_after(const struct http_answer *answer, int64_t now_ms)
{
	struct lg_slice text = http_answer_header(answer, "Retry-After");
	uint64_t seconds;
	int64_t at_ms, wait_ms = 0;

	if (is_number(text))
		wait_ms = slice_to_u64(text, &seconds) && seconds < RETRY_AFTER_MOST / 1000
				  ? (int64_t)seconds * 1000
				  : RETRY_AFTER_MOST;
	else if (time_parse_http(text, now_ms, &at_ms))
		wait_ms = at_ms - now_ms;
	return wait_ms < 0 ? 0 : wait_ms < RETRY_AFTER_MOST ? wait_ms : RETRY_AFTER_MOST;
}

#define DETAIL_BYTES 200

static void say_unsuccessful(const struct view *view, const struct error *error,
			     struct outcome *outcome)
{
	struct lg_slice why = utf8_cut(slice_from(error ? error->text : ""), DETAIL_BYTES);
	struct lg_slice body = utf8_cut(slice_from(view->problem.text), DETAIL_BYTES);

	snprintf(outcome->reason, sizeof(outcome->reason), "HTTP %d, but success_when %s%.*s%s%.*s",
		 view->answer->status, error ? "cannot be told: " : "does not hold",
		 SLICE_ARGS(why), view->body ? "" : "; the body is no JSON: ", SLICE_ARGS(body));
}

/* A part of an id may be another lead's: it is taken whole or not at all. */
static bool is_external_id(struct lg_slice text)
{
	return text.length < OUTCOME_EXTERNAL_BYTES && utf8_valid(text) &&
	       (!text.length || !memchr(text.data, '\0', text.length));
}

static void read_external_id(const struct outcome_rules *rules, const struct expr_reader *reader,
			     struct view *view, struct outcome *outcome)
{
	struct expr_value value;
	struct error error;

	/* An id that cannot be found is no reason to deliver again. */
	if (!expr_evaluate(rules->external_id, reader, &view->arena, &value, &error))
		return;
	if (value.kind == EXPR_INTEGER)
		snprintf(outcome->external_id, sizeof(outcome->external_id), "%lld",
			 (long long)value.integer);
	else if (value.kind == EXPR_TEXT && is_external_id(value.text))
		slice_to_text(value.text, outcome->external_id, sizeof(outcome->external_id));
}

/* An answer that is a success by its status, looked at more closely. */
static void judge_success(const struct outcome_rules *rules, const struct http_answer *answer,
			  struct outcome *outcome)
{
	static const int32_t otherwise[] = {
		[ELSE_RETRY] = LG_RETRY,
		[ELSE_UNCLASSIFIED] = LG_UNCLASSIFIED,
		[ELSE_PARK] = LG_PARK,
		[ELSE_REJECT] = LG_REJECT,
	};
	struct expr_reader reader = {.member = view_member, .next = view_next};
	struct view view;
	struct error error;
	bool good = true, told = true;

	if (!rules->state)
		return;
	view_init(&view, answer);
	reader.context = &view;
	if (rules->success_when && answer->status < 300)
		told = expr_test(rules->success_when, &reader, &good, &error);
	if (!told || !good) {
		outcome->outcome = otherwise[rules->settings->success_else];
		say_unsuccessful(&view, told ? NULL : &error, outcome);
	} else if (rules->external_id) {
		read_external_id(rules, &reader, &view, outcome);
	}
	arena_fini(&view.arena);
}

static void judge_status(const struct outcome_rules *rules, const struct http_answer *answer,
			 struct outcome *outcome)
{
	const char *text;
	int32_t said = find_override(rules->settings, answer->status);

	outcome->outcome = outcome_of_status(answer->status, &text);
	snprintf(outcome->reason, sizeof(outcome->reason), "HTTP %d: %s%s%s", answer->status, text,
		 said ? "; by outcomes it is " : "", said ? outcome_name(said) : "");
	if (said)
		outcome->outcome = said;
	if (outcome->outcome == LG_DELIVERED)
		judge_success(rules, answer, outcome);
}

/* The sentence of the table, then what is known beyond it. */
static void judge_result(const struct http_answer *answer, struct outcome *outcome)
{
	const char *text = http_result_text(answer->result), *detail = answer->reason;
	char status[32] = "";

	outcome->outcome = outcome_of_result(answer->result);
	if (answer->status)
		snprintf(status, sizeof(status), "HTTP %d: ", answer->status);
	if (slice_starts(slice_from(detail), text))
		detail += strlen(text);
	snprintf(outcome->reason, sizeof(outcome->reason), "%s%s%s%s", status, text,
		 *detail && detail == answer->reason ? ": " : "", detail);
}

void outcome_judge(struct outcome_rules *rules, const struct http_answer *answer, int64_t now_ms,
		   struct outcome *outcome)
{
	*outcome = (struct outcome){.retry_after_ms = 0};
	if (answer->result == HTTP_ANSWERED)
		judge_status(rules, answer, outcome);
	else
		judge_result(answer, outcome);
	if (outcome->outcome != LG_DELIVERED)
		outcome->retry_after_ms = read_retry_after(answer, now_ms);
}
