/* Log lines: whatever stands in a name or a value, both formats give one line
 * of at most 4096 bytes of valid text, and the value is read back from it. */
#include "fuzz.h"

#include "base/buffer.h"
#include "base/error.h"
#include "base/log.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static int file = -1; /* in memory: the log writes there */

static struct lg_slice logged(enum log_format format, const char *name, struct lg_slice value)
{
	static char line[8192];

	if (file < 0)
		file = memfd_create("log", 0);
	ALWAYS(file >= 0 && ftruncate(file, 0) == 0 && lseek(file, 0, SEEK_SET) == 0);
	log_setup(file, format, LG_LOG_DEBUG);
	log_debug("e", LOG_SLICE("v", value), LOG_TEXT(name, "x"), LOG_INT("n", 7));
	ssize_t length = pread(file, line, sizeof(line), 0);
	ALWAYS(length > 0 && length <= 4096);
	return slice_of(line, (size_t)length);
}

static void check_line(struct lg_slice line)
{
	struct lg_slice rest = slice_cut(line, 0, line.length - 1);

	ALWAYS(slice_ends(line, "\n"));
	while (rest.length > 0) {
		int32_t point = utf8_next(&rest);
		ALWAYS(point >= 0x20 && point != 0x7F && point != 0x2028 && point != 0x2029);
	}
}

/* Reads one character of a quoted value; UTF8_INVALID stands for \ufffd. */
static int32_t unescape(struct lg_slice *rest)
{
	int32_t point = utf8_next(rest);

	if (point != '\\')
		return point;
	switch (point = utf8_next(rest)) {
	case 'n': return '\n';
	case 'r': return '\r';
	case 't': return '\t';
	case 'u': {
		char hex[5] = {0};
		ALWAYS(rest->length >= 4);
		memcpy(hex, rest->data, 4);
		*rest = slice_cut(*rest, 4, SIZE_MAX);
		point = (int32_t)strtol(hex, NULL, 16);
		return point == 0xFFFD ? UTF8_INVALID : point;
	}
	default: ALWAYS(point == '"' || point == '\\'); return point;
	}
}

/* The quoted value begins like what was logged, and is all of it when the line
 * was not cut. */
static void check_value(struct lg_slice quoted, struct lg_slice value, bool cut)
{
	ALWAYS(slice_starts(quoted, "\""));
	quoted = slice_cut(quoted, 1, SIZE_MAX);
	while (!slice_starts(quoted, "\"")) {
		ALWAYS(quoted.length > 0);
		ALWAYS(unescape(&quoted) == utf8_next(&value));
	}
	ALWAYS(cut || value.length == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lg_slice value = slice_of((const char *)data, size);
	char name[300];

	slice_to_text(value, name, sizeof(name));
	struct lg_slice line = logged(LOG_JSON, name, value);
	check_line(line);
	bool cut = slice_ends(line, ",\"cut\":true}\n");
	ALWAYS(cut || slice_ends(line, ":\"x\",\"n\":7}\n"));
	const char *at = memmem(line.data, line.length, ",\"v\":", 5);
	ALWAYS(at);
	at += 5;
	check_value(slice_of(at, (size_t)(line.data + line.length - at)), value, cut);

	line = logged(LOG_LOGFMT, name, value);
	check_line(line);
	cut = slice_ends(line, " cut=true\n");
	ALWAYS(cut || slice_ends(line, "=x n=7\n"));
	at = memmem(line.data, line.length, " v=", 3);
	ALWAYS(at);
	at += 3;
	struct lg_slice rest = slice_of(at, (size_t)(line.data + line.length - at));
	if (slice_starts(rest, "\""))
		check_value(rest, value, cut);
	else
		ALWAYS(slice_equal(slice_cut(rest, 0, value.length), value));
	return 0;
}
