#include "base/error.h"

#include "base/log.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* vsnprintf that cuts at a character; `out` may be among the arguments. */
__attribute__((format(printf, 2, 0))) static void format_text(char out[ERROR_TEXT_BYTES],
							      const char *format, va_list args)
{
	char text[ERROR_TEXT_BYTES + 1]; /* one more, to see whether the cut splits a character */
	text[0] = '\0';
	vsnprintf(text, sizeof(text), format, args);
	slice_to_text(utf8_cut(slice_from(text), ERROR_TEXT_BYTES - 1), out, ERROR_TEXT_BYTES);
}

bool error_set(struct error *error, const char *format, ...)
{
	va_list args;

	if (!error)
		return false;
	va_start(args, format);
	format_text(error->text, format, args);
	va_end(args);
	return false;
}

bool error_prefix(struct error *error, const char *format, ...)
{
	char words[ERROR_TEXT_BYTES];
	va_list args;

	if (!error)
		return false;
	va_start(args, format);
	format_text(words, format, args);
	va_end(args);
	return error_set(error, "%s%s", words, error->text);
}

void error_abort(const char *format, ...)
{
	char reason[ERROR_TEXT_BYTES];
	va_list args;

	va_start(args, format);
	format_text(reason, format, args);
	va_end(args);
	log_error("process.abort", LOG_TEXT("reason", reason));
	abort();
}
