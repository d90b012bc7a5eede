/* Memory that is freed all at once: a request, a batch, a generation.
 *
 * An arena fails once and stays failed, so that a builder may allocate many
 * times and ask once. Built with ASan it turns into one malloc a piece, so
 * that overruns are seen. One thread at a time. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/slice.h"

/* 1 in builds with ASan (gcc says it one way, clang the other), otherwise 0. */
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ONE_MALLOC_A_PIECE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ONE_MALLOC_A_PIECE 1
#endif
#endif
#ifndef ARENA_ONE_MALLOC_A_PIECE
#define ARENA_ONE_MALLOC_A_PIECE 0
#endif

struct arena_block;

struct arena {
	struct arena_block *blocks; /* newest first */
	char *next, *end;	    /* what is left of the newest */
	size_t block_bytes;	    /* size of a common block */
	size_t used_bytes;	    /* handed out since the last reset */
	size_t limit_bytes;	    /* 0: none; beyond it the arena fails */
	bool failed;
};

void arena_init(struct arena *arena, size_t block_bytes, size_t limit_bytes);

/* Frees everything. The arena may be used again, as after arena_init. */
void arena_fini(struct arena *arena);

/* Forgets everything but keeps one block for the next use. */
void arena_reset(struct arena *arena);

#define ARENA_ALIGNMENT 16

/* Aligned to 16 bytes, not cleared. NULL when memory or the limit ran out. */
void *arena_alloc_more(struct arena *arena, size_t size);
static inline void *arena_alloc(struct arena *arena, size_t size)
{
	size_t left = (size_t)(arena->end - arena->next);
	size_t rounded = (size + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
	void *piece = arena->next;

	/* Nearly always it is there: a request asks fifty times. */
	if (size == 0 || size > left || rounded > left || arena->failed ||
	    (arena->limit_bytes > 0 && rounded > arena->limit_bytes - arena->used_bytes))
		return arena_alloc_more(arena, size);
	arena->next += rounded;
	arena->used_bytes += rounded;
	return piece;
}
void *arena_zalloc(struct arena *arena, size_t size);

/* A copy with a closing zero byte; an absent slice when memory ran out. */
struct lg_slice arena_copy(struct arena *arena, struct lg_slice s);
struct lg_slice arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define arena_new(arena, type) ((type *)arena_zalloc((arena), sizeof(type)))

#endif
