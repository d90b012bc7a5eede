#include "http/h2_memory.h"

#include "base/alloc.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Six pages: libnghttp2 1.52 uses 23.5 KiB, and touches the first 8. */
#define BLOCK_BYTES 24576
#define SLAB_BLOCKS 64
/* What is smaller comes and goes with streams and frames. */
#define LASTING_BYTES 2048
/* Blocks whose memory waits for the next sessions. */
#define KEPT_BLOCKS 64

struct slab {
	struct list node;
	char *pages;
	struct h2_block blocks[SLAB_BLOCKS];
};

void h2_memory_init(struct h2_memory *memory)
{
	list_init(&memory->slabs);
	list_init(&memory->free);
	memory->kept = 0;
	h2_pieces_init(&memory->pieces);
}

void h2_memory_fini(struct h2_memory *memory)
{
	LIST_EACH_SAFE(node, &memory->slabs) {
		struct slab *slab = container_of(node, struct slab, node);
		munmap(slab->pages, SLAB_BLOCKS * BLOCK_BYTES);
		alloc_free(slab);
	}
	h2_pieces_fini(&memory->pieces);
	h2_memory_init(memory);
}

/* Huge pages would fill what is not to be touched; a kernel without them refuses
 * that advice. */
static char *map_pages(void)
{
	char *pages = mmap(NULL, SLAB_BLOCKS * BLOCK_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED)
		return NULL;
	madvise(pages, SLAB_BLOCKS * BLOCK_BYTES, MADV_NOHUGEPAGE);
	return pages;
}

static bool add_slab(struct h2_memory *memory)
{
	struct slab *slab = alloc_zalloc(sizeof(*slab));

	if (!slab)
		return false;
	slab->pages = map_pages();
	if (!slab->pages) {
		alloc_free(slab);
		return false;
	}
	for (size_t i = 0; i < SLAB_BLOCKS; i++) {
		slab->blocks[i].pieces = &memory->pieces;
		slab->blocks[i].bytes = slab->pages + i * BLOCK_BYTES;
		list_append(&memory->free, &slab->blocks[i].node);
	}
	list_append(&memory->slabs, &slab->node);
	return true;
}

struct h2_block *h2_memory_take(struct h2_memory *memory)
{
	if (list_empty(&memory->free) && !add_slab(memory))
		return NULL;
	struct h2_block *block = container_of(list_first(&memory->free), struct h2_block, node);
	list_remove(&block->node);
	memory->kept -= block->is_warm;
	block->is_warm = false;
	block->used = 0;
	return block;
}

void h2_memory_give(struct h2_memory *memory, struct h2_block *block)
{
	if (!block)
		return;
	block->is_warm = memory->kept < KEPT_BLOCKS ||
			 madvise(block->bytes, BLOCK_BYTES, MADV_DONTNEED) != 0;
	memory->kept += block->is_warm;
	if (block->is_warm)
		list_prepend(&memory->free, &block->node);
	else
		list_append(&memory->free, &block->node);
}

/* ---- as the library asks for it --------------------------------------------------- */

static bool is_inside(const struct h2_block *block, const void *piece)
{
	uintptr_t first = (uintptr_t)block->bytes, at = (uintptr_t)piece;

	return at >= first && at < first + BLOCK_BYTES;
}

/* NULL: it does not belong there. */
static void *cut(struct h2_block *block, size_t size)
{
	if (size < LASTING_BYTES || size > BLOCK_BYTES - block->used)
		return NULL;
	void *piece = block->bytes + block->used;
	size_t align = _Alignof(max_align_t);
	block->used += (size + align - 1) / align * align;
	return piece;
}

static void *take(size_t size, void *context)
{
	struct h2_block *block = context;
	void *piece = cut(block, size);

	return piece ? piece : h2_pieces_take(block->pieces, size);
}

/* The memory may have served another session before. */
static void *take_cleared(size_t count, size_t size, void *context)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	void *piece = take(bytes, context);
	return piece ? memset(piece, 0, bytes) : NULL;
}

/* What lies in the block goes with all of it. */
static void give(void *piece, void *context)
{
	struct h2_block *block = context;

	if (!is_inside(block, piece))
		h2_pieces_give(block->pieces, piece);
}

/* How long a piece is nobody has noted, but it ends with the block. */
static void *grow(void *piece, size_t size, void *context)
{
	const struct h2_block *block = context;

	if (!piece)
		return take(size, context);
	if (!is_inside(block, piece))
		return realloc(piece, size);
	size_t most = (size_t)(block->bytes + BLOCK_BYTES - (char *)piece);
	void *larger = malloc(size);
	return larger ? memcpy(larger, piece, size < most ? size : most) : NULL;
}

nghttp2_mem h2_memory_of(struct h2_block *block)
{
	return (nghttp2_mem){
		.mem_user_data = block,
		.malloc = take,
		.free = give,
		.calloc = take_cleared,
		.realloc = grow,
	};
}
