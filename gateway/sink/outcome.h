/* What came of a call, as the events see it: one table (outcome.def) that every
 * end of a call goes through, with what a sink's configuration says otherwise.
 *
 *   success_when   an expression over the answer: a 2xx for which it does not hold
 *                  is no success. It sees
 *                    status           the number
 *                    headers.NAME     text; "_" stands for "-"
 *                    body.PATH        of a body that is JSON
 *                    text             the body's first bytes, when they are UTF-8
 *   outcomes       a status (409) or a class of them (4xx) -> an outcome
 *
 * Redirects are never a success. */
#ifndef SINK_OUTCOME_H
#define SINK_OUTCOME_H

#include <leadgate/option.h>
#include <leadgate/services.h>

#include "client/http_client.h"
#include "lead/binding.h"

#define OUTCOME_REASON_BYTES 512
#define OUTCOME_EXTERNAL_BYTES 256

/* A sink's part of the configuration; the rows are in http_service_options. */
struct outcome_settings {
	struct lg_slice success_when;
	int32_t success_else;	     /* enum outcome_else */
	struct lg_map overrides;     /* status or class -> outcome */
	struct lg_slice external_id; /* expression over a good answer */
};

/* What a 2xx that fails success_when means. */
enum outcome_else { ELSE_RETRY, ELSE_UNCLASSIFIED, ELSE_PARK, ELSE_REJECT };
#define OUTCOME_ELSE_CHOICES "retry|unclassified|park|reject"

/* "delivered", "retry", "unclassified", "park", "reject". */
const char *outcome_name(int32_t outcome);

/* Checks one entry of `outcomes`: false with a sentence. Any thread. */
bool outcome_override_check(const struct lg_pair *entry, struct error *error);
/* expr_check with the names of an answer. Any thread. */
bool outcome_expression_check(struct lg_slice text, struct error *error);

/* What a status means before anything of the configuration; `text` says why. */
int32_t outcome_of_status(int status, const char **text);
/* The same of a call without a whole answer. */
int32_t outcome_of_result(enum http_result result);

/* A sink's rules with its expressions compiled. One thread at a time. */
struct outcome_rules;
/* The settings, checked, and the limits outlive the rules. NULL with a reason. */
struct outcome_rules *outcome_rules_new(const struct outcome_settings *settings,
					const struct expr_limits *limits, struct error *error);
void outcome_rules_free(struct outcome_rules **rules);

struct outcome {
	int32_t outcome;			  /* LG_… of services.h */
	int64_t retry_after_ms;			  /* 0: nothing was asked for */
	char reason[OUTCOME_REASON_BYTES];	  /* a sentence */
	char external_id[OUTCOME_EXTERNAL_BYTES]; /* "": none */
};

/* Judges the end of a call. `now_ms`: wall clock, for Retry-After as a date. */
void outcome_judge(struct outcome_rules *rules, const struct http_answer *answer, int64_t now_ms,
		   struct outcome *outcome);

#endif
