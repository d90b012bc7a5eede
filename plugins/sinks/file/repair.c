#define _GNU_SOURCE 1
#include "file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* A batch is smaller (BATCH_BYTES) and synced, so a crash leaves nothing
 * unsynced further from the end. */
#define TAIL_BYTES ((off_t)16777216)
#define BLOCK_BYTES 65536

__attribute__((format(printf, 3, 4))) static void note(struct sink *sink, int32_t level,
						       const char *format, ...)
{
	char text[PATH_MAX + 256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	lg_log(sink->host, level, (struct lg_slice){text, strlen(text)});
}

/* False with errno: a file that ends sooner than it did is read as a broken one. */
static bool read_whole(int fd, char *out, size_t size, off_t at)
{
	ssize_t got = pread(fd, out, size, at);

	if (got >= 0 && got != (ssize_t)size)
		errno = EIO;
	return got == (ssize_t)size;
}

/* The last offset at or before `end` that follows a line feed; 0: none, -1 with errno. */
static off_t line_start(int fd, off_t end)
{
	char block[BLOCK_BYTES];

	while (end > 0) {
		size_t size = end < (off_t)sizeof(block) ? (size_t)end : sizeof(block);
		char *at;
		if (!read_whole(fd, block, size, end - (off_t)size))
			return -1;
		at = memrchr(block, '\n', size);
		if (at)
			return end - (off_t)size + (at - block) + 1;
		end -= (off_t)size;
	}
	return 0;
}

/* The first zero byte of the tail, or `size`: a power cut can leave a hole of
 * zeros before blocks that did reach the disk. JSON has no zero bytes. */
static off_t first_hole(int fd, off_t size)
{
	char block[BLOCK_BYTES];
	off_t at = size > TAIL_BYTES ? size - TAIL_BYTES : 0;

	while (at < size) {
		ssize_t got = pread(fd, block, sizeof(block), at);
		char *zero;
		if (got <= 0)
			return got < 0 ? -1 : size;
		zero = memchr(block, '\0', (size_t)got);
		if (zero)
			return at + (zero - block);
		at += got;
	}
	return size;
}

/* ---- the last line ------------------------------------------------------------ */

enum line { LINE_TORN, LINE_WHOLE, LINE_STRANGE };

/* An object of JSON, byte by byte. A torn one never comes to its end; behind a whole one
 * nothing follows. */
struct object {
	int64_t depth;
	bool is_quoted, is_escaped, is_over;
};

/* False: there is something behind its end. */
static bool object_take(struct object *object, char c)
{
	if (object->is_over)
		return c == ' ' || c == '\t' || c == '\r';
	if (object->is_escaped) {
		object->is_escaped = false;
	} else if (object->is_quoted) {
		object->is_escaped = c == '\\';
		object->is_quoted = c != '"';
	} else if (c == '"') {
		object->is_quoted = true;
	} else if (c == '{') {
		object->depth++;
	} else if (c == '}') {
		object->is_over = --object->depth == 0;
	}
	return true;
}

/* What begins at `at` with a brace and goes on to the end of the file. False with errno. */
static bool look_at_line(int fd, off_t at, off_t size, enum line *line)
{
	struct object object = {0};
	char block[BLOCK_BYTES];

	*line = LINE_STRANGE;
	while (at < size) {
		size_t length = size - at < BLOCK_BYTES ? (size_t)(size - at) : BLOCK_BYTES;

		if (!read_whole(fd, block, length, at))
			return false;
		for (size_t i = 0; i < length; i++)
			if (!object_take(&object, block[i]))
				return true;
		at += (off_t)length;
	}
	*line = object.is_over ? LINE_WHOLE : LINE_TORN;
	return true;
}

/* ---- repair ------------------------------------------------------------------- */

static bool cut(struct sink *sink, off_t whole, struct lg_text problem)
{
	long long bytes = sink->file.st_size - whole;

	if (ftruncate(sink->fd, whole) != 0 || fsync(sink->fd) != 0) {
		say(problem, "%s has a torn last line that cannot be cut off: %s", sink->path,
		    strerror(errno));
		return false;
	}
	lg_count(sink->host, sink->cuts, 1);
	note(sink, LG_LOG_NOTICE,
	     "%s: cut %lld bytes of a torn last line; an event of ours comes again", sink->path,
	     bytes);
	return true;
}

/* It may be of another program, or the last that somebody has of a lead. When it is ours, its
 * event may come again. */
static bool end_line(struct sink *sink, struct lg_text problem)
{
	ssize_t put = write(sink->fd, "\n", 1);

	if (put == 1 && fsync(sink->fd) == 0) {
		note(sink, LG_LOG_NOTICE, "%s: its last line was whole, and got its line feed",
		     sink->path);
		return true;
	}
	if (put == 0)
		errno = ENOSPC;
	say(problem, "%s lacks a line feed at its end, which cannot be written: %s", sink->path,
	    strerror(errno));
	return false;
}

bool repair_tail(struct sink *sink, struct lg_text problem)
{
	off_t size = sink->file.st_size, hole = first_hole(sink->fd, size);
	off_t whole = hole < 0 ? -1 : line_start(sink->fd, hole);
	enum line line = LINE_TORN;
	char first = '\0';

	if (whole == size)
		return true;
	if (whole < 0 || !read_whole(sink->fd, &first, 1, whole) ||
	    (first == '{' && hole == size && !look_at_line(sink->fd, whole, size, &line))) {
		say(problem, "%s cannot be read: %s", sink->path, strerror(errno));
		return false;
	}
	/* Only what looks like one of our lines is ours to cut. */
	if ((first != '{' && first != '\0') || line == LINE_STRANGE) {
		say(problem,
		    "%s does not end with a line that this sink wrote: move the file away, or end "
		    "its last line with a line feed",
		    sink->path);
		errno = EPERM; /* a person has to look */
		return false;
	}
	return line == LINE_WHOLE ? end_line(sink, problem) : cut(sink, whole, problem);
}
