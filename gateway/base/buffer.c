#include "base/buffer.h"

#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>

#define SMALLEST_CAPACITY 256

void buffer_init(struct buffer *buffer, size_t limit)
{
	*buffer = (struct buffer){.limit = limit};
}

void buffer_fini(struct buffer *buffer)
{
	alloc_free(buffer->data);
	buffer_init(buffer, buffer->limit);
}

void buffer_clear(struct buffer *buffer)
{
	buffer->start = buffer->end = 0;
	buffer->failed = false;
}

void buffer_shrink(struct buffer *buffer, size_t keep)
{
	if (buffer_length(buffer) > 0 || buffer->capacity <= keep)
		return;
	alloc_free(buffer->data);
	buffer->data = NULL;
	buffer->start = buffer->end = buffer->capacity = 0;
}

static void compact(struct buffer *buffer)
{
	size_t length = buffer_length(buffer);

	if (buffer->start == 0)
		return;
	memmove(buffer->data, buffer->data + buffer->start, length);
	buffer->start = 0;
	buffer->end = length;
}

/* Doubles until `needed` fit, but holds no more than the limit asks for. */
static size_t next_capacity(const struct buffer *buffer, size_t needed)
{
	size_t capacity = buffer->capacity ? buffer->capacity : SMALLEST_CAPACITY;

	while (capacity < needed)
		capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
	if (capacity > buffer->limit)
		capacity = buffer->limit > needed ? buffer->limit : needed;
	return capacity;
}

/* Room for `size` bytes and `spare` more that do not count against the limit. */
static char *reserve(struct buffer *buffer, size_t size, size_t spare)
{
	size_t length = buffer_length(buffer);

	if (buffer->failed || length > buffer->limit || size > buffer->limit - length ||
	    size > PTRDIFF_MAX - length - spare) {
		buffer->failed = true;
		return NULL;
	}
	if (buffer->capacity - buffer->end >= size + spare && buffer->data)
		return buffer->data + buffer->end;
	/* Moving is cheap when less is moved than was consumed before; then, and
	 * when growing would not help, no memory is asked for. */
	if (length + size + spare <= buffer->capacity &&
	    (buffer->start >= length || buffer->capacity >= buffer->limit)) {
		compact(buffer);
		return buffer->data + buffer->end;
	}
	compact(buffer);
	size_t capacity = next_capacity(buffer, length + size + spare);
	char *data = alloc_realloc(buffer->data, capacity);
	if (!data) {
		buffer->failed = true;
		return NULL;
	}
	buffer->data = data;
	buffer->capacity = capacity;
	return data + buffer->end;
}

char *buffer_make_room(struct buffer *buffer, size_t size)
{
	return reserve(buffer, size, 0);
}

void buffer_take(struct buffer *buffer, size_t size)
{
	ALWAYS(size <= buffer_length(buffer));
	buffer->start += size;
	if (buffer->start == buffer->end)
		buffer->start = buffer->end = 0;
}

bool buffer_add_u64(struct buffer *buffer, uint64_t value)
{
	char digits[20];
	char *at = digits + sizeof(digits);

	do
		*--at = (char)('0' + value % 10);
	while (value /= 10);
	return buffer_add(buffer, at, (size_t)(digits + sizeof(digits) - at));
}

bool buffer_printf(struct buffer *buffer, const char *format, ...)
{
	char text[512]; /* most texts are short: one pass is enough for them */
	va_list args;

	va_start(args, format);
	int length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (length < 0) {
		buffer->failed = true;
		return false;
	}
	if ((size_t)length < sizeof(text))
		return buffer_add(buffer, text, (size_t)length);

	char *room = reserve(buffer, (size_t)length, 1);
	if (!room)
		return false;
	va_start(args, format);
	vsnprintf(room, (size_t)length + 1, format, args);
	va_end(args);
	buffer->end += (size_t)length;
	return true;
}
