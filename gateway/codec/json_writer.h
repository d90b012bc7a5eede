/* Values to JSON in a buffer. The writer puts the commas; failures are the
 * buffer's (ask buffer->failed at the end). Pure; any thread. */
#ifndef CODEC_JSON_WRITER_H
#define CODEC_JSON_WRITER_H

#include "base/buffer.h"
#include "codec/json.h"

struct json_writer {
	struct buffer *out;
	bool comma; /* the next value or name needs one before it */
};

void json_writer_init(struct json_writer *writer, struct buffer *out);
void json_write_open(struct json_writer *writer, char bracket);	 /* '{' or '[' */
void json_write_close(struct json_writer *writer, char bracket); /* '}' or ']' */
void json_write_name(struct json_writer *writer, struct lg_slice name);
void json_write_text(struct json_writer *writer, struct lg_slice text);
void json_write_int(struct json_writer *writer, int64_t number);
void json_write_bool(struct json_writer *writer, bool value);
void json_write_null(struct json_writer *writer);
/* A finite number, with as few digits as give it back. */
void json_write_number(struct json_writer *writer, double number);
/* A parsed value with all that is in it; numbers as they were written. */
void json_write_value(struct json_writer *writer, const struct json *value);
/* Bytes that are JSON already. */
void json_write_raw(struct json_writer *writer, struct lg_slice json);

/* Members of an object, name and value. A text that is absent is left out, and so is a time
 * (wall clock, written as RFC 3339) that is 0. */
void json_write_member_text(struct json_writer *writer, const char *name, struct lg_slice text);
void json_write_member_int(struct json_writer *writer, const char *name, int64_t number);
void json_write_member_bool(struct json_writer *writer, const char *name, bool value);
void json_write_member_time(struct json_writer *writer, const char *name, int64_t at_ms);

/* Copies a text that needs no escape. False, as for few: it needs one, or is not ASCII;
 * what lies at `to` means nothing then. */
bool json_copy_plain(char *to, struct lg_slice text);

/* Escapes into a string literal's inside: quote, backslash, control characters
 * (RFC 8259 section 7), and U+2028/2029. Bytes that are not UTF-8 become U+FFFD. */
void json_escape(struct buffer *out, struct lg_slice text);

#endif
