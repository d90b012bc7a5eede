#include "base/log.h"

#include "base/clock.h"
#include "base/counter.h"
#include "base/utf8.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

/* A pipe takes up to 4096 bytes in one piece, so lines do not mix. */
#define LINE_BYTES 4096
/* What may still have to follow when the line is full: a closing quote, the
 * cut marker and the line's end. */
#define TAIL_BYTES 32

static struct {
	int fd;
	enum log_format format;
	_Atomic(int) level;
	int dropped, cut; /* counters */
} setup = {.fd = STDERR_FILENO, .level = LG_LOG_INFO, .dropped = COUNTER_NONE, .cut = COUNTER_NONE};

struct line {
	char *at, *end; /* `end` leaves the tail's room */
	bool json, full;
	char bytes[LINE_BYTES];
};

void log_setup(int fd, enum log_format format, int level)
{
	setup.fd = fd;
	setup.format = format;
	log_set_level(level);
	setup.dropped = counter_register(COUNTER_COUNTER, "leadgate_log_lines_dropped_total", "",
					 "Log lines that could not be written whole");
	setup.cut = counter_register(COUNTER_COUNTER, "leadgate_log_lines_cut_total", "",
				     "Log lines that were too long and were cut");
}

void log_set_level(int level)
{
	atomic_store_explicit(&setup.level, level, memory_order_relaxed);
}

static int known_level(int level)
{
	return level < LG_LOG_ERROR || level > LG_LOG_DEBUG ? LG_LOG_ERROR : level;
}

bool log_wants(int level)
{
	return known_level(level) <= atomic_load_explicit(&setup.level, memory_order_relaxed);
}

/* A closing quote may stand beyond `end`, in the tail's room. */
static size_t room(const struct line *line)
{
	return line->at < line->end ? (size_t)(line->end - line->at) : 0;
}

/* Puts all of it or, when the line is full, nothing. */
static bool put(struct line *line, const char *bytes, size_t length)
{
	if (line->full || length > room(line)) {
		line->full = true;
		return false;
	}
	memcpy(line->at, bytes, length);
	line->at += length;
	return true;
}

static bool put_text(struct line *line, const char *text)
{
	return put(line, text, strlen(text));
}

/* What must not stand in a line as it is: control characters (C1 too, which
 * terminals obey) and the separators that some readers take for line ends. */
static bool is_control(int32_t point)
{
	return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x2028 ||
	       point == 0x2029;
}

static bool put_escaped(struct line *line, int32_t point)
{
	char text[8];

	switch (point) {
	case UTF8_INVALID: return put_text(line, "\\ufffd");
	case '"': return put_text(line, "\\\"");
	case '\\': return put_text(line, "\\\\");
	case '\n': return put_text(line, "\\n");
	case '\r': return put_text(line, "\\r");
	case '\t': return put_text(line, "\\t");
	default:
		snprintf(text, sizeof(text), "\\u%04x", (unsigned)point & 0xFFFF);
		return put_text(line, text);
	}
}

static bool must_escape(int32_t point)
{
	return point == UTF8_INVALID || point == '"' || point == '\\' || is_control(point);
}

/* The tail's room always has place for the closing quote. */
static void put_quoted(struct line *line, struct lg_slice value)
{
	if (!put(line, "\"", 1))
		return;
	while (value.length > 0) {
		const char *from = value.data;
		int32_t point = utf8_next(&value);
		bool done = must_escape(point) ? put_escaped(line, point)
					       : put(line, from, (size_t)(value.data - from));
		if (!done)
			break;
	}
	*line->at++ = '"';
}

static bool is_bare(struct lg_slice value)
{
	for (struct lg_slice rest = value; rest.length > 0;) {
		int32_t point = utf8_next(&rest);
		if (point == ' ' || point == '=' || must_escape(point))
			return false;
	}
	return value.length > 0;
}

static void put_value(struct line *line, struct lg_slice value)
{
	if (!line->json && value.length <= room(line) && is_bare(value))
		put(line, value.data, value.length);
	else
		put_quoted(line, value);
}

static void put_integer(struct line *line, int64_t number)
{
	char text[24];
	snprintf(text, sizeof(text), "%lld", (long long)number);
	put_text(line, text);
}

/* A plugin may have chosen the name: only what needs no quotes is kept. */
static bool put_name(struct line *line, const char *name)
{
	static const char kept[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789_.-";
	bool first = line->at == line->bytes;

	put_text(line, line->json ? (first ? "{\"" : ",\"") : (first ? "" : " "));
	for (; *name; name++)
		put(line, strchr(kept, *name) ? name : "_", 1);
	return put_text(line, line->json ? "\":" : "=");
}

static void put_field(struct line *line, const struct log_field *field)
{
	struct lg_slice value = field->kind == LOG_KIND_TEXT ? slice_from(field->text)
							     : field->slice;
	char *before = line->at;

	if (line->full || (field->kind != LOG_KIND_INT && !slice_present(value)))
		return;
	if (put_name(line, field->name)) {
		char *from = line->at;
		if (field->kind == LOG_KIND_INT)
			put_integer(line, field->number);
		else
			put_value(line, value);
		if (line->at > from)
			return;
	}
	line->at = before; /* not even the value's beginning found room */
}

static void begin(struct line *line, int level, const char *event)
{
	static const char *const levels[] = {"error", "warning", "notice", "info", "debug"};
	char time[CLOCK_RFC3339_BYTES];

	line->at = line->bytes;
	line->end = line->bytes + sizeof(line->bytes) - TAIL_BYTES;
	line->json = setup.format == LOG_JSON;
	line->full = false;
	clock_format(clock_wall_ms(), time);
	put_field(line, &(struct log_field)LOG_TEXT("time", time));
	put_field(line, &(struct log_field)LOG_TEXT("level", levels[known_level(level)]));
	put_field(line, &(struct log_field)LOG_TEXT("event", event));
}

static void finish(struct line *line)
{
	bool cut = line->full;

	line->full = false;
	line->end = line->bytes + sizeof(line->bytes);
	if (cut) {
		counter_inc(setup.cut);
		put_text(line, line->json ? ",\"cut\":true" : " cut=true");
	}
	put_text(line, line->json ? "}\n" : "\n");
}

/* A line that cannot be written is dropped and counted: a log must not stop
 * the service. */
static void write_out(const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(setup.fd, bytes, length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) {
			counter_inc(setup.dropped);
			return;
		}
		bytes += written;
		length -= (size_t)written;
	}
}

void log_write(int level, const char *event, const struct log_field *fields)
{
	struct line line;
	int saved_errno = errno; /* callers log first and look at errno afterwards */

	begin(&line, level, event);
	for (; fields && fields->name; fields++)
		put_field(&line, fields);
	finish(&line);
	write_out(line.bytes, (size_t)(line.at - line.bytes));
	errno = saved_errno;
}
