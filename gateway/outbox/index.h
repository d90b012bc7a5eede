/* The dedup index: keyed 64-bit hash -> seq of the capture that brought it.
 *
 * Open addressing in 256 pieces by the hash's first byte. A slot of 12 bytes
 * holds the other 56 bits and a seq of 40 bits, so a piece can grow without
 * reading the journal: each grows by a quarter, alone and at its own time,
 * because doubling everything at once stops the writer for long. Slots stand
 * in the order of their hashes (the home of a hash rises with it), so a search
 * ends at the first greater one. One thread at a time. */
#ifndef OUTBOX_INDEX_H
#define OUTBOX_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INDEX_SHARDS 256
#define INDEX_SEQ_MAX ((INT64_C(1) << 40) - 1)

struct index_slot {
	uint32_t words[3];
};

struct index_shard {
	struct index_slot *slots; /* NULL until the first key */
	uint32_t capacity;	  /* homes; behind them a tail that runs over */
	uint32_t keys;
};

struct index {
	struct index_shard shards[INDEX_SHARDS];
	int64_t keys, bytes;
};

void index_init(struct index *index);
void index_fini(struct index *index);

/* Adds an entry; a hash may have several. `seq` is 1 to INDEX_SEQ_MAX. False:
 * memory ran out, nothing has changed. */
bool index_add(struct index *index, uint64_t hash, int64_t seq);

/* Adds many of one shard in one pass over it; they are sorted by hash. False:
 * memory ran out, nothing has changed. */
struct index_entry {
	uint64_t hash;
	int64_t seq;
};
bool index_merge(struct index *index, const struct index_entry *entries, size_t count);

/* Takes one entry out again; one that is not there is ignored. */
void index_remove(struct index *index, uint64_t hash, int64_t seq);

/* Entries of a hash, oldest first, at most `capacity`. */
size_t index_find(const struct index *index, uint64_t hash, int64_t *seqs, size_t capacity);

/* Brings the home of a hash into the cache, for who comes to it a little later. */
void index_prefetch(const struct index *index, uint64_t hash);

#endif
