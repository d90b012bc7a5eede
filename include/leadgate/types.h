/* The vocabulary that every leadgate header shares: slices, lists and the
 * constants that name channels, verdicts and outcomes.
 *
 * Conventions of the whole plugin interface:
 *  - Numbers that travel are fixed-size integers; an int32_t stands where C
 *    would use an enum, so that a value unknown to one side stays a number.
 *  - Durations are milliseconds, sizes are bytes, instants are milliseconds
 *    since 1970-01-01T00:00:00Z.
 *  - Text is UTF-8 in slices. A slice is not terminated by a zero byte.
 */
#ifndef LEADGATE_TYPES_H
#define LEADGATE_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Borrowed bytes. Whoever hands out a slice says how long it lives. A slice
 * with data == NULL is absent, whatever its length; a slice with data != NULL
 * and length == 0 is present and empty. */
struct lg_slice {
	const char *data;
	size_t length;
};

/* A name with its value. */
struct lg_pair {
	struct lg_slice name;
	struct lg_slice value;
};

/* The value of an option of type list. */
struct lg_list {
	const struct lg_slice *items;
	size_t count;
};

/* The value of an option of type map. */
struct lg_map {
	const struct lg_pair *pairs;
	size_t count;
};

/* Where a form's field name is sent: to a field of the record. */
struct lg_field_name {
	struct lg_slice name; /* as the form spells it */
	int32_t field;	      /* LG_… of fields.def */
	int32_t reserved;
};

/* The value of an option of type field map. */
struct lg_field_map {
	const struct lg_field_name *entries;
	size_t count;
};

/* Where an explanation goes. The callee writes at most `capacity` bytes
 * including the closing zero byte; the caller owns the memory. */
struct lg_text {
	char *data;
	size_t capacity;
};

/* A slice over a string literal or an array of char. */
#define LG_SLICE(literal) ((struct lg_slice){(literal), sizeof(literal) - 1})

/* Log levels. An unknown level is written as LG_LOG_ERROR. */
#define LG_LOG_ERROR 0
#define LG_LOG_WARNING 1
#define LG_LOG_NOTICE 2
#define LG_LOG_INFO 3
#define LG_LOG_DEBUG 4

/* What the operations of a plugin return. Anything else is LG_FAIL. */
#define LG_OK 0
#define LG_FAIL (-1) /* failed; the reason is in the lg_text or the refusal */
#define LG_LATER 1   /* not yet: the rest follows; each operation says whether it may */

#ifdef __cplusplus
}
#endif
#endif
