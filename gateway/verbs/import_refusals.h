/* Reads the first rows of a file of refused rows, for people: the line of the original
 * and the reason. Pure but for import_refusals_read. */
#ifndef VERBS_IMPORT_REFUSALS_H
#define VERBS_IMPORT_REFUSALS_H

#include "base/slice.h"

#define IMPORT_REFUSALS_MAX 10

struct import_refusal {
	int64_t line;
	struct lg_slice reason; /* without its quotes; in the text it was read from */
};

/* Up to IMPORT_REFUSALS_MAX of the rows behind the header. Quotes within a reason stay
 * doubled. */
size_t import_refusals(struct lg_slice text, struct import_refusal *refusals);

/* Reads the beginning of an open file into `room`. */
struct lg_slice import_refusals_read(int file, char *room, size_t capacity);

#endif
