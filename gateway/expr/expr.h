/* Expressions: what an operator writes as `when`, as a rule or as a mapped value.
 *
 *   person.country == 'US' and (organization.employees or 0) >= 50
 *
 * An expression is one Lua 5.4 expression out of a narrow subset: literals, paths
 * of names, operators, lists in braces and calls of the functions below. There
 * are no statements, no function definitions, no comments, no methods, no loops.
 * What is absent is nil, and a member of nil is nil, so a.b.c needs no guards.
 *
 *   lower(text) upper(text) trim(text)       nil stays nil
 *   length(text or list)                     characters or items; 0 of nil
 *   starts_with(text, part) ends_with(text, part)
 *   contains(text, part) contains(list, value)
 *   matches_any(value, list)                 value may be a list: any of its items
 *   any_where(list, name, value, …)          one item has all of these members
 *   join(list, separator)                    nil of nil
 *   number(text)                             nil when it is no number
 *   min(…) max(…) floor(number)
 *
 * Text and numbers never turn into one another but through number() and `..`.
 * An error of a run says what is wrong with the expression; it never quotes a
 * value of the record. */
#ifndef EXPR_EXPR_H
#define EXPR_EXPR_H

#include <leadgate/option.h>

#include "base/arena.h"
#include "base/error.h"

#define EXPR_TEXT_BYTES 8192 /* longest expression */

enum expr_kind {
	EXPR_NIL,
	EXPR_BOOL,
	EXPR_INTEGER,
	EXPR_NUMBER,
	EXPR_TEXT,
	EXPR_NODE, /* an object or a list of the reader's */
	EXPR_LIST, /* written in the expression; only in results */
};

struct expr_value {
	enum expr_kind kind;
	bool truth;
	int64_t integer;
	double number;
	struct lg_slice text;
	const void *node;
	const struct expr_value *items; /* of a list */
	size_t count;
};

/* How an expression sees the world. Values must live until the evaluation has
 * ended. The functions must not raise signals, jump or call back into expr. */
struct expr_reader {
	const void *context;
	/* The member of a node, or of the root when `node` is NULL. `value` is
	 * EXPR_NIL beforehand: leave it so when there is none. */
	void (*member)(const void *context, const void *node, struct lg_slice name,
		       struct expr_value *value);
	/* The next item of a list: the first one while *at is NULL. False at the
	 * end, and for nodes that are no lists. */
	bool (*next)(const void *context, const void *list, const void **at,
		     struct expr_value *value);
};

/* What the reader knows, for finding misspelt names. A path is names with dots
 * between; "[]" stands for the items of a list and "*" for any name:
 * "person.email", "inquiry.products[]", "consent[].state", "extra.*". */
struct expr_names {
	const char *const *paths;
	size_t count;
};

/* Whether `text` is an expression. `names` NULL: any name is taken. On false
 * the error begins with line and column within the text, counted from 1 in
 * characters: "1:17: unknown name 'statsu'; did you mean 'status'?". Any thread. */
bool expr_check(struct lg_slice text, const struct expr_names *names, struct error *error);

/* As expr_check, for what is to answer yes or no of a record. A number, a text or
 * nil alone is refused, too: it answers the same of every record and was hardly
 * meant to; who means it writes true or false. Any thread. */
bool expr_check_answer(struct lg_slice text, const struct expr_names *names, struct error *error);

/* How much one evaluation may take; options of the section `expressions:`. */
struct expr_limits {
	int64_t memory_bytes; /* 4 MiB, of a state with all that it holds */
	int64_t steps;	      /* 200,000: instructions, items and 16 bytes of text each */
};
extern const struct lg_option expr_limit_options[];
extern const size_t expr_limit_option_count;

/* A Lua state with the expressions compiled in it. One thread at a time.
 * NULL when memory ran out, or memory_bytes are too few. */
struct expr_state;
struct expr_state *expr_state_new(const struct expr_limits *limits);
/* Ends what was compiled in it, too. */
void expr_state_free(struct expr_state **state);

/* A compiled expression: the same text in one state is compiled once. It lives
 * until it is freed as often as it was made, or until its state ends. NULL with
 * a reason as expr_check gives it; names are not checked. */
struct expr;
struct expr *expr_new(struct expr_state *state, struct lg_slice text, struct error *error);
void expr_free(struct expr **expr);

/* Evaluates. Text and lists of the result are in the arena, nodes are the
 * reader's. False with a reason: a wrong type, too many steps, no memory. */
bool expr_evaluate(struct expr *expr, const struct expr_reader *reader, struct arena *arena,
		   struct expr_value *result, struct error *error);

/* Evaluates to yes or no: nil and false are no, everything else is yes. */
bool expr_test(struct expr *expr, const struct expr_reader *reader, bool *yes, struct error *error);

#endif
