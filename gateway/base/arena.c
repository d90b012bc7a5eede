#include "base/arena.h"

#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>

struct arena_block {
	struct arena_block *next;
	size_t size;
	_Alignas(ARENA_ALIGNMENT) char bytes[];
};

void arena_init(struct arena *arena, size_t block_bytes, size_t limit_bytes)
{
	*arena = (struct arena){.block_bytes = block_bytes, .limit_bytes = limit_bytes};
}

static void free_blocks(struct arena_block *block)
{
	while (block) {
		struct arena_block *next = block->next;
		alloc_free(block);
		block = next;
	}
}

void arena_fini(struct arena *arena)
{
	free_blocks(arena->blocks);
	arena_init(arena, arena->block_bytes, arena->limit_bytes);
}

/* Takes a block of the common size out of the chain, to be kept. */
static struct arena_block *take_common(struct arena *arena)
{
	for (struct arena_block **at = &arena->blocks; *at; at = &(*at)->next) {
		struct arena_block *block = *at;
		if (block->size == arena->block_bytes) {
			*at = block->next;
			return block;
		}
	}
	return NULL;
}

void arena_reset(struct arena *arena)
{
	struct arena_block *kept = ARENA_ONE_MALLOC_A_PIECE ? NULL : take_common(arena);

	arena_fini(arena);
	if (kept) {
		kept->next = NULL;
		arena->blocks = kept;
		arena->next = kept->bytes;
		arena->end = kept->bytes + kept->size;
	}
}

/* A piece too large to share gets a block of its own behind the newest, whose
 * rest stays in use. */
static void *alloc_alone(struct arena *arena, size_t size)
{
	struct arena_block *block = alloc_malloc(sizeof(*block) + size);
	if (!block)
		return NULL;
	struct arena_block **at = arena->blocks ? &arena->blocks->next : &arena->blocks;
	block->size = size;
	block->next = *at;
	*at = block;
	return block->bytes;
}

static void *alloc_in_new_block(struct arena *arena, size_t size)
{
	struct arena_block *block = alloc_malloc(sizeof(*block) + arena->block_bytes);
	if (!block)
		return NULL;
	block->size = arena->block_bytes;
	block->next = arena->blocks;
	arena->blocks = block;
	arena->next = block->bytes + size;
	arena->end = block->bytes + block->size;
	return block->bytes;
}

static void *fail(struct arena *arena)
{
	arena->failed = true;
	return NULL;
}

void *arena_alloc_more(struct arena *arena, size_t size)
{
	size_t rounded = ((size ? size : 1) + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
	void *piece;

	if (arena->failed || size > PTRDIFF_MAX / 2)
		return fail(arena);
	if (arena->limit_bytes > 0 && rounded > arena->limit_bytes - arena->used_bytes)
		return fail(arena);
	if ((size_t)(arena->end - arena->next) >= rounded) {
		piece = arena->next;
		arena->next += rounded;
	} else if (ARENA_ONE_MALLOC_A_PIECE) {
		piece = alloc_alone(arena, size);
	} else if (rounded > arena->block_bytes / 2) {
		piece = alloc_alone(arena, rounded);
	} else {
		piece = alloc_in_new_block(arena, rounded);
	}
	if (!piece)
		return fail(arena);
	arena->used_bytes += rounded;
	return piece;
}

void *arena_zalloc(struct arena *arena, size_t size)
{
	void *piece = arena_alloc(arena, size);
	if (piece)
		memset(piece, 0, size);
	return piece;
}

struct lg_slice arena_copy(struct arena *arena, struct lg_slice s)
{
	if (!slice_present(s))
		return slice_of(NULL, 0);
	char *copy = arena_alloc(arena, s.length + 1);
	if (!copy)
		return slice_of(NULL, 0);
	memcpy(copy, s.data, s.length);
	copy[s.length] = '\0';
	return slice_of(copy, s.length);
}

struct lg_slice arena_printf(struct arena *arena, const char *format, ...)
{
	char text[256]; /* most texts are short: one pass is enough for them */
	va_list args;

	va_start(args, format);
	int length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (length < 0) {
		arena->failed = true;
		return slice_of(NULL, 0);
	}
	if ((size_t)length < sizeof(text))
		return arena_copy(arena, slice_of(text, (size_t)length));

	char *out = arena_alloc(arena, (size_t)length + 1);
	if (!out)
		return slice_of(NULL, 0);
	va_start(args, format);
	vsnprintf(out, (size_t)length + 1, format, args);
	va_end(args);
	return slice_of(out, (size_t)length);
}
