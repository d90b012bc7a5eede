/* Memory of libnghttp2's sessions, so that an idle connection holds little.
 *
 * What a session keeps for its life is few large pieces: itself, a table of its
 * streams, and a buffer of 16 KiB for frames of which mostly the first bytes are
 * used. Each session gets a block of pages in which they lie side by side, so
 * that the end of one page is no loss and the rest of that buffer is never
 * touched. All else comes from the heap, and what is small from h2_pieces.h. Loop
 * thread. */
#ifndef HTTP_H2_MEMORY_H
#define HTTP_H2_MEMORY_H

#include "base/list.h"
#include "http/h2_pieces.h"

#include <nghttp2/nghttp2.h>

/* What a loop has. */
struct h2_memory {
	struct list slabs;
	struct list free; /* blocks; those whose pages hold memory are in front */
	size_t kept;	  /* those in front */
	struct h2_pieces pieces;
};

struct h2_block {
	struct list node; /* while it is free */
	struct h2_pieces *pieces;
	char *bytes;
	size_t used;
	bool is_warm; /* its pages hold memory */
};

void h2_memory_init(struct h2_memory *memory);
/* Frees all; no block may be in use. */
void h2_memory_fini(struct h2_memory *memory);

/* A block for one session. NULL: no memory. */
struct h2_block *h2_memory_take(struct h2_memory *memory);
/* The session is gone: its pages go back to the system, but for those of a few
 * blocks that wait for the next sessions. NULL does nothing. */
void h2_memory_give(struct h2_memory *memory, struct h2_block *block);

/* For nghttp2_session_server_new3; copied by that. Lives as long as the block
 * is taken. */
nghttp2_mem h2_memory_of(struct h2_block *block);

#endif
