/* Why something failed, as a sentence for whoever has to repair it. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>

#define ERROR_TEXT_BYTES 1024

struct error {
	char text[ERROR_TEXT_BYTES]; /* always terminated; "" when none */
};

/* Sets the text, cut to fit. Returns false, so that a function can end with
 * `return error_set(error, "…")`. `error` may be NULL. */
bool error_set(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts words before what is already said: "opening the store: " + text. */
bool error_prefix(struct error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Ends the process with a logged reason: for broken invariants, and for a
 * failed sync. Never returns. */
void error_abort(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* An invariant that is checked in every build. */
#define ALWAYS(condition)                                                              \
	do {                                                                           \
		if (!(condition))                                                      \
			error_abort("%s:%d: broken invariant: %s", __FILE__, __LINE__, \
				    #condition);                                       \
	} while (0)

#endif
