/* The words of an expression. Only what the subset of expr.h knows is a token:
 * comments, long strings, statements and bitwise operators are errors here. */
#ifndef EXPR_TOKEN_H
#define EXPR_TOKEN_H

#include "base/error.h"
#include "base/slice.h"

/* Brackets, commas and dots are their own character. */
enum token_kind {
	TOKEN_END = 256,
	TOKEN_NAME,
	TOKEN_NUMBER,
	TOKEN_TEXT,
	TOKEN_CONSTANT, /* nil true false */
	TOKEN_BINARY,	/* and or == ~= < <= > >= + * / // % .. ^ */
	TOKEN_MINUS,
	TOKEN_UNARY, /* not # */
};

struct token {
	int kind;
	struct lg_slice text; /* as written, with its quotes */
	unsigned line, column;
};

struct token_reader {
	struct lg_slice rest;
	unsigned line, column; /* of its first character, from 1 */
};

void token_reader_init(struct token_reader *reader, struct lg_slice text);

/* False with "line:column: …" when the next word has no place in an expression. */
bool token_next(struct token_reader *reader, struct token *token, struct error *error);

/* Sets "line:column: …" of a token. Returns false. */
bool token_error(const struct token *token, struct error *error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
