#include "http/h2_pieces.h"

#include "base/arena.h"
#include "base/error.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* The heap cuts its pieces in such steps, of which it needs a word itself. */
#define STEP_BYTES ((size_t)16)
#define WORD_BYTES sizeof(size_t)
/* So many of each size. None with ASan, which is to see each free. */
#define KEPT (ARENA_ONE_MALLOC_A_PIECE ? 0 : 256)

struct h2_piece {
	struct h2_piece *next;
};

/* What each piece of a place holds at least. */
static size_t bytes_of(size_t place)
{
	return (place + 1) * STEP_BYTES - WORD_BYTES;
}

/* The first place whose pieces hold `size` bytes. */
static size_t place_for(size_t size)
{
	return size > bytes_of(0) ? (size - bytes_of(0) + STEP_BYTES - 1) / STEP_BYTES : 0;
}

/* The place of a piece that holds `size` bytes, at least bytes_of(0). */
static size_t place_of(size_t size)
{
	return (size - bytes_of(0)) / STEP_BYTES;
}

void h2_pieces_init(struct h2_pieces *pieces)
{
	memset(pieces, 0, sizeof(*pieces));
}

static void free_place(struct h2_piece *piece)
{
	while (piece) {
		struct h2_piece *next = piece->next;
		free(piece);
		piece = next;
	}
}

void h2_pieces_fini(struct h2_pieces *pieces)
{
	for (size_t i = 0; i < H2_PIECES_PLACES; i++)
		free_place(pieces->places[i].first);
	h2_pieces_init(pieces);
}

/* Not base/alloc.h, for tests cannot let these fail: libnghttp2 1.52 frees an
 * answer twice when memory runs out as it queues its DATA. */
void *h2_pieces_take(struct h2_pieces *pieces, size_t size)
{
	if (size > bytes_of(H2_PIECES_PLACES - 1))
		return malloc(size);
	struct h2_pieces_place *place = &pieces->places[place_for(size)];
	struct h2_piece *piece = place->first;
	if (!piece)
		return malloc(bytes_of(place_for(size)));
	place->first = piece->next;
	place->count--;
	return piece;
}

void h2_pieces_give(struct h2_pieces *pieces, void *memory)
{
	struct h2_piece *piece = memory;
	size_t size = malloc_usable_size(piece);

	if (size < bytes_of(0) || size >= bytes_of(H2_PIECES_PLACES)) {
		free(piece);
		return;
	}
	struct h2_pieces_place *place = &pieces->places[place_of(size)];
	ALWAYS(piece != place->first); /* what is freed twice must not serve twice */
	if (place->count == KEPT) {
		free(piece);
		return;
	}
	piece->next = place->first;
	place->first = piece;
	place->count++;
}
