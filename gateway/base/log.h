/* Structured log lines on a descriptor, as logfmt or as JSON, one write a line.
 *
 *   log_info("conn.closed", LOG_TEXT("reason", "head-timeout"), LOG_INT("port", 80));
 *   time=2026-01-02T03:04:05.678Z level=info event=conn.closed reason=head-timeout port=80
 *
 * Personal data never goes into a line. Any thread; errno is kept.
 * A field whose text or slice is absent is left out. A line has at most 4096
 * bytes: what is longer is cut and ends with cut=true. Lines that were cut and
 * lines that could not be written are counted. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/slice.h"

enum log_format { LOG_LOGFMT, LOG_JSON };

struct log_field {
	const char *name; /* NULL ends the list */
	enum { LOG_KIND_TEXT, LOG_KIND_SLICE, LOG_KIND_INT } kind;
	const char *text;
	struct lg_slice slice;
	int64_t number;
};

#define LOG_TEXT(n, v)                                          \
	{                                                       \
		.name = (n), .kind = LOG_KIND_TEXT, .text = (v) \
	}
#define LOG_SLICE(n, v)                                           \
	{                                                         \
		.name = (n), .kind = LOG_KIND_SLICE, .slice = (v) \
	}
#define LOG_INT(n, v)                                            \
	{                                                        \
		.name = (n), .kind = LOG_KIND_INT, .number = (v) \
	}

/* Main thread, before others start. `level`: LG_LOG_…, lines above are dropped. */
void log_setup(int fd, enum log_format format, int level);
/* Any thread. */
void log_set_level(int level);
bool log_wants(int level);
void log_write(int level, const char *event, const struct log_field *fields);

#define LOG_FIELDS(...) ((const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){.name = NULL}})
#define LOG_AT(level, event, ...)                                             \
	do {                                                                  \
		if (log_wants(level))                                         \
			log_write((level), (event), LOG_FIELDS(__VA_ARGS__)); \
	} while (0)
#define log_error(event, ...) LOG_AT(LG_LOG_ERROR, event, __VA_ARGS__)
#define log_warning(event, ...) LOG_AT(LG_LOG_WARNING, event, __VA_ARGS__)
#define log_notice(event, ...) LOG_AT(LG_LOG_NOTICE, event, __VA_ARGS__)
#define log_info(event, ...) LOG_AT(LG_LOG_INFO, event, __VA_ARGS__)
#define log_debug(event, ...) LOG_AT(LG_LOG_DEBUG, event, __VA_ARGS__)

#endif
