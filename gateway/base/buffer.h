/* Bytes that grow at the end and are taken from the front, up to a limit.
 *
 * A buffer that could not grow is failed and drops what is added after: a
 * writer asks once at the end. One thread at a time. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include "base/error.h"
#include "base/slice.h"

/*      data         start            end            capacity
 *       | consumed   | what is there  | room         |          */
struct buffer {
	char *data;
	size_t start, end, capacity;
	size_t limit; /* bytes that may be there at once; SIZE_MAX: no limit */
	bool failed;
};

void buffer_init(struct buffer *buffer, size_t limit);
void buffer_fini(struct buffer *buffer);

/* Empties it and keeps its memory. Clears `failed`. */
void buffer_clear(struct buffer *buffer);

/* Gives the memory back when more than `keep` bytes are held and none used. */
void buffer_shrink(struct buffer *buffer, size_t keep);

static inline size_t buffer_length(const struct buffer *b)
{
	return b->end - b->start;
}
static inline struct lg_slice buffer_slice(const struct buffer *b)
{
	return slice_of(b->data ? b->data + b->start : "", b->end - b->start);
}

/* Room for `size` bytes at the end; the caller writes there and then says with
 * buffer_added how many. NULL when the limit or memory ran out. */
char *buffer_make_room(struct buffer *buffer, size_t size);
static inline char *buffer_room(struct buffer *b, size_t size)
{
	/* Nearly always it is there: a record asks a hundred times. */
	if (b->data && !b->failed && size <= b->capacity - b->end &&
	    buffer_length(b) + size <= b->limit)
		return b->data + b->end;
	return buffer_make_room(b, size);
}
static inline void buffer_added(struct buffer *b, size_t size)
{
	ALWAYS(size <= b->capacity - b->end);
	b->end += size;
}

/* Takes `size` bytes from the front. */
void buffer_take(struct buffer *buffer, size_t size);

static inline bool buffer_add(struct buffer *b, const void *data, size_t size)
{
	char *room;

	if (size == 0)
		return !b->failed;
	room = buffer_room(b, size);
	if (!room)
		return false;
	memcpy(room, data, size);
	b->end += size;
	return true;
}
static inline bool buffer_add_slice(struct buffer *b, struct lg_slice s)
{
	return buffer_add(b, s.data, s.length);
}
#define buffer_add_literal(b, text) buffer_add((b), (text), sizeof(text) - 1)
static inline bool buffer_add_byte(struct buffer *b, char byte)
{
	return buffer_add(b, &byte, 1);
}
bool buffer_add_u64(struct buffer *buffer, uint64_t value);
bool buffer_printf(struct buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
