#include "expr/token.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_one_of(struct lg_slice text, const char *const *words)
{
	for (; *words; words++)
		if (slice_is(text, *words))
			return true;
	return false;
}

/* The byte `i` places ahead; 0 behind the end. */
static char peek(const struct token_reader *reader, size_t i)
{
	return i < reader->rest.length ? reader->rest.data[i] : 0;
}

/* Columns count characters: a continuation byte of UTF-8 begins none. */
static void advance(struct token_reader *reader, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		unsigned char c = (unsigned char)reader->rest.data[i];
		if (c == '\n') {
			reader->line++;
			reader->column = 1;
		} else if ((c & 0xC0) != 0x80) {
			reader->column++;
		}
	}
	reader->rest = slice_cut(reader->rest, bytes, SIZE_MAX);
}

void token_reader_init(struct token_reader *reader, struct lg_slice text)
{
	*reader = (struct token_reader){.rest = text, .line = 1, .column = 1};
}

bool token_error(const struct token *token, struct error *error, const char *format, ...)
{
	char text[ERROR_TEXT_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return error_set(error, "%u:%u: %s", token->line, token->column, text);
}

static bool take(struct token_reader *reader, struct token *token, int kind, size_t bytes)
{
	token->kind = kind;
	token->text = slice_cut(reader->rest, 0, bytes);
	advance(reader, bytes);
	return true;
}

static bool take_word(struct token_reader *reader, struct token *token, struct error *error)
{
	static const char *const constants[] = {"nil", "true", "false", NULL};
	static const char *const binary[] = {"and", "or", NULL};
	static const char *const unary[] = {"not", NULL};
	static const char *const statements[] = {
		"break", "do",	  "else",   "elseif", "end",  "for",   "function", "goto", "if",
		"in",	 "local", "repeat", "return", "then", "until", "while",	   NULL,
	};
	size_t length = 1;

	while (is_letter(peek(reader, length)) || is_digit(peek(reader, length)))
		length++;
	take(reader, token, TOKEN_NAME, length);
	if (is_one_of(token->text, constants))
		token->kind = TOKEN_CONSTANT;
	else if (is_one_of(token->text, binary))
		token->kind = TOKEN_BINARY;
	else if (is_one_of(token->text, unary))
		token->kind = TOKEN_UNARY;
	else if (is_one_of(token->text, statements))
		return token_error(
			token, error,
			"'%.*s' has no place here: an expression is a value, not a program",
			SLICE_ARGS(token->text));
	return true;
}

static size_t digits_from(const struct token_reader *reader, size_t i, bool (*wanted)(char c))
{
	while (wanted(peek(reader, i)))
		i++;
	return i;
}

static bool take_number(struct token_reader *reader, struct token *token, struct error *error)
{
	size_t length;
	char next;

	if (peek(reader, 0) == '0' && (peek(reader, 1) | 0x20) == 'x' && is_hex(peek(reader, 2))) {
		length = digits_from(reader, 2, is_hex);
	} else {
		length = digits_from(reader, 0, is_digit);
		if (peek(reader, length) == '.' && is_digit(peek(reader, length + 1)))
			length = digits_from(reader, length + 1, is_digit);
		if ((peek(reader, length) | 0x20) == 'e') {
			char sign = peek(reader, length + 1);
			size_t skip = sign == '+' || sign == '-' ? 2 : 1;
			if (is_digit(peek(reader, length + skip)))
				length = digits_from(reader, length + skip, is_digit);
		}
	}
	next = peek(reader, length);
	if (is_letter(next) || is_digit(next) || next == '.')
		return token_error(token, error,
				   "malformed number; numbers are written 50, 0.5, 1e6 or 0xff");
	return take(reader, token, TOKEN_NUMBER, length);
}

/* Length of the escape at `i` (at its backslash); 0: none that is allowed. */
static size_t escape_length(const struct token_reader *reader, size_t i)
{
	uint32_t point = 0;
	size_t end;

	if (strchr("\\'\"ntr", peek(reader, i + 1)) && peek(reader, i + 1))
		return 2;
	if (peek(reader, i + 1) != 'u' || peek(reader, i + 2) != '{')
		return 0;
	for (end = i + 3; is_hex(peek(reader, end)) && point <= 0x10FFFF; end++) {
		char c = peek(reader, end);
		point = point << 4 | (uint32_t)(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	if (end == i + 3 || peek(reader, end) != '}' || point == 0 || point > 0x10FFFF ||
	    (point >= 0xD800 && point <= 0xDFFF))
		return 0;
	return end + 1 - i;
}

static bool take_text(struct token_reader *reader, struct token *token, struct error *error)
{
	char quote = peek(reader, 0);
	size_t i = 1;

	for (char c = peek(reader, i); c != quote; c = peek(reader, i)) {
		size_t step = 1;
		if (i >= reader->rest.length)
			return token_error(token, error, "this text has no closing %c", quote);
		if ((unsigned char)c < 0x20 || c == 0x7F)
			return token_error(
				token, error,
				"text cannot hold a control character; write \\n or \\t");
		if (c == '\\' && (step = escape_length(reader, i)) == 0)
			return token_error(token, error,
					   "text with an unknown escape; known are "
					   "\\\\ \\' \\\" \\n \\r \\t \\u{20AC}");
		i += step;
	}
	return take(reader, token, TOKEN_TEXT, i + 1);
}

/* What other languages write, with what is meant. */
static bool refuse_symbol(const struct token_reader *reader, const struct token *token,
			  struct error *error)
{
	static const struct {
		const char *symbol, *advice;
	} habits[] = {
		{"!=", "'!=' is written '~='"},
		{"<>", "'<>' is written '~='"},
		{"!", "'!' is written 'not'"},
		{"&&", "'&&' is written 'and'"},
		{"||", "'||' is written 'or'"},
		{"=", "'=' sets nothing here; equality is written '=='"},
		{"--", "an expression holds no comments"},
		{"[[", "text stands in single or double quotes"},
		{"[=", "text stands in single or double quotes"},
		{"...", "'...' has no place in an expression"},
		{"<<", "there are no bitwise operators"},
		{">>", "there are no bitwise operators"},
		{"&", "there are no bitwise operators"},
		{"|", "there are no bitwise operators"},
		{"~", "there are no bitwise operators; 'not equal' is written '~='"},
		{":", "methods cannot be called"},
		{";", "an expression is one value and ends without ';'"},
		{"?", "there is no '?:'; write (condition and yes or no)"},
		{"\xE2\x80\x98", "quotes are written ' or \""},
		{"\xE2\x80\x99", "quotes are written ' or \""},
		{"\xE2\x80\x9C", "quotes are written ' or \""},
		{"\xE2\x80\x9D", "quotes are written ' or \""},
	};
	struct lg_slice rest = reader->rest;

	for (size_t i = 0; i < sizeof(habits) / sizeof(habits[0]); i++)
		if (slice_starts(reader->rest, habits[i].symbol))
			return token_error(token, error, "%s", habits[i].advice);
	if ((unsigned char)peek(reader, 0) < 0x21 || peek(reader, 0) == 0x7F)
		return token_error(token, error, "a control character has no place here");
	utf8_next(&rest);
	return token_error(token, error, "'%.*s' has no place in an expression",
			   (int)(rest.data - reader->rest.data), reader->rest.data);
}

static bool take_symbol(struct token_reader *reader, struct token *token, struct error *error)
{
	static const char *const pairs[] = {"==", "~=", "<=", ">=", "//", "..", NULL};
	static const char *const refused[] = {"--", "[[", "[=", "<<", ">>", "<>", NULL};
	struct lg_slice two = slice_cut(reader->rest, 0, 2);
	char c = peek(reader, 0);

	if (is_one_of(two, refused) || slice_starts(reader->rest, "..."))
		return refuse_symbol(reader, token, error);
	if (is_one_of(two, pairs))
		return take(reader, token, TOKEN_BINARY, 2);
	if (c && strchr("<>+*/%^", c))
		return take(reader, token, TOKEN_BINARY, 1);
	if (c == '-')
		return take(reader, token, TOKEN_MINUS, 1);
	if (c == '#')
		return take(reader, token, TOKEN_UNARY, 1);
	if (c && strchr("()[]{},.", c))
		return take(reader, token, c, 1);
	return refuse_symbol(reader, token, error);
}

bool token_next(struct token_reader *reader, struct token *token, struct error *error)
{
	char c = peek(reader, 0);

	while (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
		advance(reader, 1);
		c = peek(reader, 0);
	}
	*token = (struct token){.line = reader->line, .column = reader->column};
	if (reader->rest.length == 0)
		return take(reader, token, TOKEN_END, 0);
	if (is_letter(c))
		return take_word(reader, token, error);
	if (is_digit(c))
		return take_number(reader, token, error);
	if (c == '\'' || c == '"')
		return take_text(reader, token, error);
	return take_symbol(reader, token, error);
}
