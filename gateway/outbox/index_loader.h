/* Fills an index with many entries at once, at start. Added one by one they
 * would miss the cache each time; here they wait, shard by shard, and are merged
 * into theirs in order. What waits takes up to as much as the index, for the
 * time being. One thread. */
#ifndef OUTBOX_INDEX_LOADER_H
#define OUTBOX_INDEX_LOADER_H

#include "outbox/index.h"

struct index_loader;

/* NULL when memory ran out. The index must not be changed otherwise until
 * index_loader_finish. */
struct index_loader *index_loader_new(struct index *index);
void index_loader_free(struct index_loader **loader);

/* As index_add; entries of one hash keep their order. */
bool index_loader_add(struct index_loader *loader, uint64_t hash, int64_t seq);
/* Adds all that waits. */
bool index_loader_finish(struct index_loader *loader);

#endif
