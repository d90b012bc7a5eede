/* Small pieces of memory that come and go with the streams and frames of HTTP/2:
 * the same few sizes over and over, and more of them at once than the heap has at
 * hand for a thread. Those that are given back wait for the next who wants that
 * size. Loop thread. */
#ifndef HTTP_H2_PIECES_H
#define HTTP_H2_PIECES_H

#include <stddef.h>

/* One for each 16 bytes; what is larger than 504 goes to the heap. */
#define H2_PIECES_PLACES 32

struct h2_piece;

struct h2_pieces_place {
	struct h2_piece *first;
	size_t count; /* at most 256 */
};

struct h2_pieces {
	struct h2_pieces_place places[H2_PIECES_PLACES];
};

void h2_pieces_init(struct h2_pieces *pieces);
/* Frees those that wait; all others are the heap's. */
void h2_pieces_fini(struct h2_pieces *pieces);

/* As malloc: NULL: no memory. */
void *h2_pieces_take(struct h2_pieces *pieces, size_t size);
/* As free: takes whatever malloc and realloc have given, and NULL. */
void h2_pieces_give(struct h2_pieces *pieces, void *memory);

#endif
