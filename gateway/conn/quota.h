/* How many connections are open, in all and per address: a fixed table of
 * atomics, so that the thread that accepts and the threads that close need no
 * lock between them.
 *
 * Addresses are hashed with a secret key into two rows of cells, and the
 * smaller cell counts. Strangers that share both cells share a limit; at 1,000
 * addresses connected at once that happens to 4 in 1,000. An address is never
 * counted too low. IPv6 counts by /64, which one subscriber has whole. */
#ifndef CONN_QUOTA_H
#define CONN_QUOTA_H

#include "conn/address.h"
#include "conn/reason.h"

#include <stdatomic.h>

#define QUOTA_CELLS 16384 /* a row; a power of two */

struct quota {
	atomic_size_t limit, limit_per_address;
	uint64_t keys[3];
	atomic_size_t total;
	_Atomic(uint32_t) cells[2][QUOTA_CELLS];
};

/* NULL: no memory. */
struct quota *quota_new(size_t limit, size_t limit_per_address);
void quota_free(struct quota **quota);
/* For what comes next; nobody is turned away later. The thread that takes. */
void quota_set_limits(struct quota *quota, size_t limit, size_t limit_per_address);

/* Counts one connection in. False, with `*reason` why, when a limit is
 * reached; nothing is counted then. `exempt` connections (a trusted proxy
 * speaks for many) are bound by the total alone. One thread. */
bool quota_take(struct quota *quota, const struct address *address, bool exempt,
		enum conn_reason *reason);
/* The same for one that takes the place of another, which is still counted: up to
 * `beyond` more than the limit in all. */
bool quota_take_beyond(struct quota *quota, size_t beyond, const struct address *address,
		       bool exempt, enum conn_reason *reason);
/* Counts one that was counted in by `from` for another address. False when that
 * has as many as it may; nothing changes then. Any thread: several at once may
 * turn away one too many. */
bool quota_move(struct quota *quota, const struct address *from, bool from_exempt,
		const struct address *to, bool to_exempt);
/* Counts it out, with what it was counted in by. Any thread. */
void quota_give(struct quota *quota, const struct address *address, bool exempt);

size_t quota_total(const struct quota *quota);
/* Whether there are more than the limit allows. Any thread. */
bool quota_is_beyond(const struct quota *quota);

#endif
